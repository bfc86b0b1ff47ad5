"""The process that Chroma has to itself: whatever its native code does, only this process can crash, hang or be ended.

The service is a `VectorStore` behind calls; `store_process.StoreProcess` is the same store on the other side.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from msgspec import Struct

from indexer.child import limit_file_size
from indexer.store.embedded import EmbeddedStore
from indexer.store.server import ServerStore
from indexer.store.stored import unpack
from indexer.store.vector_store import Inventory, VectorStore
from indexer.worker import Cancellation


class Open(Struct, frozen=True, tag=True):
    """→ Done. See `VectorStore.open`, as for all of these."""

    number: int
    signature: str
    room: int


class Create(Struct, frozen=True, tag=True):
    """→ Done."""

    number: int
    room: int


class Put(Struct, frozen=True, tag=True):
    """Add (id, little-endian float16 vector) and take out ids → Done."""

    upserts: list[tuple[int, bytes]]
    deletes: list[int]


class Near(Struct, frozen=True, tag=True):
    """The closest ids to each vector (little-endian float32) → Found."""

    vectors: list[bytes]
    limit: int


class ListIds(Struct, frozen=True, tag=True):
    """→ Ids."""


class TakeStock(Struct, frozen=True, tag=True):
    """→ Stock."""


class KeepOnly(Struct, frozen=True, tag=True):
    """→ Done."""

    number: int


Call = Open | Create | Put | Near | ListIds | TakeStock | KeepOnly


class Done(Struct, frozen=True, tag=True):
    """It is done."""


class Found(Struct, frozen=True, tag=True):
    """For each vector its neighbours, best first: (id, cosine)."""

    neighbours: list[list[tuple[int, float]]]


class Ids(Struct, frozen=True, tag=True):
    """All ids."""

    ids: list[int]


class Stock(Struct, frozen=True, tag=True):
    """What the open generation is."""

    inventory: Inventory


Event = Done | Found | Ids | Stock


class StoreService:
    """Answers with what the store answers.

    Args:
        store: the one with Chroma in it.
        lock: what keeps other processes from the store, held for as long as this object lives.
    """

    def __init__(self, store: VectorStore, lock: FileLock | None = None) -> None:
        self._store = store
        self._lock = lock

    def handle(self, call: Call, _cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call.

        Raises:
            StoreFailed, StoreAway, StoreClosed: as the store does; their `kind` tells them apart on the other side.
        """
        match call:
            case Near(vectors, limit):
                rows = [np.frombuffer(vector, dtype="<f4") for vector in vectors]
                yield Found(self._store.nearest(rows, limit))
                return
            case ListIds():
                yield Ids(self._store.ids())
                return
            case TakeStock():
                yield Stock(self._store.inventory())
                return
            case Open(number, signature, room):
                self._store.open(number, signature, room)
            case Create(number, room):
                self._store.create(number, room)
            case Put(upserts, deletes):
                rows = list(unpack([vector for _, vector in upserts])) if upserts else []
                self._store.apply(list(zip((number for number, _ in upserts), rows, strict=True)), deletes)
            case KeepOnly(number):
                self._store.keep_only(number)
        yield Done()


def build(config: dict[str, Any]) -> StoreService:
    """The service as `indexer.child.run` hosts it.

    Args:
        config: directory (a path) and url ("embedded", or a server's).
    """
    directory, url = Path(config["directory"]), str(config["url"])
    if url == EMBEDDED:
        # A killed engine's process may still be busy in Chroma when the next engine's starts; two corrupt the store.
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / "owner.lock")
        lock.acquire()
        return StoreService(EmbeddedStore(directory, limit_file_size), lock)
    return StoreService(ServerStore(url, directory))


EMBEDDED = "embedded"
