"""One list out of two: the passages found by words, and those found by meaning.

A convex combination of scores, not of ranks (Bruch, Gai & Ingber 2023, "An analysis of fusion functions for hybrid
retrieval"): a rank says who is first, a score also by how much. The embedding model knows English; of a question in
another language it finds all passages about equally close, and so has little say there.
Figures: docs/decisions/0011-words-and-meaning-fused.md; benchmarks/ranking.py measures them again.
"""

from collections.abc import Sequence
from typing import NamedTuple

WORDS_WEIGHT = 0.4  # what the best match by words counts, as a cosine
WHOLE_WEIGHT = 3.0  # more than both together can make up for: passages with all of the words stay before the others
LEAST_CLOSE = 0.20  # cosine of a passage with none of the words; further away are those that any gibberish finds


class Match(NamedTuple):
    """A passage found by words: its id, its bm25 (of use within one list only), whether all of the words are in it."""

    number: int
    points: float
    whole: bool = False


def fuse(matches: Sequence[Match], near: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Both lists as one: ids with scores, best first.

    The score is the cosine + WORDS_WEIGHT × the share of the best match's bm25, + WHOLE_WEIGHT with all words.

    Args:
        matches: found by words, best first.
        near: ids with cosines, closest first. A match that is not among them counts as close as the last of them.
    """
    cosines = dict(near)
    farthest = min(cosines.values(), default=0.0)
    most = max((match.points for match in matches), default=0.0) or 1.0
    scores = {
        match.number: cosines.get(match.number, farthest)
        + WORDS_WEIGHT * match.points / most
        + WHOLE_WEIGHT * match.whole
        for match in matches
    }
    for number, cosine in near:
        if cosine >= LEAST_CLOSE:
            scores.setdefault(number, cosine)
    return sorted(scores.items(), key=lambda pair: -pair[1])
