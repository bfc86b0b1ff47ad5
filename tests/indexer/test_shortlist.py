"""Which passages are worth ranking: words that tell much come first, and groups of words that tell little."""

from hypothesis import given
from hypothesis import strategies as st

from indexer import shortlist

TOTAL = 100_000
WORDS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, TOTAL), max_size=12)


def test_a_rare_word_stands_alone_and_frequent_ones_only_together() -> None:
    chosen = shortlist.groups({"boiler": 40, "pressure": 9_000, "house": 30_000, "week": 60_000}, TOTAL, 3_000)
    assert ("boiler",) in chosen
    assert ("pressure",) not in chosen
    assert ("pressure", "house") in chosen


def test_words_of_every_other_passage_are_still_searched_for() -> None:
    assert shortlist.groups({"a": 50_000, "b": 60_000}, TOTAL, 3_000) == [("a", "b")]
    assert shortlist.groups({"a": 50_000}, TOTAL, 3_000) == [("a",)]


def test_words_that_do_not_occur_make_no_group() -> None:
    assert shortlist.groups({"unheard": 0}, TOTAL, 3_000) == []
    assert shortlist.groups({}, TOTAL, 3_000) == []


@given(WORDS, st.integers(1, TOTAL))
def test_about_as_many_as_the_budget_allows_and_no_group_within_another(frequency: dict[str, int], budget: int) -> None:
    chosen = shortlist.groups(frequency, TOTAL, budget)
    assert bool(chosen) == any(frequency.values())
    shares = []
    for group in chosen:
        share = 1.0
        for word in group:
            assert frequency[word]
            share *= frequency[word] / TOTAL
        shares.append(share * TOTAL)
    assert sum(shares[1:]) <= budget
    assert not any(set(one) < set(other) for one in chosen for other in chosen)
