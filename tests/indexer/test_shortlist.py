"""Which passages are worth ranking: those whose words tell most, without a look at how often a word stands in them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.shortlist import idf, most_telling

TOTAL = 100_000
POSTINGS = st.lists(
    st.tuples(st.integers(1, 40), st.sets(st.integers(1, 300), max_size=60)), max_size=8
)  # whole weights, so that sums are exact in any order


def ids(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def test_a_rare_word_tells_more_than_two_frequent_ones() -> None:
    boiler, house, week = idf(40, TOTAL), idf(30_000, TOTAL), idf(60_000, TOTAL)
    postings = [(boiler, ids(7)), (house, ids(1, 2, 3)), (week, ids(2, 3, 4))]
    assert most_telling(postings, 1) == [7]
    assert set(most_telling(postings, 3)) == {7, 2, 3}


def test_of_equal_ones_the_newest_are_chosen() -> None:
    assert set(most_telling([(1.0, ids(*range(1, 50)))], 3)) == {47, 48, 49}


def test_where_no_word_occurs_there_is_nothing() -> None:
    assert most_telling([], 5) == []
    assert most_telling([(2.0, ids())], 5) == []


@given(POSTINGS, st.integers(1, 400))
def test_none_that_is_left_out_tells_more(postings: list[tuple[int, set[int]]], count: int) -> None:
    sums: dict[int, int] = {}
    for weight, held in postings:
        for number in held:
            sums[number] = sums.get(number, 0) + weight
    chosen = most_telling([(weight, ids(*held)) for weight, held in postings], count)
    assert len(chosen) == len(set(chosen)) == min(count, len(sums))
    left = sums.keys() - set(chosen)
    assert all((sums[one], one) > (sums[other], other) for one in chosen for other in left)
