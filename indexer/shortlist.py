"""Which passages are ranked where too many hold some of the words of a question: those with the words that tell most.

Ranking costs ten times what finding costs, and grows with the matches; joining lists of matches is cheap.
"""

import math
from collections.abc import Mapping
from itertools import combinations

LARGEST = 3  # words of a group: with four the ranking is no better
RAREST = 10  # words that groups are made of; a question seldom has as many


def idf(frequency: int, total: int) -> float:
    """How telling a word is: BM25's idf, ln(1 + (N - df + ½) / (df + ½)) (Robertson & Zaragoza 2009, eq. 3.3).

    Args:
        frequency: in how many passages it occurs.
        total: how many passages there are.
    """
    return math.log(1 + (max(total - frequency, 0) + 0.5) / (frequency + 0.5))


def groups(frequency: Mapping[str, int], total: int, budget: int) -> list[tuple[str, ...]]:
    """Groups of words. A passage that holds all words of one of them is worth ranking.

    The groups that tell most come in first, by the sum of their words' idf, while about `budget` passages hold one,
    supposing that words stand in passages independently of each other. Never empty unless no word occurs.

    Args:
        frequency: in how many passages each word occurs.
        total: how many passages there are.
        budget: how many passages should be ranked.
    """
    words = sorted((word for word in frequency if frequency[word]), key=frequency.__getitem__)[:RAREST]
    tells = {word: idf(frequency[word], total) for word in words}
    every = [group for size in range(1, LARGEST + 1) for group in combinations(words, size)]
    every.sort(key=lambda group: -sum(tells[word] for word in group))
    chosen: dict[tuple[str, ...], float] = {}  # with how many passages each brings
    for group in every:
        if any(set(kept) <= set(group) for kept in chosen):
            continue
        wider = {kept: share for kept, share in chosen.items() if not set(group) <= set(kept)}
        share = total * math.prod(frequency[word] / total for word in group)
        if not chosen or sum(wider.values()) + share <= budget:
            chosen = {**wider, group: share}
    return list(chosen)
