import pytest

from core.answering.difference import difference
from core.protocol import Difference

BLUE, PIER = "The boat is blue.", "It lies at the third pier."


def test_what_both_say_and_what_each_says_alone() -> None:
    assert difference([BLUE, "It is old."], [PIER, BLUE]) == Difference("differs", [BLUE], [PIER], ["It is old."])


@pytest.mark.parametrize(
    ("then", "now", "verdict"),
    [
        ([BLUE], ["the  boat is **blue**"], "agrees"),
        ([BLUE, PIER], [PIER, BLUE], "agrees"),
        ([BLUE], [BLUE, PIER], "adds"),
        ([BLUE, PIER], [BLUE], "leaves out"),
        ([], [], "agrees"),
    ],
)
def test_the_verdict_is_one_word(then: list[str], now: list[str], verdict: str) -> None:
    assert difference(then, now).verdict == verdict


@pytest.mark.parametrize(
    "now", ["It was 4 May.", "It was not 3 May.", "It was -3 May.", "It was 3 May?", "It was 3. May."]
)
def test_a_small_word_or_sign_makes_another_sentence(now: str) -> None:
    assert difference(["It was 3 May."], [now]).verdict == "differs"
