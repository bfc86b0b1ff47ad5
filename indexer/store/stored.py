"""The vectors as the catalog keeps them, read in bulk."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.store.database import explained, open_reader
from indexer.store.passages import as_json
from indexer.store.vector_store import Vector

PAGE = 2_000

_READ = (
    "SELECT c.id, e.vector FROM chunks c JOIN embeddings e ON e.hash = c.vector_hash AND e.model = ? "
    "WHERE c.id > ? ORDER BY c.id LIMIT ?"
)
_SOME = (
    "SELECT c.id, e.vector FROM json_each(?2) wanted JOIN chunks c ON c.id = wanted.value "
    "JOIN embeddings e ON e.hash = c.vector_hash AND e.model = ?1"
)
_OWED = "SELECT chunk_id, kind FROM vector_outbox"
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

    def pages(self, newest: int = 0) -> Iterator[tuple[list[int], Vector]]:
        """All passages that have a vector, in pages, so that no page keeps the catalog's WAL from shrinking.

        Args:
            newest: only those among this many with the highest ids; 0 for all.
        """
        last = self._last_id() - newest if newest else 0
        while True:
            ids, stored = self._read(_READ, (self.model, last, PAGE))
            if not ids:
                return
            last = ids[-1]
            yield ids, unpack(stored)

    def some(self, ids: Sequence[int]) -> tuple[list[int], Vector]:
        """Those of the passages that have a vector, in no order."""
        found, stored = self._read(_SOME, (self.model, as_json(ids)))
        return found, unpack(stored) if found else np.empty((0, 0), np.float32)

    def owed(self) -> tuple[list[int], list[int]]:
        """The ids that the index should still be given, with or without a vector, and those it should still drop."""
        with explained(self.catalog):
            rows: list[tuple[Any, ...]] = self._connection.execute(_OWED).fetchall()
        return [row[0] for row in rows if row[1] == "upsert"], [row[0] for row in rows if row[1] == "delete"]

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

    def _last_id(self) -> int:
        with explained(self.catalog):
            row: tuple[Any, ...] | None = self._connection.execute("SELECT ifnull(max(id), 0) FROM chunks").fetchone()
        assert row is not None
        return int(row[0])

    def _read(self, query: str, arguments: tuple[str | int, ...]) -> tuple[list[int], list[bytes]]:
        with explained(self.catalog):
            rows: list[tuple[Any, ...]] = self._connection.execute(query, arguments).fetchall()
        return [row[0] for row in rows], [row[1] for row in rows]
