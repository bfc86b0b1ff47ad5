"""A damaged catalog gives way to a new one that knows the same folders. The damaged one is kept, never deleted.

To be done by who holds the engine's lock, with the catalog closed everywhere.
"""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import apsw
from msgspec import Struct

from indexer.records import STRICTEST, CatalogDamaged
from indexer.store import folder_copy, folders
from indexer.store.database import Database, explained, open_reader
from indexer.store.folder_copy import Chosen

BESIDE = ("-wal", "-shm")  # a journal that is left behind would be played into the new file


class Renewed(Struct, frozen=True):
    """What was done. `whole`: the damaged catalog's own list of folders could be read to its end."""

    aside: Path
    folders: list[Chosen]
    whole: bool


def damage(connection: apsw.Connection) -> list[str]:
    """What is wrong with the catalog's structure. Of the word index nothing: that is made anew in its place."""
    said = [line for row in connection.execute("PRAGMA integrity_check(5)") for line in str(row[0]).splitlines()]
    return [line for line in said if line != "ok" and not line.startswith("***") and "FTS5" not in line]


def is_damaged(path: Path) -> bool:
    """Whether the catalog at `path` has to be renewed.

    Raises:
        CatalogUnusable: it cannot be looked at for another reason.
    """
    try:
        Database(path).close()
        with explained(path), closing(open_reader(path)) as connection:
            return bool(damage(connection))
    except CatalogDamaged:
        return True


def renew(path: Path) -> Renewed:
    """Set the catalog aside and put an empty one in its place that watches the same folders.

    Raises:
        CatalogUnusable: the new one cannot be written; the old one is where it was.
        OSError: the system refuses to rename a file.
    """
    kept, whole = salvaged(path)
    fresh = path.with_name(f"{path.name}.renewed")
    fresh.unlink(missing_ok=True)
    database = Database(fresh)
    try:
        with database.write() as connection:
            for folder in kept:
                folders.add(connection, folder.path, links=folder.links)
                folders.set_rule(connection, folder.path, folder.rule)
    finally:
        database.close()
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y-%m-%d-%H%M%S-%f}")
    for ending in (*BESIDE, ""):
        beside = path.with_name(f"{path.name}{ending}")
        if beside.exists():
            beside.rename(aside.with_name(f"{aside.name}{ending}"))
    fresh.rename(path)
    return Renewed(aside, kept, whole)


def salvaged(path: Path) -> tuple[list[Chosen], bool]:
    """The folders of a catalog, which may be damaged or missing, and whether it gave them all. What it does not give is
    taken from the copy.

    Where the two differ about a rule, the stricter one holds: nothing may leave because of a damage.
    """
    found: dict[str, Chosen] = {}
    whole = True
    try:
        with closing(open_reader(path)) as connection:
            rows = connection.execute("SELECT path, links, rule FROM folders NOT INDEXED WHERE NOT removed ORDER BY id")
            for name, links, rule in rows:
                if not isinstance(name, str) or not Path(name).is_absolute() or rule not in STRICTEST:
                    whole = False
                    continue
                found[name] = Chosen(name, bool(links), rule)
    except (apsw.Error, UnicodeDecodeError):
        whole = False
    if whole:
        return list(found.values()), True
    for copied in folder_copy.load(path):
        read = found.get(copied.path, copied)
        rule = min(copied.rule, read.rule, key=STRICTEST.index)
        found[copied.path] = Chosen(copied.path, copied.links, rule)
    return list(found.values()), False
