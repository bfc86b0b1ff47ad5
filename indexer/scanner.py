"""Looks at the disk in the background: at paths that something happened to, and at whole folders now and then.

Two loops, so that a note saved during a look at 100,000 files does not wait for its end. What one of them learns the
other cannot undo: `scan.apply` changes only rows that still say what they said when the look began.
"""

import os
import threading
import time
from collections.abc import Callable

from indexer import scan
from indexer.ignore import IgnoreRules
from indexer.loop import Loop, Notices
from indexer.records import Folder
from indexer.store import files, folders, outbox
from indexer.store.database import Database
from indexer.store.files import Seen
from indexer.walk import YOUNG_NS

RESCAN_SECONDS = 600.0
RESCAN_DEAF_SECONDS = 60.0  # while changes are not reported: by the system, or from behind links
MANY = 200  # paths at once: comparing the whole folder is cheaper
RETRY_SECONDS = 5.0  # between two looks at which failed files are due
REMOVED_AT_ONCE = 200  # files in one transaction, so that a search or a save never waits long
SETTLE = 0.5  # seconds a file must be unchanged, when no event has told that it is at rest
LONGEST_UNSETTLED = 60.0  # seconds after which a file that never rests is read all the same
WORK, REST = 0.004, 0.002  # seconds: a look at everything leaves the interpreter to searches and saves so often
AGAIN = YOUNG_NS / 1e9 + 0.1  # seconds until a young file's content is compared once more


