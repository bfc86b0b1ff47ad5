"""Exact answers from the catalog: tasks, files, headings, tags and links, filtered in SQL. It only reads."""

import os
from collections.abc import Callable
from typing import Any

import apsw

from indexer.records import CatalogItem, CatalogKind, CatalogQuery, Days
from indexer.store import selection
from indexer.store.passages import as_json
from indexer.terms import phrase

Arguments = list[str | int]
MARKDOWN = ".md"  # an ending that links may leave out

_WATCHED = "JOIN folders o ON o.id = f.folder_id AND NOT o.removed"
_FACTS = f"FROM facts t JOIN files f ON f.id = t.file_id {_WATCHED}"
# The innermost heading above a line; above a heading, the one that it stands under (their values are their levels).
# "+kind": by the index of the file's facts, not by that of all headings.
_LEVEL = "SELECT o.value FROM facts o WHERE o.file_id = f.id AND +o.kind = 'heading' AND o.line = t.line"
_HEADING = (
    "coalesce((SELECT h.text FROM facts h WHERE h.file_id = f.id AND +h.kind = 'heading' AND h.line < t.line "
    f"AND h.value < coalesce(({_LEVEL}), ':') ORDER BY h.line DESC LIMIT 1), '')"
)
_CHANGED = "coalesce(date(f.mtime_ns / 1000000000, 'unixepoch', 'localtime'), '')"
# A file that was never read has no title yet.
_NAME = f"iif(f.title != '', f.title, replace(f.path, rtrim(f.path, replace(f.path, '{os.sep}', '')), ''))"
# A link's target is a name ("Porto") or a path ("../trips/Porto.md"), perhaps with a fragment behind it.
_TARGET = "'/' || replace(rtrim(substr(l.value, 1, instr(l.value || '#', '#') - 1), '/'), '%20', ' ')"
_LEADS_TO = f"l.value NOT LIKE '%://%' AND ({_TARGET} LIKE ? ESCAPE '!' OR {_TARGET} LIKE ? ESCAPE '!')"
_MATCHING = "SELECT c.file_id FROM chunks_fts JOIN chunks c ON c.id = chunks_fts.rowid WHERE chunks_fts MATCH ?"
_TAG = "(g.value >= ? AND g.value < ? AND (g.value = ? OR g.value > ?))"  # the first two for the index
_FILE_TAGGED = f"f.id IN (SELECT g.file_id FROM facts g WHERE g.kind = 'tag' AND {_TAG})"
# Tags of the note, or of the task's own line; those on the line of another task are that one's.
_TASK_TAGGED = (
    f"EXISTS (SELECT 1 FROM facts g WHERE g.file_id = f.id AND +g.kind = 'tag' AND {_TAG} AND (g.line = t.line OR "
    "NOT EXISTS (SELECT 1 FROM facts u WHERE u.file_id = f.id AND +u.kind = 'task' AND u.line = g.line)))"
)
# The days a note carries: in its name, in a heading, or as the property that says when it is from.
_CARRIED = (
    "(d.text NOT LIKE '%: ' || d.value || '%' OR d.text LIKE 'date: %' OR d.text LIKE 'created: %' OR EXISTS "
    "(SELECT 1 FROM facts h WHERE h.file_id = d.file_id AND +h.kind = 'heading' AND h.line = d.line))"
)
_DAYS = f"SELECT d.file_id FROM facts d WHERE d.kind = 'date' AND d.value BETWEEN ? AND ? AND {_CARRIED}"
_ANY_DAY = f"SELECT 1 FROM facts d WHERE d.file_id = f.id AND +d.kind = 'date' AND {_CARRIED}"
_PLACE = f"t.text, f.path, f.title, {_HEADING}, t.line, coalesce(t.due, ''), iif(t.kind = 'task', t.value, ''), 0"


