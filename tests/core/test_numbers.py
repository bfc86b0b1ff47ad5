import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answering.numbers import days, numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,200 euros", {"1200"}),
        ("three nights", {"3"}),
        ("on 2026-05-03", {"2026", "5", "3"}),
        ("3 May", {"3", "5"}),
        ("we may go", set()),
        ("1.5 bar, 1,5 bar", {"1.5"}),
    ],
)
def test_numbers_have_one_writing(text: str, found: set[str]):
    assert numbers(text) == found


@pytest.mark.parametrize("text", ["3 May", "May 3", "May 3rd, 2026", "the 3rd of May", "2026-05-03", "3. May"])
def test_days_have_one_writing(text: str):
    assert days(text) == {(5, 3)}


def test_a_month_and_a_number_elsewhere_are_no_day():
    assert days("in May we had 3 visitors, Room 5 and 3 Tables") == frozenset()


@given(st.text(alphabet=st.sampled_from("Mayun 0123.,-:\u00b2\u0663 ")))
def test_any_text_has_numbers_and_days_or_none(text: str):
    assert all(1 <= month <= 99 for month, _ in days(text) if month)
    numbers(text)
