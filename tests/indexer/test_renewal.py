"""A damaged catalog gives way to a new one; what the person has chosen is saved from it or from its copy."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from indexer.folder_rules import FolderRules
from indexer.store import folder_copy, folders, renewal
from indexer.store.database import Database
from indexer.store.folder_copy import Chosen

PAGE = 4096
CHOSEN = [Chosen("/notes", links=True, rule="cloud"), Chosen("/diary", rule="local")]


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A closed catalog of two folders, and its copy of their list."""
    path = tmp_path / "catalog.sqlite3"
    database = Database(path)
    with database.write() as connection:
        for folder in CHOSEN:
            folders.add(connection, folder.path, links=folder.links)
    rules = FolderRules(database, lambda: None)
    for folder in CHOSEN:
        rules.set(Path(folder.path), folder.rule)
    database.close()
    return path


def root_page(path: Path, table: str) -> int:
    with closing(apsw.Connection(str(path))) as connection:
        row = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    assert row is not None
    return int(row[0])


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xde\xad" * (PAGE // 2))


def listed(path: Path) -> list[Chosen]:
    database = Database(path)
    try:
        with database.read() as connection:
            return folder_copy.chosen(connection)
    finally:
        database.close()


def test_a_sound_catalog_is_not_taken_for_a_damaged_one(catalog: Path) -> None:
    assert not renewal.is_damaged(catalog)


def test_the_list_is_saved_from_the_damaged_catalog_itself(catalog: Path) -> None:
    folder_copy.place(catalog).unlink()
    spoil(catalog, root_page(catalog, "files"))
    assert renewal.is_damaged(catalog)
    done = renewal.renew(catalog)
    assert (done.folders, done.whole) == (CHOSEN, True)
    assert listed(catalog) == CHOSEN
    assert b"\xde\xad" * (PAGE // 2) in done.aside.read_bytes(), "it is kept as it was"
    assert not renewal.is_damaged(catalog)


@pytest.mark.parametrize("page", ["folders", "header"])
def test_the_list_is_saved_from_its_copy_where_the_catalog_gives_none(catalog: Path, page: str) -> None:
    spoil(catalog, 1 if page == "header" else root_page(catalog, "folders"))
    assert renewal.is_damaged(catalog)
    done = renewal.renew(catalog)
    assert (done.folders, done.whole) == (CHOSEN, False)
    assert listed(catalog) == CHOSEN


def test_what_is_lost_is_not_called_saved(catalog: Path) -> None:
    folder_copy.place(catalog).write_bytes(b"[{")
    spoil(catalog, root_page(catalog, "folders"))
    done = renewal.renew(catalog)
    assert (done.folders, done.whole) == ([], False)
    assert listed(catalog) == []


def test_of_two_rules_the_stricter_one_holds(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_copy.save(catalog, [Chosen("/notes", rule="ask"), Chosen("/diary", rule="cloud")])
    with closing(apsw.Connection(str(catalog))) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("INSERT INTO folders (path, rule) VALUES ('/garbage', 'x')")
    done = renewal.renew(catalog)
    assert {folder.path: folder.rule for folder in done.folders} == {"/notes": "ask", "/diary": "local"}


def test_the_journal_goes_with_the_damaged_catalog(catalog: Path) -> None:
    wal = catalog.with_name(f"{catalog.name}-wal")
    wal.write_bytes(b"a journal that belongs to the other file")
    spoil(catalog, root_page(catalog, "files"))
    done = renewal.renew(catalog)
    assert done.aside.with_name(f"{done.aside.name}-wal").exists()
    assert not wal.exists()
    assert listed(catalog) == CHOSEN


def test_the_copy_follows_every_change(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite3"
    database = Database(path)
    rules = FolderRules(database, lambda: None)
    rules.copy()
    assert folder_copy.load(path) == []
    with database.write() as connection:
        added = folders.add(connection, "/notes")
    rules.set(Path("/notes"), "local")
    assert folder_copy.load(path) == [Chosen("/notes", rule="local")]
    with database.write() as connection:
        folders.mark_removed(connection, added.id)
    rules.copy()
    assert folder_copy.load(path) == []
    assert b"/notes" not in folder_copy.place(path).read_bytes()
    database.close()
