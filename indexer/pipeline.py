"""From waiting files to searchable passages: extractor processes read, one transaction for each batch stores.

A file that ends its reader, or keeps it silent for too long, gets one more try in a fresh process and is then set
aside; what was read before it in its batch is kept, and the files behind it are read as if nothing had happened.
Killed anywhere, the next start goes on with what still waits.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

import apsw

from indexer import walk
from indexer.child import Child, ChildOff, NotRunning
from indexer.extract.documents import SCAN_WAITS
from indexer.extract.extractor import Call, Event, Extract, ExtractAll
from indexer.extract.reading import NotPlain, content_hash
from indexer.loop import UNTIL_WOKEN, Loop, Notices
from indexer.records import Extracted, Failed, FileState, Problem, Skipped
from indexer.store import files, passages
from indexer.store.database import Database
from indexer.store.files import Known, Seen
from indexer.waiting import Taken, Waiting
from indexer.worker import Gone, Overdue

log = logging.getLogger(__name__)

Reader = Child[Call, Event]

PATIENCE = (10.0, 30.0)
"""Seconds a reader may be silent over one file, at the first and at the second try. The second comes after all other
files, so that a file which is hard to read never holds them up for long."""

TRIES = len(PATIENCE)
"""Readers a file may cost before it is set aside."""

ENGINE_TRIES = 3
"""Attempts that ended with no word at all (the engine itself was killed) before a file is set aside: more than
TRIES, because the file in work when a machine is switched off is seldom to blame."""

RATE_SECONDS = 5.0


class Rate:
    """How many things were done in each of the last seconds."""

    def __init__(self) -> None:
        self._done: deque[tuple[float, int]] = deque()

    def add(self, count: int) -> None:
        """So many were done just now."""
        self._done.append((time.monotonic(), count))

    def per_second(self) -> float:
        """The mean over the last few seconds."""
        now = time.monotonic()
        while self._done and now - self._done[0][0] > RATE_SECONDS:
            self._done.popleft()
        recent = list(self._done)
        if not recent:
            return 0.0
        return sum(count for _, count in recent) / max(now - recent[0][0], 0.5)


class Pipeline:
    """Reads waiting files with as many readers as it is given.

    Args:
        database: the catalog.
        readers: extractor processes, one thread for each.
        largest: the limit for files in bytes, asked for each file.
        look: asks the scanner to look at a path that is not as the catalog says.
        on_stored: called after each file.
        notices: where trouble is told.
        rest: how many seconds to wait before the next file, told whether it is one of many.
    """

    def __init__(
        self,
        database: Database,
        readers: Sequence[Reader],
        *,
        largest: Callable[[], int],
        look: Callable[[set[str]], None],
        on_stored: Callable[[], None],
        notices: Notices,
        rest: Callable[[bool], float] = lambda _: 0.0,
    ) -> None:
        self.rate = Rate()
        self._rest = rest
        self._database = database
        self._largest = largest
        self._look = look
        self._on_stored = on_stored
        self._waiting = Waiting(database)
        self._counted: set[int] = set()  # files whose present attempt is in the catalog already
        self._loops = [Loop(reader.name, self._step_of(reader), notices) for reader in readers]

    @property
    def stuck(self) -> bool:
        """True while no reader gets anywhere."""
        return all(loop.in_trouble for loop in self._loops)

    @property
    def is_bulk(self) -> bool:
        """True while many files are waiting and are being read: other work should leave them the processor."""
        return self._waiting.many and not self.stuck

    def start(self) -> None:
        """Begin."""
        for loop in self._loops:
            loop.start()

    def wake(self) -> None:
        """There may be files waiting."""
        self._waiting.look_again()
        for loop in self._loops:
            loop.wake()

    def stop(self, seconds: float) -> None:
        """End after the files in work, which are given `seconds`."""
        for loop in self._loops:
            loop.stop()
        for loop in self._loops:
            loop.join(seconds)

    def _step_of(self, reader: Reader) -> Callable[[], float]:
        return lambda: self._step(reader)

    def _step(self, reader: Reader) -> float:
        pause = self._rest(self._waiting.many)
        if pause:
            return pause
        batch = self._waiting.take()
        if not batch:
            return UNTIL_WOKEN
        try:
            pause = self._deal_with(reader, batch)
        finally:
            self._waiting.give_back(batch)
        self._on_stored()
        return pause

    def _deal_with(self, reader: Reader, batch: list[Taken]) -> float:
        seen: list[tuple[Taken, Seen]] = []
        same: list[tuple[Taken, Seen]] = []
        gone: set[str] = set()
        for taken in batch:
            try:
                now = walk.see(taken.known.path)
                (same if _is_as_read(taken.known) else seen).append((taken, now))
            except (FileNotFoundError, NotADirectoryError):
                gone.add(taken.known.path)
            except OSError as error:
                self._set_aside(
                    taken.known, f"The system could not read the file: {error.strerror or error}.", again=True
                )
        if same:
            with self._database.write() as connection:
                for taken, now in same:
                    files.finish(connection, taken.known, "indexed", seen=now)
        if seen:
            reader.start()  # what goes wrong here is not the files' fault
            if begun := self._begin(seen):
                self._read(reader, begun)
        if gone:
            self._look(gone)  # gone, or their whole folder is away: the scanner can tell
            return 0.2
        return 0.0

    def _read(self, reader: Reader, batch: list[tuple[Taken, Seen]]) -> None:
        """Read files, and store what was read in one transaction: the word index pays for each one it takes part in."""
        largest = self._largest()
        patience = PATIENCE[min(batch[0][0].known.attempts, TRIES - 1)]  # a file that had a try before is read alone
        calls = [Extract(known.path, folder.path, largest, folder.links) for (known, folder), _ in batch]
        read: list[Event] = []
        death: Problem | None = None
        try:
            for event in reader.call(ExtractAll(calls), patience=patience, started=True):
                read.append(event)  # what came before a death must not be lost
        except Problem as problem:
            death = problem
        with self._database.write() as connection:
            for (taken, seen), event in zip(batch, read, strict=False):
                _store(connection, taken.known, seen, event)
                self._waiting.settled(taken.known)
        self._counted.difference_update(taken.known.id for taken, _ in batch)
        self.rate.add(len(read))
        unread = [taken.known for taken, _ in batch[len(read) :]]
        if unread:
            self._mourn(reader, unread, death)

    def _begin(self, batch: list[tuple[Taken, Seen]]) -> list[tuple[Taken, Seen]]:
        """Count an attempt for each file, and leave out those that have had theirs."""
        again, new = [], []
        for taken, seen in batch:
            if taken.known.id in self._counted:
                again.append((taken, seen))
            elif taken.known.attempts >= ENGINE_TRIES:
                self._set_aside(taken.known, "Offhand ended three times while it was reading this file.")
            else:
                new.append((taken, seen))
        if new:
            with self._database.write() as connection:
                for taken, _ in new:
                    files.begin_attempt(connection, taken.known.id)
            self._counted.update(taken.known.id for taken, _ in new)
        return again + new

    def _mourn(self, reader: Reader, unread: list[Known], death: Problem | None) -> None:
        """The first of the files may have ended the reader; the others behind it were not begun."""
        ending = any(loop.ending for loop in self._loops)  # it was stopped, not killed
        blameless = ending or death is None or isinstance(death, ChildOff | NotRunning)
        with self._database.write() as connection:
            for known in unread if blameless else unread[1:]:
                files.take_back_attempt(connection, known.id)
            now = files.at(connection, unread[0].path)
        if isinstance(death, ChildOff) and not ending:
            raise death
        if blameless:
            return
        if not isinstance(death, Gone | Overdue):
            log.warning("a reader failed over a file; its own log has the details")
            self._set_aside(unread[0], "Reading this file failed inside Offhand; the log has the details.")
            return
        log.info("a file ended its reader (%s)", death.kind)
        reader.rest()  # the file killed it: that says nothing about the next file
        if now is not None and now.attempts >= TRIES:
            silent = isinstance(death, Overdue)
            end = f"takes longer than {PATIENCE[-1]:.0f} seconds" if silent else "ends the reading process"
            self._set_aside(unread[0], f"Reading this file {end}; it was tried twice.")
        else:
            self._waiting.put_last(unread[0])

    def _set_aside(self, known: Known, reason: str, *, again: bool = False) -> None:
        self._counted.discard(known.id)
        self._waiting.settled(known)
        with self._database.write() as connection:
            files.finish(connection, known, "failed", reason, again=again)


def _is_as_read(known: Known) -> bool:
    try:
        return bool(known.content_hash) and known.content_hash == content_hash(known.path)
    except NotPlain:
        return False  # the reader has the words for that


def _store(connection: apsw.Connection, known: Known, seen: Seen, read: Event) -> None:
    if isinstance(read, Extracted):
        if passages.replace(connection, known.id, known.path, read):
            files.finish(connection, known, "indexed", seen=seen)
    else:
        state: FileState = "skipped" if isinstance(read, Skipped) else "failed"
        if read.reason == SCAN_WAITS:
            state = "waiting"  # not for a reader: `Scans` takes it
        # What could not even be opened may be free later; what was read and made no sense stays as it is.
        again = isinstance(read, Failed) and not read.content_hash
        files.finish(connection, known, state, read.reason, seen, again=again)
