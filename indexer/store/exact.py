"""Vectors in memory, each of which is compared with a question: exact, and fast enough for all but large libraries."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.store.stored import StoredVectors
from indexer.store.vector_store import Vector

CATCH_UP_SECONDS = 3.0  # between two looks at what is owed: while files are being indexed that is a lot
GROWTH = 1.25  # of the array, when it is full
ROOM = 256  # rows
FEW = 20_000  # passages that are read one by one rather than all of them kept in memory: about 0.1 s

Neighbour = tuple[int, float]
"""Id and cosine of a passage."""


class Rows:
    """Ids and unit vectors, float32. Not thread-safe.

    Args:
        expected: how many there will be at first: an array that grows needs its memory twice for a moment.
    """

    def __init__(self, expected: int = 0) -> None:
        self._expected = expected
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._vectors: Vector = np.empty((0, 0), np.float32)
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def put(self, ids: Sequence[int], vectors: Vector) -> None:
        """Add or replace.

        Args:
            ids: n of them.
            vectors: n × dimensions.
        """
        if len(ids) == 0:
            return
        self._make_room(len(self) + len(ids), vectors.shape[1])
        for number in ids:
            self._places.setdefault(number, len(self._places))
        places = [self._places[number] for number in ids]
        self._ids[places] = ids
        self._vectors[places] = vectors

    def remove(self, ids: Sequence[int]) -> None:
        """Take out; unknown ids are ignored. The last row takes the place of the one that goes."""
        for number in ids:
            place = self._places.pop(number, None)
            last = len(self._places)
            if place is None or place == last:
                continue
            self._ids[place] = self._ids[last]
            self._vectors[place] = self._vectors[last]
            self._places[int(self._ids[place])] = place

    def nearest(self, vector: Vector, limit: int, among: Sequence[int] | None = None) -> list[Neighbour]:
        """The closest, best first; with `among` the closest of these."""
        count = len(self)
        if not count:
            return []
        ids, cosines = self._ids[:count], self._vectors[:count] @ vector
        if among is not None:
            admitted = np.isin(ids, np.asarray(among))
            ids, cosines = ids[admitted], cosines[admitted]
        return closest(ids, cosines, limit)

    def _make_room(self, count: int, width: int) -> None:
        if self._vectors.shape[1] == width and count <= len(self._vectors):
            return
        held, room = len(self), max(self._expected, int(count * GROWTH)) + ROOM
        ids, vectors = np.empty(room, np.int64), np.empty((room, width), np.float32)
        ids[:held] = self._ids[:held]
        if held:  # before that the width is not known
            vectors[:held] = self._vectors[:held]
        self._ids, self._vectors = ids, vectors


class ExactScan:
    """A copy of the catalog's vectors, made when it is first needed and kept in step from then on. Thread-safe.

    Whatever becomes of a vector is on the catalog's outbox until the index has taken it. So the copy is whole when it
    is told of everything that the index takes (`take`), and looks at what is still owed while that takes nothing.

    Args:
        open_catalog: opens the stored vectors; called once, and closed never.
        newest: copy this many only, those with the highest ids; 0 for all.
    """

    def __init__(self, open_catalog: Callable[[], StoredVectors], newest: int = 0) -> None:
        self._open_catalog = open_catalog
        self._newest = newest
        self._stored: StoredVectors | None = None
        self._rows: Rows | None = None
        self._lock = threading.Lock()
        self._caught_up = 0.0
        self.asked = time.monotonic()

    def nearest(
        self, vector: Vector, limit: int, among: Sequence[int] | None = None, *, catch_up: bool = False
    ) -> list[Neighbour]:
        """Ids and cosines of the closest passages, best first, by comparing with every one of them.

        Args:
            vector: what they are to be close to, of length 1.
            limit: how many.
            among: only these passages; few of them are read from the disk, without a copy of all in memory.
            catch_up: the index takes nothing at present: look at what it is owed.

        Raises:
            CatalogUnusable: the catalog cannot be read.
        """
        with self._lock:
            stored = self._catalog()
            if among is not None and len(among) <= FEW and self._rows is None:
                ids, vectors = stored.some(among)
                return closest(np.asarray(ids, np.int64), vectors @ vector, limit) if ids else []
            self.asked = time.monotonic()
            rows = self._loaded(stored)
            if catch_up:
                self._catch_up(stored, rows)
            return rows.nearest(vector, limit, among)

    def load(self) -> None:
        """Make the copy now, so that the first question does not wait for it.

        Raises:
            CatalogUnusable: the catalog cannot be read.
        """
        with self._lock:
            self._loaded(self._catalog())

    def take(self, ids: Sequence[int], vectors: Vector, gone: Sequence[int]) -> None:
        """The index is being given this: keep the copy in step."""
        with self._lock:
            if self._rows is None:
                return
            self._rows.put(ids, vectors)
            self._rows.remove(gone)
            if self._newest and len(self._rows) > 2 * self._newest:
                self._rows = None  # the newest of them are read again

    def release(self) -> None:
        """Forget the copy; the next question makes another."""
        with self._lock:
            self._rows = None

    def _catalog(self) -> StoredVectors:
        if self._stored is None:
            self._stored = self._open_catalog()
        return self._stored

    def _loaded(self, stored: StoredVectors) -> Rows:
        if self._rows is None:
            rows = Rows(self._newest or stored.expected()[1])
            for ids, vectors in stored.pages(self._newest):
                rows.put(ids, vectors)
            self._rows = rows
        return self._rows

    def _catch_up(self, stored: StoredVectors, rows: Rows) -> None:
        if time.monotonic() - self._caught_up < CATCH_UP_SECONDS:
            return
        wanted, gone = stored.owed()
        ids, vectors = stored.some([number for number in wanted if number not in rows])
        rows.put(ids, vectors)
        rows.remove(gone)
        self._caught_up = time.monotonic()


def closest(ids: NDArray[np.int64], cosines: NDArray[Any], limit: int) -> list[Neighbour]:
    """The ids with the highest cosines, best first."""
    limit = min(limit, len(cosines))
    if limit <= 0:
        return []
    best = np.argpartition(cosines, -limit)[-limit:]
    best = best[np.argsort(-cosines[best], kind="stable")]
    return [(int(ids[at]), float(cosines[at])) for at in best]


def merged(limit: int, *found: Sequence[Neighbour]) -> list[Neighbour]:
    """Several lists as one, best first, each passage once."""
    best: dict[int, float] = {}
    for number, cosine in (pair for some in found for pair in some):
        best[number] = max(cosine, best.get(number, -1.0))
    return sorted(best.items(), key=lambda pair: -pair[1])[:limit]
