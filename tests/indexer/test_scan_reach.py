"""Folders that are away, replaced or closed: what is not seen is not taken for deleted."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.scan import apply, compare
from indexer.store import folders
from indexer.store.database import Database
from indexer.walk import NO_PERMISSION
from tests.indexer.conftest import RULES, Look, index_all, known, write_notes


def test_a_missing_folder_deletes_nothing(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one"})
    look()
    index_all(database)
    root.rename(root.with_name("elsewhere"))
    assert look().identity is None
    assert look(root / "a.md").identity is None
    assert known(database) == {"a.md": "indexed"}
    with database.read() as connection:
        assert not folders.watched(connection)[0].reachable
    root.with_name("elsewhere").rename(root)
    assert look().identity
    with database.read() as connection:
        assert folders.watched(connection)[0].reachable


def test_an_empty_mount_point_deletes_nothing(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one"})
    look()
    root.rename(root.with_name("the disk"))
    root.mkdir()  # what is left of a disk that was unmounted: an empty directory, another one than the disk's own
    assert look().identity is None
    assert known(database) == {"a.md": "waiting"}


def test_a_folder_that_was_emptied_is_empty(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one"})
    look()
    (root / "a.md").unlink()
    look()
    assert known(database) == {}


def test_a_folder_put_in_the_place_of_the_old_one_counts(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one"})
    look()
    shutil.rmtree(root)
    write_notes(root, {"b.md": "two"})
    look()
    assert known(database) == {"b.md": "waiting"}


@pytest.fixture
def no_privileges() -> Iterator[Callable[[], None]]:
    """Root may read everything; then the test goes on as nobody from the moment it calls this."""

    def drop() -> None:
        if os.geteuid() == 0:
            os.seteuid(65534)

    yield drop
    os.seteuid(os.getuid())


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_directory_that_cannot_be_read_keeps_its_passages(no_privileges: Callable[[], None]) -> None:
    place = Path(tempfile.mkdtemp())  # pytest's own directories are closed to nobody
    place.chmod(0o777)
    database = Database(place / "c.sqlite3")
    try:
        root = place / "notes"
        write_notes(root, {"a.md": "one", "closed/b.md": "two"})
        with database.write() as connection:
            folder = folders.add(connection, str(root))
        apply(database, [compare(database, folder, RULES)])
        (root / "closed").chmod(0)
        (root / "a.md").unlink()
        no_privileges()
        changes = compare(database, folder, RULES)
        assert [Path(row.path).name for row in changes.gone] == ["a.md"]
        assert [(Path(seen.path).name, seen.refused) for seen in changes.new] == [("closed", NO_PERMISSION)]
        os.seteuid(os.getuid())
        (root / "closed").chmod(0o755)
        root.chmod(0)
        no_privileges()
        assert compare(database, folder, RULES).identity is None
    finally:
        os.seteuid(os.getuid())
        database.close()
        (place / "notes").chmod(0o755)
        shutil.rmtree(place)


def test_a_disk_in_the_place_of_another_one_deletes_nothing(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one", "sub/b.md": "two"})
    look()
    with database.write() as connection:
        connection.execute("UPDATE folders SET identity = '1:1'")  # as if it had been another device
    shutil.rmtree(root / "sub")
    (root / "a.md").rename(root / "strange.md")
    for below in (None, root / "a.md"):
        assert look(below).identity is None
    assert known(database) == {"a.md": "waiting", "b.md": "waiting"}
    (root / "strange.md").rename(root / "a.md")
    assert look(root / "sub").identity
    assert known(database) == {"a.md": "waiting"}
