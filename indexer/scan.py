"""Comparing the disk with the catalog: what is new, changed, gone or moved. Watching is a hint; this is the truth.

A folder that is away, or a directory that cannot be read, is never taken for one whose files were deleted.
"""

import hashlib
import os
import stat
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TypeVar

import apsw
from msgspec import Struct, field

from indexer.extract.reading import in_cloud
from indexer.extract.registry import format_of
from indexer.ignore import IgnoreRules, Level, top
from indexer.records import Folder
from indexer.store import files, folders
from indexer.store.database import Database
from indexer.store.files import Known, Seen

ItemT = TypeVar("ItemT")

UNREADABLE_NAME = "its name is not valid text (UTF-8); renamed, it will be read"
IN_CLOUD = "kept in the cloud, not on this machine"
_LARGEST = 0x7FFF_FFFF_FFFF_FFFF
AT_ONCE = 500  # rows in one transaction, so that nobody waits long for the writer


class Unread(Struct, frozen=True):
    """A directory that is there but cannot be listed; what the catalog has below it stays."""

    path: str


class Changes(Struct):
    """What a look at one folder found. `identity` is the folder's as seen now, None when it is away."""

    folder: Folder
    identity: str | None
    new: list[Seen] = field(default_factory=list)
    changed: list[tuple[Known, Seen]] = field(default_factory=list)
    gone: list[Known] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.new) + len(self.changed) + len(self.gone)


def walk(root: str, rules: IgnoreRules, below: str | None = None) -> Iterator[Seen | Unread]:
    """Every readable file of a folder that the rules let through, or only those at and under the path `below`.

    Directories that are links are not entered; files that are links count when their target lies inside the folder.
    """
    pending: list[tuple[str, Level]] = [(root, top(root, rules))]
    if below is not None and below != root:
        start = _descend(root, below, pending.pop()[1])
        if start is None:
            return
        yield from _file(root, below, start, rules)
        if _enters(below, start):
            pending.append((below, start.below(Path(below).name, below)))
    while pending:
        directory, level = pending.pop()
        try:
            with os.scandir(directory) as listing:
                entries = list(listing)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            yield Unread(directory)
            continue
        for entry in entries:
            if not _is_directory(entry):
                yield from _file(root, entry.path, level, rules, is_link=entry.is_symlink())
            elif _enters(entry.path, level):
                pending.append((entry.path, level.below(entry.name, entry.path)))


def compare(database: Database, folder: Folder, rules: IgnoreRules, below: str | None = None) -> Changes:
    """What differs between the disk and the catalog, for a whole folder or for one path in it. Changes nothing."""
    identity = _identity(folder.path)
    with database.read() as connection:
        last = folders.identity(connection, folder.id)
        known = {row.path: row for row in files.under(connection, folder.id, below)}
    changes = Changes(folder, identity)
    if last is None or identity is None or _only_a_mount_point(folder.path, last, identity):
        changes.identity = None
        return changes
    kept: list[str] = []
    for seen in walk(folder.path, rules, below):
        if isinstance(seen, Unread):
            kept.append(seen.path + os.sep)
            continue
        row = known.pop(seen.path, None)
        if row is None:
            changes.new.append(seen)
        elif not _same(row, seen):
            changes.changed.append((row, seen))
    if _identity(folder.path) != identity:  # it went away during the walk: what was not seen may still be there
        return Changes(folder, None)
    changes.gone = [row for path, row in known.items() if not path.startswith(tuple(kept))]
    return changes


def apply(database: Database, looks: Sequence[Changes]) -> bool:
    """Bring the catalog up to what was seen; moves are found across all `looks`. Returns whether anything changed."""
    moves = _moves(looks)
    moved_from = {known.id for known, _, _ in moves}
    moved_to = {seen.path for _, _, seen in moves}
    news = bool(moves)
    for some in _slices(moves):
        with database.write() as connection:
            for known, folder, seen in some:
                if _is_watched(connection, folder):
                    files.move(connection, known, folder.id, seen)
    for look in looks:
        with database.write() as connection:
            news |= folders.saw(
                connection, look.folder.id, reachable=look.identity is not None, identity=look.identity or None
            )
        news |= len(look) > 0
        for gone in _slices([known.id for known in look.gone if known.id not in moved_from]):
            with database.write() as connection:
                files.forget(connection, gone)
        for changed in _slices(look.changed):
            with database.write() as connection:
                for known, seen in changed:
                    files.change(connection, known.id, seen)
        for new in _slices([seen for seen in look.new if seen.path not in moved_to]):
            with database.write() as connection:
                if _is_watched(connection, look.folder):
                    for seen in new:
                        files.add(connection, look.folder.id, seen)
    return news


