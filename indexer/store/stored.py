"""The vectors as the catalog keeps them: read in bulk to rebuild an index, and searched exactly while there is none."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.store.database import explained, open_reader
from indexer.store.passages import as_json
from indexer.store.vector_store import Vector

PAGE = 2_000
FRESH_SECONDS = 3.0  # while files are being indexed the catalog changes all the time
FEW = 20_000  # passages that are read one by one rather than all of them kept in memory: about 0.1 s

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
_WIDTH = "SELECT (SELECT count(*) FROM chunks) * (SELECT length(vector) FROM embeddings WHERE model = ? LIMIT 1)"


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
            among: only these passages; few of them are read from the disk, without a copy of all in memory.
        """
        if among is not None and len(among) <= FEW:
            ids, stored = self._read(_SOME, (self.model, as_json(among)))
            return _closest(ids, unpack(stored) @ vector, limit) if ids else []
        self._refresh()
        if not self._ids or self._rows is None:
            return []
        cosines = self._rows @ vector
        if among is not None:
            cosines = np.where(np.isin(np.asarray(self._ids), np.asarray(among)), cosines, -np.inf)
            limit = min(limit, int(np.isfinite(cosines).sum()))
        return _closest(self._ids, cosines, limit)

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

    def room(self) -> int:
        """Bytes that the vectors of all passages take as float32, those included that are still to be made."""
        with explained(self.catalog):
            row: tuple[Any, ...] | None = self._connection.execute(_WIDTH, (self.model,)).fetchone()
        assert row is not None
        return 2 * int(row[0] or 0)  # float16 on the disk

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
            self._load()
            self._version = row[0]
        self._read_at = now

    def _load(self) -> None:
        """Fill one array page by page: joining pages would need the memory twice."""
        self.release()
        ids: list[int] = []
        rows: Vector | None = None
        for numbers, page in self.pages():
            if rows is None:
                rows = np.empty((self.expected()[1] + PAGE, page.shape[1]), dtype=np.float32)
            fitting = page[: len(rows) - len(ids)]  # what was added in this moment is seen the next time
            rows[len(ids) : len(ids) + len(fitting)] = fitting
            ids += numbers[: len(fitting)]
        self._ids, self._rows = ids, (np.empty((0, 0), dtype=np.float32) if rows is None else rows[: len(ids)])

    def _read(self, query: str, arguments: tuple[str | int, ...]) -> tuple[list[int], list[bytes]]:
        with explained(self.catalog):
            rows: list[tuple[Any, ...]] = self._connection.execute(query, arguments).fetchall()
        return [row[0] for row in rows], [row[1] for row in rows]


def _closest(ids: Sequence[int], cosines: Vector, limit: int) -> list[tuple[int, float]]:
    limit = min(limit, len(cosines))
    if limit <= 0:
        return []
    best = np.argpartition(cosines, -limit)[-limit:]
    best = best[np.argsort(-cosines[best], kind="stable")]
    return [(ids[at], float(cosines[at])) for at in best]
