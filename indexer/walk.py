"""Going through a folder on the disk: which files stand there, and which of them a rule keeps out and why."""

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from indexer.extract.reading import LINK_OUT, in_cloud
from indexer.extract.registry import is_read
from indexer.ignore import IgnoreRules, Level, top
from indexer.store.files import Seen

UNREADABLE_NAME = "its name is not valid text (UTF-8); renamed, it will be read"
_LARGEST = 0x7FFF_FFFF_FFFF_FFFF
"""SQLite's integers are signed; some file systems use all 64 bits, and know years beyond 2262."""

IN_CLOUD = "kept in the cloud, not on this machine"
NO_PERMISSION = "this account has no permission to list this directory"

YOUNG_NS = 2_000_000_000
"""A second change so soon after the first can leave the times as they are: FAT counts in steps of two seconds."""


class Unread(Struct, frozen=True):
    """A file or directory that is there but cannot be looked at; what the catalog has there and below it stays."""

    path: str


class _Place(Struct, frozen=True):
    """A directory still to be gone through. `outside`: it was reached by a link that leads out of the folder."""

    path: str
    level: Level
    outside: bool = False


def walk(
    root: str,
    rules: IgnoreRules,
    below: str | None = None,
    *,
    links: bool = False,
    breathe: Callable[[], None] = lambda: None,
    passed: Callable[[bool], None] = lambda _by_rule: None,
) -> Iterator[Seen | Unread]:
    """Every file of a folder that is of a type that is read, or only those at and under the path `below`.

    Files that a pattern hides are passed over; files and directories that another rule keeps out are `refused`, with
    the reason. A link counts when its target is a file inside the folder; a directory inside is read under its own
    name alone.

    Args:
        root: the watched folder.
        rules: which files are left alone.
        below: one path in it, not through a link.
        links: links that lead out of the folder are followed, each file and directory behind them once.
        breathe: called before each directory.
        passed: told of each file and directory that is passed over: by a rule, or because its type is not read.
    """
    return _Walk(root, rules, passed, links=links).run(below, breathe)


def see(path: str) -> Seen:
    """The status of one file as it is now.

    Raises:
        OSError: it is gone or out of reach.
    """
    return _seen(path, os.stat(path), IgnoreRules(largest=1 << 62), time.time_ns())  # noqa: PTH116  # in a hurry


class _Walk:
    def __init__(self, root: str, rules: IgnoreRules, passed: Callable[[bool], None], *, links: bool) -> None:
        self._root = root
        self._passed = passed
        self._real = os.path.realpath(root)
        self._rules = rules
        self._links = links
        self._now = 0
        self._behind_links: set[tuple[int, int]] = set()  # device and inode of all that was read there
        self._to_follow: list[_Place] = []

    def run(self, below: str | None, breathe: Callable[[], None]) -> Iterator[Seen | Unread]:
        self._now = time.time_ns()
        pending = [_Place(self._root, top(self._root, self._rules))]
        if below is not None and below != self._root:
            level = _descend(self._root, below, pending.pop().level)
            if level is None or not _is_its_name(below):
                return
            yield from self._at(below, level)
            if _enters(below, level):
                pending.append(_Place(below, level.below(Path(below).name, below)))
        while pending or self._to_follow:
            breathe()
            self._now = time.time_ns()
            # What is reached by links comes last and in order, so that it is the same name that counts each time.
            place = pending.pop() if pending else self._next_link()
            if place is None:
                continue
            try:
                with os.scandir(place.path) as listing:
                    entries = list(listing)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                yield from _closed(place.path, error)
                continue
            for entry in entries:
                name = entry.name
                if _is_link(entry):
                    yield from self._link(entry.path, name, place.level)
                elif _is_directory(entry):
                    if not self._hides(place.level, name) and self._is_first(entry, place):
                        pending.append(_Place(entry.path, place.level.below(name, entry.path), place.outside))
                elif self._counts(place.level, name):
                    yield from self._file(entry, place)

    def _hides(self, level: Level, directory: str) -> bool:
        hidden = bool(level.hides(directory, is_directory=True))
        if hidden:
            self._passed(True)
        return hidden

    def _counts(self, level: Level, file: str) -> bool:
        read = is_read(file)
        counts = read and not level.hides(file, is_directory=False)
        if not counts:
            self._passed(read)
        return counts

    def _file(self, entry: "os.DirEntry[str]", place: _Place) -> Iterator[Seen | Unread]:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return  # gone since it was listed
        except OSError:
            yield Unread(entry.path)
            return
        if stat.S_ISREG(status.st_mode) and (not place.outside or self._is_new(status)):
            yield _seen(entry.path, status, self._rules, self._now)

    def _at(self, path: str, level: Level) -> Iterator[Seen | Unread]:
        """The one thing at a path, unless it is a directory."""
        name = Path(path).name
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode) or _is_junction(path):
                yield from self._link(path, name, level)
            elif stat.S_ISREG(status.st_mode) and is_read(name) and not level.hides(name, is_directory=False):
                yield _seen(path, status, self._rules, self._now)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            yield Unread(path)

    def _link(self, path: str, name: str, level: Level) -> Iterator[Seen | Unread]:
        try:
            target = os.path.realpath(path, strict=True)
            status = os.stat(target)  # noqa: PTH116
        except PermissionError:
            yield Unread(path)
            return
        except OSError:
            return  # it leads to nothing, or round in a circle
        directory = stat.S_ISDIR(status.st_mode)
        if not directory and not (stat.S_ISREG(status.st_mode) and is_read(name)):
            return
        if level.hides(name, is_directory=directory):
            return
        if _is_inside(target, self._real):
            if not directory:
                yield _seen(path, status, self._rules, self._now)
        elif not self._links:
            yield _seen(path, os.lstat(path), self._rules, self._now, LINK_OUT)
        elif not directory:
            if self._is_new(status):
                yield _seen(path, status, self._rules, self._now)
        elif not _is_inside(self._real, target):  # else it holds this very folder
            self._to_follow.append(_Place(path, level.below(name, path), outside=True))

    def _next_link(self) -> _Place | None:
        self._to_follow.sort(key=lambda place: place.path, reverse=True)
        place = self._to_follow.pop()
        try:
            return place if self._is_new(os.stat(place.path)) else None  # noqa: PTH116
        except OSError:
            return None

    def _is_first(self, entry: "os.DirEntry[str]", place: _Place) -> bool:
        """Whether a directory was not reached by another link already; always so inside the folder."""
        if not place.outside:
            return True
        try:
            return self._is_new(entry.stat(follow_symlinks=False))
        except OSError:
            return False

    def _is_new(self, status: os.stat_result) -> bool:
        identity = (status.st_dev, status.st_ino)
        if identity in self._behind_links:
            return False
        self._behind_links.add(identity)
        return True


