"""Hearing about changes soon: one observer for all folders, every event read as "look at this path" and nothing more.

What the system does not tell (an overflow, a folder that was replaced, a limit reached) is made up for by scanning.
"""

import contextlib
import errno
import logging
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct
from watchdog.events import (
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from indexer.ignore import GITIGNORE
from indexer.loop import UNTIL_WOKEN, Loop, Notices

log = logging.getLogger(__name__)

ON_LINUX = sys.platform == "linux"
QUIET = 0.08  # seconds without another event until a path is looked at
LONGEST = 2.0  # seconds after which a path that is never quiet is looked at all the same
QUIET_NEW = 0.5  # the first of them for a file of which nothing but its appearance was heard: others may be writing it
QUIET_OPEN = 5.0  # both for a file that was written and not closed yet: half a copy is not worth reading
LONGEST_OPEN = 60.0
SUPERVISE = 3.0  # seconds between looks at the folders themselves
DEAF_SECONDS = 60.0  # between two attempts to watch what could not be watched
PAIR_SECONDS = 0.02
"""How long watchdog holds back the first half of a rename for the second one, and all that happens after it. Its own
half second would be most of the time from an editor's save to the index; both halves come in one read anyway."""
OVERFLOW_LOGGER = "watchdog.observers.inotify_c"  # watchdog 7.1 tells an overflow to its log alone

# Opening and reading are left out: our own reading would come back as news.
_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    FileAttribEvent,  # a permission given or taken
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
    DirAttribEvent,
]


_LIMITS = {
    errno.ENOSPC: "fs.inotify.max_user_watches=524288",
    errno.EMFILE: "fs.inotify.max_user_instances=1024",
}


class _Touch(Struct):
    """When something last happened at a path, and how long it must be quiet. `is_open`: written, not closed since."""

    first: float
    last: float
    quiet: float = 0.0
    is_open: bool = False

    @property
    def due(self) -> float:
        return min(self.last + self.quiet, self.first + (LONGEST_OPEN if self.is_open else LONGEST))


class _Root(Struct):
    identity: tuple[int, int] | None = None
    watch: ObservedWatch | None = None


