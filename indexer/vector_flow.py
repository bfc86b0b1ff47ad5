"""From stored passages to searchable meaning: what the outbox owes is embedded, kept in the catalog, given to Chroma.

Embedding and Chroma have a loop each, so that the model never waits for the index or for the catalog. Each step is a
transaction that can be repeated, so a kill costs at most the batch in work and embeds nothing twice.
"""

import logging
import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from indexer import semantics
from indexer.loop import UNTIL_WOKEN, Loop, Notices
from indexer.pipeline import Rate
from indexer.records import Problem
from indexer.semantics import Meaning
from indexer.store import outbox
from indexer.store.database import Database
from indexer.store.outbox import Pointer
from indexer.store.vector_index import Report
from indexer.worker import Gone

log = logging.getLogger(__name__)

EventT = TypeVar("EventT")

ROUND = 128  # texts between two looks at what is most urgent
APPLIED_AT_ONCE = 256  # more in one call gain nothing, and a question waits for it
HELD_SHARE = 0.03  # of the time goes to embedding even while many files wait for their words
HELD_ROUND = 16  # texts, then: a full round takes both cores for two seconds
WORTH_SHRINKING = 200  # removed vectors
CHECK_AFTER = 1_000  # applied vectors between two samples
PATIENCE = 120.0  # seconds of silence; the first call may build the model's graph
POLL = 0.3  # seconds between two looks at an index that is being opened or rebuilt