def leads_through_link(root: str, path: str) -> bool:
    """Whether `path` in the folder `root` is a link or lies behind one."""
    where = Path(root)
    for name in Path(path).relative_to(root).parts:
        where /= name
        if where.is_symlink() or _is_junction(str(where)):
            return True
    return False


def _seen(path: str, status: os.stat_result, rules: IgnoreRules, now: int, refused: str = "") -> Seen:
    refused = refused or rules.too_large(status.st_size) or (IN_CLOUD if in_cloud(status) else "")
    shown = path
    if not path.isascii():
        try:
            path.encode()
        except UnicodeEncodeError:
            shown, refused = os.fsencode(path).decode("utf-8", "backslashreplace"), UNREADABLE_NAME
    return Seen(
        shown,
        status.st_size,
        max(-_LARGEST, min(status.st_mtime_ns, _LARGEST)),
        status.st_ino & _LARGEST,
        status.st_ctime_ns,
        refused,
        abs(now - status.st_mtime_ns) < YOUNG_NS or abs(now - status.st_ctime_ns) < YOUNG_NS,
    )


def _closed(directory: str, error: OSError) -> Iterator[Seen | Unread]:
    yield Unread(directory)
    if isinstance(error, PermissionError):
        try:
            yield _seen(directory, os.lstat(directory), IgnoreRules(), 0, NO_PERMISSION)
        except OSError:
            return


def _descend(root: str, path: str, level: Level) -> Level | None:
    """The rules in the directory that holds `path`, or None when a rule or a link hides that directory."""
    where = Path(root)
    for name in Path(path).relative_to(root).parts[:-1]:
        where /= name
        if not _enters(str(where), level):
            return None
        level = level.below(name, str(where))
    return level


def _enters(directory: str, level: Level) -> bool:
    try:
        if not stat.S_ISDIR(os.lstat(directory).st_mode) or _is_junction(directory):
            return False
    except OSError:
        return False
    return not level.hides(Path(directory).name, is_directory=True)


def _is_its_name(path: str) -> bool:
    """False for the old name of something whose letters' case was changed, where the disk knows it by both names."""
    directory, name = os.path.split(path)
    other = Path(directory, name.swapcase())
    try:
        return other.name == name or not other.samefile(path) or name in os.listdir(directory)  # noqa: PTH208
    except OSError:
        return True


def _is_inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)


def _is_link(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_symlink() or _is_junction(entry.path)
    except OSError:
        return False


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_junction(path: str) -> bool:
    return sys.platform == "win32" and bool(getattr(os.path, "isjunction", lambda _: False)(path))
