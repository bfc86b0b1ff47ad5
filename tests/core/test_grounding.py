import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import Shelf

from core.answering.grounding import ground
from core.protocol import Source

PASSAGES = [
    "Heinz replaced the pressure valve on 2026-05-03. It cost 1,200 euros. The boiler is not covered by the plan.",
    "Anna booked three nights in the cabin by the lake for the end of June.",
]


def bound(prose: str, shelf: Shelf | None = None) -> list[int | None]:
    shelf = shelf or Shelf(PASSAGES)
    sources = [Source(n, hit.path, "", "", 1, None, 1.0, hit.text) for n, hit in enumerate(shelf.hits, start=1)]
    return [sentence.source for sentence in ground(prose, sources)]


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Heinz replaced the pressure valve.", 1),
        ("Heinz replaced the pressure valve on 3 May 2026.", 1),
        ("It cost 1200 euros.", 1),
        ("Anna booked the cabin for 3 nights.", 2),
        ("3 nights in the cabin by the lake were booked by Anna.", 2),
        ("Three nights in the cabin by the lake were booked by Anna.", 2),
        ("The boiler is not covered by the plan.", 1),
    ],
)
def test_a_sentence_is_bound_to_the_passage_that_says_it(sentence: str, source: int):
    assert bound(sentence) == [source]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("another number", "It cost 1300 euros."),
        ("another number at the beginning", "Four nights in the cabin by the lake were booked by Anna."),
        ("another date", "Heinz replaced the pressure valve on 4 May 2026."),
        ("another name", "The pressure valve was replaced by Gustav."),
        ("a denial taken away", "The boiler is covered by the plan."),
        ("a denial added", "Heinz never replaced the pressure valve."),
        ("something else", "Plumbers recommend yearly inspections everywhere."),
        ("a mere yes", "Yes."),
    ],
)
def test_a_sentence_that_says_something_else_is_bound_to_nothing(what: str, sentence: str):
    assert bound(sentence) == [None], what


PAINTS = """Paints:

| room | code |
|---|---|
| hall | AP-1002 |
| kitchen | AP-3317 |

The gas meter is in the cellar. It was read in January. The window was cleaned. A fan heater stands in the study."""


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("The code of the kitchen paint is AP-3317.", 1),
        ("The code of the kitchen paint is AP-1002.", None),
        ("The gas meter was read in January.", 1),
        ("The gas meter stands in the study.", None),
    ],
)
def test_words_from_different_places_of_a_passage_do_not_support_a_sentence(sentence: str, source: int | None):
    assert bound(sentence, Shelf([PAINTS])) == [source]


def test_a_sentence_may_gather_the_items_of_a_list():
    shelf = Shelf(["For the cabin:\n- milk\n- bread\n- candles\n- a map"])
    assert bound("For the cabin: milk, bread, candles and a map.", shelf) == [1]


def test_each_sentence_is_judged_by_itself():
    assert bound("Heinz replaced the pressure valve. He also painted the garage. Anna booked the cabin.") == [
        1,
        None,
        2,
    ]


def test_the_text_of_the_sentences_is_the_prose_in_order():
    prose = "Heinz came.\n- The valve was new.\n- It cost 1,200 euros."
    assert [s.text for s in ground(prose, [])] == ["Heinz came.", "The valve was new.", "It cost 1,200 euros."]


NOTE = """Heinz replaced the old pressure valve of the boiler for Anna on 3 May.
Tom paid 118 euros and Ida paid 60 euros. The cabin was booked by Priya. The gas meter is not in the cellar.
Teams: Wasps (Tom, Ida), Hornets (Priya, Dave).
Kitchen and hall were painted in June.
The heater is a set of pipes made by Lowgate Heating to warm two rooms.
The porch, like most here, was listed grade one in 1954 by the council.

| date | who | notes |
|---|---|---|
| 2024-11-05 | Dave | new electrode, £58 |

- water the lemon tree
- renew the passport of Ida
- fetch 3 books and 5 candles"""


