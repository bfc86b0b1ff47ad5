"""A folder's rule: "ask" until the person says otherwise, looked up anew each time, gone with the folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.folder_rules import FolderRules
from indexer.ignore import IgnoreRules
from indexer.records import FolderRefused, FolderRule
from indexer.store import folders
from indexer.store.database import Database
from indexer.walk import Unread, walk


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


@pytest.fixture
def work(tmp_path: Path, database: Database) -> Path:
    """A folder that may go to the cloud and follows its links, one of which leads into a diary; and that diary."""
    diary, work = tmp_path / "diary", tmp_path / "work"
    (diary / "2025").mkdir(parents=True)
    work.mkdir()
    for path in (diary / "2025" / "x.md", diary / "y.md", work / "own.md"):
        path.write_text("words")
    (work / "journal").symlink_to(diary / "2025")
    (work / "y.md").symlink_to(diary / "y.md")
    with database.write() as connection:
        folders.add(connection, str(diary))
        folder = folders.add(connection, str(work), links=True)
        folders.set_rule(connection, str(work), "cloud")
        for seen in walk(str(work), IgnoreRules(), links=True):
            assert not isinstance(seen, Unread)
            connection.execute(
                "INSERT INTO files (folder_id, path, size, mtime_ns, inode, state) VALUES (?, ?, 1, 1, 1, 'indexed')",
                (folder.id, seen.path),
            )
    return work


@pytest.mark.parametrize("rule", ["local", "ask", "cloud"])
def test_a_file_behind_a_link_has_the_stricter_rule_of_where_it_really_lies(
    database: Database, work: Path, rule: FolderRule
) -> None:
    rules = FolderRules(database, lambda: None)
    rules.set(work.parent / "diary", rule)
    own, linked, below = (str(work / name) for name in ("own.md", "y.md", "journal/x.md"))
    assert rules.of([own, linked, below]) == {own: "cloud", linked: rule, below: rule}
    rules.set(work, "local")
    assert set(rules.of([own, linked, below]).values()) == {"local"}


def test_a_link_that_is_gone_keeps_what_was_read_through_it_here(database: Database, work: Path) -> None:
    rules = FolderRules(database, lambda: None)
    (work / "journal").unlink()
    assert str(work / "journal" / "x.md") not in rules.of([str(work / "journal" / "x.md")])


def test_letters_case_does_not_make_another_folder_of_it(database: Database, work: Path) -> None:
    rules = FolderRules(database, lambda: None)
    rules.set(work.parent / "diary", "local")
    with database.write() as connection:
        connection.execute(
            "UPDATE folders SET path = ? WHERE path = ?", (f"{work.parent}/Diary", f"{work.parent}/diary")
        )
    assert rules.of([str(work / "y.md")]) == {str(work / "y.md"): "local"}
