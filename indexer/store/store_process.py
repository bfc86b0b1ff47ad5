"""The vector store as seen from outside its process: calls with a limit in time, and a watch on the disk it fills."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from indexer.child import Child, ChildOff
from indexer.records import Problem
from indexer.store import store_service
from indexer.store.embedded import EmbeddedStore, discard, occupied
from indexer.store.stored import pack
from indexer.store.vector_store import Inventory, StoreAway, StoreClosed, StoreFailed, Vector
from indexer.worker import Gone, Overdue, start_thread

EventT = TypeVar("EventT")

Host = Child[store_service.Call, store_service.Event]

# A torn index hangs for minutes. Patience costs nothing, the exact scan answers meanwhile; haste costs a sound index.
CALL_SECONDS = 60.0
SLOWEST = 20  # vectors a second that are written by a machine that is still alive; usual are 1,000
OPEN_SECONDS = 60.0  # and the time to read and load the files:
OPEN_BYTES_PER_SECOND = 10e6  # slower than any disk that is alive
WATCH_SECONDS = 0.25  # a torn index was seen to write 0.25 GB/s
DISK_SHARE = 3  # times the vectors: one sound generation is 1.3, and one may be built beside one put aside
DISK_SPARE = 64 << 20  # bytes


class StoreProcess:
    """A `VectorStore` that hands everything to the process with Chroma in it, and ends that process when it must.

    Args:
        host: the process.
        directory: what it may fill, and is watched; None for a server.
        name: the store in words for a person.
        closed: why the process is not to be asked at all, "" when it is.
    """

    def __init__(self, host: Host, directory: Path | None, name: str = EmbeddedStore.name, *, closed: str = "") -> None:
        self.name = name
        self._shut = closed
        self._host = host
        self._directory = directory
        self._room = 0
        self._each = 0
        self._overfull = False
        self._asking = threading.Event()
        self._closed = False
        if directory is not None:
            start_thread("watch-disk", self._watch, directory)

    def open(self, number: int, signature: str, room: int) -> None:
        """See `VectorStore`."""
        self._room = room
        self._ask(store_service.Open(number, signature, room), store_service.Done, _load_seconds(room))

    def create(self, number: int, room: int) -> None:
        """See `VectorStore`. Begins with a process that remembers nothing of the generation before."""
        self._host.rest(forget=False)
        self._room = room
        if self._directory is not None and self._is_overfull(self._directory):
            discard(self._directory)  # here, or the new process would be ended for it before it can
        self._ask(store_service.Create(number, room), store_service.Done)

    def apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int]) -> None:
        """See `VectorStore`."""
        for _, vector in upserts[:1]:
            self._each = vector.nbytes
        self._room += self._each * len(upserts)
        stored = pack(np.asarray([vector for _, vector in upserts], dtype=np.float32)) if upserts else []
        pairs = list(zip((number for number, _ in upserts), stored, strict=True))
        patience = CALL_SECONDS + (len(upserts) + len(deletes)) / SLOWEST
        self._ask(store_service.Put(pairs, list(deletes)), store_service.Done, patience)

    def nearest(self, vectors: Sequence[Vector], limit: int) -> list[list[tuple[int, float]]]:
        """See `VectorStore`."""
        call = store_service.Near([np.asarray(vector, dtype="<f4").tobytes() for vector in vectors], limit)
        return self._ask(call, store_service.Found, _load_seconds(self._room)).neighbours

    def ids(self) -> list[int]:
        """See `VectorStore`."""
        return self._ask(store_service.ListIds(), store_service.Ids).ids

    def inventory(self) -> Inventory:
        """See `VectorStore`."""
        inventory = self._ask(store_service.TakeStock(), store_service.Stock, _load_seconds(self._room)).inventory
        if self._each:
            self._room = self._each * inventory.count  # what replaced others needs no room
        return inventory

    def keep_only(self, number: int) -> None:
        """See `VectorStore`."""
        self._ask(store_service.KeepOnly(number), store_service.Done)

    def close(self) -> None:
        """See `VectorStore`. Ends the process for good."""
        self._closed = True
        self._asking.set()
        self._host.stop()

    def _ask(self, call: store_service.Call, expected: type[EventT], patience: float = CALL_SECONDS) -> EventT:
        if self._shut:
            raise StoreAway(self._shut)
        self._asking.set()
        try:
            event = self._host.ask(call, patience=patience)
        except (Gone, Overdue, ChildOff) as problem:
            raise self._lost(problem) from problem
        except Problem as problem:
            kinds = {StoreAway.kind: StoreAway, StoreClosed.kind: StoreClosed, "profile": StoreAway}  # a read-only disk
            raise kinds.get(problem.kind, StoreFailed)(problem.what) from problem
        finally:
            self._asking.clear()
        assert isinstance(event, expected)
        return event

    def _lost(self, problem: Problem) -> Problem:
        """The process died or was ended in the middle of a call: with a directory, that is where the fault lies."""
        if self._directory is None:
            return StoreAway(f"{self.name} does not answer")
        if self._overfull:
            self._overfull = False
            return StoreFailed("it filled the disk and was stopped")
        if isinstance(problem, ChildOff):
            return StoreFailed("its process failed repeatedly and pauses for ten minutes")
        if isinstance(problem, Overdue):
            return StoreFailed("it hung and was stopped")
        return StoreFailed("it made its process crash")

    def _watch(self, directory: Path) -> None:
        while not self._closed:
            self._asking.wait()  # Chroma does nothing while nobody asks
            time.sleep(WATCH_SECONDS)
            if not self._asking.is_set() or self._host.pid is None:
                continue
            if self._is_overfull(directory):
                self._overfull = True
                self._host.kill()

    def _is_overfull(self, directory: Path) -> bool:
        return occupied(directory) > DISK_SHARE * self._room + DISK_SPARE


def _load_seconds(room: int) -> float:
    return OPEN_SECONDS + room / OPEN_BYTES_PER_SECOND
