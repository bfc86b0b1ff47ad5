"""Misspelt words: what is near, what is never touched, and words that come and go while one searches."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.query import parse
from indexer.spelling import MOST, Spelling, replaced, sentence
from indexer.store import passages
from indexer.store.database import Database
from indexer.store.vocabulary import Vocabulary
from indexer.terms import fold
from tests.indexer.conftest import eventually, extracted

Store = Callable[..., int]
WORDS = "the budget of the house, cause and pause; boiler pressure; Übergangsregelung für Mieter; restaurant taxes 2026"


@pytest.fixture
def spelling(database: Database, store: Store) -> Spelling:
    store("a.md", extracted(WORDS, "another house, title", title="Note"))
    return Spelling(database)


def meant(spelling: Spelling, text: str, *, unfinished: bool = False) -> str:
    mended = spelling.mended(text, parse(text, unfinished=unfinished).parts, unfinished=unfinished, wait=True)
    return replaced(text, mended)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("budgte", "budget"), ("buget", "budget"), ("budgett", "budget"), ("bodget", "budget"), ("BUDGTE", "budget"),
        ("vudget", "budget"), ("udget", "budget"), ("ubdget", "budget"), ("xbudget", "budget"),
        ("hause", "house"), ("übergansreglung", "Übergangsregelung"), ("resturannt", "restaurant"),
        ("biuler", "biuler"), ("budg", "budg"), ("xyzzyx", "xyzzyx"), ("teh", "teh"), ("", ""),
        ("budgte2", "budgte2"), ("x_budgte", "x_budgte"), ("taxxes2026 RB-bugdet", "taxxes2026 RB-budget"),
        ("buget: of the hous", "buget: of the house"),
        ("where they couldn’t", "where they couldn’t"), ("boilr’s", "boilr’s"),
        ("teh boilr presure", "teh boiler pressure"),
    ],
)  # fmt: skip
def test_the_nearest_word_that_some_passage_has(spelling: Spelling, typed: str, word: str) -> None:
    assert meant(spelling, typed) == word


def test_a_beginning_is_not_misspelt_while_it_is_typed(spelling: Spelling) -> None:
    assert eventually(lambda: spelling.mended("budgte", unfinished=True) != [], 10.0), "the words are read meanwhile"
    assert spelling.mended("budge") != []
    assert spelling.mended("budge", unfinished=True) == []
    assert spelling.mended("budge ", unfinished=True) != []


def test_filters_and_exact_words_are_never_mended(spelling: Spelling) -> None:
    text = '"budgte" -pressuer tag:budgte folder:hause hause'
    assert meant(spelling, text) == text.removesuffix("hause") + "house"


def test_where_it_stands_and_what_is_said(spelling: Spelling) -> None:
    text = "the Budgte of hause"
    mended = spelling.mended(text, wait=True)
    assert [text[part.start : part.end] for part in mended] == ["Budgte", "hause"]
    assert {part.kind for part in mended} == {"spelling"}
    assert sentence(text, mended) == ("Nothing has “Budgte”; showing “budget”. Nothing has “hause”; showing “house”.")
    assert sentence(text, []) == ""


def test_known_words_cost_no_vocabulary(spelling: Spelling, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> str:
        raise AssertionError("all words are known")

    monkeypatch.setattr(Vocabulary, "nearest", never)
    assert spelling.mended("boiler pressure of the house in 2026") == []
    assert spelling.mended("boiler pressu", unfinished=True) == []


def test_only_so_many_words_of_a_text_are_looked_for(spelling: Spelling) -> None:
    assert len(spelling.mended("budgte hause presure boilr restaurnt", wait=True)) == MOST


def test_new_words_are_known_and_deleted_ones_are_proposed_no_more(
    spelling: Spelling, database: Database, store: Store
) -> None:
    assert meant(spelling, "zepelin") == "zepelin"
    store("b.md", extracted("a zeppelin"))
    assert meant(spelling, "zepelin") == "zeppelin"
    with database.write() as connection:
        connection.execute("DELETE FROM chunks WHERE body = 'a zeppelin'")
    assert meant(spelling, "zepelin") == "zepelin"


def test_of_equally_near_words_the_first_letter_and_then_the_commoner_one_decides(
    database: Database, store: Store
) -> None:
    store("a.md", extracted("mouse", "mouse", "mouse", "horse", "house", "house"))
    assert Vocabulary(database).nearest("houre", wait=True) == "house"
    assert Vocabulary(database).nearest("mousse", wait=True) == "mouse"


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_looked_at(spelling: Spelling, text: str) -> None:
    for unfinished in (False, True):
        mended = spelling.mended(text, unfinished=unfinished, wait=True)
        assert all(text[part.start : part.end].isalpha() for part in mended)


def test_a_word_is_known_as_a_whole_or_as_a_beginning(database: Database, store: Store) -> None:
    store("a.md", extracted("Crème brûlée"))
    with database.read() as connection:
        assert passages.has_word(connection, fold("Brûlée"), begins=False)
        assert passages.has_word(connection, "brul", begins=True)
        assert not passages.has_word(connection, "brul", begins=False)
        assert not passages.has_word(connection, "brum", begins=True)
