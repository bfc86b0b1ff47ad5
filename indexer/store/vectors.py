"""Chroma, and the only code that knows it: one collection of ids and vectors in a directory of its own.

Its files are written in place and do not survive every kill, so the directory is called a generation: it is checked by
what its files look like (`signature`) before it is ever opened, and replaced rather than repaired.
"""

import contextlib
import hashlib
import importlib.metadata
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

BATCH = 256  # Chroma's documentation advises 50 to 250; small ones re-read its log each time
PAGE = 5_000  # its SQLite takes at most 32,766 variables (chroma#7687)
MOST = 1_000  # neighbours of one query: 15 ms at 100,000 vectors
CATALOG = "chroma.sqlite3"


class ChromaFailed(Exception):
    """Chroma raised something; the generation is not to be trusted any more."""


class Generation:
    """An open collection. Not thread-safe: one call at a time.

    Args:
        directory: made when it is missing.

    Raises:
        ChromaFailed: it cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        import chromadb
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        # A Rust panic (pyo3's PanicException) is no Exception; it ends the process, and the supervisor starts another.
        self._failures: tuple[type[Exception], ...] = (ChromaError, ValueError, OSError, RuntimeError, KeyError)
        try:
            self._client: Any = chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))
            self._collection: Any = self._client.get_or_create_collection(
                "passages", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        except self._failures as error:
            raise ChromaFailed(str(error)) from error

    def nearest(self, vector: Vector, limit: int) -> list[tuple[int, float]]:
        """Ids and cosines of the passages closest to a vector, best first."""
        return self.nearest_of_each([vector], limit)[0]

    def nearest_of_each(self, vectors: Sequence[Vector], limit: int) -> list[list[tuple[int, float]]]:
        """The same for several vectors in one call."""
        try:
            found = self._collection.query(
                query_embeddings=np.asarray(vectors), n_results=min(limit, MOST), include=["distances"]
            )
        except self._failures as error:
            raise ChromaFailed(str(error)) from error
        return [
            [(int(name), 1.0 - float(distance)) for name, distance in zip(names, distances, strict=True)]
            for names, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    def apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int]) -> None:
        """Add or replace vectors and take ids out; unknown ids are ignored."""
        try:
            for first in range(0, len(deletes), BATCH):
                self._collection.delete(ids=[str(number) for number in deletes[first : first + BATCH]])
            for first in range(0, len(upserts), BATCH):
                some = upserts[first : first + BATCH]
                self._collection.upsert(
                    ids=[str(number) for number, _ in some], embeddings=np.asarray([vector for _, vector in some])
                )
        except self._failures as error:
            raise ChromaFailed(str(error)) from error

    def count(self) -> int:
        """How many vectors it says it holds. Proves nothing: it stays right when the graph is lost."""
        try:
            return int(self._collection.count())
        except self._failures as error:
            raise ChromaFailed(str(error)) from error

    def ids(self) -> list[int]:
        """All ids it holds."""
        found: list[int] = []
        try:
            while True:
                page = self._collection.get(include=[], limit=PAGE, offset=len(found))["ids"]
                if not page:
                    return found
                found.extend(map(int, page))
        except self._failures as error:
            raise ChromaFailed(str(error)) from error

    def close(self) -> None:
        """Let go of its memory and files."""
        try:
            self._client.close()
        except self._failures as error:
            raise ChromaFailed(str(error)) from error


def signature(directory: Path) -> str:
    """What the files of a generation look like: names, sizes and times, and Chroma's version; "" when there are none.

    Opening touches Chroma's own SQLite file, so of that one only the presence counts: it is sound after any kill.
    """
    if not (directory / CATALOG).is_file():
        return ""
    digest = hashlib.blake2b(importlib.metadata.version("chromadb").encode(), digest_size=16)
    found = []
    for folder, _, names in os.walk(directory):  # passes over what vanishes meanwhile: an old generation is removed
        for path in (Path(folder, name) for name in names if not name.startswith(CATALOG)):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                found.append(f"{path.relative_to(directory)}:{status.st_size}:{status.st_mtime_ns};")
    digest.update("".join(sorted(found)).encode())
    return digest.hexdigest()
