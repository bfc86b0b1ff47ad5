"""Comparing the disk with the catalog: what is new, changed, gone or moved. Watching is a hint; this is the truth.

A folder that is away, or a directory that cannot be read, is never taken for one whose files were deleted. A look may
take long and others may learn more meanwhile: what it found is applied only where the catalog still says what it said.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import apsw
from msgspec import Struct, field

from indexer.extract.reading import content_hash
from indexer.ignore import IgnoreRules
from indexer.records import Folder
from indexer.store import files, folders
from indexer.store.database import Database
from indexer.store.files import Known, Seen, Status
from indexer.walk import Unread, leads_through_link, walk

ItemT = TypeVar("ItemT")

AT_ONCE = 500  # rows in one transaction, so that nobody waits long for the writer


class Changes(Struct):
    """What a look at one folder found.

    identity: the folder's as seen now, None when it is away.
    doubtful: files whose times cannot prove that they are as they were read; their content decides.
    unsettled: paths of files that somebody may still be writing; they are to be looked at again.
    young: paths of files that changed a moment ago.
    """

    folder: Folder
    identity: str | None
    new: list[Seen] = field(default_factory=list)
    changed: list[tuple[Known, Seen]] = field(default_factory=list)
    gone: list[Known] = field(default_factory=list)
    doubtful: list[tuple[Known, Seen]] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    young: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.new) + len(self.changed) + len(self.gone)


def compare(
    database: Database,
    folder: Folder,
    rules: IgnoreRules,
    below: str | None = None,
    *,
    unsettled: Callable[[Seen], bool] = lambda _: False,
    breathe: Callable[[], None] = lambda: None,
) -> Changes:
    """What differs between the disk and the catalog, for a whole folder or for one path in it. Changes nothing.

    Args:
        database: the catalog.
        folder: the watched folder.
        rules: which files are left alone.
        below: one path in it.
        unsettled: says of a new or changed file that it should not be read yet.
        breathe: called often; it may sleep, so that others get a turn.
    """
    identity = _identity(folder.path)
    if folder.links and below is not None and leads_through_link(folder.path, below):
        below = None  # which of several links counts can only be told from the whole
    with database.read() as connection:
        last = folders.identity(connection, folder.id)
        if last and last != identity:
            below = None  # and so it is with whose directory this is now
        known = files.statuses(connection, folder.id, below)
    if last is None or identity is None or _is_another_disk(folder.path, last, identity, known):
        return Changes(folder, None)
    look = _Look(Changes(folder, identity), known, unsettled)
    for seen in walk(folder.path, rules, below, links=folder.links, breathe=breathe):
        look.at(seen)
    if _identity(folder.path) != identity:  # it went away during the walk: what was not seen may still be there
        return Changes(folder, None)
    with database.read() as connection:
        return look.result(connection)


class _Look:
    """Sorts what a walk sees; the rows of what differs are read from the catalog at the end."""

    def __init__(self, changes: Changes, known: dict[str, Status], unsettled: Callable[[Seen], bool]) -> None:
        self._changes = changes
        self._known = known
        self._unsettled = unsettled
        self._kept: list[str] = []
        self._changed: list[tuple[int, Seen]] = []
        self._doubtful: list[tuple[int, Seen]] = []

    def at(self, seen: Seen | Unread) -> None:
        if isinstance(seen, Unread):
            self._kept.append(seen.path)
            return
        row = self._known.pop(seen.path, None)
        difference = "new" if row is None else _difference(row, seen)
        if not difference:
            return
        if seen.young and not seen.refused:
            self._changes.young.append(seen.path)
        if difference != "doubtful" and self._unsettled(seen):
            self._changes.unsettled.append(seen.path)
        elif row is None:
            self._changes.new.append(seen)
        else:
            (self._doubtful if difference == "doubtful" else self._changed).append((row[0], seen))

    def result(self, connection: apsw.Connection) -> Changes:
        below_kept = tuple(path + os.sep for path in self._kept)
        kept = set(self._kept)
        gone = [row[0] for path, row in self._known.items() if path not in kept and not path.startswith(below_kept)]
        rows = files.rows(connection, [*gone, *(number for number, _ in self._changed + self._doubtful)])
        self._changes.gone = [rows[number] for number in gone if number in rows]
        self._changes.changed = [(rows[number], seen) for number, seen in self._changed if number in rows]
        self._changes.doubtful = [(rows[number], seen) for number, seen in self._doubtful if number in rows]
        return self._changes


def apply(database: Database, looks: Sequence[Changes]) -> bool:
    """Bring the catalog up to what was seen; moves are found across all `looks`. Returns whether anything changed."""
    moves = _moves(looks)
    moved_from: set[int] = set()
    moved_to: set[str] = set()
    news = bool(moves)
    for some in _slices(moves):
        with database.write() as connection:
            for known, folder, seen in some:
                if not _is_watched(connection, folder) or not files.is_still(connection, known):
                    continue
                if files.move(connection, known, folder.id, seen):
                    moved_from.add(known.id)
                    moved_to.add(seen.path)
    for look in looks:
        with database.write() as connection:
            news |= folders.saw(
                connection, look.folder.id, reachable=look.identity is not None, identity=look.identity or None
            )
        news |= len(look) > 0
        for gone in _slices([known for known in look.gone if known.id not in moved_from]):
            with database.write() as connection:
                files.forget(connection, [known.id for known in gone if files.is_still(connection, known)])
        for changed in _slices(look.changed):
            with database.write() as connection:
                for known, seen in changed:
                    if files.is_still(connection, known):
                        files.change(connection, known.id, seen)
        for new in _slices([seen for seen in look.new if seen.path not in moved_to]):
            with database.write() as connection:
                if _is_watched(connection, look.folder):
                    for seen in new:
                        files.add(connection, look.folder.id, seen)
        for doubtful in _slices(look.doubtful):
            news |= _resolve(database, doubtful)
    return news


def _resolve(database: Database, doubtful: Sequence[tuple[Known, Seen]]) -> bool:
    """Compare contents where times prove nothing. Returns whether a file had changed."""
    same = [(known, seen, _has_content(known, seen.path)) for known, seen in doubtful]
    with database.write() as connection:
        for known, seen, is_same in same:
            if files.is_still(connection, known):
                (files.confirm if is_same else files.change)(connection, known.id, seen)
    return not all(is_same for _, _, is_same in same)


def _has_content(known: Known, path: str) -> bool:
    try:
        return bool(known.content_hash) and content_hash(path) == known.content_hash
    except OSError:
        return False  # whoever reads it next has the words for that


def _difference(row: Status, seen: Seen) -> str:
    _, size, mtime_ns, inode, ctime_ns, skipped = row
    if seen.refused:
        return "" if skipped == seen.refused else "changed"
    if size != seen.size or mtime_ns != seen.mtime_ns or inode != seen.inode:
        return "changed"
    if ctime_ns == seen.ctime_ns:
        return ""
    return "changed" if ctime_ns else "doubtful"


def _identity(path: str) -> str | None:
    try:
        os.scandir(path).close()
        status = Path(path).stat()
    except OSError:
        return None
    return f"{status.st_dev}:{status.st_ino}"


def _is_another_disk(path: str, last: str, now: str, known: dict[str, Status]) -> bool:
    """Whether this is what an unmounted disk leaves: an empty directory, or another disk with none of the files."""
    if last in {"", now}:
        return False
    with os.scandir(path) as listing:
        if next(listing, None) is None:
            return True
    if last.partition(":")[0] == now.partition(":")[0] or not known:
        return False
    return not any(os.path.lexists(file) for file in known)


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
