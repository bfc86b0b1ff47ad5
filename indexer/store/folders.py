"""The rows of the watched folders, and where each of them stands."""

from collections.abc import Sequence
from typing import TypedDict

import apsw

from indexer.records import Counts, Folder, FolderRule

AT_ONCE = 500  # paths in one statement


class FolderTally(TypedDict):
    """A watched folder and the number of its files in each state."""

    path: str
    reachable: bool
    links: bool
    files: int
    indexed: int
    waiting: int
    failed: int
    skipped: int
    rule: FolderRule


def add(connection: apsw.Connection, path: str, *, links: bool = False) -> Folder:
    """Begin to watch a folder; with `links` those that lead out of it are followed."""
    connection.execute("INSERT INTO folders (path, links) VALUES (?, ?)", (path, links))
    return Folder(connection.last_insert_rowid(), path, links=links)


def watched(connection: apsw.Connection) -> list[Folder]:
    """All folders, in the order in which they were added."""
    rows = connection.execute("SELECT id, path, reachable, links FROM folders WHERE NOT removed ORDER BY id")
    return [Folder(folder_id, path, bool(reachable), bool(links)) for folder_id, path, reachable, links in rows]


def mark_removed(connection: apsw.Connection, folder_id: int) -> None:
    """Take a folder off the list; `remove_some` then forgets its files, after a restart too."""
    connection.execute("UPDATE folders SET removed = 1, path = 'removed:' || id WHERE id = ?", (folder_id,))


def remove_some(connection: apsw.Connection, files: int) -> int:
    """Forget up to `files` files of removed folders. Returns how many."""
    connection.execute(
        "DELETE FROM files WHERE id IN (SELECT f.id FROM files f JOIN folders o ON o.id = f.folder_id "
        "WHERE o.removed LIMIT ?)",
        (files,),
    )
    return connection.changes()


def any_removed(connection: apsw.Connection) -> bool:
    """Whether a removed folder has left anything to do."""
    return bool(connection.execute("SELECT 1 FROM folders WHERE removed LIMIT 1").fetchall())


def close_removed(connection: apsw.Connection) -> None:
    """The last step of a removal: everything else of these folders is gone, so no restart has to go on with it."""
    connection.execute(
        "DELETE FROM folders WHERE removed AND NOT EXISTS (SELECT 1 FROM files WHERE folder_id = folders.id)"
    )


def identity(connection: apsw.Connection, folder_id: int) -> str | None:
    """Device and inode of the directory as last seen, as "device:inode", or None: the folder was removed."""
    row = connection.execute("SELECT identity FROM folders WHERE id = ? AND NOT removed", (folder_id,)).fetchone()
    return None if row is None else str(row[0])


def saw(connection: apsw.Connection, folder_id: int, *, reachable: bool, identity: str | None = None) -> bool:
    """Record whether the folder is there. Returns whether that is news."""
    connection.execute(
        "UPDATE folders SET reachable = ?1, identity = coalesce(?2, identity) "
        "WHERE id = ?3 AND (reachable IS NOT ?1 OR identity IS NOT coalesce(?2, identity))",
        (reachable, identity, folder_id),
    )
    return connection.changes() > 0


def tallies(connection: apsw.Connection) -> list[FolderTally]:
    """Every folder with its counts."""
    states: dict[int, dict[str, int]] = {}
    for folder_id, state, count in connection.execute("SELECT folder_id, state, files FROM tallies"):
        states.setdefault(folder_id, {})[state] = count
    kept: dict[int, FolderRule] = dict(connection.execute("SELECT id, rule FROM folders"))
    return [
        FolderTally(
            path=folder.path,
            reachable=folder.reachable,
            links=folder.links,
            files=sum(states.get(folder.id, {}).values()),
            indexed=states.get(folder.id, {}).get("indexed", 0),
            waiting=states.get(folder.id, {}).get("waiting", 0),
            failed=states.get(folder.id, {}).get("failed", 0),
            skipped=states.get(folder.id, {}).get("skipped", 0),
            rule=kept[folder.id],
        )
        for folder in watched(connection)
    ]


def set_rule(connection: apsw.Connection, path: str, rule: FolderRule) -> bool:
    """Give the watched folder at `path` a rule. Returns whether there is such a folder."""
    connection.execute("UPDATE folders SET rule = ? WHERE path = ? AND NOT removed", (rule, path))
    return connection.changes() > 0


def with_rule(connection: apsw.Connection, rule: FolderRule) -> list[str]:
    """The paths of the watched folders that have this rule."""
    rows = connection.execute("SELECT path FROM folders WHERE rule = ? AND NOT removed ORDER BY id", (rule,))
    return [str(path) for (path,) in rows]


def rules(connection: apsw.Connection, paths: Sequence[str]) -> dict[str, tuple[FolderRule, bool]]:
    """The rule of each file's folder, and whether links out of it are followed.

    Files that the catalog does not know, or of removed folders, are left out.
    """
    found: dict[str, tuple[FolderRule, bool]] = {}
    for first in range(0, len(paths), AT_ONCE):
        some = paths[first : first + AT_ONCE]
        rows = connection.execute(
            "SELECT f.path, o.rule, o.links FROM files f JOIN folders o ON o.id = f.folder_id "
            f"WHERE NOT o.removed AND f.path IN ({', '.join('?' * len(some))})",
            some,
        )
        found.update((path, (rule, bool(links))) for path, rule, links in rows)
    return found


def counts(connection: apsw.Connection) -> Counts:
    """The whole library in numbers. `waiting` leaves out files of folders that are away."""
    states: dict[str, int] = {}
    away = 0
    for state, count, reachable in connection.execute(
        "SELECT state, files, reachable FROM tallies JOIN folders ON folders.id = folder_id WHERE NOT removed"
    ):
        states[state] = states.get(state, 0) + count
        away += count if state == "waiting" and not reachable else 0
    return Counts(
        files=sum(states.values()),
        indexed=states.get("indexed", 0),
        waiting=states.get("waiting", 0) - away,
        skipped=states.get("skipped", 0),
        failed=states.get("failed", 0),
        chunks=_count(connection, "SELECT count(*) FROM chunks"),
        vectors_owed=_count(connection, "SELECT count(*) FROM vector_outbox"),
        scans=_count(
            connection,
            "SELECT count(*) FROM files f JOIN folders o ON o.id = f.folder_id AND o.reachable AND NOT o.removed "
            "WHERE f.state = 'waiting' AND f.reason != ''",
        ),
    )


def _count(connection: apsw.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
