"""Scanned documents, recognised page by page once everything else is read, in a process of its own.

A scan stands in the catalog as a file that waits, with the reason `SCAN_WAITS`; so it is listed while it does, and a
restart goes on with what still waits. What is done or given up has another reason, or is indexed.
"""

import logging
import time
from collections.abc import Callable

import apsw

from indexer import walk
from indexer.child import ChildOff, NotRunning
from indexer.extract import ocr
from indexer.extract.documents import NO_TEXT_LAYER, SCAN_WAITS
from indexer.extract.extractor import Extract
from indexer.loop import UNTIL_WOKEN, Loop, Notices
from indexer.pipeline import Reader
from indexer.records import Extracted, Folder, Problem
from indexer.store import files, passages
from indexer.store.database import Database
from indexer.store.files import Known
from indexer.worker import Gone, Overdue

log = logging.getLogger(__name__)

PATIENCE = 600.0  # seconds for one document: two to five a page, one page after the other
LOOK_SECONDS = 5.0  # at least, between two looks for work: every file that is stored wakes the loop
NOT_DONE = f"{NO_TEXT_LAYER} Recognising them failed."
TOO_LONG = f"{NO_TEXT_LAYER} Recognising them takes longer than {PATIENCE / 60:.0f} minutes."


class Scans:
    """Recognises what waits for it.

    Args:
        database: the catalog.
        reader: the process that recognises; it is ended when nothing waits any more.
        largest: the limit for files in bytes.
        rest: seconds to wait before the next document, 0 to go on: other work and the person come first.
        on_stored: called after each document.
        notices: where trouble is told.
    """

    def __init__(
        self,
        database: Database,
        reader: Reader,
        *,
        largest: Callable[[], int],
        rest: Callable[[], float],
        on_stored: Callable[[], None],
        notices: Notices,
    ) -> None:
        self.on = True
        self._look_at = 0.0
        self._database = database
        self._reader = reader
        self._largest = largest
        self._rest = rest
        self._on_stored = on_stored
        self._loop = Loop("scans", self._step, notices)

    @property
    def idle(self) -> bool:
        """Whether nothing is recognised however long one waits: switched off, not installed, or in trouble."""
        return not self.on or self._loop.in_trouble or ocr.languages() is None

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def wake(self) -> None:
        """There may be scans waiting."""
        self._loop.wake()

    def stop(self, seconds: float) -> None:
        """End; a document in work is given `seconds`, and begun anew at the next start."""
        self._loop.stop()
        self._loop.join(seconds)

    def _step(self) -> float:
        if not self.on or ocr.languages() is None:
            return UNTIL_WOKEN
        left = self._look_at - time.monotonic()
        if left > 0:
            return left
        self._look_at = time.monotonic() + LOOK_SECONDS
        pause = self._rest()
        if pause:
            return pause
        with self._database.read() as connection:
            found = files.waiting_for(connection, SCAN_WAITS)
        if found is None:
            self._reader.rest()
            return UNTIL_WOKEN
        try:
            self._recognise(*found)
        except OSError:  # gone, or its whole folder is away: the scanner will tell
            return LOOK_SECONDS
        self._look_at = 0.0
        return 0.0

    def _recognise(self, known: Known, folder: Folder) -> None:
        seen = walk.see(known.path)
        call = Extract(known.path, folder.path, self._largest(), folder.links, ocr=True)
        self._reader.start()  # what goes wrong here is not the file's fault
        try:
            read = self._reader.ask(call, patience=PATIENCE, started=True)
        except NotRunning:
            return  # it is taken again
        except (Gone, Overdue) as death:
            if self._loop.ending:
                return
            self._reader.rest()
            self._give_up(known, TOO_LONG if isinstance(death, Overdue) else NOT_DONE)
            return
        except ChildOff:
            raise
        except Problem:
            log.warning("the recogniser failed over a file; its own log has the details")
            self._give_up(known, NOT_DONE)
            return
        if not isinstance(read, Extracted):
            self._give_up(known, read.reason)
            return
        with self._database.write() as connection:
            if self._take(connection, known) and passages.replace(connection, known.id, known.path, read):
                files.finish(connection, known, "indexed", seen=seen)
        self._on_stored()

    def _give_up(self, known: Known, reason: str) -> None:
        with self._database.write() as connection:
            if self._take(connection, known):
                files.finish(connection, known, "failed", reason)
        self._on_stored()

    def _take(self, connection: apsw.Connection, known: Known) -> bool:
        return files.reopen(connection, known, SCAN_WAITS)
