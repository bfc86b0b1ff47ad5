"""Passages of other files that are close to a note: in meaning, by stored vectors; without these, in rare words."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import apsw

from indexer import search, semantics
from indexer.placement import names
from indexer.records import Hit, Problem
from indexer.scripts import has_signs
from indexer.search import Stage
from indexer.semantics import Meaning
from indexer.store import files, passages
from indexer.store.database import Database
from indexer.terms import expression, says_little, words_of

ASKED = 8  # passages of the note that are compared with all others; each takes up to 10 ms
OF_A_FILE = 2  # passages of one other file
LEAST_CLOSE = 0.35  # cosine; passages of the example notes that are further apart have little to do with each other
POOL = 50
OWN_AT_MOST = 1_000  # passages of the note itself that are looked past
CONSIDERED = 300  # words of the note, the most frequent first
RARE = 8  # words that are looked for
FEWEST_LETTERS = 3
NOTHING = "Nothing in your other files is close to this one."
NO_WORDS = "none of your other files shares its rare words."


class Relatives(NamedTuple):
    """What was found, how, the words it was found by, and what a person should know about it, or ""."""

    stage: Stage
    hits: list[Hit]
    words: list[str]
    note: str


class RelatedPassages:
    """Finds them.

    Args:
        database: the catalog.
        meaning: the semantics process.
        doubt: called when the index of vectors did not answer, so that somebody looks after it.
    """

    def __init__(self, database: Database, meaning: Meaning, doubt: Callable[[], None]) -> None:
        self._database = database
        self._meaning = meaning
        self._doubt = doubt

    def of(self, path: Path, line: int, limit: int) -> Relatives | None:
        """The passages closest to a file, best first, at most two of each other file; None where it has none itself.

        Args:
            path: the file.
            line: only to what stands at this line, 0 for the whole of it.
            limit: how many.
        """
        with self._database.read() as connection:
            found = (files.at(connection, name) for name in sorted(names(path)))
            known = next((file for file in found if file is not None), None)
            own = passages.of_file(connection, known.id) if known is not None else []
        if known is None or not own:
            return None
        asked = _asked(own, line)
        try:
            near = self._near([hit.chunk_id for hit in asked], POOL + limit + min(len(own), OWN_AT_MOST))
            why = "This note cannot be searched by meaning yet"
        except Problem as problem:
            near, why = [], problem.what.rstrip(".")
        with self._database.read() as connection:
            if near:
                kept = _of_others(connection, near, own[0].path, limit)
                return Relatives("fused", kept, [], "" if kept else NOTHING)
            words = _rarest(connection, known.id, asked)
            matching = passages.matching(connection, expression(words, every=False), POOL + len(own)) if words else []
            kept = _of_others(connection, matching, own[0].path, limit)
        # Even where there is nothing: by meaning there may be.
        came = "these passages share its rarest words." if kept else NO_WORDS
        return Relatives("words", kept, words, f"{why}; {came}")

    def _near(self, ids: list[int], limit: int) -> list[tuple[int, float]]:
        """Ids and cosines, best first; none where the passages have no vectors yet.

        Raises:
            Problem: meaning cannot be searched now.
        """
        found = self._meaning.ask(semantics.Alike(ids, limit), patience=search.PATIENCE)
        assert isinstance(found, semantics.Neighbours)
        if found.exact:
            self._doubt()
        return [pair for pair in zip(found.ids, found.scores, strict=True) if pair[1] >= LEAST_CLOSE]


def _asked(own: Sequence[Hit], line: int) -> list[Hit]:
    """The passages of a note that are compared: the one at a line, or some of all, evenly spread."""
    if line:
        at = next((hit for hit in own if hit.line_end >= line), own[-1])
        return [at]
    step = max(1, -(-len(own) // ASKED))
    return list(own[::step])


def _of_others(connection: apsw.Connection, scored: Sequence[tuple[int, float]], path: str, limit: int) -> list[Hit]:
    kept: list[Hit] = []
    taken: Counter[str] = Counter()
    for hit in passages.hits(connection, scored):
        if hit.path != path and taken[hit.path] < OF_A_FILE:
            taken[hit.path] += 1
            kept.append(hit)
    return kept[:limit]


def _rarest(connection: apsw.Connection, file_id: int, asked: Sequence[Hit]) -> list[str]:
    """The words of some passages of a file that the fewest passages of others have, but some."""
    counts: Counter[str] = Counter()
    for hit in asked:
        counts.update(set(words_of(f"{hit.title} {hit.heading} {hit.text}")))
    candidates = list(islice((word for word, _ in counts.most_common() if _tells(word)), CONSIDERED))
    frequency = passages.frequency(connection, candidates)
    # All of its passages and not those asked alone: a word that stands once more in the file would look rare.
    within = passages.frequency_within(connection, file_id, candidates)
    elsewhere = {word: frequency[word] - within[word] for word in candidates if frequency[word] > within[word]}
    return sorted(elsewhere, key=lambda word: (elsewhere[word], -len(word)))[:RARE]


def _tells(word: str) -> bool:
    """Whether a word may say what a text is about: it is long enough, or a pair of signs, and no function word."""
    long_enough = len(word) >= FEWEST_LETTERS or (len(word) > 1 and has_signs(word))
    return long_enough and not says_little([word])
