"""The vectors as the catalog keeps them: read in bulk to rebuild an index, and searched exactly while there is none."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.store.database import explained, open_reader

Vector = NDArray[np.float32]

PAGE = 2_000
FRESH_SECONDS = 3.0  # while files are being indexed the catalog changes all the time

_READ = (
    "SELECT c.id, e.vector FROM chunks c JOIN embeddings e ON e.hash = c.vector_hash AND e.model = ? "
    "WHERE c.id > ? ORDER BY c.id LIMIT ?"
)
_SOME = (
    "SELECT c.id, e.vector FROM json_each(?2) wanted JOIN chunks c ON c.id = wanted.value "
    "JOIN embeddings e ON e.hash = c.vector_hash AND e.model = ?1"
)
_SAMPLE = (
    "SELECT c.id, e.vector FROM chunks c JOIN embeddings e ON e.hash = c.vector_hash AND e.model = ? WHERE c.id IN "
    "(SELECT id FROM chunks WHERE id NOT IN (SELECT chunk_id FROM vector_outbox) ORDER BY random() LIMIT ?)"
)


def pack(vectors: Vector) -> list[bytes]:
    """Rows as little-endian float16, the form in which they are stored: half the bytes, the same neighbours."""
    return [row.tobytes() for row in vectors.astype("<f2")]


def unpack(stored: Sequence[bytes]) -> Vector:
    """Stored vectors as rows of float32."""
    rows = np.frombuffer(b"".join(stored), dtype="<f2").astype(np.float32)
    return rows.reshape(len(stored), -1)


class StoredVectors:
    """Read-only access to the vectors of one model. Not thread-safe.

    Args:
        catalog: the catalog's file.
        model: whose vectors.

    Raises:
        CatalogUnusable: the catalog cannot be read (each method too).
    """

    def __init__(self, catalog: Path, model: str) -> None:
        self.catalog = catalog
        self.model = model
        with explained(catalog):
            self._connection = open_reader(catalog)
        self._ids: list[int] = []
        self._rows: Vector | None = None
        self._version = 0
        self._read_at = 0.0

    def pages(self) -> Iterator[tuple[list[int], Vector]]:
        """All passages that have a vector, in pages, so that no page keeps the catalog's WAL from shrinking."""
        last = 0
        while True:
            ids, stored = self._read(_READ, (self.model, last, PAGE))
            if not ids:
                return
            last = ids[-1]
            yield ids, unpack(stored)

    def nearest(self, vector: Vector, limit: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Ids and cosines of the closest passages, best first, by comparing with every one of them.

        Args:
            vector: what they are to be close to, of length 1.
            limit: how many.
            among: only these passages, which are read from the catalog each time.
        """
        if among is None:
            self._refresh()
            ids, rows = self._ids, self._rows
        else:
            ids, stored = self._read(_SOME, (self.model, json.dumps(list(among))))
            rows = unpack(stored) if stored else None
        if not ids or rows is None:
            return []
        cosines = rows @ vector
        limit = min(limit, len(cosines))
        best = np.argpartition(cosines, -limit)[-limit:]
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(ids[at], float(cosines[at])) for at in best]

    def sample(self, size: int) -> tuple[list[int], list[Vector]]:
        """Some passages, by chance, that Chroma should hold: with a vector, and nothing owed."""
        ids, stored = self._read(_SAMPLE, (self.model, size))
        return ids, list(unpack(stored)) if ids else []

    def expected(self) -> tuple[int, int]:
        """The least and the greatest number of vectors Chroma may hold: what is owed may have been given or not.

        After a change of model there are none, until the engine has put everything on the outbox.
        """
        with explained(self.catalog):
            row: tuple[Any, ...] | None = self._connection.execute(
                "SELECT (SELECT count(*) FROM chunks c JOIN embeddings e ON e.hash = c.vector_hash AND e.model = ? "
                "WHERE c.id NOT IN (SELECT chunk_id FROM vector_outbox)), (SELECT count(*) FROM vector_outbox)",
                (self.model,),
            ).fetchone()
        assert row is not None
        return row[0], row[0] + row[1]

    def release(self) -> None:
        """Forget the copy in memory."""
        self._ids, self._rows = [], None

    def _refresh(self) -> None:
        now = time.monotonic()
        if self._rows is not None and now - self._read_at < FRESH_SECONDS:
            return
        with explained(self.catalog):
            row: tuple[Any, ...] | None = self._connection.execute("PRAGMA data_version").fetchone()
        assert row is not None
        if self._rows is None or row[0] != self._version:
            pages = list(self.pages())
            self._ids = [number for ids, _ in pages for number in ids]
            self._rows = np.concatenate([rows for _, rows in pages]) if pages else np.empty((0, 0), dtype=np.float32)
            self._version = row[0]
        self._read_at = now

    def _read(self, query: str, arguments: tuple[str | int, ...]) -> tuple[list[int], list[bytes]]:
        with explained(self.catalog):
            rows: list[tuple[Any, ...]] = self._connection.execute(query, arguments).fetchall()
        return [row[0] for row in rows], [row[1] for row in rows]
