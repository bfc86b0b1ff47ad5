"""All words of the passages in memory, to find those that a misspelt word may stand for.

Read when it is first needed and again when passages were added since; reading it again takes at most a twentieth of the
time, so while many files are indexed the newest words are missing for a while. What it proposes is looked up in the
catalog, so a word that is gone by now is never proposed.
"""

import logging
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer.records import Problem
from indexer.store import passages
from indexer.store.database import Database
from indexer.terms import fold
from indexer.worker import start_thread

log = logging.getLogger(__name__)

SHORTEST, LONGEST = 4, 40  # letters of a word that can be misspelt; of three letters every other word is near
LONG = 8  # letters from which on two mistakes are allowed
CANDIDATES = 8  # that are looked up in the catalog
REST = 20.0  # times as long as reading took, before it is read again
REMEMBERED = 256  # words and what stands for them, until it is read again: a word is asked for at every later keystroke
PATIENCE = 10.0  # seconds


class Vocabulary:
    """The words that the passages hold. Thread-safe.

    Args:
        database: the catalog.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()
        self._read = _Reading(-1, {}, {})
        self._reader: threading.Thread | None = None
        self._due = 0.0

    def nearest(self, word: str, *, wait: bool) -> str:
        """The word of the passages that differs least, as one of them spells it; "" when none is near.

        Near is one letter added, left out, exchanged or swapped with its neighbour, two such mistakes in a long word
        if its first letter is right (optimal string alignment; Boytsov 2011, "Indexing methods for approximate
        dictionary searching"). Of equally near ones those with the same first letter come first, then the one that is
        in most passages.

        Args:
            word: folded; only letters.
            wait: until all words are read, rather than to find nothing while they are.

        Raises:
            CatalogUnusable: the catalog cannot be read.
        """
        if not SHORTEST <= len(word) <= LONGEST:
            return ""
        reading = self._current(wait=wait)
        found = reading.found
        if word not in found:
            if len(found) >= REMEMBERED:
                found.clear()
            found[word] = self._searched(word, reading)
        nearest = found.get(word, "")  # another thread may have cleared it
        with self._database.read() as connection:
            return nearest if nearest and passages.has_word(connection, fold(nearest), begins=False) else ""

    def _searched(self, word: str, reading: "_Reading") -> str:
        mistakes = 1 if len(word) < LONG else 2
        near: list[tuple[str, int]] = []
        for length in range(len(word) - mistakes, len(word) + mistakes + 1):
            alike = reading.words.get((word[0], length), ())
            found = process.extract(word, alike, scorer=OSA.distance, score_cutoff=mistakes, limit=None)
            near += [(other, int(distance)) for other, distance, _ in found]
        near += [(other, 1) for other in _begun_otherwise(word, reading)]
        near.sort(key=lambda pair: (pair[1], pair[0][0] != word[0]))
        chosen = dict(near[:CANDIDATES])
        with self._database.read() as connection:
            frequency = passages.frequency(connection, chosen)
            known = [other for other in chosen if frequency[other]]
            best = min(known, key=lambda one: (chosen[one], one[0] != word[0], -frequency[one]), default="")
            return passages.as_written(connection, best) if best else ""

    def _current(self, *, wait: bool) -> "_Reading":
        with self._database.read() as connection:
            newest = passages.newest(connection)
        with self._turn:
            if self._reader is None and newest != self._read.newest and (wait or time.monotonic() >= self._due):
                self._reader = start_thread("vocabulary", self._renew)
            reader = self._reader
        if wait and reader is not None:
            reader.join(PATIENCE)
        return self._read

    def _renew(self) -> None:
        started = time.monotonic()
        try:
            with self._database.read() as connection:
                read = _Reading(passages.newest(connection), _sorted(passages.terms(connection)), {})
        except Problem as problem:  # the search itself says what is wrong
            log.info("the vocabulary was not read: %s", problem)
            read = self._read
        ended = time.monotonic()
        with self._turn:
            self._read, self._reader = read, None
            self._due = ended + REST * (ended - started)


class _Reading(NamedTuple):
    """The words as they were when the passage `newest` was the last one, and what was found among them.

    words: by first letter and length, each list in order: few are compared with one that is misspelt.
    """

    newest: int
    words: dict[tuple[str, int], list[str]]
    found: dict[str, str]


def _sorted(terms: list[str]) -> dict[tuple[str, int], list[str]]:
    words: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for term in terms:  # in order, as the word index has them
        if SHORTEST - 1 <= len(term) <= LONGEST + 1 and term.isalpha():
            words[term[0], len(term)].append(term)
    return dict(words)


def _begun_otherwise(word: str, reading: _Reading) -> list[str]:
    """The words with another first letter that one mistake there makes into this one."""
    letters = {first for first, _ in reading.words}
    tried = {word[1:], word[1] + word[0] + word[2:], *(first + word[1:] for first in letters)}
    tried |= {first + word for first in letters}
    return [one for one in sorted(tried) if one[0] != word[0] and _has(reading.words.get((one[0], len(one)), []), one)]


def _has(words: list[str], word: str) -> bool:
    at = bisect_left(words, word)
    return at < len(words) and words[at] == word
