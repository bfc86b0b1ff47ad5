from typing import Any

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
    return [sentence.source for sentence in ground(prose, sources, shelf)]


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
    shelf = Shelf(PASSAGES)
    prose = "Heinz came.\n- The valve was new.\n- It cost 1,200 euros."
    assert [s.text for s in ground(prose, [], shelf)] == ["Heinz came.", "The valve was new.", "It cost 1,200 euros."]


def test_other_words_for_the_same_are_accepted_when_the_meaning_is_close(embedder: Any):
    sentence = "The pressure valve has been swapped by Heinz."
    shelf = Shelf(["Heinz replaced the pressure valve."], embed=embedder)
    assert bound(sentence, shelf) == [1]


def test_no_prose_has_no_sentences():
    assert bound("") == []


def test_another_name_at_the_beginning_is_bound_to_nothing_however_often_the_notes_have_it(embedder: Any):
    elsewhere = [f"Anna met us and brought the {thing}." for thing in ("bread", "cheese", "wine", "books", "chess set")]
    shelf = Shelf([PASSAGES[0], *elsewhere], embed=embedder)
    assert bound("Anna replaced the pressure valve.", shelf) == [None]
    assert bound("Usually Heinz replaced the pressure valve.", shelf) == [1]


@given(
    st.text(alphabet=st.sampled_from("Heinz May 3.,!?\n-#|*'’\u00bd\u00b2中。é\x00\udcff"), max_size=120) | st.text()
)
def test_any_prose_is_judged_and_its_sentences_stay_in_their_order(prose: str):
    shelf = Shelf(PASSAGES)
    sources = [Source(n, hit.path, "", "", 1, None, 1.0, hit.text) for n, hit in enumerate(shelf.hits, start=1)]
    end = 0
    for sentence in ground(prose, sources, shelf):
        start = prose.index(sentence.text, end)
        end = start + len(sentence.text)
        assert sentence.source in (None, 1, 2)