class Watcher:
    """Tells which paths to look at.

    Args:
        look: is given paths that have come to rest, in a thread of the watcher's.
        rescan: is called when events were lost.
        notices: where limits of the system are told.
    """

    def __init__(self, look: Callable[[set[str]], None], rescan: Callable[[], None], notices: Notices) -> None:
        self._look = look
        self._rescan = rescan
        self._notices = notices
        # Two locks: watchdog calls `_hear` while it holds its own, which `_watch` and `_unwatch` need.
        self._guard = threading.Lock()
        self._rooting = threading.Lock()
        self._touched: dict[str, _Touch] = {}
        self._wakes_at = 0.0
        self._roots: dict[str, _Root] = {}
        self._deaf: set[str] = set()
        self._deaf_since = 0.0
        self._new_directories = False
        self._supervised_at = 0.0
        self._observer: Any = None
        self._listener = _Listener(self._hear)
        self._alarm = _OverflowAlarm(rescan)
        self._loop = Loop("watch", self._step, notices)

    @property
    def deaf(self) -> bool:
        """True while a folder gives no events, and only scanning finds its changes."""
        return bool(self._deaf)

    def start(self) -> None:
        """Begin."""
        _pair_soon()
        # watchdog warns when it meets a new directory twice, by its event and by its own walk; that is harmless.
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
        logging.getLogger(OVERFLOW_LOGGER).addHandler(self._alarm)
        self._loop.start()

    def stop(self) -> None:
        """End; no path is told afterwards."""
        logging.getLogger(OVERFLOW_LOGGER).removeHandler(self._alarm)
        self._loop.stop()
        self._loop.join(2.0)
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(2.0)

    def set_roots(self, paths: Iterable[str]) -> None:
        """Watch exactly these folders."""
        wanted = set(paths)
        with self._rooting:
            for path in wanted - self._roots.keys():
                self._roots[path] = _Root()
            for path in self._roots.keys() - wanted:
                self._unwatch(self._roots.pop(path))
                self._deaf.discard(path)
                self._notices.clear(f"watch {path}")
            self._supervised_at = 0.0
        self._loop.wake()

    def is_written(self, path: str) -> bool:
        """Whether somebody is writing the file: it was heard changing, and not being closed."""
        with self._guard:
            touch = self._touched.get(path)
            return touch is not None and touch.is_open

    def _hear(self, event: FileSystemEvent) -> None:
        """Both ends of a move are looked at in one look."""
        now = time.monotonic()
        # Linux tells when a file that was open for writing is closed; the others do not, and one waits for calm.
        is_open = ON_LINUX and isinstance(event, FileModifiedEvent)
        is_new = ON_LINUX and isinstance(event, FileCreatedEvent)
        early = False
        with self._guard:
            for path in (os.fsdecode(path) for path in (event.src_path, event.dest_path) if path):
                touch = self._touched.setdefault(path, _Touch(now, now))
                touch.last = now
                if not isinstance(event, FileAttribEvent) or not touch.quiet:
                    touch.is_open = is_open
                    touch.quiet = QUIET_OPEN if is_open else QUIET_NEW if is_new else QUIET
                early |= touch.due < self._wakes_at
                self._wakes_at = min(self._wakes_at, touch.due)
            self._new_directories |= event.is_directory
        if early:
            self._loop.wake()

    def _step(self) -> float:
        now = time.monotonic()
        with self._guard:
            resting = {path for path, touch in self._touched.items() if touch.due <= now}
            for path in resting:
                del self._touched[path]
        if resting:
            # New rules of a directory concern everything below it.
            self._look({os.path.dirname(path) if path.endswith(GITIGNORE) else path for path in resting})  # noqa: PTH120
        if now - self._supervised_at >= SUPERVISE:
            self._supervise()
        with self._guard:
            soonest = min((touch.due for touch in self._touched.values()), default=now + UNTIL_WOKEN)
            self._wakes_at = min(soonest, self._supervised_at + SUPERVISE if self._roots else soonest)
            return max(self._wakes_at - time.monotonic(), 0.001)

    def _supervise(self) -> None:
        self._supervised_at = time.monotonic()
        self._replace_dead_observer()
        self._mind_the_limit()
        for path, root in list(self._roots.items()):
            identity = _identity(path)
            with self._rooting:
                if path not in self._roots or (identity == root.identity and self._is_heard(path, root)):
                    continue
                self._unwatch(root)
                root.identity = identity
                if identity is not None:
                    self._watch(path, root)
            self._look({path})  # after the watch is set: nothing falls between

    def _replace_dead_observer(self) -> None:
        observer = self._observer
        # On Linux one more thread reads the events of all folders; nobody else would notice its end.
        if observer is None or (observer.is_alive() and getattr(observer, "_inotify_fd", observer).is_alive()):
            return
        log.warning("watching ended by itself and is started again")
        observer.stop()
        with self._rooting:
            self._observer = None
            for root in self._roots.values():
                root.identity = root.watch = None

    def _is_heard(self, path: str, root: _Root) -> bool:
        if root.identity is None or path in self._deaf:
            return True  # away, or out of the system's watches: nothing to repair here
        return any(
            emitter.watch == root.watch and emitter.is_alive() and _has_watch(emitter, path)
            for emitter in self._observer.emitters
        )

    def _watch(self, path: str, root: _Root) -> None:
        try:
            if self._observer is None:
                # All events: a file that was moved here from outside is complete, one that was made here may not be.
                make: Any = Observer
                observer = make(generate_full_events=True) if ON_LINUX else make()
                observer.start()
                self._observer = observer
            root.watch = self._observer.schedule(self._listener, path, recursive=True, event_filter=_EVENTS)
            if self._probe():
                self._notices.clear(f"watch {path}")
                self._deaf.discard(path)
        except OSError as error:
            if error.errno not in _LIMITS:
                log.info("a folder cannot be watched yet: %s", error.strerror)
                return  # it just went away; supervised again soon
            self._go_deaf(path, error)

    def _mind_the_limit(self) -> None:
        """Watches can run out as folders grow, and be given later."""
        if not self._new_directories and not (self._deaf and time.monotonic() - self._deaf_since > DEAF_SECONDS):
            return
        self._new_directories = False
        try:
            if self._observer is not None and not self._probe():
                return
        except OSError as error:
            if error.errno in _LIMITS:
                for path in list(self._roots):
                    self._go_deaf(path, error)
            return
        for path in list(self._deaf):
            with self._rooting:
                if path in self._roots:
                    self._unwatch(self._roots[path])
                    self._roots[path].identity = None  # to be watched again

    def _go_deaf(self, path: str, error: OSError) -> None:
        if path not in self._deaf:
            self._deaf.add(path)
            self._rescan()  # and often from now on
        self._deaf_since = time.monotonic()
        line = _LIMITS[error.errno or errno.ENOSPC]
        self._notices.say(
            f"watch {path}",
            f"The system's limit for watching is reached: changes in {path} are found within a minute instead of at "
            f"once. `sudo sysctl {line}` raises it; the line `{line}` in /etc/sysctl.d/60-offhand.conf keeps it so.",
        )

    def _probe(self) -> bool:
        """Find out whether watches ran out: below the root, watchdog passes over that in silence.

        Returns whether there are some left; False when nothing could be found out.

        Raises:
            OSError: they ran out, or the probe failed in another way.
        """
        try:
            place = tempfile.TemporaryDirectory(prefix="offhand-watch-", ignore_cleanup_errors=True)
        except OSError as error:  # a full disk has the number of a spent limit (ENOSPC), and says nothing about it
            log.info("whether watches are left could not be found out: %s", error.strerror)
            return False
        with place as directory:
            self._observer.unschedule(self._observer.schedule(self._listener, directory, event_filter=_EVENTS))
        return True

    def _unwatch(self, root: _Root) -> None:
        if root.watch is not None and self._observer is not None:
            with contextlib.suppress(KeyError):  # its emitter ended by itself
                self._observer.unschedule(root.watch)
        root.watch = None


class _Listener(FileSystemEventHandler):
    def __init__(self, hear: Callable[[FileSystemEvent], None]) -> None:
        self._hear = hear

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._hear(event)


class _OverflowAlarm(logging.Handler):
    def __init__(self, rescan: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._rescan = rescan

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._rescan()


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _has_watch(emitter: Any, path: str) -> bool:
    """False once Linux took the watch away: a disk that was out for a moment comes back as the same directory."""
    watched = getattr(getattr(emitter, "_inotify", None), "_active_callbacks_by_path", None)
    return watched is None or os.fsencode(path) in watched


def _pair_soon() -> None:
    if ON_LINUX:
        from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

        InotifyMoveEventGrouper.delay = PAIR_SECONDS
