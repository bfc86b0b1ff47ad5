"""The rows of the files: what the catalog knows about each, and what it should do next."""

import os
from collections.abc import Iterable
from pathlib import Path

import apsw
from msgspec import Struct

from indexer.records import FileProblem, FileState, Folder

FIRST_PAUSE = 10  # seconds until a file is read again that could not be
LONGEST_PAUSE = 6 * 3600  # seconds; each pause is three times the one before


class Seen(Struct, frozen=True):
    """A file as the disk shows it.

    refused: why it will not be read, "" when it will.
    young: it changed so shortly before it was looked at that another change need not show in its times.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int = 0
    refused: str = ""
    young: bool = False


class Known(Struct, frozen=True):
    """A file as the catalog has it. `ctime_ns` is 0 while its other figures do not prove that it is unchanged."""

    id: int
    path: str
    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int
    content_hash: str
    state: FileState
    reason: str
    title: str
    attempts: int


Status = tuple[int, int, int, int, int, str]
"""Of a file in the catalog: id, size, mtime_ns, inode, ctime_ns, and why it is skipped, "" when it is not."""

_COLUMNS = "id, path, size, mtime_ns, inode, ctime_ns, content_hash, state, reason, title, attempts"


def statuses(connection: apsw.Connection, folder_id: int, path: str | None = None) -> dict[str, Status]:
    """By path what a look at the disk compares with: a fraction of what whole rows cost for a large folder."""
    which, arguments = _under(folder_id, path)
    rows = connection.execute(
        "SELECT path, id, size, mtime_ns, inode, ctime_ns, CASE state WHEN 'skipped' THEN reason ELSE '' END "
        f"FROM files WHERE {which}",
        arguments,
    )
    return {row[0]: row[1:] for row in rows}


def rows(connection: apsw.Connection, file_ids: Iterable[int]) -> dict[int, Known]:
    """The files with these ids, those that are gone left out."""
    found = {}
    for file_id in file_ids:
        for row in connection.execute(f"SELECT {_COLUMNS} FROM files WHERE id = ?", (file_id,)):
            found[file_id] = Known(*row)
    return found


def is_still(connection: apsw.Connection, known: Known) -> bool:
    """Whether a row says of path and times what it said: a long look must not undo what was learnt meanwhile."""
    row = connection.execute(
        "SELECT path, size, mtime_ns, inode, ctime_ns FROM files WHERE id = ?", (known.id,)
    ).fetchone()
    return row == (known.path, known.size, known.mtime_ns, known.inode, known.ctime_ns)


def at(connection: apsw.Connection, path: str) -> Known | None:
    """The file at a path."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM files WHERE path = ?", (path,)).fetchone()
    return None if row is None else Known(*row)


def add(connection: apsw.Connection, folder_id: int, seen: Seen) -> None:
    """A new file: waiting, or skipped where it is refused."""
    connection.execute(
        "INSERT INTO files (folder_id, path, size, mtime_ns, inode, ctime_ns, state, reason, done_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, unixepoch()) ON CONFLICT (path) DO NOTHING",
        (folder_id, seen.path, *_status(seen), *_refusal(seen)),
    )


def change(connection: apsw.Connection, file_id: int, seen: Seen) -> None:
    """The file is another one now: it waits to be read, with a clean record; refused, its passages go."""
    connection.execute(
        "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, ctime_ns = ?, state = ?, reason = ?, attempts = 0, "
        "retry_at = NULL, done_at = unixepoch() WHERE id = ?",
        (*_status(seen), *_refusal(seen), file_id),
    )
    if seen.refused:
        _drop_passages(connection, file_id)


def confirm(connection: apsw.Connection, file_id: int, seen: Seen) -> None:
    """The content was compared and is the one that was read: from now on its times prove that."""
    connection.execute(
        "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, ctime_ns = ? WHERE id = ?", (*_read(seen), file_id)
    )


