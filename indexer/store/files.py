"""The rows of the files: what the catalog knows about each, and what it should do next."""

import os
from collections.abc import Iterable
from pathlib import Path

import apsw
from msgspec import Struct

from indexer.records import FileProblem, FileState


class Seen(Struct, frozen=True):
    """A file as the disk shows it. `refused` says why it will not be read, "" when it will."""

    path: str
    size: int
    mtime_ns: int
    inode: int
    refused: str = ""


class Known(Struct, frozen=True):
    """A file as the catalog has it."""

    id: int
    path: str
    size: int
    mtime_ns: int
    inode: int
    content_hash: str
    state: FileState
    reason: str
    title: str
    attempts: int


_COLUMNS = "id, path, size, mtime_ns, inode, content_hash, state, reason, title, attempts"


def under(connection: apsw.Connection, folder_id: int, path: str | None = None) -> list[Known]:
    """The files of a folder, or only the file at `path` and those below it."""
    if path is None:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM files WHERE folder_id = ?", (folder_id,))
    else:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM files WHERE folder_id = ? AND (path = ? OR (path > ? AND path < ?))",
            (folder_id, path, path + os.sep, path + chr(ord(os.sep) + 1)),
        )
    return [Known(*row) for row in rows]


def at(connection: apsw.Connection, path: str) -> Known | None:
    """The file at a path."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM files WHERE path = ?", (path,)).fetchone()
    return None if row is None else Known(*row)


def add(connection: apsw.Connection, folder_id: int, seen: Seen) -> None:
    """A new file: waiting, or skipped where it is refused."""
    connection.execute(
        "INSERT INTO files (folder_id, path, size, mtime_ns, inode, state, reason) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (path) DO NOTHING",
        (folder_id, seen.path, *_status(seen), *_refusal(seen)),
    )


def change(connection: apsw.Connection, file_id: int, seen: Seen) -> None:
    """The file is another one now: it waits to be read, with a clean record; refused, its passages go."""
    connection.execute(
        "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, state = ?, reason = ?, attempts = 0 WHERE id = ?",
        (*_status(seen), *_refusal(seen), file_id),
    )
    if seen.refused:
        _drop_passages(connection, file_id)


def finish(
    connection: apsw.Connection, known: Known, state: FileState, reason: str = "", seen: Seen | None = None
) -> None:
    """The file was dealt with: indexed, or set aside until it changes or is retried by hand.

    Args:
        known: the row as it was when work on it began. When the scanner saw another version meanwhile, that one waits.
        state: what came of it; anything but "indexed" takes the passages out.
        reason: why it is not in the index.
        seen: the status of the file as it was read.
    """
    status = (known.size, known.mtime_ns, known.inode)
    connection.execute(
        "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, state = ?, reason = ?, attempts = 0 "
        "WHERE id = ? AND state = 'waiting' AND size = ? AND mtime_ns = ? AND inode = ?",
        (*(_status(seen) if seen else status), state, reason, known.id, *status),
    )
    if state != "indexed" and connection.changes():
        _drop_passages(connection, known.id)


def move(connection: apsw.Connection, known: Known, folder_id: int, seen: Seen) -> None:
    """The same content stands at another path: nothing is read or embedded again."""
    connection.execute(
        "UPDATE OR IGNORE files SET folder_id = ?, path = ?, size = ?, mtime_ns = ?, inode = ? WHERE id = ?",
        (folder_id, seen.path, *_status(seen), known.id),
    )
    if known.title == Path(known.path).stem:  # the name was the title
        title = Path(seen.path).stem
        connection.execute("UPDATE files SET title = ? WHERE id = ?", (title, known.id))
        connection.execute("UPDATE chunks SET title = ? WHERE file_id = ?", (title, known.id))


def forget(connection: apsw.Connection, file_ids: Iterable[int]) -> None:
    """Files that are gone take their passages, words and facts with them, and the vectors nobody else uses."""
    connection.executemany("DELETE FROM files WHERE id = ?", [(file_id,) for file_id in file_ids])


def waiting(connection: apsw.Connection, limit: int) -> list[tuple[Known, str]]:
    """The next files to read, newest first, each with the path of its folder."""
    columns = ", ".join(f"f.{name.strip()}" for name in _COLUMNS.split(","))
    rows = connection.execute(
        f"SELECT {columns}, o.path FROM files f JOIN folders o ON o.id = f.folder_id "
        "WHERE f.state = 'waiting' AND o.reachable AND NOT o.removed ORDER BY f.mtime_ns DESC LIMIT ?",
        (limit,),
    )
    return [(Known(*row[:-1]), str(row[-1])) for row in rows]


def begin_attempt(connection: apsw.Connection, file_id: int) -> None:
    """Count an attempt before it is made, so that a file that ends the engine itself is found out too."""
    connection.execute("UPDATE files SET attempts = attempts + 1 WHERE id = ?", (file_id,))


def take_back_attempt(connection: apsw.Connection, file_id: int) -> None:
    """The attempt was given up for a reason that is not the file's."""
    connection.execute("UPDATE files SET attempts = max(attempts - 1, 0) WHERE id = ?", (file_id,))


