"""A folder's rule: "ask" until the person says otherwise, looked up anew each time, gone with the folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.folder_rules import FolderRules
from indexer.records import FolderRefused
from indexer.store import folders
from indexer.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "catalog.sqlite3")
    with made.write() as connection:
        for path in ("/notes", "/diary"):
            folder = folders.add(connection, path)
            connection.execute(
                "INSERT INTO files (folder_id, path, size, mtime_ns, inode, state) VALUES (?, ?, 1, 1, 1, 'indexed')",
                (folder.id, f"{path}/a.md"),
            )
    yield made
    made.close()


def test_a_folder_asks_until_it_is_told_otherwise(database: Database) -> None:
    changes: list[bool] = []
    rules = FolderRules(database, lambda: changes.append(True))
    asked = ["/notes/a.md", "/diary/a.md", "/nowhere/a.md", "/notes/b.md"]
    assert rules.of(asked) == {"/notes/a.md": "ask", "/diary/a.md": "ask"}
    rules.set(Path("/diary"), "local")
    rules.set(Path("/notes/../notes"), "cloud")
    assert rules.of(asked) == {"/notes/a.md": "cloud", "/diary/a.md": "local"}
    assert len(changes) == 2
    with database.read() as connection:
        assert [(tally["path"], tally["rule"]) for tally in folders.tallies(connection)] == [
            ("/notes", "cloud"),
            ("/diary", "local"),
        ]


def test_a_folder_that_is_not_watched_has_no_rule(database: Database) -> None:
    rules = FolderRules(database, lambda: None)
    with pytest.raises(FolderRefused, match="not one of your folders"):
        rules.set(Path("/nowhere"), "cloud")


def test_files_of_a_removed_folder_are_left_out_at_once(database: Database) -> None:
    rules = FolderRules(database, lambda: None)
    rules.set(Path("/notes"), "cloud")
    with database.write() as connection:
        folders.mark_removed(connection, folders.watched(connection)[0].id)
    assert rules.of(["/notes/a.md"]) == {}


def test_thousands_of_files_are_looked_up_in_portions(database: Database) -> None:
    rules = FolderRules(database, lambda: None)
    asked = [f"/none/{number}" for number in range(3 * folders.AT_ONCE)]
    assert rules.of([*asked, "/notes/a.md"]) == {"/notes/a.md": "ask"}
