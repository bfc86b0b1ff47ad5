"""The check-up while the work goes on: what is on its way is no difference, what stays is."""

from pathlib import Path
from typing import Any

import pytest

from indexer import check, scan, semantics
from indexer.ignore import IgnoreRules
from indexer.records import Folder
from indexer.store import folders
from indexer.store.database import Database
from indexer.store.outbox import Pointer
from indexer.store.vector_index import Report
from tests.indexer.conftest import extracted, write_notes


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "LOOK_AGAIN", 0.01)


def test_what_the_catalog_missed_is_found_by_the_check_up(database: Database, root: Path) -> None:
    write_notes(root, {"a.md": "one", "b.md": "two", "c.md": "three"})
    with database.write() as connection:
        folders.add(connection, str(root))

    def missed() -> str:
        look = lambda folder: scan.compare(database, folder, IgnoreRules())  # noqa: E731
        (finding,) = check.disk(database, look, lambda: False, fix=False)
        return "" if finding.ok else finding.what

    assert " has 3 new, 0 changed and 0 vanished files" in missed()
    assert " has 3 new" in missed(), "nothing was changed by looking"


def test_a_look_of_the_engines_own_that_does_not_end_is_no_difference(
    database: Database, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "LONGEST_LOOK", 0.0)
    write_notes(root, {"a.md": "one"})
    with database.write() as connection:
        folders.add(connection, str(root))
    look = lambda folder: scan.compare(database, folder, IgnoreRules())  # noqa: E731
    (finding,) = check.disk(database, look, lambda: True, fix=False)
    assert finding.ok
    assert "is being looked through" in finding.what


def test_a_file_that_is_on_its_way_is_no_difference(database: Database, root: Path) -> None:
    write_notes(root, {"a.md": "one"})
    with database.write() as connection:
        folders.add(connection, str(root))

    def look(folder: Folder) -> scan.Changes:
        found = scan.compare(database, folder, IgnoreRules())
        scan.apply(database, [found])  # the engine comes to it a moment after we looked
        return found

    (finding,) = check.disk(database, look, lambda: False, fix=False)
    assert finding.ok, finding.what


def test_a_file_that_is_saved_all_the_time_is_no_difference(database: Database, root: Path) -> None:
    write_notes(root, {"a.md": "one"})
    with database.write() as connection:
        folders.add(connection, str(root))
    text = "one"

    def look(folder: Folder) -> scan.Changes:
        nonlocal text
        text += " more"
        write_notes(root, {"a.md": text})
        return scan.compare(database, folder, IgnoreRules())

    (finding,) = check.disk(database, look, lambda: False, fix=False)
    assert finding.ok, finding.what


class Scripted:
    """A semantics process whose index holds these ids, from one question to the next."""

    def __init__(self, *held: list[int]) -> None:
        self._held = iter(held)

    def ask(self, call: Any, *, patience: float) -> Any:
        if isinstance(call, semantics.ListIds):
            return semantics.Ids(next(self._held))
        return semantics.Verified(Report("ready", "", Pointer(1, "", "m"), 0, "in a script"))


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        ([], [1], ""),  # its vector was given to Chroma a moment after the ids were listed
        ([1, 99], [1], ""),  # and so was a removal
        ([], [], "lacks 1 passages and holds 0"),
        ([1, 99], [1, 99], "lacks 0 passages and holds 1"),
    ],
)
def test_vectors_that_are_on_their_way_are_no_difference(
    database: Database, store: Any, first: list[int], then: list[int], words: str
) -> None:
    store("a.md", extracted("some text"))
    with database.write() as connection:
        connection.execute("DELETE FROM vector_outbox")
    meaning: Any = Scripted(first, then)
    (finding,) = check.vectors(database, meaning, lambda: None, fix=False)
    assert finding.ok is not bool(words)
    assert words in finding.what
