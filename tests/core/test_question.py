import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answering.question import LONGEST, clean
from core.errors import BadInput


def test_a_question_becomes_one_tidy_line():
    assert clean("  When is\n the\tdentist? \x00") == "When is the dentist?"


def test_composed_and_decomposed_letters_become_the_same_question():
    assert clean("cafe\u0301?") == clean("caf\u00e9?")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("?!… --- ***", "no words"),
        ("\udcff\udcfe", "UTF-8"),
        ("x" * 100_000, "2,000"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason_and_a_next_step(typed: str, says: str):
    with pytest.raises(BadInput) as refusal:
        clean(typed)
    assert says in refusal.value.what
    assert refusal.value.next_step


@pytest.mark.parametrize("typed", ['title:"x" AND NOT (y*)', "NEAR(a b)", "什么时候？", "2026", "a" * LONGEST, "C++?"])
def test_search_syntax_other_scripts_and_numbers_can_be_asked(typed: str):
    assert clean(typed)


@given(st.text())
def test_any_text_is_either_a_clean_line_or_refused(typed: str):
    try:
        question = clean(typed)
    except BadInput:
        return
    assert question == question.strip()
    assert "\n" not in question
    question.encode()