class VectorFlow:
    """Works off the outbox.

    Args:
        database: the catalog.
        meaning: the semantics process.
        hold: says when little should be embedded: many files wait to be searchable by words, and embedding takes all
            of the processor for much longer than reading does.
        rest: for how many seconds nothing at all should be done now, 0 to go on; told whether there is much to do.
        on_change: called after each step that did something.
        notices: where trouble is told.
    """

    def __init__(
        self,
        database: Database,
        meaning: Meaning,
        *,
        hold: Callable[[], bool],
        rest: Callable[[bool], float] = lambda _: 0.0,
        on_change: Callable[[], None],
        notices: Notices,
    ) -> None:
        self.rate = Rate()
        self._database = database
        self._meaning = meaning
        self._hold = hold
        self._rest = rest
        self._on_change = on_change
        self._model = ""
        self._ready = False
        self._report: Report | None = None
        self._more = True  # there may be texts to embed
        self._many = False  # the last round was a full one: more is to come
        self._fresh = 0  # about how many passages wait for the index
        self._embedded_at = time.monotonic()
        self._took = 0.5  # seconds, the last round; before the first about what one takes
        self._unchecked = 0
        self._removed = 0  # from the present generation, which never gives space back
        self._embedding = Loop("vectors", lambda: self._guarded(self._embed_some), notices)
        self._applying = Loop("vector index", lambda: self._guarded(self._apply_some), notices)

    @property
    def report(self) -> Report | None:
        """Where the index stood when it was last looked at; None before the first look."""
        return self._report

    @property
    def stuck(self) -> bool:
        """True while it gets nowhere. Without an index embedding goes on: an exact search finds what is embedded."""
        return self._embedding.in_trouble or (self._applying.in_trouble and not self._more)

    def start(self) -> None:
        """Begin."""
        self._embedding.start()
        self._applying.start()

    def wake(self) -> None:
        """There may be something owed."""
        self._more = True
        self._embedding.wake()
        self._applying.wake()

    def doubt(self) -> None:
        """Somebody saw that the index is not ready: look after it."""
        self._ready = False
        self._applying.wake()

    def moved(self) -> None:
        """The vectors are kept elsewhere from now on: what is known of the index is about the old place."""
        self._report = None
        self.doubt()

    def tried(self, seconds: float) -> Report:
        """Where the index stands once it is ready or cannot be, or after `seconds`: a large one takes longer.

        Raises:
            Problem: the process that keeps it cannot be asked.
        """
        report = self._ask(semantics.Verify(), semantics.Verified).report
        deadline = time.monotonic() + seconds
        while report.state in ("opening", "rebuilding") and time.monotonic() < deadline:
            time.sleep(POLL)
            report = self._ask(semantics.Verify(), semantics.Verified).report
        self._report = report
        return report

    def stop(self, seconds: float) -> None:
        """End after the batches in work, which are given `seconds`."""
        for loop in (self._embedding, self._applying):
            loop.stop()
        for loop in (self._embedding, self._applying):
            loop.join(seconds)

    def _guarded(self, step: Callable[[], float]) -> float:
        try:
            return self._rest(self._many) or step()
        except Gone:
            if self._embedding.ending:
                return UNTIL_WOKEN
            self._ready = False  # it starts again with the next call, and may have to rebuild
            return POLL
        except Problem as problem:
            self._ready = False
            if problem.kind != "rebuilding":
                raise
            return POLL

    def _embed_some(self) -> float:
        """A round of embedding. Whatever became of Chroma: an exact search finds what is embedded."""
        held = self._hold()
        if held and time.monotonic() - self._embedded_at < self._took / HELD_SHARE:
            return POLL
        if not self._model:
            self._model = self._ask(semantics.Verify(), semantics.Verified).report.pointer.model
        self._more = False  # whatever is stored from here on wakes this loop again
        most = HELD_ROUND if held else ROUND
        with self._database.read() as connection:
            unseen = outbox.unseen(connection, self._model, most)
        self._more |= bool(unseen)
        self._many = len(unseen) >= most // 2  # copies of one text count once
        if unseen:
            began = time.monotonic()
            self._embed(unseen)
            self._embedded_at = time.monotonic()
            self._took = self._embedded_at - began
        self._applying.wake()
        return 0.0 if unseen else UNTIL_WOKEN

    def _embed(self, unseen: dict[bytes, str]) -> None:
        """Embed texts; each event's vectors are stored while the next ones are being made."""
        hashes = list(unseen)
        call = semantics.Embed(list(unseen.values()))
        with closing(self._meaning.call(call, patience=PATIENCE)) as events:
            while hashes:
                made = next(events)
                assert isinstance(made, semantics.Vectors)
                some, hashes = hashes[: len(made.vectors)], hashes[len(made.vectors) :]
                with self._database.write() as connection:
                    outbox.store_vectors(connection, made.model, dict(zip(some, made.vectors, strict=True)))
                self.rate.add(len(some))
                self._fresh += len(some)
                self._on_change()
                if self._embedding.ending or self._hold() or self._rest(self._many):
                    return

    def _apply_some(self) -> float:
        if not self._ready:
            self._look_after_index()
        if not self._ready:
            self._complain()
            return POLL
        if self._apply():
            self._on_change()
            return 0.0
        if self._hold():
            return POLL  # what is owed was left for later, and nobody tells when that is
        if self._unchecked >= CHECK_AFTER:
            self._unchecked = 0
            self._look_after_index(sample=True)
        return self._shrink()

    def _shrink(self) -> float:
        """Build a smaller generation when more was removed than is left: Chroma's files only grow."""
        if self._removed < WORTH_SHRINKING:
            return UNTIL_WOKEN
        if self._removed > self._ask(semantics.Verify(), semantics.Verified).report.vectors:
            self._removed = 0
            self._ready = False
            self._ask(semantics.Rebuild("most of what it held was removed"), semantics.Verified)
            return POLL
        return UNTIL_WOKEN

    def _look_after_index(self, *, sample: bool = False) -> None:
        """Learn where the index stands."""
        report = self._ask(semantics.Verify(sample), semantics.Verified).report
        if self._report is None or report.state != self._report.state:
            self._on_change()
        self._report = report
        self._model = report.pointer.model
        self._ready = report.state == "ready"
        if self._ready:
            self._settle([], [], report.pointer)

    def _complain(self) -> None:
        """Say why there is no index, where waiting alone does not help, and try again."""
        report = self._report
        if report is None or report.state not in ("broken", "away"):
            return
        if report.state == "broken":
            self._ask(semantics.Rebuild("the last attempt failed"), semantics.Verified)
            what = f"The vector index cannot be built ({report.why})"
        else:
            what = f"The vector index cannot be reached ({report.why})"
        raise Problem(
            f"{what}; search by meaning compares every passage instead.",
            "It is tried again; `offhand doctor` has more.",
        )

    def _apply(self) -> int:
        # A few at a time cost Chroma much more, and looking for a few in a long outbox takes as long as embedding them.
        if self._fresh < APPLIED_AT_ONCE and (self._many or self._hold()):
            return 0
        with self._database.read() as connection:
            upserts = outbox.upserts(connection, self._model, APPLIED_AT_ONCE)
            removals = outbox.removals(connection, APPLIED_AT_ONCE)
        self._fresh = max(0, self._fresh - len(upserts)) if upserts else 0
        if not upserts and not removals:
            return 0
        with self._database.write(durable=True) as connection:  # Chroma must never know more than the catalog
            batch = outbox.begin_batch(connection)
        applied = self._ask(semantics.Apply(upserts, removals, batch), semantics.Applied)
        self._settle([number for number, _ in upserts], removals, applied.pointer, batch)
        self._unchecked += len(upserts) + len(removals)
        self._removed += len(removals)
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
