"""From waiting files to searchable passages: extractor processes read, one transaction for each file stores.

A file that ends its reader, or keeps it silent for too long, gets one more try in a fresh process and is then set
aside; it never costs another file its turn. Killed anywhere, the next start goes on with what still waits.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from indexer import scan, walk
from indexer.child import Child
from indexer.extract.extractor import Event, Extract
from indexer.loop import UNTIL_WOKEN, Loop, Notices
from indexer.records import Extracted, Failed, FileState, Folder, Skipped
from indexer.store import files, passages
from indexer.store.database import Database
from indexer.store.files import Known
from indexer.worker import Gone, Overdue

log = logging.getLogger(__name__)

Reader = Child[Extract, Event]

PATIENCE = 30.0
"""Seconds a reader may be silent over one file."""

TRIES = 2
"""Readers a file may cost before it is set aside."""

ENGINE_TRIES = 3
"""Attempts that ended with no word at all (the engine itself was killed) before a file is set aside: more than
TRIES, because the file in work when a machine is switched off is seldom to blame."""

AHEAD = 64
MANY = 8
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


class Waiting:
    """The files that wait, handed out once each, newest first; `many` when more than a person changes by hand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._ahead: deque[tuple[Known, Folder]] = deque()
        self._taken: set[int] = set()
        self.many = False

    def take(self) -> tuple[Known, Folder] | None:
        """The next file and its folder; `give_back` must follow."""
        with self._guard:
            if not self._ahead:
                with self._database.read() as connection:
                    found = files.waiting(connection, AHEAD + len(self._taken))
                self._ahead.extend(pair for pair in found if pair[0].id not in self._taken)
                self.many = len(self._ahead) >= MANY
            if not self._ahead:
                return None
            taken = self._ahead.popleft()
            self._taken.add(taken[0].id)
            return taken

    def give_back(self, known: Known) -> None:
        """The file is dealt with, or may be taken again."""
        with self._guard:
            self._taken.discard(known.id)

    def look_again(self) -> None:
        """The catalog has changed: newer files may wait."""
        with self._guard:
            self._ahead.clear()


class Pipeline:
    """Reads waiting files with as many readers as it is given.

    Args:
        database: the catalog.
        readers: extractor processes, one thread for each.
        largest: the limit for files in bytes, asked for each file.
        look: asks the scanner to look at a path that is not as the catalog says.
        on_stored: called after each file.
        notices: where trouble is told.
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
    ) -> None:
        self.rate = Rate()
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
        taken = self._waiting.take()
        if taken is None:
            return UNTIL_WOKEN
        known, folder = taken
        try:
            pause = self._read(reader, known, folder)
        finally:
            self._waiting.give_back(known)
        self._on_stored()
        return pause

    def _read(self, reader: Reader, known: Known, folder: Folder) -> float:
        try:
            seen = walk.see(known.path)
            if known.content_hash and known.content_hash == scan.content_hash(known.path):
                with self._database.write() as connection:
                    files.finish(connection, known, "indexed", seen=seen)
                return 0.0
        except (FileNotFoundError, NotADirectoryError):
            self._look({known.path})  # gone, or its whole folder is away: the scanner can tell
            return 0.2
        except OSError as error:
            self._set_aside(known, f"The system could not read the file: {error.strerror or error}.", again=True)
            return 0.0
        reader.start()  # what goes wrong here is not the file's fault
        if not self._begin(known):
            return 0.0
        try:
            read = reader.ask(Extract(known.path, folder.path, self._largest(), folder.links), patience=PATIENCE)
        except (Gone, Overdue) as death:
            self._mourn(reader, known, death)
            return 0.0
        with self._database.write() as connection:
            if isinstance(read, Extracted):
                if passages.replace(connection, known.id, known.path, read):
                    files.finish(connection, known, "indexed", seen=seen)
            else:
                state: FileState = "skipped" if isinstance(read, Skipped) else "failed"
                # What could not even be opened may be free later; what was read and made no sense stays as it is.
                again = isinstance(read, Failed) and not read.content_hash
                files.finish(connection, known, state, read.reason, seen, again=again)
        self._counted.discard(known.id)
        self.rate.add(1)
        return 0.0

    def _begin(self, known: Known) -> bool:
        if known.id in self._counted:
            return True
        if known.attempts >= ENGINE_TRIES:
            self._set_aside(known, "Offhand ended three times while it was reading this file.")
            return False
        with self._database.write() as connection:
            files.begin_attempt(connection, known.id)
        self._counted.add(known.id)
        return True

    def _mourn(self, reader: Reader, known: Known, death: Gone | Overdue) -> None:
        self._counted.discard(known.id)
        if any(loop.ending for loop in self._loops):  # it was stopped, not killed
            with self._database.write() as connection:
                files.take_back_attempt(connection, known.id)
            return
        reader.rest()  # the file killed it: that says nothing about the next file
        with self._database.read() as connection:
            now = files.at(connection, known.path)
        log.info("a file ended its reader (%s)", death.kind)
        if now is not None and now.attempts >= TRIES:
            silent = isinstance(death, Overdue)
            end = f"takes longer than {PATIENCE:.0f} seconds" if silent else "ends the reading process"
            self._set_aside(known, f"Reading this file {end}; it was tried twice.")

    def _set_aside(self, known: Known, reason: str, *, again: bool = False) -> None:
        self._counted.discard(known.id)
        with self._database.write() as connection:
            files.finish(connection, known, "failed", reason, again=again)
