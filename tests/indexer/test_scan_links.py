"""Links within a folder and out of it."""

from pathlib import Path

import pytest

from indexer.extract.reading import LINK_OUT
from indexer.records import Folder
from indexer.store import files, folders
from indexer.store.database import Database
from tests.indexer.conftest import Look, known, names_under, write_notes


def test_links_are_followed_only_inside_the_folder(root: Path, tmp_path: Path, database: Database, look: Look) -> None:
    write_notes(root, {"real.md": "one", "sub/x.md": "two"})
    write_notes(tmp_path / "outside", {"secret.md": "three"})
    (root / "inside.md").symlink_to(root / "real.md")
    (root / "out.md").symlink_to(tmp_path / "outside" / "secret.md")
    (root / "nowhere.md").symlink_to(root / "missing")
    (root / "loop").symlink_to(root)
    (root / "outdir").symlink_to(tmp_path / "outside")
    look()
    waiting = {"real.md", "x.md", "inside.md"}
    assert known(database) == dict.fromkeys(waiting, "waiting") | {"out.md": "skipped", "outdir": "skipped"}
    assert len(look()) == 0
    with database.read() as connection:
        assert {problem.reason for problem in files.problems(connection, 10)} == {LINK_OUT}
    assert len(look(root / "outdir" / "secret.md").new) == 0
    assert len(look(root / "loop" / "real.md").new) == 0


@pytest.fixture
def open_folder(database: Database, folder: Folder) -> Folder:
    """The folder with the permission to follow links that lead out of it."""
    with database.write() as connection:
        connection.execute("UPDATE folders SET links = 1")
        return folders.watched(connection)[0]


def test_links_out_of_the_folder_are_followed_once_each(
    root: Path, tmp_path: Path, database: Database, look: Look, open_folder: Folder
) -> None:
    outside = tmp_path / "outside"
    write_notes(root, {"real.md": "one", "sub/x.md": "two"})
    write_notes(outside, {"y.md": "three", "deep/z.md": "four", "single.md": "five"})
    (root / "to deep").symlink_to(outside / "deep")
    (root / "to outside").symlink_to(outside)
    (root / "to outside again").symlink_to(outside)
    (root / "to this").symlink_to(root)
    (root / "to all").symlink_to(tmp_path)
    (root / "single.md").symlink_to(outside / "single.md")
    (outside / "back").symlink_to(root / "sub")
    (outside / "round").symlink_to(outside)
    found = ["real.md", "single.md", "sub/x.md", "to deep/z.md", "to outside/y.md"]
    for _ in range(2):
        look(at=open_folder)
        assert names_under(database, root) == found
    write_notes(outside, {"deep/new.md": "six"})
    look(root / "to deep" / "new.md", at=open_folder)
    assert names_under(database, root) == sorted([*found, "to deep/new.md"])
    (root / "to deep").unlink()
    look(root / "to deep", at=open_folder)
    assert not [name for name in names_under(database, root) if "deep" in name]
    look(at=open_folder)
    assert "to outside/deep/z.md" in names_under(database, root)
    assert len(look(at=open_folder)) == 0
