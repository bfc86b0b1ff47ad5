"""From stored passages to searchable meaning: what the outbox owes is embedded, kept in the catalog, given to Chroma.

Each step is a transaction that can be repeated, so a kill costs at most the batch in work and embeds nothing twice.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from indexer import semantics
from indexer.child import Child
from indexer.loop import UNTIL_WOKEN, Loop, Notices
from indexer.pipeline import Rate
from indexer.records import Problem
from indexer.store import outbox
from indexer.store.database import Database
from indexer.store.outbox import Pointer
from indexer.worker import Gone

log = logging.getLogger(__name__)

EventT = TypeVar("EventT")

Meaning = Child[semantics.Call, semantics.Event]

ROUND = 128  # texts between two looks at what is most urgent
BATCH = 32  # texts in one call; a question waits for no more than a run of the model
APPLIED_AT_ONCE = 512
CHECK_AFTER = 1_000  # applied vectors between two samples
PATIENCE = 120.0  # seconds of silence; the first call may build the model's graph
POLL = 0.3  # seconds between two looks at an index that is being opened or rebuilt


class VectorFlow:
    """Works off the outbox.

    Args:
        database: the catalog.
        meaning: the semantics process.
        hold: says when nothing should be embedded now: many files wait to be searchable by words, and embedding takes
            all of the processor for much longer than reading does.
        on_change: called after each step that did something.
        notices: where trouble is told.
    """

    def __init__(
        self,
        database: Database,
        meaning: Meaning,
        *,
        hold: Callable[[], bool],
        on_change: Callable[[], None],
        notices: Notices,
    ) -> None:
        self.rate = Rate()
        self._database = database
        self._meaning = meaning
        self._hold = hold
        self._on_change = on_change
        self._model = ""
        self._ready = False
        self._unchecked = 0
        self._loop = Loop("vectors", self._step, notices)

    @property
    def stuck(self) -> bool:
        """True while it gets nowhere."""
        return self._loop.in_trouble

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def wake(self) -> None:
        """There may be something owed."""
        self._loop.wake()

    def doubt(self) -> None:
        """Somebody saw that the index is not ready: look after it."""
        self._ready = False
        self._loop.wake()

    def stop(self, seconds: float) -> None:
        """End after the batch in work, which is given `seconds`."""
        self._loop.stop()
        self._loop.join(seconds)

    def _step(self) -> float:
        try:
            broken = "" if self._ready else self._look_after_index()
            if self._hold():
                return POLL
            embedded = self._embed()  # whatever became of Chroma: an exact search finds what is embedded
            if broken and not embedded:
                self._try_again(broken)
            applied = self._apply() if self._ready else 0
        except Gone:
            if self._loop.ending:
                return UNTIL_WOKEN
            self._ready = False  # it starts again with the next call, and may have to rebuild
            return POLL
        except Problem as problem:
            self._ready = False
            if problem.kind != "rebuilding":
                raise
            return POLL
        if embedded or applied:
            self._on_change()
            return 0.0
        if not self._ready:
            return POLL
        if self._unchecked >= CHECK_AFTER:
            self._unchecked = 0
            self._look_after_index(sample=True)
        return UNTIL_WOKEN

    def _look_after_index(self, *, sample: bool = False) -> str:
        """Learn where the index stands; returns why it cannot be built, "" while it can."""
        report = self._ask(semantics.Verify(sample), semantics.Verified).report
        self._model = report.pointer.model
        self._ready = report.state == "ready"
        if self._ready:
            self._settle([], [], report.pointer)
        return report.why if report.state == "broken" else ""

    def _try_again(self, why: str) -> None:
        self._ask(semantics.Rebuild("the last attempt failed"), semantics.Verified)
        raise Problem(
            f"The vector index cannot be built ({why}); search by meaning compares every passage instead.",
            "It is tried again; `offhand doctor` has more.",
        )

    def _embed(self) -> int:
        with self._database.read() as connection:
            unseen = outbox.unseen(connection, self._model, ROUND)
        hashes = sorted(unseen, key=lambda digest: len(unseen[digest]))  # texts of one length waste no padding
        for first in range(0, len(hashes), BATCH):
            if self._loop.ending or self._hold():
                break
            some = hashes[first : first + BATCH]
            made = self._ask(semantics.Embed([unseen[digest] for digest in some]), semantics.Vectors)
            with self._database.write() as connection:
                outbox.store_vectors(connection, made.model, dict(zip(some, made.vectors, strict=True)))
            self.rate.add(len(some))
            self._on_change()
        return len(hashes)

    def _apply(self) -> int:
        with self._database.read() as connection:
            upserts = outbox.upserts(connection, self._model, APPLIED_AT_ONCE)
            removals = outbox.removals(connection, APPLIED_AT_ONCE)
        if not upserts and not removals:
            return 0
        with self._database.write(durable=True) as connection:  # Chroma must never know more than the catalog
            batch = outbox.begin_batch(connection)
        applied = self._ask(semantics.Apply(upserts, removals, batch), semantics.Applied)
        self._settle([number for number, _ in upserts], removals, applied.pointer, batch)
        self._unchecked += len(upserts) + len(removals)
        return len(upserts) + len(removals)

    def _settle(self, upserted: list[int], removed: list[int], pointer: Pointer, batch: int = 0) -> None:
        with self._database.write() as connection:
            outbox.clear(connection, upserted, removed)
            if batch:
                outbox.confirm_batch(connection, batch)
            if outbox.pointer(connection) != pointer:
                outbox.point(connection, pointer)

    def _ask(self, call: semantics.Call, expected: type[EventT]) -> EventT:
        event = self._meaning.ask(call, patience=PATIENCE)
        assert isinstance(event, expected)
        return event