def listed(connection: apsw.Connection, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
    """How many there are, and `query.limit` of them after the first `query.skip`."""
    return _LISTERS[query.kind](connection, query)


def has_tag(connection: apsw.Connection, tag: str) -> bool:
    """Whether a file has the tag (lower case, without "#"), or one below it."""
    found = f"SELECT 1 FROM facts g JOIN files f ON f.id = g.file_id {_WATCHED} WHERE g.kind = 'tag' AND {_TAG} LIMIT 1"
    return connection.execute(found, _tag(tag)).fetchone() is not None


def directories(connection: apsw.Connection, above: int) -> tuple[int, list[tuple[str, str]]]:
    """The directories of the files with a higher id than `above`, each with its watched folder; and the highest id."""
    highest = connection.execute("SELECT coalesce(max(id), 0) FROM files").fetchone()
    assert highest is not None
    rows = connection.execute(
        f"SELECT DISTINCT o.path, rtrim(f.path, replace(f.path, ?, '')) FROM files f CROSS {_WATCHED} WHERE f.id > ?",
        (os.sep, above),
    )
    return int(highest[0]), [(root, directory.rstrip(os.sep)) for root, directory in rows]


def file_called(connection: apsw.Connection, name: str) -> bool:
    """Whether a file has this title, or a link leads to it under this name, or, of a name with a dot, its name is that.

    Capitals do not count in titles and names. The paths are looked through for what can be a file's name alone.
    """
    titled = "SELECT 1 FROM files WHERE title = ? COLLATE NOCASE LIMIT 1"
    linked = "SELECT 1 FROM facts WHERE kind = 'link' AND value IN (?, ?, ?) LIMIT 1"
    if connection.execute(titled, (name,)).fetchone() is not None:
        return True
    if connection.execute(linked, (name, name.lower(), name.title())).fetchone() is not None:
        return True
    called, names = _called(name)
    return (
        "." in name
        and connection.execute(f"SELECT 1 FROM files f WHERE {called} LIMIT 1", names).fetchone() is not None
    )


def _tasks(connection: apsw.Connection, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
    where, arguments = _kept_to(query)
    if query.tag:
        where += f" AND {_TASK_TAGGED}"
        arguments += _tag(query.tag)
    if query.state != "all":
        where += " AND t.value = ?"
        arguments.append(query.state)
    if query.due is not None:
        where += " AND t.due BETWEEN ? AND ?"
        arguments += _bounds(query.due)
    if query.undated:
        where += " AND t.due IS NULL"
    order = "t.due IS NULL, t.due, f.path, t.line" if query.order == "due" else "f.path, t.line"
    return _facts(connection, query, f"t.kind = 'task'{where}", arguments, order)


def _headings(connection: apsw.Connection, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
    where, arguments = _and_called(*_kept_to(query), query.name)
    return _facts(connection, query, f"t.kind = 'heading'{where}", arguments)


def _links(connection: apsw.Connection, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
    where, arguments = _and_called(*_kept_to(query), query.name)
    return _facts(connection, query, f"t.kind = 'link'{where}", arguments)


def _tags(connection: apsw.Connection, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
    """Tags by how many files have them; each with its place in the file that was changed last."""
    where, arguments = _kept_to(query)
    rows: list[Any] = connection.execute(
        "SELECT '#' || t.value, f.path, f.title, '', t.line, '', '', count(DISTINCT f.id) AS files, max(f.mtime_ns) "
        f"{_FACTS} WHERE t.kind = 'tag'{where} GROUP BY t.value ORDER BY files DESC, t.value",
        arguments,
    ).fetchall()
    return len(rows), [CatalogItem(*row[:-1]) for row in rows[query.skip : query.skip + query.limit]]


def _files(connection: apsw.Connection, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
    where, arguments = _and_called(*_kept_to(query), query.name)
    if query.untagged:
        where += " AND NOT EXISTS (SELECT 1 FROM facts g WHERE g.file_id = f.id AND +g.kind = 'tag')"
    if query.changed is not None:
        changed, bounds = _changed_in(query.changed)
        where += f" AND {changed}"
        arguments += bounds
    if query.links_to:
        where += f" AND f.id IN (SELECT l.file_id FROM facts l WHERE l.kind = 'link' AND {_LEADS_TO})"
        name = _escaped(query.links_to)
        arguments += [f"%/{name}", f"%/{name[:-3] if name.lower().endswith(MARKDOWN) else name + MARKDOWN}"]
    if query.dated is not None:
        changed, bounds = _changed_in(query.dated)
        where += f" AND (f.id IN ({_DAYS}) OR ({changed} AND NOT EXISTS ({_ANY_DAY})))"
        arguments += [*_bounds(query.dated), *bounds]
    order = {"newest": "f.mtime_ns DESC, f.path", "oldest": "f.mtime_ns, f.path"}.get(query.order, "f.path")
    found = f"FROM files f {_WATCHED} WHERE f.state != 'skipped'{where}"
    rows = connection.execute(
        f"SELECT {_NAME}, f.path, f.title, '', 1, {_CHANGED}, '', 0 {found} ORDER BY {order} LIMIT ? OFFSET ?",
        (*arguments, query.limit, query.skip),
    )
    return _count(connection, found, arguments), [CatalogItem(*row) for row in rows]


_LISTERS: dict[CatalogKind, Callable[[apsw.Connection, CatalogQuery], tuple[int, list[CatalogItem]]]] = {
    "tasks": _tasks,
    "files": _files,
    "headings": _headings,
    "tags": _tags,
    "links": _links,
}


def _facts(
    connection: apsw.Connection, query: CatalogQuery, where: str, arguments: Arguments, order: str = "f.path, t.line"
) -> tuple[int, list[CatalogItem]]:
    found = f"{_FACTS} WHERE {where}"
    rows = connection.execute(
        f"SELECT t.id {found} ORDER BY {order} LIMIT ? OFFSET ?", (*arguments, query.limit, query.skip)
    )
    listed = connection.execute(  # the headings of these alone: each has to be looked for
        f"SELECT {_PLACE} FROM json_each(?) j CROSS JOIN facts t ON t.id = j.value JOIN files f ON f.id = t.file_id "
        "ORDER BY j.key",
        (as_json([int(number) for (number,) in rows]),),
    )
    return _count(connection, found, arguments), [CatalogItem(*row) for row in listed]


def _count(connection: apsw.Connection, found: str, arguments: Arguments) -> int:
    counted = connection.execute(f"SELECT count(*) {found}", arguments).fetchone()
    assert counted is not None
    return int(counted[0])


def _kept_to(query: CatalogQuery) -> tuple[str, Arguments]:
    """What every kind of list can be kept to, as conditions that begin with AND, and their arguments."""
    where, arguments = selection.condition(query.within)
    if query.tag:
        where += f" AND {_FILE_TAGGED}"
        arguments += _tag(query.tag)
    wanted = [phrase(query.words) or '""'] if query.words else []  # '""' matches nothing
    for expression in (*wanted, *query.within.having):
        where += f" AND f.id IN ({_MATCHING})"
        arguments.append(expression)
    for expression in query.within.lacking:
        where += f" AND f.id NOT IN ({_MATCHING})"
        arguments.append(expression)
    if query.suffixes:
        where += f" AND ({' OR '.join(['f.path LIKE ?'] * len(query.suffixes))})"
        arguments += [f"%{suffix}" for suffix in query.suffixes]
    return where, arguments


def _and_called(where: str, arguments: Arguments, name: str) -> tuple[str, Arguments]:
    if not name:
        return where, arguments
    called, names = _called(name)
    return f"{where} AND {called}", [*arguments, *names]


def _called(name: str) -> tuple[str, Arguments]:
    path = "f.path LIKE ? ESCAPE '!'"
    end = f"%{os.sep}{_escaped(name)}"
    return f"(f.title = ? COLLATE NOCASE OR {path} OR {path})", [name, end, f"{end}.%"]


def _tag(tag: str) -> tuple[str, str, str, str]:
    return tag, f"{tag}0", tag, f"{tag}/"  # "0" follows "/": what lies between is below the tag


def _escaped(name: str) -> str:
    """A name as part of a LIKE pattern with "!" as its escape."""
    return name.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _changed_in(days: Days) -> tuple[str, Arguments]:
    """A condition on a file's last change, in days that begin and end at this machine's midnight."""
    parts, arguments = ["true"], Arguments()
    if days.first:
        parts.append("f.mtime_ns >= unixepoch(?, 'utc') * 1000000000")
        arguments.append(days.first)
    if days.last:
        parts.append("f.mtime_ns < unixepoch(?, '+1 day', 'utc') * 1000000000")
        arguments.append(days.last)
    return f"({' AND '.join(parts)})", arguments


def _bounds(days: Days) -> tuple[str, str]:
    return days.first or "0000-01-01", days.last or "9999-12-31"
