"""The files a search is restricted to, as a condition in SQL, and the passages of these files."""

import os
from collections.abc import Sequence

import apsw

from indexer.records import Filter
from indexer.store import files
from indexer.store.passages import AT_ONCE


def condition(chosen: Filter) -> tuple[str, list[str | int]]:
    """A condition on `files f`, which begins with AND unless it is empty, and its arguments."""
    parts: list[str] = []
    arguments: list[str | int] = []
    if chosen.folder:
        parts.append("(f.path = ? OR (f.path > ? AND f.path < ?))")
        arguments += [chosen.folder, *files.span(chosen.folder.rstrip(os.sep))]
    if chosen.after is not None:
        parts.append("f.mtime_ns >= ?")
        arguments.append(chosen.after)
    if chosen.before is not None:
        parts.append("f.mtime_ns < ?")
        arguments.append(chosen.before)
    return "".join(f" AND {part}" for part in parts), arguments


def ids(connection: apsw.Connection, chosen: Filter, limit: int = -1) -> list[int]:
    """Ids of passages of the chosen files, in no order, `limit` of them at most (-1: all)."""
    where, arguments = condition(chosen)
    rows = connection.execute(
        "SELECT c.id FROM files f CROSS JOIN chunks c ON c.file_id = f.id "  # CROSS: the files first, by their paths
        f"WHERE true{where} LIMIT ?",
        (*arguments, limit),
    )
    return [int(chunk_id) for (chunk_id,) in rows]


def admitted(connection: apsw.Connection, chosen: Filter, found: Sequence[int]) -> list[int]:
    """Those of the passages that belong to chosen files, in their order."""
    where, arguments = condition(chosen)
    kept: set[int] = set()
    for first in range(0, len(found), AT_ONCE):
        some = found[first : first + AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = connection.execute(
            f"SELECT c.id FROM chunks c JOIN files f ON f.id = c.file_id WHERE c.id IN ({marks}){where}",
            (*some, *arguments),
        )
        kept.update(int(chunk_id) for (chunk_id,) in rows)
    return [chunk_id for chunk_id in found if chunk_id in kept]


def is_known(connection: apsw.Connection, folder: str) -> bool:
    """Whether there is a file at or below the path."""
    where, arguments = condition(Filter(folder))
    return connection.execute(f"SELECT 1 FROM files f WHERE true{where} LIMIT 1", arguments).fetchone() is not None
