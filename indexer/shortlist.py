"""Which passages are ranked where too many hold some of the words of a question: those whose words tell most.

bm25 asks for each passage how often and where each word stands in it. Which passages hold a word at all is known at a
tenth of that price, and the sum of their idf comes so near to bm25 that the best of its order are among its best few.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


def idf(frequency: int, total: int) -> float:
    """How telling a word is: BM25's idf, ln(1 + (N - df + ½) / (df + ½)) (Robertson & Zaragoza 2009, eq. 3.3).

    Args:
        frequency: in how many passages it occurs.
        total: how many passages there are.
    """
    return math.log(1 + (max(total - frequency, 0) + 0.5) / (frequency + 0.5))


def most_telling(postings: Iterable[tuple[float, Ids]], count: int) -> list[int]:
    """The `count` passages with the highest sum of idf over the words they hold, the newest of equal ones.

    Args:
        postings: of each word its idf and the ids of the passages that hold it, each once.
        count: fewer are returned only where fewer hold any word.
    """
    words = [(weight, ids) for weight, ids in postings if len(ids)]
    if not words:
        return []
    first = min(int(ids.min()) for _, ids in words)
    sums = np.zeros(max(int(ids.max()) for _, ids in words) - first + 1, np.float32)
    for weight, ids in words:
        sums[ids - first] += weight
    held = np.flatnonzero(sums)
    if len(held) > count:
        told = sums[held]
        least = np.partition(told, -count)[-count]
        above, equal = held[told > least], held[told == least]
        held = np.concatenate([above, equal[len(equal) + len(above) - count :]])
    return [int(number) for number in held + first]