def from_note(sentence: str) -> bool:
    source = Source(1, "/boiler.md", "Boiler", "Boiler › Service", 1, None, 1.0, NOTE)
    return ground(sentence, [source])[0].source == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Heinz replaced the old pressure valve.",
        "Heinz replaced the pressure valve of the boiler for Anna on 3 May.",
        "The old pressure valve was replaced by Heinz.",
        "The pressure valve of the boiler was replaced on 3 May.",
        "Priya booked the cabin.",
        "The cabin was booked by Priya.",
        "Tom paid 118 euros.",
        "Ida paid 60 euros.",
        "The gas meter is not in the cellar.",
        "Kitchen and hall were painted in June.",
        "Renew the passport of Ida.",
        "Fetch 3 books and 5 candles.",
        "The heater is a set of pipes made by Lowgate Heating.",
        "The porch was listed by the council.",
        "Dave: new electrode, £58.",
    ],
)
def test_what_one_sentence_row_or_item_says_is_bound(sentence: str):
    assert from_note(sentence)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("words of a row and a heading as one phrase", "The boiler is a new service."),
        ("a row's adjective for the topic", "The boiler is new."),
        ("a relation that nobody stated", "Heinz is the pressure valve."),
        ("another relation", "The boiler replaced the pressure valve."),
        ("swapped roles", "Anna replaced the old pressure valve for Heinz."),
        ("swapped roles in a passive", "Priya was booked by the cabin."),
        ("swapped roles in a bare passive", "Priya was booked."),
        ("swapped objects", "Heinz replaced the boiler of the pressure valve."),
        ("a member of the other group", "Priya and Dave are Wasps."),
        ("a member of the group before", "Priya is from the Wasps."),
        ("swapped words", "The pressure boiler was replaced by Heinz."),
        ("another's amount", "Tom paid 60 euros."),
        ("another's amount, the other way", "Ida paid 118 euros."),
        ("a number on another thing", "Fetch 5 books."),
        ("another number", "Tom paid 119 euros."),
        ("another day", "Heinz replaced the old pressure valve on 5 May."),
        ("another month", "Kitchen and hall were painted in July."),
        ("another name", "Gustav replaced the old pressure valve."),
        ("another verb", "Heinz broke the old pressure valve of the boiler for Anna on 3 May."),
        ("an invented purpose", "Heinz replaced the old pressure valve to save money."),
        ("a denial taken away", "The gas meter is in the cellar."),
        ("a denial added", "The cabin was not booked by Priya."),
        ("words of two items", "Water the passport of Ida."),
        ("words of two items, swapped", "Renew the lemon tree."),
        ("words of two sentences", "Tom booked the cabin."),
    ],
)
def test_the_words_of_the_notes_in_another_relation_are_bound_to_nothing(what: str, sentence: str):
    assert not from_note(sentence), what


def test_no_prose_has_no_sentences():
    assert bound("") == []


def test_another_name_at_the_beginning_is_bound_to_nothing_however_often_the_notes_have_it():
    elsewhere = [f"Anna met us and brought the {thing}." for thing in ("bread", "cheese", "wine", "books", "chess set")]
    shelf = Shelf([PASSAGES[0], *elsewhere])
    assert bound("Anna replaced the pressure valve.", shelf) == [None]
    assert bound("Usually Heinz replaced the pressure valve.", shelf) == [1]


@given(
    st.text(alphabet=st.sampled_from("Heinz May 3.,!?\n-#|*'’\u00bd\u00b2中。é\x00\udcff"), max_size=120) | st.text()
)
def test_any_prose_is_judged_and_its_sentences_stay_in_their_order(prose: str):
    shelf = Shelf(PASSAGES)
    sources = [Source(n, hit.path, "", "", 1, None, 1.0, hit.text) for n, hit in enumerate(shelf.hits, start=1)]
    end = 0
    for sentence in ground(prose, sources):
        start = prose.index(sentence.text, end)
        end = start + len(sentence.text)
        assert sentence.source in (None, 1, 2)
