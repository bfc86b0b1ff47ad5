from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import Shelf

from core.answering.quote import THRESHOLD, Signs, confidence, shares, signs, weigh

BOILER = """The boiler is a Thermaline in the cellar.
Heinz replaced the pressure valve on 3 May. It cost 118 euros.

The chimney sweep comes every October."""
CABIN = (
    "Anna booked the cabin by the lake.\n\n| what | price |\n|---|---|\n| deposit | 450 euros |\n| boat | 60 euros |"
)
TASKS = (
    "Before we leave:\n- [ ] Ask Priya for the charger\n- [x] Water the lemon tree\n"
    "- [ ] Renew Ida's passport by 19 February"
)


def quote_for(question: str, shelf: Shelf) -> Any:
    hits = list(shelf.search(question, 6, True))[-1][1]
    return weigh(question, hits, shelf).quote


@pytest.fixture
def shelf(embedder: Any) -> Shelf:
    return Shelf([BOILER, CABIN, TASKS], embed=embedder)


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("When was the pressure valve of the boiler replaced?", "on 3 May"),
        ("How much was the deposit for the cabin?", "450 euros"),
        ("By when do I have to renew Ida's passport?", "19 February"),
        ("How often does the chimney sweep come?", "every October"),
    ],
)
def test_the_sentence_row_or_item_that_answers_is_quoted(question: str, holds: str, shelf: Shelf):
    assert holds in quote_for(question, shelf).text


def test_a_quote_is_the_text_at_its_offsets_and_on_its_line(shelf: Shelf):
    quote = quote_for("How often does the chimney sweep come?", shelf)
    hit = shelf.hits[0]
    assert hit.text[quote.start - hit.start : quote.end - hit.start] == quote.text
    assert quote.line == hit.line + 3
    assert quote.path == hit.path


def test_a_neighbour_that_answers_too_is_quoted_with_it(shelf: Shelf):
    quote = quote_for("What did the pressure valve cost that Heinz replaced?", shelf)
    assert quote.text == "Heinz replaced the pressure valve on 3 May. It cost 118 euros."


@pytest.mark.parametrize("question", ["Who won the chess tournament in Vienna?", "What is the capital of Peru?"])
def test_nothing_is_quoted_when_the_notes_do_not_say_it(question: str, shelf: Shelf):
    assert quote_for(question, shelf) is None


LOCKERS = ["Gym: the locker number is 1533, the code is on the card.", "The tax number is 4711-22 since 2019."]
PASSWORDS = ["The password of the backup is with Priya.", "The router stands in the hall."]


@pytest.mark.parametrize("question", ["locker 77", "What is in locker 77?", "Which locker is number 7.700?"])
def test_a_passage_without_the_number_of_the_question_is_about_something_else(question: str, embedder: Any):
    assert quote_for(question, Shelf(LOCKERS, embed=embedder)) is None
    assert "1533" in quote_for("locker 1533", Shelf(LOCKERS, embed=embedder)).text


@pytest.mark.parametrize("question", ["wifi password", "What is the wifi password?"])
def test_of_few_words_the_rare_one_is_needed(question: str, embedder: Any):
    assert quote_for(question, Shelf(PASSWORDS, embed=embedder)) is None
    assert quote_for("backup password", Shelf(PASSWORDS, embed=embedder)).text == PASSWORDS[0]


SERVICE = """# Boiler

The boiler is in the utility cupboard and has a cover plan.

## Service

| Date | Who | Notes |
|---|---|---|
| 2025-11-12 | Dave | ok |

The service of the boiler takes an hour. Dave Metcalfe does the service of the boiler."""


@pytest.mark.parametrize("mark", ["", "?", " ?", "?!"])
def test_who_is_answered_with_a_name_with_or_without_a_question_mark(mark: str, embedder: Any):
    shelf = Shelf([SERVICE], embed=embedder, title="Boiler")
    quote = quote_for(f"who services the boiler{mark}", shelf)
    assert "Dave" in quote.text
    assert quote.text == quote_for("who services the boiler", shelf).text


def test_the_same_sentence_in_two_notes_makes_neither_doubtful(embedder: Any):
    twice = Shelf([BOILER, BOILER.replace("euros", "euros in all"), CABIN], embed=embedder)
    question = "When was the pressure valve of the boiler replaced?"
    assert "on 3 May" in quote_for(question, twice).text
    hits = list(twice.search(question, 6, True))[-1][1]
    evidence = weigh(question, hits, twice)
    first, second = evidence.candidates[:2]
    assert {first.hit, second.hit} == {0, 1}
    assert signs(evidence.candidates, shares(question, twice), hits, evidence.units).margin > first.score - second.score


def test_doubt_comes_with_a_near_second_and_with_words_that_the_passage_lacks():
    good = Signs(cosine=0.6, inside=0.8, margin=0.3, missing=0.0)
    assert confidence(good) > THRESHOLD > confidence(Signs(0.2, 0.2, 0.0, 0.6))
    assert confidence(good) > confidence(good._replace(margin=0.0))
    assert confidence(good) > confidence(good._replace(missing=0.5))


def test_words_alone_decide_while_the_embedding_model_is_away():
    shelf = Shelf([BOILER, CABIN, TASKS])
    assert "on 3 May" in quote_for("When was the pressure valve replaced?", shelf).text
    assert quote_for("What is the capital of Peru?", shelf) is None


def test_no_passages_means_no_quote(shelf: Shelf):
    evidence = weigh("anything", [], shelf)
    assert evidence.quote is None
    assert evidence.candidates == []


def test_headings_table_heads_and_lead_ins_are_never_the_quote(embedder: Any):
    shelf = Shelf(["# Boiler pressure\n\nBoiler pressure:\n- 1.5 bar\n"], embed=embedder, title="Boiler pressure")
    assert quote_for("What is the boiler pressure?", shelf).text == "1.5 bar"


@given(
    st.lists(
        st.sampled_from(["valve", "boiler", "replaced. ", "Heinz", "\n", "\n\n", "- ", "# ", "| ", "中。", "é ", "3."])
    )
)
def test_whatever_the_note_a_quote_is_at_most_two_units_at_its_very_place(pieces: list[str]):
    shelf = Shelf(["Something else.", " ".join(["The valve was replaced.", *pieces])])
    hits = shelf.hits[::-1]
    evidence = weigh("When was the boiler valve replaced?", hits, shelf)
    quote = evidence.quote
    if quote is None or evidence.hit is None:
        return
    hit = hits[evidence.hit]
    start, end = quote.start - hit.start, quote.end - hit.start
    assert hit.text[start:end] == quote.text
    assert quote.text.strip()
    assert quote.line == hit.line + hit.text[:start].count("\n")
    inside = [unit for unit in evidence.units[evidence.hit] if unit.start >= start and unit.end <= end]
    assert 1 <= len(inside) <= 2