class Scanner:
    """Brings the catalog's files up to the disk, and forgets those of removed folders.

    Args:
        database: the catalog.
        rules: which files are left alone.
        deaf: says whether a folder gives no events, so that only scanning finds its changes.
        writing: says whether somebody has been heard writing a file and not yet closing it.
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
        writing: Callable[[str], bool],
        on_looked: Callable[[], None],
        on_change: Callable[[], None],
        notices: Notices,
    ) -> None:
        self.rules = rules
        self._database = database
        self._deaf = deaf
        self._writing = writing
        self._on_looked = on_looked
        self._on_change = on_change
        self._notices = notices
        self._guard = threading.Lock()
        self._at_rest: set[str] = set()  # paths somebody told us to look at
        self._unsettled: dict[str, float] = {}  # files that are still being written, and since when we wait for them
        self._again: dict[str, float] = {}  # when to look once more
        self._whole: set[str] = set()  # folders to look at as a whole
        self._everything = True
        self._at_work = 0
        self._looked_at = 0.0
        self._rested_at = 0.0
        self._paths = Loop("scan", self._look_at_paths, notices)
        self._rounds = Loop("rounds", self._look_at_folders, notices)

    @property
    def looking(self) -> bool:
        """True while something is still to be looked at."""
        with self._guard:
            return bool(self._at_rest or self._unsettled or self._whole or self._everything or self._at_work)

    def start(self) -> None:
        """Begin, with a look at everything."""
        self._paths.start()
        self._rounds.start()

    def stop(self) -> None:
        """End soon."""
        self._paths.stop()
        self._rounds.stop()

    def join(self, seconds: float) -> None:
        """Wait for the end of the present looks, up to `seconds` each."""
        self._paths.join(seconds)
        self._rounds.join(seconds)

    def look(self, paths: set[str]) -> None:
        """Look at these paths, which have come to rest, and what lies below them."""
        with self._guard:
            self._at_rest |= paths
        self._paths.wake()

    def differences(self, folder: Folder) -> scan.Changes:
        """What differs now between a folder and the catalog, files left out that are being written. Changes nothing."""
        return self._compare(folder, None, set(), lambda: None)

    def rescan(self) -> None:
        """Look at everything."""
        with self._guard:
            self._everything = True
        self._rounds.wake()

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

    def _look_at_paths(self) -> float:
        now = time.monotonic()
        with self._guard:
            at_rest, self._at_rest = self._at_rest, set()
            due = {path for path, when in self._again.items() if when <= now}
            for path in due:
                del self._again[path]
            self._at_work += bool(at_rest or due)
        if at_rest or due:
            try:
                self._look(at_rest, due)
            except BaseException:
                with self._guard:
                    self._at_rest |= at_rest | due  # what was to be looked at must not be lost with a full disk
                raise
            finally:
                self._leave_work()
        self._retry_failed()
        with self._guard:
            return max(min((*self._again.values(), now + RETRY_SECONDS)) - time.monotonic(), 0.01)

    def _look(self, at_rest: set[str], due: set[str]) -> None:
        watched = self._watched()
        looks = []
        for folder in watched:
            paths = _below(folder.path, at_rest | due)
            if folder.path in paths or len(paths) > MANY:
                with self._guard:
                    self._whole.add(folder.path)
                self._rounds.wake()
                continue
            trusted = at_rest - {folder.path}
            looks += [self._compare(folder, path, trusted, lambda: None) for path in paths]
        self._apply(looks, at_rest | due)

    def _look_at_folders(self) -> float:
        watched = self._watched()
        period = RESCAN_DEAF_SECONDS if self._deaf() or any(f.links for f in watched) else RESCAN_SECONDS
        with self._guard:
            everything = self._everything or time.monotonic() - self._looked_at >= period
            whole, self._whole, self._everything = self._whole, set(), False
            self._at_work += 1
        try:
            if everything:
                self.forget_removed()
                self._looked_at = time.monotonic()
            chosen = [folder for folder in watched if everything or folder.path in whole]
            self._apply([self._compare(folder, None, set(), self._breathe) for folder in chosen], set())
        except BaseException:
            with self._guard:
                self._everything = True
            raise
        finally:
            self._leave_work()
        return max(self._looked_at + period - time.monotonic(), 0.01)

    def _compare(
        self, folder: Folder, below: str | None, trusted: set[str], breathe: Callable[[], None]
    ) -> scan.Changes:
        return scan.compare(
            self._database,
            folder,
            self.rules,
            below,
            unsettled=lambda seen: seen.path not in trusted and self._is_unsettled(seen),
            breathe=breathe,
        )

    def _is_unsettled(self, seen: Seen) -> bool:
        now = time.time()
        restless = any(abs(now - changed / 1e9) < SETTLE for changed in (seen.mtime_ns, seen.ctime_ns))
        if seen.refused or not (restless or self._writing(seen.path)):
            return False
        with self._guard:
            return time.monotonic() - self._unsettled.get(seen.path, time.monotonic()) < LONGEST_UNSETTLED

    def _apply(self, looks: list[scan.Changes], looked_at: set[str]) -> None:
        if scan.apply(self._database, looks):
            self._on_change()
        now = time.monotonic()
        with self._guard:
            for path in looked_at.difference(*(look.unsettled for look in looks)):
                self._unsettled.pop(path, None)
            for look in looks:
                for path in look.unsettled:
                    self._unsettled[path] = self._unsettled.get(path, now)
                self._again.update(dict.fromkeys(look.young, now + AGAIN))
                self._again.update(dict.fromkeys(look.unsettled, now + SETTLE))
        if any(look.unsettled or look.young for look in looks):
            self._paths.wake()
        self._tell_reach(looks)

    def _leave_work(self) -> None:
        self._on_looked()
        with self._guard:
            self._at_work -= 1
        self._on_change()

    def _retry_failed(self) -> None:
        with self._database.read() as connection:
            if files.next_retry(connection) != 0.0:
                return
        with self._database.write() as connection:
            files.retry_due(connection)
        self._on_looked()
        self._on_change()

    def _breathe(self) -> None:
        if self._rounds.ending:
            raise _Ended
        if time.monotonic() - self._rested_at > WORK:
            time.sleep(REST)
            self._rested_at = time.monotonic()

    def _tell_reach(self, looks: list[scan.Changes]) -> None:
        for look in looks:
            if look.identity is None:
                where = look.folder.path
                self._notices.say(f"away {where}", f"{where} is not reachable; what was indexed from it is kept.")
        still = {folder.path for folder in self._watched()}  # read after it was said: one may have been removed
        for look in looks:
            if look.identity is not None or look.folder.path not in still:
                self._notices.clear(f"away {look.folder.path}")

    def _watched(self) -> list[Folder]:
        with self._database.read() as connection:
            return folders.watched(connection)

    def _forget_some(self) -> int:
        with self._database.write() as connection:
            return folders.remove_some(connection, REMOVED_AT_ONCE)


class _Ended(Exception):
    """The engine ends in the middle of a look."""


def _below(root: str, paths: set[str]) -> list[str]:
    """The paths to look at inside a folder, those inside one another left out."""
    if root in paths:
        return [root]
    found: list[str] = []
    for path in sorted(path for path in paths if path.startswith(root + os.sep)):
        if not found or not path.startswith(found[-1] + os.sep):
            found.append(path)
    return found
