"""Two lists as one: what the score is made of, and what stays first whatever the other list says."""

from hypothesis import given
from hypothesis import strategies as st

from indexer.fusion import LEAST_CLOSE, WORDS_WEIGHT, Match, fuse

CLOSE = st.lists(st.tuples(st.integers(1, 30), st.floats(-1, 1)), unique_by=lambda near: near[0])


def order(matches: list[Match], near: list[tuple[int, float]]) -> list[int]:
    return [number for number, _ in fuse(matches, near)]


def test_what_both_lists_know_comes_first() -> None:
    assert order([Match(1, 5.0), Match(2, 4.9)], [(3, 0.6), (2, 0.55), (1, 0.2)]) == [2, 1, 3]
    assert fuse([], []) == []


def test_the_score_is_the_cosine_and_the_share_of_the_best_match() -> None:
    scores = dict(fuse([Match(1, 8.0), Match(2, 4.0)], [(1, 0.5), (2, 0.4), (3, 0.35)]))
    assert scores == {1: 0.5 + WORDS_WEIGHT, 2: 0.4 + WORDS_WEIGHT / 2, 3: 0.35}


def test_where_all_passages_are_about_equally_close_the_words_decide() -> None:
    assert order([Match(4, 3.0), Match(5, 2.0)], [(1, 0.64), (2, 0.62), (3, 0.60)]) == [4, 5, 1, 2, 3]


def test_a_clearly_closer_passage_wins_over_a_weak_match() -> None:
    assert order([Match(1, 6.0), Match(2, 1.0)], [(3, 0.75), (1, 0.5), (2, 0.3)])[:2] == [1, 3]


def test_matches_that_meaning_did_not_find_count_as_close_as_the_last_it_found() -> None:
    assert dict(fuse([Match(9, 2.0)], [(1, 0.7), (2, 0.45)]))[9] == 0.45 + WORDS_WEIGHT
    assert dict(fuse([Match(9, 0.0)], []))[9] == 0.0


@given(CLOSE, st.sets(st.integers(1, 30), max_size=5), st.sets(st.integers(31, 40), max_size=5))
def test_passages_with_all_words_stay_first_and_gibberish_finds_nothing(
    near: list[tuple[int, float]], whole: set[int], partly: set[int]
) -> None:
    matches = [*(Match(number, 1.0, whole=True) for number in whole), *(Match(number, 2.0) for number in partly)]
    found = fuse(matches, near)
    numbers = [number for number, _ in found]
    assert set(numbers[: len(whole)]) == whole
    assert len(numbers) == len(set(numbers))
    assert all(score >= LEAST_CLOSE for number, score in found if number not in whole | partly)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
