"""The ledger: what became of each file, and how much of the folders can be found now. It only reads."""

from typing import Any

import apsw

from indexer.records import Coverage, FileRecord, FileState
from indexer.store import files

_COLUMNS = "f.path, f.state, f.reason, f.size, f.done_at, f.retry_at"
_WATCHED = "JOIN folders o ON o.id = f.folder_id AND NOT o.removed"
_LAST = f"SELECT f.done_at FROM files f {_WATCHED} WHERE f.state = 'indexed'"


def listed(connection: apsw.Connection, state: FileState | None, path: str, after: str, limit: int) -> list[FileRecord]:
    """Files in the order of their paths.

    Args:
        state: only those in this state; None for all.
        path: only this file, or what lies below this directory; "" for everything.
        after: begin behind this path, to go on where the last list ended.
        limit: the most to list.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM files f {_WATCHED} WHERE f.path > ?1 AND (?2 IS NULL OR f.state = ?2) "
        "AND (?3 = '' OR f.path = ?3 OR (f.path > ?4 AND f.path < ?5)) ORDER BY f.path LIMIT ?6",
        (after, state, path, *files.span(path), limit),
    )
    return [FileRecord(*row) for row in rows]


def record(connection: apsw.Connection, path: str) -> FileRecord | None:
    """What became of one file; None when the ledger does not know it."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM files f {_WATCHED} WHERE f.path = ?", (path,)).fetchone()
    return None if row is None else FileRecord(*row)


def coverage(connection: apsw.Connection, below: str = "") -> Coverage:
    """How much of all folders, or of the directory `below`, can be found now. All folders are tallied already."""
    if below:
        counted = f"SELECT f.state, count(*) FROM files f {_WATCHED} WHERE f.path > ? AND f.path < ? GROUP BY f.state"
        last = f"{_LAST} AND f.path > ? AND f.path < ?"
    else:
        counted = f"SELECT f.state, sum(f.files) FROM tallies f {_WATCHED} GROUP BY f.state"
        last = f"{_LAST} ORDER BY f.done_at DESC LIMIT 1"
    within = files.span(below) if below else ()
    rows: list[Any] = connection.execute(counted, within).fetchall()
    states: dict[Any, int] = dict(rows)
    newest = max((at for (at,) in connection.execute(last, within)), default=0)
    return Coverage(
        files=sum(states.values()),
        indexed=states.get("indexed", 0),
        waiting=states.get("waiting", 0),
        skipped=states.get("skipped", 0),
        failed=states.get("failed", 0),
        newest=newest,
    )