def finish(
    connection: apsw.Connection,
    known: Known,
    state: FileState,
    reason: str = "",
    seen: Seen | None = None,
    *,
    again: bool = False,
) -> None:
    """The file was dealt with: indexed, or set aside until it changes or is retried.

    Args:
        known: the row as it was when work on it began. When the scanner saw another version meanwhile, that one waits.
        state: what came of it; anything but "indexed" takes the passages out. "waiting" is for something else than a
            reader, which is its reason.
        reason: why it is not in the index.
        seen: the status of the file as it was read.
        again: it is read again by itself, after pauses that grow with each failure.
    """
    status = (known.size, known.mtime_ns, known.inode, known.ctime_ns)
    # The pause before was retry_at - done_at: both keep their values while the file waits for another attempt.
    connection.execute(
        "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, ctime_ns = ?, state = ?, reason = ?, attempts = 0, "
        "done_at = unixepoch(), retry_at = CASE WHEN NOT ? THEN NULL WHEN retry_at IS NULL THEN unixepoch() + ? "
        "ELSE unixepoch() + min(max(3 * (retry_at - done_at), ?), ?) END "
        "WHERE id = ? AND state = 'waiting' AND size = ? AND mtime_ns = ? AND inode = ? AND ctime_ns = ?",
        (
            *(_read(seen) if seen else status),
            state,
            reason,
            again,
            FIRST_PAUSE,
            FIRST_PAUSE,
            LONGEST_PAUSE,
            known.id,
            *status,
        ),
    )
    if state != "indexed" and connection.changes():
        _drop_passages(connection, known.id)


def move(connection: apsw.Connection, known: Known, folder_id: int, seen: Seen) -> bool:
    """The same content stands at another path: nothing is read or embedded again.

    Returns False, and changes nothing, where a file of that path is known by now.
    """
    connection.execute(
        "UPDATE OR IGNORE files SET folder_id = ?, path = ?, size = ?, mtime_ns = ?, inode = ?, ctime_ns = ? "
        "WHERE id = ?",
        (folder_id, seen.path, *_read(seen), known.id),
    )
    if not connection.changes():
        return False
    if known.title == Path(known.path).stem:  # the name was the title
        title = Path(seen.path).stem
        connection.execute("UPDATE files SET title = ? WHERE id = ?", (title, known.id))
        connection.execute("UPDATE chunks SET title = ? WHERE file_id = ?", (title, known.id))
    return True


def forget(connection: apsw.Connection, file_ids: Iterable[int]) -> None:
    """Files that are gone take their passages, words and facts with them, and the vectors nobody else uses."""
    connection.executemany("DELETE FROM files WHERE id = ?", [(file_id,) for file_id in file_ids])


def waiting(connection: apsw.Connection, limit: int) -> list[tuple[Known, Folder]]:
    """The next files to read, newest first, each with its folder."""
    return _with_folder(connection, "f.state = 'waiting' AND f.reason = ''", (), limit)


def begin_attempt(connection: apsw.Connection, file_id: int) -> None:
    """Count an attempt before it is made, so that a file that ends the engine itself is found out too."""
    connection.execute("UPDATE files SET attempts = attempts + 1 WHERE id = ?", (file_id,))


def take_back_attempt(connection: apsw.Connection, file_id: int) -> None:
    """The attempt was given up for a reason that is not the file's."""
    connection.execute("UPDATE files SET attempts = max(attempts - 1, 0) WHERE id = ?", (file_id,))


def retry(connection: apsw.Connection, path: str = "") -> int:
    """Let failed files wait again, all or those at and below `path`. Returns how many."""
    connection.execute(
        "UPDATE files SET state = 'waiting', reason = '', attempts = 0, content_hash = '', retry_at = NULL "
        "WHERE state = 'failed' AND (?1 = '' OR path = ?1 OR (path > ?2 AND path < ?3))",
        (path, *span(path)),
    )
    return connection.changes()


def retry_due(connection: apsw.Connection) -> int:
    """Let the failed files wait again whose time has come. Returns how many."""
    # A time further off than any pause was written by a clock that was wrong.
    connection.execute(
        "UPDATE files SET state = 'waiting', reason = '', attempts = 0 WHERE state = 'failed' "
        "AND retry_at IS NOT NULL AND retry_at NOT BETWEEN unixepoch() + 1 AND unixepoch() + ?",
        (LONGEST_PAUSE,),
    )
    return connection.changes()


