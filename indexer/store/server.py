"""The vector store on a Chroma server: one collection per profile and generation, of ids and vectors alone.

A server that does not answer is away, not damaged: nothing is built anew because of it.
"""

import contextlib
import secrets
from collections.abc import Sequence
from pathlib import Path

from indexer.store import vectors
from indexer.store.embedded import discard
from indexer.store.vector_store import Inventory, StoreAway, StoreClosed, StoreFailed, Vector


class ServerStore:
    """Generations as collections `offhand-PROFILE-N`.

    Args:
        url: of the server, http(s)://host[:port].
        directory: the profile's place for vectors; it keeps the name under which this profile is known to servers.
    """

    def __init__(self, url: str, directory: Path) -> None:
        self.name = f"the Chroma server at {url}"
        self._url = url
        self._directory = directory
        self._client: vectors.ServerClient | None = None
        self._collection: vectors.Collection | None = None

    def open(self, number: int, signature: str, room: int) -> None:  # noqa: ARG002  # the server minds its own disk
        """See `VectorStore`."""
        collection = self._reached().collection(self._name(number), fresh=False)
        if collection.identity != signature:
            raise StoreFailed("the collection on the server is another one")
        self._collection = collection

    def create(self, number: int, room: int) -> None:  # noqa: ARG002
        """See `VectorStore`. Nothing need be put aside: a collection is opened only by its number and identity."""
        client = self._reached()
        with contextlib.suppress(vectors.Missing):
            client.drop(self._name(number))
        self._collection = client.collection(self._name(number), fresh=True)

    def apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int]) -> None:
        """See `VectorStore`."""
        self._opened().apply(upserts, deletes)

    def nearest(self, vectors: Sequence[Vector], limit: int) -> list[list[tuple[int, float]]]:
        """See `VectorStore`."""
        return self._opened().nearest(vectors, limit)

    def ids(self) -> list[int]:
        """See `VectorStore`."""
        return self._opened().ids()

    def inventory(self) -> Inventory:
        """See `VectorStore`."""
        return Inventory(self._opened().count(), self._opened().identity)

    def keep_only(self, number: int) -> None:
        """See `VectorStore`. The directories of an embedded store that was used before go too."""
        client = self._reached()
        for name in client.names(self._name("")):
            if name != self._name(number):
                with contextlib.suppress(vectors.Missing):
                    client.drop(name)
        discard(self._directory)

    def close(self) -> None:
        """See `VectorStore`."""
        client, self._client, self._collection = self._client, None, None
        if client is not None:
            with contextlib.suppress(StoreFailed, StoreAway):
                client.close()

    def _reached(self) -> vectors.ServerClient:
        if self._client is None:
            self._client = vectors.ServerClient(self._url)
        return self._client

    def _opened(self) -> vectors.Collection:
        if self._collection is None:
            raise StoreClosed("no collection is open")
        return self._collection

    def _name(self, number: int | str) -> str:
        """Unique in the world, so that several people and computers can share a server."""
        file = self._directory / "server-name"
        if not file.exists():
            self._directory.mkdir(parents=True, exist_ok=True)
            file.write_text(secrets.token_hex(8))
        return f"offhand-{file.read_text().strip()}-{number}"