def see(path: str) -> Seen:
    """The status of one file as it is now.

    Raises:
        OSError: it is gone or out of reach.
    """
    return _seen(path, Path(path).stat(), IgnoreRules(largest=1 << 62))


def content_hash(path: str) -> str:
    """BLAKE2b-128 of a file's bytes, in hexadecimal: what `Extracted.content_hash` holds.

    Raises:
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _descend(root: str, path: str, level: Level) -> Level | None:
    """The rules in the directory that holds `path`, or None when a rule or a link hides that directory."""
    where = Path(root)
    for name in Path(path).relative_to(root).parts[:-1]:
        where /= name
        if not _enters(str(where), level):
            return None
        level = level.below(name, str(where))
    return level


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _enters(directory: str, level: Level) -> bool:
    try:
        if not stat.S_ISDIR(os.lstat(directory).st_mode) or _is_junction(directory):
            return False
    except OSError:
        return False
    return not level.hides(Path(directory).name, is_directory=True)


def _file(
    root: str, path: str, level: Level, rules: IgnoreRules, *, is_link: bool | None = None
) -> Iterator[Seen | Unread]:
    if format_of(PurePath(path)) is None or level.hides(path.rpartition(os.sep)[2], is_directory=False):
        return
    try:
        if is_link is None:
            is_link = stat.S_ISLNK(os.lstat(path).st_mode)
        if is_link and not _inside(path, root):
            return
        status = Path(path).stat() if is_link else os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return  # gone since it was listed, or a link to nothing
    except OSError:
        yield Unread(path)
        return
    if stat.S_ISREG(status.st_mode):
        yield _seen(path, status, rules)


def _seen(path: str, status: os.stat_result, rules: IgnoreRules) -> Seen:
    refused = rules.too_large(status.st_size) or (IN_CLOUD if in_cloud(status) else "")
    shown = path
    try:
        path.encode()
    except UnicodeEncodeError:
        shown, refused = os.fsencode(path).decode("utf-8", "backslashreplace"), UNREADABLE_NAME
    # SQLite's integers are signed; some file systems use all 64 bits, and know years beyond 2262.
    mtime_ns = max(-_LARGEST, min(status.st_mtime_ns, _LARGEST))
    return Seen(shown, status.st_size, mtime_ns, status.st_ino & _LARGEST, refused)


def _inside(path: str, root: str) -> bool:
    return Path(path).resolve().is_relative_to(Path(root).resolve())


def _same(known: Known, seen: Seen) -> bool:
    if seen.refused:
        return known.state == "skipped" and known.reason == seen.refused
    return (known.size, known.mtime_ns, known.inode) == (seen.size, seen.mtime_ns, seen.inode)


def _identity(path: str) -> str | None:
    try:
        os.scandir(path).close()
        status = Path(path).stat()
    except OSError:
        return None
    return f"{status.st_dev}:{status.st_ino}"


def _only_a_mount_point(path: str, last: str, now: str) -> bool:
    """An unmounted disk leaves an empty directory that is another one than the disk's own."""
    if last in {"", now}:
        return False
    with os.scandir(path) as listing:
        return next(listing, None) is None


def _moves(looks: Sequence[Changes]) -> list[tuple[Known, Folder, Seen]]:
    candidates: defaultdict[int, list[Known]] = defaultdict(list)
    for look in looks:
        for known in look.gone:
            if known.state == "indexed" and known.content_hash and known.size:
                candidates[known.size].append(known)
    moves = []
    for look in looks:
        for seen in look.new:
            same_size = candidates.get(seen.size)
            if not same_size or seen.refused:
                continue
            try:
                found = content_hash(seen.path)
            except OSError:
                continue
            twin = next((known for known in same_size if known.content_hash == found), None)
            if twin is not None:
                same_size.remove(twin)
                moves.append((twin, look.folder, seen))
    return moves


def _is_watched(connection: apsw.Connection, folder: Folder) -> bool:
    return folders.identity(connection, folder.id) is not None


def _slices(items: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
    for first in range(0, len(items), AT_ONCE):
        yield items[first : first + AT_ONCE]


def _is_junction(path: str) -> bool:
    return sys.platform == "win32" and bool(getattr(os.path, "isjunction", lambda _: False)(path))