def next_retry(connection: apsw.Connection) -> float | None:
    """Seconds until a failed file is to be read again, 0 when one is due, None when there is none."""
    # A time further off than any pause was written by a clock that was wrong: such a file is due.
    row = connection.execute(
        "SELECT min(CASE WHEN retry_at > unixepoch() + ? THEN 0 ELSE max(retry_at - unixepoch(), 0) END) "
        "FROM files WHERE state = 'failed' AND retry_at IS NOT NULL",
        (LONGEST_PAUSE,),
    ).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def waiting_for(connection: apsw.Connection, reason: str) -> tuple[Known, Folder] | None:
    """The newest file that waits for something else than a reader, with this reason, and its folder."""
    found = _with_folder(connection, "f.state = 'waiting' AND f.reason != '' AND f.reason = ?", (reason,), 1)
    return found[0] if found else None


def reopen(connection: apsw.Connection, known: Known, reason: str) -> bool:
    """Let a file that waits with this reason wait without one, for `finish` in the same transaction.

    Returns False, and changes nothing, where another version of it was seen meanwhile.
    """
    connection.execute(
        "UPDATE files SET reason = '' WHERE id = ? AND state = 'waiting' AND reason = ? "
        "AND size = ? AND mtime_ns = ? AND inode = ? AND ctime_ns = ?",
        (known.id, reason, known.size, known.mtime_ns, known.inode, known.ctime_ns),
    )
    return connection.changes() > 0


def problems(connection: apsw.Connection, limit: int) -> list[FileProblem]:
    """Failed files, then skipped ones, then those that wait for something else than a reader; newest first."""
    rows = connection.execute(
        "SELECT path, state, reason, retry_at FROM files "
        "WHERE (state IN ('failed', 'skipped') OR (state = 'waiting' AND reason != '')) "
        "AND folder_id IN (SELECT id FROM folders WHERE NOT removed) ORDER BY state, mtime_ns DESC LIMIT ?",
        (limit,),
    )
    return [FileProblem(*row) for row in rows]


def _with_folder(
    connection: apsw.Connection, which: str, arguments: tuple[str, ...], limit: int
) -> list[tuple[Known, Folder]]:
    columns = ", ".join(f"f.{name.strip()}" for name in _COLUMNS.split(","))
    found = connection.execute(
        f"SELECT {columns}, o.id, o.path, o.links FROM files f JOIN folders o ON o.id = f.folder_id "
        f"WHERE {which} AND o.reachable AND NOT o.removed ORDER BY f.mtime_ns DESC LIMIT ?",
        (*arguments, limit),
    )
    return [(Known(*row[:-3]), Folder(row[-3], row[-2], links=bool(row[-1]))) for row in found]


def span(directory: str) -> tuple[str, str]:
    """The two texts between which the paths of everything below a directory lie."""
    return directory + os.sep, directory + chr(ord(os.sep) + 1)


def _under(folder_id: int, path: str | None) -> tuple[str, tuple[int | str, ...]]:
    if path is None:
        return "folder_id = ?", (folder_id,)
    return "folder_id = ? AND (path = ? OR (path > ? AND path < ?))", (folder_id, path, *span(path))


def _status(seen: Seen) -> tuple[int, int, int, int]:
    # A refused file never equals its row, so it is looked at again as soon as nothing speaks against it.
    return seen.size, -1 if seen.refused else seen.mtime_ns, seen.inode, seen.ctime_ns


def _read(seen: Seen) -> tuple[int, int, int, int]:
    """What the catalog keeps of a file whose content is known: as git does, no time that proves nothing."""
    return (*_status(seen)[:3], 0 if seen.young else seen.ctime_ns)


def _refusal(seen: Seen) -> tuple[FileState, str]:
    return ("skipped", seen.refused) if seen.refused else ("waiting", "")


def _drop_passages(connection: apsw.Connection, file_id: int) -> None:
    connection.execute("DELETE FROM chunks WHERE file_id = ?", (file_id,))
    connection.execute("DELETE FROM facts WHERE file_id = ?", (file_id,))
    connection.execute("UPDATE files SET content_hash = '' WHERE id = ?", (file_id,))
