"""Looks at the disk in the background: at paths that something happened to, and at whole folders now and then."""

import os
import threading
import time
from collections.abc import Callable

from indexer import scan
from indexer.ignore import IgnoreRules
from indexer.loop import Loop, Notices
from indexer.store import folders, outbox
from indexer.store.database import Database

RESCAN_SECONDS = 600.0
RESCAN_DEAF_SECONDS = 60.0  # while the system reports no changes
MANY = 200  # paths at once: comparing the whole folder is cheaper
REMOVED_AT_ONCE = 200  # files in one transaction, so that a search or a save never waits long


class Scanner:
    """Brings the catalog's files up to the disk, and forgets those of removed folders.

    Args:
        database: the catalog.
        rules: which files are left alone.
        deaf: says whether a folder gives no events, so that only scanning finds its changes.
        on_looked: called after each look; files may be waiting then.
        on_change: called when something a person could see has changed.
        notices: where folders that are away are told.
    """

    def __init__(
        self,
        database: Database,
        rules: IgnoreRules,
        *,
        deaf: Callable[[], bool],
        on_looked: Callable[[], None],
        on_change: Callable[[], None],
        notices: Notices,
    ) -> None:
        self.rules = rules
        self._database = database
        self._deaf = deaf
        self._on_looked = on_looked
        self._on_change = on_change
        self._notices = notices
        self._guard = threading.Lock()
        self._to_look: set[str] = set()
        self._everything = True
        self._looking = True
        self._looked_at = 0.0
        self._loop = Loop("scan", self._step, notices)

    @property
    def looking(self) -> bool:
        """True while something is still to be looked at."""
        return self._looking

    def start(self) -> None:
        """Begin, with a look at everything."""
        self._loop.start()

    def stop(self) -> None:
        """End after the present look."""
        self._loop.stop()

    def join(self, seconds: float) -> None:
        """Wait for the end of the present look, up to `seconds`."""
        self._loop.join(seconds)

    def look(self, paths: set[str]) -> None:
        """Look at these paths and what lies below them."""
        with self._guard:
            self._to_look |= paths
            self._looking = True
        self._loop.wake()

    def rescan(self) -> None:
        """Look at everything."""
        with self._guard:
            self._everything = self._looking = True
        self._loop.wake()

    def forget_removed(self) -> None:
        """Forget the files of folders that were taken off the list, and give their space back.

        Killed anywhere, the next start does it all again: the folders' own rows go last.
        """
        with self._database.read() as connection:
            if not folders.any_removed(connection):
                return
        while self._forget_some():
            pass
        with self._database.write() as connection:
            outbox.drop_unused(connection)
        self._database.drop_backups()
        self._database.tidy()
        with self._database.write() as connection:
            folders.close_removed(connection)

    def _step(self) -> float:
        period = RESCAN_DEAF_SECONDS if self._deaf() else RESCAN_SECONDS
        with self._guard:
            everything = self._everything or time.monotonic() - self._looked_at > period
            paths, self._to_look, self._everything = self._to_look, set(), False
        try:
            self._compare(paths, everything=everything)
        except BaseException:
            with self._guard:
                self._everything = True  # what was to be looked at must not be lost with a full disk
            raise
        self._on_looked()
        with self._guard:
            self._looking = self._everything or bool(self._to_look)
        self._on_change()
        return period

    def _compare(self, paths: set[str], *, everything: bool) -> None:
        if everything:
            self.forget_removed()
        with self._database.read() as connection:
            watched = folders.watched(connection)
        looks = []
        for folder in watched:
            for below in [None] if everything else _below(folder.path, paths):
                looks.append(scan.compare(self._database, folder, self.rules, below))
        if scan.apply(self._database, looks):
            self._on_change()
        for look in looks:
            self._tell_reach(look)
        if everything:
            self._looked_at = time.monotonic()

    def _tell_reach(self, look: scan.Changes) -> None:
        matter = f"away {look.folder.path}"
        if look.identity is None:
            self._notices.say(matter, f"{look.folder.path} cannot be reached; what was indexed from it is kept.")
        else:
            self._notices.clear(matter)

    def _forget_some(self) -> int:
        with self._database.write() as connection:
            return folders.remove_some(connection, REMOVED_AT_ONCE)


def _below(root: str, paths: set[str]) -> list[str | None]:
    """The paths to look at inside a folder, those inside one another left out; None for the whole folder."""
    if root in paths:
        return [None]
    found: list[str | None] = []
    kept = ""
    for path in sorted(path for path in paths if path.startswith(root + os.sep)):
        if not kept or not path.startswith(kept + os.sep):
            found.append(path)
            kept = path
    return found if len(found) <= MANY else [None]
