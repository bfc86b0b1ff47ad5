"""Chroma, and the only code that knows it: one collection of ids and vectors, in a directory or on a server."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from indexer.store.vector_store import StoreAway, StoreFailed, Vector

BATCH = 256  # Chroma's documentation advises 50 to 250; small ones re-read its log each time
PAGE = 5_000  # its SQLite takes at most 32,766 variables (chroma#7687)
MOST = 1_000  # neighbours of one query: 15 ms at 100,000 vectors
# Chroma's own (16 links, 100, 100) finds 93 % of the best fifty of 3,912 real notes, this 99 %, in about the same time
# (docs/decisions/0012-exact-up-to-50000.md).
SPACE = {"hnsw": {"space": "cosine", "max_neighbors": 32, "ef_construction": 200, "ef_search": 300}}
NAME = "passages"


class Missing(StoreFailed):
    """There is no such collection."""


class Collection:
    """An open collection. Not thread-safe: one call at a time.

    Args:
        client: of chromadb.
        name: the collection's.
        fresh: make it; otherwise it must exist.
        failures: how the client's failures are told.

    Raises:
        Missing: it does not exist.
        StoreFailed, StoreAway: it cannot be opened.
    """

    def __init__(self, client: Any, name: str, failures: "Failures", *, fresh: bool) -> None:
        self._client = client
        self._failures = failures
        with failures:
            if fresh:
                self._collection = client.create_collection(name, embedding_function=None, configuration=SPACE)
            else:
                self._collection = client.get_collection(name, embedding_function=None)

    @property
    def identity(self) -> str:
        """Chroma's own name for it; another collection under the same name has another one."""
        return str(self._collection.id)

    def nearest(self, vectors: Sequence[Vector], limit: int) -> list[list[tuple[int, float]]]:
        """For each vector the ids and cosines closest to it, best first."""
        with self._failures:
            found = self._collection.query(
                query_embeddings=np.asarray(vectors), n_results=min(limit, MOST), include=["distances"]
            )
        return [
            [(int(name), 1.0 - float(distance)) for name, distance in zip(names, distances, strict=True)]
            for names, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    def apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int]) -> None:
        """Add or replace vectors and take ids out; unknown ids are ignored."""
        with self._failures:
            for first in range(0, len(deletes), BATCH):
                self._collection.delete(ids=[str(number) for number in deletes[first : first + BATCH]])
            for first in range(0, len(upserts), BATCH):
                some = upserts[first : first + BATCH]
                self._collection.upsert(
                    ids=[str(number) for number, _ in some], embeddings=np.asarray([vector for _, vector in some])
                )

    def count(self) -> int:
        """How many vectors it says it holds. Proves nothing: it stays right when the graph is lost."""
        with self._failures:
            return int(self._collection.count())

    def ids(self) -> list[int]:
        """All ids it holds."""
        found: list[int] = []
        while True:
            with self._failures:
                page = self._collection.get(include=[], limit=PAGE, offset=len(found))["ids"]
            if not page:
                return found
            found.extend(map(int, page))

    def close(self) -> None:
        """Let go of its memory, files and connections."""
        with self._failures:
            self._client.close()


class Failures:
    """Turns what a client raises into `StoreFailed` or `StoreAway`, as a context.

    A Rust panic (pyo3's PanicException) is no Exception and passes through.
    """

    def __init__(self, refused: tuple[type[Exception], ...], away: tuple[type[Exception], ...], where: str) -> None:
        from chromadb.errors import NotFoundError

        self._missing = NotFoundError
        self._refused = refused
        self._away = away
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, self._missing):
            raise Missing("the collection is not there") from error
        if isinstance(error, self._away):
            raise StoreAway(f"{self._where} does not answer ({_line(error)})") from error
        if isinstance(error, self._refused):
            raise StoreFailed(_line(error)) from error


def in_directory(directory: Path, *, fresh: bool) -> Collection:
    """The collection of a directory, which is made when it is missing."""
    import chromadb
    from chromadb.errors import ChromaError

    failures = Failures((ChromaError, ValueError, OSError, RuntimeError, KeyError), (), str(directory))
    with failures:
        client = chromadb.PersistentClient(str(directory), _quiet())
    return Collection(client, NAME, failures, fresh=fresh)


class ServerClient:
    """A Chroma server.

    Args:
        url: http(s)://host[:port]; port 8000 where none is named, as `chroma run` has it.

    Raises:
        StoreAway: it does not answer, or is no Chroma server.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.hostname in ("localhost", "127.0.0.1", "::1"):
            os.environ["NO_PROXY"] = "*"  # of this process alone: a proxy has no business between us and ourselves
        import chromadb
        from chromadb.api import fastapi
        from chromadb.errors import ChromaError, InternalError

        # Whatever is odd about a server's answer: it is not our damage, and nothing is built anew because of it.
        # Chroma's own transport, whose errors it passes on as they are.
        unreachable = fastapi.httpx.HTTPError  # type: ignore[attr-defined]
        away = (unreachable, InternalError, ValueError, KeyError, TypeError, OSError)
        self._failures = Failures((ChromaError,), away, f"the vector server at {url}")
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        with self._failures:
            self._client: Any = chromadb.HttpClient(
                host, parts.port or 8000, parts.scheme == "https", settings=_quiet()
            )
            self._client.heartbeat()

    def collection(self, name: str, *, fresh: bool) -> Collection:
        """Open a collection, or make it."""
        return Collection(self._client, name, self._failures, fresh=fresh)

    def names(self, beginning: str) -> list[str]:
        """The names of the collections that begin so."""
        found: list[str] = []
        with self._failures:
            while page := self._client.list_collections(limit=PAGE, offset=len(found)):
                found.extend(str(one.name) for one in page)
        return [name for name in found if name.startswith(beginning)]

    def drop(self, name: str) -> None:
        """Delete a collection."""
        with self._failures:
            self._client.delete_collection(name)

    def close(self) -> None:
        """Hang up."""
        with self._failures:
            self._client.close()
        # Chroma's own close leaves connections open: the client's, and those of the one that looked for its database.
        for client in (self._client, getattr(self._client, "_admin_client", None)):
            session = getattr(getattr(client, "_server", None), "_session", None)
            if session is not None:
                session.close()


def _quiet() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def _line(error: BaseException | None) -> str:
    """The first line of what was said, short: a web page may be in it."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
