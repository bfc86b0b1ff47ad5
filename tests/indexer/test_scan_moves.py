"""Moves, copies and names: what is the same file at another place, and what is not."""

import shutil
from pathlib import Path

from indexer.extract.reading import content_hash
from indexer.ignore import IgnoreRules
from indexer.records import Folder
from indexer.scan import apply, compare
from indexer.store import files, folders, passages
from indexer.store.database import Database
from tests.indexer.conftest import RULES, Look, files_of, index_all, known, names_under, write_notes


def test_a_moved_file_keeps_its_passages_and_its_vectors(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"old name.md": "the very same text", "other.md": "another text here"})
    look()
    index_all(database)
    with database.write() as connection:
        before = connection.execute("SELECT id, vector_hash FROM chunks ORDER BY id").fetchall()
        connection.execute("DELETE FROM vector_outbox")
    (root / "deep").mkdir()
    (root / "old name.md").rename(root / "deep" / "new name.md")
    look()
    assert known(database) == {"new name.md": "indexed", "other.md": "indexed"}
    with database.read() as connection:
        assert connection.execute("SELECT id, vector_hash FROM chunks ORDER BY id").fetchall() == before
        assert connection.execute("SELECT * FROM vector_outbox").fetchall() == []
        (found,) = passages.hits(connection, passages.matching(connection, "title: new", 5)[:1])
    assert found.title == "new name"
    assert found.path == str(root / "deep" / "new name.md")


def test_a_file_moved_to_another_folder_moves_in_the_catalog(
    root: Path, tmp_path: Path, database: Database, folder: Folder, look: Look
) -> None:
    (tmp_path / "second").mkdir()
    with database.write() as connection:
        second = folders.add(connection, str(tmp_path / "second"))
    write_notes(root, {"a.md": "a text that moves"})
    look()
    index_all(database)
    shutil.move(root / "a.md", tmp_path / "second" / "a.md")
    apply(database, [compare(database, folder, RULES), compare(database, second, RULES)])
    with database.read() as connection:
        (row,) = files_of(connection, second.id)
    assert row.state == "indexed"
    assert row.path == str(tmp_path / "second" / "a.md")


def test_a_copy_is_a_new_file(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "text"})
    look()
    index_all(database)
    shutil.copy(root / "a.md", root / "b.md")
    look()
    assert known(database) == {"a.md": "indexed", "b.md": "waiting"}


def test_the_case_of_a_name_is_the_names(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"sub/note.md": "one"})
    look()
    index_all(database)
    (root / "sub" / "note.md").rename(root / "sub" / "Note.md")
    (root / "sub").rename(root / "Sub")
    for path in (root / "sub", root / "Sub"):
        look(path)
    assert names_under(database, root) == ["Sub/Note.md"]


def test_a_move_onto_a_path_that_is_known_by_now_leaves_no_ghost(database: Database, folder: Folder) -> None:
    place = Path(folder.path)
    (place / "old.md").write_text("the same words")
    apply(database, [compare(database, folder, IgnoreRules())])
    with database.write() as connection:
        connection.execute(
            "UPDATE files SET state = 'indexed', content_hash = ?", (content_hash(str(place / "old.md")),)
        )
    (place / "old.md").rename(place / "new.md")
    look = compare(database, folder, IgnoreRules())
    with database.write() as connection:  # the other loop was quicker
        files.add(connection, folder.id, look.new[0])
    apply(database, [look])
    with database.read() as connection:
        assert [Path(row.path).name for row in files_of(connection, folder.id)] == ["new.md"]