def retry(connection: apsw.Connection, path: str = "") -> int:
    """Let failed files wait again, all or the one at `path`. Returns how many."""
    connection.execute(
        "UPDATE files SET state = 'waiting', reason = '', attempts = 0, content_hash = '' "
        "WHERE state = 'failed' AND (?1 = '' OR path = ?1)",
        (path,),
    )
    return connection.changes()


def waiting_for(connection: apsw.Connection, reason: str) -> tuple[Known, str] | None:
    """The newest file that stands aside with this reason, and the path of its folder."""
    columns = ", ".join(f"f.{name.strip()}" for name in _COLUMNS.split(","))
    row = connection.execute(
        f"SELECT {columns}, o.path FROM files f JOIN folders o ON o.id = f.folder_id "
        "WHERE f.state = 'failed' AND f.reason = ? AND o.reachable AND NOT o.removed ORDER BY f.mtime_ns DESC LIMIT 1",
        (reason,),
    ).fetchone()
    return None if row is None else (Known(*row[:-1]), str(row[-1]))


def reopen(connection: apsw.Connection, known: Known, reason: str) -> bool:
    """Let a file that stands aside with this reason wait again, for `finish` in the same transaction."""
    connection.execute(
        "UPDATE files SET state = 'waiting' WHERE id = ? AND state = 'failed' AND reason = ?", (known.id, reason)
    )
    return connection.changes() > 0


def problems(connection: apsw.Connection, limit: int) -> list[FileProblem]:
    """Failed files, then skipped ones, newest first."""
    rows = connection.execute(
        "SELECT path, state, reason, retry_at FROM files WHERE state IN ('failed', 'skipped') "
        "AND folder_id IN (SELECT id FROM folders WHERE NOT removed) ORDER BY state, mtime_ns DESC LIMIT ?",
        (limit,),
    )
    return [FileProblem(*row) for row in rows]


def _status(seen: Seen) -> tuple[int, int, int]:
    # A refused file never equals its row, so it is looked at again as soon as nothing speaks against it.
    return seen.size, -1 if seen.refused else seen.mtime_ns, seen.inode


def _refusal(seen: Seen) -> tuple[FileState, str]:
    return ("skipped", seen.refused) if seen.refused else ("waiting", "")


def _drop_passages(connection: apsw.Connection, file_id: int) -> None:
    connection.execute("DELETE FROM chunks WHERE file_id = ?", (file_id,))
    connection.execute("DELETE FROM facts WHERE file_id = ?", (file_id,))
    connection.execute("UPDATE files SET content_hash = '' WHERE id = ?", (file_id,))
