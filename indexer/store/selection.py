"""What a search is restricted to, as a condition in SQL, and the passages that are left."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import apsw

from indexer.records import Filter, FolderRefused
from indexer.store import files
from indexer.store.passages import AT_ONCE

_NAME = f"substr(f.path, length(rtrim(f.path, replace(f.path, '{os.sep}', ''))) + 1)"  # what follows the last separator
_TAGGED = "SELECT file_id FROM facts WHERE kind = 'tag' AND"
_MATCHING = "(SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH ?)"
_LAST = "\U0010ffff"

Condition = tuple[str, list[str | int]]
"""SQL that begins with AND unless it is empty, and its arguments."""


def condition(chosen: Filter) -> Condition:
    """What holds of `files f`, whatever their passages say."""
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
    for name in chosen.tags:
        part, some = _tagged(name.lower())
        parts.append(part)
        arguments += some
    for name in chosen.within:
        part, some = _within(name)
        parts.append(part)
        arguments += some
    for name in chosen.names:
        spellings = [f"%{spelling}%" for spelling in _spellings(name)]
        parts.append(f"{_like('f.path', spellings)} AND {_like(_NAME, spellings)}")  # the first is quick
        arguments += [*spellings, *spellings]
    return "".join(f" AND {part}" for part in parts), arguments


def ids(connection: apsw.Connection, chosen: Filter, limit: int = -1) -> list[int]:
    """Ids of the admitted passages, in no order, `limit` of them at most (-1: all)."""
    where, arguments = condition(chosen)
    lacking, lacked = _lacking(chosen)
    source = "files f CROSS JOIN chunks c ON c.file_id = f.id"  # CROSS: the files first, by their paths
    if chosen.having:
        source = "chunks_fts CROSS JOIN chunks c ON c.id = chunks_fts.rowid CROSS JOIN files f ON f.id = c.file_id"
        where = f" AND chunks_fts MATCH ?{where}"
        arguments = [_every(chosen.having), *arguments]
    rows = connection.execute(
        f"SELECT c.id FROM {source} WHERE true{where}{lacking} LIMIT ?", (*arguments, *lacked, limit)
    )
    return [int(chunk_id) for (chunk_id,) in rows]


def admitted(connection: apsw.Connection, chosen: Filter, found: Sequence[int]) -> list[int]:
    """Those of the passages that are admitted, in their order."""
    where, arguments = condition(chosen)
    lacking, lacked = _lacking(chosen)
    if chosen.having:
        where += f" AND c.id IN {_MATCHING}"
        arguments = [*arguments, _every(chosen.having)]
    kept: set[int] = set()
    for first in range(0, len(found), AT_ONCE):
        some = found[first : first + AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = connection.execute(
            f"SELECT c.id FROM chunks c JOIN files f ON f.id = c.file_id WHERE c.id IN ({marks}){where}{lacking}",
            (*some, *arguments, *lacked),
        )
        kept.update(int(chunk_id) for (chunk_id,) in rows)
    return [chunk_id for chunk_id in found if chunk_id in kept]


def newest(connection: apsw.Connection, chosen: Filter, limit: int) -> list[int]:
    """Ids of the first admitted passage of each file, the newest file first; `having` is not looked at."""
    where, arguments = condition(chosen)
    lacking, lacked = _lacking(chosen)
    rows = connection.execute(
        f"SELECT (SELECT c.id FROM chunks c WHERE c.file_id = f.id{lacking} ORDER BY c.ordinal LIMIT 1) AS first "
        f"FROM files f WHERE first IS NOT NULL{where} ORDER BY f.mtime_ns DESC LIMIT ?",
        (*lacked, *arguments, limit),
    )
    return [int(chunk_id) for (chunk_id,) in rows]


def is_known(connection: apsw.Connection, folder: str) -> bool:
    """Whether there is a file at or below the path."""
    where, arguments = condition(Filter(folder))
    return connection.execute(f"SELECT 1 FROM files f WHERE true{where} LIMIT 1", arguments).fetchone() is not None


def check(connection: apsw.Connection, chosen: Filter) -> None:
    """Pass a filter that is kept to no folder, or to one with files.

    Raises:
        FolderRefused: its folder has no files in the index.
    """
    if chosen.folder and not is_known(connection, chosen.folder):
        raise FolderRefused(f"Nothing is indexed in {chosen.folder}.", "`offhand folders` lists your folders.")


def _tagged(name: str) -> Condition:
    """Files with a tag or one nested in it (`work/taxes`); where there is none, with tags that begin so."""
    exact = f"{_TAGGED} (value = ? OR (value > ? AND value < ?))"
    begun = f"{_TAGGED} value >= ? AND value < ?"
    bounds: list[str | int] = [name, f"{name}/", f"{name}0"]  # "0" follows "/"
    return (
        f"(f.id IN ({exact}) OR (NOT EXISTS ({exact}) AND f.id IN ({begun})))",
        [*bounds, *bounds, name, name + _LAST],
    )


def _within(name: str) -> Condition:
    """Files below folders of that name, or a few names in a row; where there is none, below those that begin so."""
    anywhere = "" if Path(name).is_absolute() else f"%{os.sep}"
    spellings = [spelling.rstrip(os.sep) for spelling in _spellings(name.replace("/", os.sep))]
    exact = [f"{anywhere}{spelling}{os.sep}%" for spelling in spellings]
    begun = [f"{anywhere}{spelling}%{os.sep}%" for spelling in spellings]
    is_called_so = f"EXISTS (SELECT 1 FROM files e WHERE {_like('e.path', exact)})"
    return (
        f"({_like('f.path', exact)} OR (NOT {is_called_so} AND {_like('f.path', begun)}))",
        [*exact, *exact, *begun],
    )


def _like(column: str, patterns: Sequence[str]) -> str:
    return f"({' OR '.join([f'{column} LIKE ? ESCAPE char(27)'] * len(patterns))})"


def _spellings(name: str) -> list[str]:
    """A name as LIKE looks for it. LIKE takes no notice of the case of ASCII letters, so the others are tried."""
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    tried = [case(form) for form in forms for case in (str.lower, str.upper, str.capitalize, str)]
    once = {spelling if not spelling.isascii() else spelling.lower(): None for spelling in tried}
    return ["".join(f"\x1b{sign}" if sign in "%_\x1b" else sign for sign in spelling) for spelling in once]


def _lacking(chosen: Filter) -> Condition:
    if not chosen.lacking:
        return "", []
    return f" AND c.id NOT IN {_MATCHING}", [" OR ".join(chosen.lacking)]


def _every(having: Sequence[str]) -> str:
    return " AND ".join(having)
