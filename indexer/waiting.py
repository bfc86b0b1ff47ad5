"""Which files are read next, and together: newest first, each handed out once, many small ones in one batch."""

import threading
from collections import deque
from pathlib import PurePath
from typing import NamedTuple

from indexer.extract.registry import format_of
from indexer.store import files
from indexer.store.database import Database
from indexer.store.files import Known

MANY = 8
"""More files than a person changes by hand: they are read in batches, and other work leaves them the processor."""

AT_ONCE = 32  # files in a batch; more gain nothing, and what is saved meanwhile waits for a batch to end
BYTES_AT_ONCE = 256 << 10
_AHEAD = 8 * AT_ONCE


class Taken(NamedTuple):
    """A file in work, as the catalog had it, and the path of its folder."""

    known: Known
    root: str


class Waiting:
    """The files that wait.

    Args:
        database: the catalog.

    `many` is true while more wait than a person changes by hand.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._ahead: deque[Taken] = deque()
        self._taken: set[int] = set()
        self.many = False

    def take(self) -> list[Taken]:
        """The next files to read in one go, none when none waits; `give_back` must follow."""
        with self._guard:
            if not self._ahead:
                with self._database.read() as connection:
                    found = files.waiting(connection, _AHEAD + len(self._taken))
                self._ahead.extend(Taken(*pair) for pair in found if pair[0].id not in self._taken)
                self.many = len(self._ahead) >= MANY
            batch = self._next_batch() if self._ahead else []
            self._taken.update(known.id for known, _ in batch)
            return batch

    def give_back(self, batch: list[Taken]) -> None:
        """The files are dealt with, or may be taken again."""
        with self._guard:
            self._taken.difference_update(known.id for known, _ in batch)

    def look_again(self) -> None:
        """The catalog has changed: newer files may wait."""
        with self._guard:
            self._ahead.clear()

    def _next_batch(self) -> list[Taken]:
        batch = [self._ahead.popleft()]
        size = batch[0].known.size
        if not self.many or not _is_quick(batch[0].known):
            return batch
        while self._ahead and len(batch) < AT_ONCE and _is_quick(self._ahead[0].known):
            size += self._ahead[0].known.size
            if size > BYTES_AT_ONCE:
                break
            batch.append(self._ahead.popleft())
        return batch


def _is_quick(known: Known) -> bool:
    """False for what can take long or end its reader, and so would keep others waiting.

    A file that was being read when a process died is read alone: if it was innocent, that clears it.
    """
    form = format_of(PurePath(known.path))
    return not known.attempts and form is not None and form.reader != "document"
