"""The index of vectors: an exact scan of a copy in memory up to EXACT passages, Chroma beyond, while it is sound.

Chroma finds its neighbours by going along links from one to the next, and misses some: on real notes one in fifteen of
the best fifty as it comes, and whole groups unlike all others (docs/decisions/0012-exact-up-to-50000.md). It is told
to look further than it does by itself, and what is new is compared with each question beside it.

A generation that does not look as it was left, whose passages no longer find themselves, or that made Chroma fail,
crash or hang is put aside at once and built anew from the catalog beside running searches. Nothing is ever embedded
again for that. The catalog's pointer to the valid generation is the engine's to write; this side only reads it.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from indexer.records import Problem
from indexer.store import outbox
from indexer.store.batch_stamp import BatchStamp
from indexer.store.database import disk_full, explained, open_reader
from indexer.store.exact import ExactScan, Neighbour, merged
from indexer.store.outbox import Pointer
from indexer.store.stored import StoredVectors
from indexer.store.vector_store import StoreAway, StoreClosed, StoreFailed, Vector, VectorStore
from indexer.worker import start_thread

log = logging.getLogger(__name__)

SAMPLE = 32  # passages that must find themselves
TOP = 3
SAME = 0.999  # cosine of a passage with itself or its twin: copies of one text compete for the first places
QUERY_SECONDS = 1.0  # a question does not wait longer for a busy or hanging Chroma: the exact scan answers
LOOK_SECONDS = 15.0  # between two looks at whether somebody else changes the files
RELEASE_SECONDS = 60.0  # a large copy in memory goes when no exact scan has needed it for so long
EXACT = 50_000  # passages that are all compared: 77 MB, and some 10 ms for a question
NEWEST = 2_000  # passages that are compared beside Chroma, in less than a millisecond

IndexState = Literal["opening", "ready", "rebuilding", "away", "broken"]
T = TypeVar("T")


class NotReady(Problem):
    """Chroma cannot take anything now; what is owed stays on the outbox."""

    kind = "rebuilding"


class Report(Struct, frozen=True):
    """Where the index stands. `pointer` is what the catalog should say; `why` is empty when all is well.

    store: what keeps the vectors, in words.  state: "away" when that does not answer, "broken" when nothing can be
    built; both are tried again.
    """

    state: IndexState
    why: str
    pointer: Pointer
    vectors: int
    store: str = ""

    @property
    def words(self) -> str:
        """The same in one line for a person."""
        if self.state == "ready":
            return f"{self.store}, {self.vectors:,} vectors"
        return f"{self.store}, {self.state}: {self.why}" if self.why else f"{self.store}, {self.state}"


class VectorIndex:
    """Usable from several threads. One thread of its own asks the store, one thing at a time.

    Args:
        store: keeps the generations. Only the index's own thread may call it from now on.
        catalog: the catalog's file.
        stamp: which batch of the catalog's the store was last given.
    """

    def __init__(self, store: VectorStore, catalog: Path, stamp: BatchStamp) -> None:
        self._store = store
        self._catalog = catalog
        self._stamp = stamp
        self._report = Report("opening", "", Pointer(0, "", ""), 0, store.name)
        self._owner = ThreadPoolExecutor(1, "vectors")
        self._beginning = threading.Lock()
        self._closed = threading.Event()
        self._opening: Future[None] | None = None
        self._late: Future[Any] | None = None
        self._tried = 0
        self._model = ""
        self._all = ExactScan(self._vectors)
        self._new = ExactScan(self._vectors, NEWEST)

    def begin(self, model: str) -> None:
        """Open the valid generation, or build one, in the background. Later calls try a store that was away again."""
        with self._beginning:
            if not self._model:
                self._model = model
                self._report = replace(self._report, pointer=Pointer(0, "", model))
                start_thread("look-at-vectors", self._look_now_and_then)
            elif self._report.state != "away" or not (self._opening and self._opening.done()):
                return
            self._opening = self._owner.submit(self._barrier, self._open)

    def nearest(self, vector: Vector, limit: int, among: Sequence[int] | None = None) -> tuple[list[Neighbour], bool]:
        """Ids and cosines of the closest passages, best first, and whether the index should be looked after.

        With `among` only those passages are compared, all of them.
        """
        if not self._model:
            return [], True
        report = self._report
        doubtful = report.state != "ready"
        if among is None and report.vectors > EXACT:
            found = self._asked(vector, limit)
            if found is not None:
                return merged(limit, found, self._new.nearest(vector, limit)), False
            doubtful = True
        return self._all.nearest(vector, limit, among, catch_up=report.state != "ready"), doubtful

    def alike(self, ids: Sequence[int], limit: int) -> tuple[list[Neighbour], bool]:
        """As `nearest`, for passages that have their vectors; what is close to any of them."""
        if not self._model:
            return [], True
        _, vectors = self._vectors().some(ids)
        found = [self.nearest(vector, limit) for vector in vectors]
        return merged(limit, *(near for near, _ in found)), any(doubtful for _, doubtful in found)

    def _asked(self, vector: Vector, limit: int) -> list[Neighbour] | None:
        """What Chroma finds; None when it cannot be asked, or is too busy."""
        if self._late is not None and not self._late.done():
            return None
        with suppress(NotReady):
            asked = self._do(lambda: self._store.nearest([vector], limit))
            try:
                return asked.result(QUERY_SECONDS)[0]
            except TimeoutError:
                self._late = asked  # until Chroma has done it, or was ended for it, nobody else waits
        return None

    def apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int], batch: int = 0) -> Pointer:
        """Give Chroma what it is owed. Returns what the catalog should say from now on.

        Args:
            upserts: ids and unit vectors.
            deletes: ids.
            batch: the number under which the catalog knows this, 0 when it does not.

        Raises:
            NotReady: there is no sound generation now.
            DiskFull: there is no room; nothing was changed.
        """
        applied = self._do(lambda: self._apply(upserts, deletes, batch))
        vectors = np.asarray([vector for _, vector in upserts])
        for copy in (self._all, self._new):
            copy.take([number for number, _ in upserts], vectors, deletes)
        return applied.result()

    def report(self) -> Report:
        """Where the index stands now."""
        return self._report

    def ids(self) -> list[int]:
        """All ids in Chroma.

        Raises:
            NotReady: there is no sound generation now.
        """
        return self._do(self._store.ids).result()

    def examine(self) -> None:
        """Sample the index; when passages no longer find themselves, a new one is built."""
        try:
            self._do(self._examine).result()
        except NotReady:
            pass  # the report says so

    def rebuild(self, why: str) -> None:
        """Build a new generation in the background, whatever the present one is like."""
        if self._report.state in {"ready", "broken"}:
            self._distrust(why)

    def close(self) -> None:
        """End: the store is closed after the work in hand. A second call does nothing."""
        if not self._closed.is_set():
            self._closed.set()
            self._owner.submit(self._store.close)
            self._owner.shutdown()

    # ---- in the owner's thread --------------------------------------------------------------------------------------

    def _do(self, work: Callable[[], T]) -> "Future[T]":
        """Have work done with the open generation, after the work in hand.

        Raises:
            NotReady: there is none now. The result raises it too, when there is none any more.
        """
        if self._report.state != "ready" or self._closed.is_set():
            raise self._not_ready()
        return self._owner.submit(self._done, work)

    def _done(self, work: Callable[[], T]) -> T:
        if self._report.state != "ready":
            raise self._not_ready()
        try:
            return work()
        except StoreAway as away:
            self._say("away", away.what)
        except StoreClosed:
            self._say("opening", "its process had ended")
            self._go_on(self._open)
        except StoreFailed as failed:
            self._distrust(failed.what)
        raise self._not_ready()

    def _open(self) -> None:
        with explained(self._catalog):
            connection = open_reader(self._catalog)
            valid, batches = outbox.pointer(connection), outbox.batches(connection)
            connection.close()
        stored = self._vectors()
        self._tried = max(self._tried, valid.generation)
        try:
            if not valid.generation:
                raise StoreFailed("there is none yet")
            if valid.model != stored.model:
                raise StoreFailed("the embedding model is another one")
            generation, batch = self._stamp.noted()
            if generation != valid.generation or not batches[0] <= batch <= batches[1]:
                raise StoreFailed("it is of another time than the catalog")
            self._store.open(valid.generation, valid.signature, stored.room())
            self._accept(valid.generation, stored)
        except StoreFailed as failed:
            self._distrust(failed.what)

    def _distrust(self, why: str) -> None:
        log.info("the vector index is built anew: %s", why)
        self._say("rebuilding", why)
        self._go_on(self._build)

    def _build(self) -> None:
        # Never a number twice in one process: Chroma would go on with what it remembers of that path.
        number = self._tried = self._tried + 1
        self._report = replace(self._report, state="rebuilding")
        stored = self._vectors()
        batch = self._given()
        try:
            self._store.create(number, stored.room())
            for ids, vectors in stored.pages():
                self._store.apply(list(zip(ids, vectors, strict=True)), [])
            self._stamp.note(number, batch)
            self._accept(number, stored)
        except (StoreFailed, StoreClosed) as failed:
            log.info("the vector index could not be built: %s", failed.what)
            self._say("broken", failed.what)

    def _given(self) -> int:
        """The batch up to which the catalog now holds everything that the store was given."""
        with explained(self._catalog):
            connection = open_reader(self._catalog)
            batch = outbox.batches(connection)[1]
            connection.close()
        return batch

    def _accept(self, number: int, stored: StoredVectors) -> None:
        """From now on this generation answers, unless there is an objection."""
        wrong = self._objection(stored)
        if wrong:
            raise StoreFailed(wrong)
        self._store.keep_only(number)
        inventory = self._store.inventory()
        pointer = Pointer(number, inventory.signature, stored.model)
        self._report = Report("ready", "", pointer, inventory.count, self._store.name)

    def _apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int], batch: int) -> Pointer:
        try:
            if batch:
                self._stamp.note(self._report.pointer.generation, batch)
        except OSError as error:
            raise disk_full() from error
        self._store.apply(upserts, deletes)
        inventory = self._store.inventory()
        pointer = replace(self._report.pointer, signature=inventory.signature)
        self._report = replace(self._report, pointer=pointer, vectors=inventory.count)
        return pointer

    def _examine(self) -> None:
        wrong = self._objection(self._vectors())
        if wrong:
            raise StoreFailed(wrong)
        self._look()

    def _look(self) -> None:
        """Nothing but `_apply` changes the files of an open generation; it is called in this thread too."""
        if self._store.inventory().signature != self._report.pointer.signature:
            raise StoreFailed("its files were changed by somebody else")

    def _objection(self, stored: StoredVectors) -> str:
        least, most = stored.expected()
        count = self._store.inventory().count
        if not least <= count <= most:
            return f"it holds {count} vectors where {least} to {most} are right"
        ids, vectors = stored.sample(SAMPLE)
        found = self._store.nearest(vectors, TOP) if ids else []
        lost = sum(not any(cosine > SAME for _, cosine in near) for near in found)
        return f"{lost} of {len(ids)} passages do not find themselves" if lost > len(ids) // SAMPLE else ""

    def _go_on(self, work: Callable[[], None]) -> None:
        if not self._closed.is_set():
            self._owner.submit(self._barrier, work)

    def _barrier(self, work: Callable[[], None]) -> None:
        """What fails here has no caller to tell: the report says it, and the next call tries again."""
        try:
            work()
        except StoreAway as away:
            self._say("away", away.what)
        except Problem as problem:  # the catalog cannot be read
            self._say("broken", problem.what)
        except OSError as error:  # no room, or no permission
            self._say("broken", error.strerror or str(error))
        except Exception as error:
            log.exception("the work on the vector index failed")
            self._say("broken", type(error).__name__)

    def _say(self, state: IndexState, why: str) -> None:
        self._report = replace(self._report, state=state, why=why, vectors=0)

    def _not_ready(self) -> NotReady:
        state = self._report.state
        return NotReady(f"The vector index is not ready ({state}); search goes on.", "Try again in a moment.")

    def _vectors(self) -> StoredVectors:
        return StoredVectors(self._catalog, self._model)

    # ---- in a thread of its own -------------------------------------------------------------------------------------

    def _look_now_and_then(self) -> None:
        with suppress(Problem):  # the next question says what is wrong
            if self._vectors().expected()[1] <= EXACT:
                self._all.load()
        while not self._closed.wait(LOOK_SECONDS):
            with suppress(NotReady):
                self._do(self._look)
            if self._report.vectors > EXACT and time.monotonic() - self._all.asked > RELEASE_SECONDS:
                self._all.release()
