"""Disk against catalog: new, changed, gone, moved; and everything that must not be taken for deleted."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.extract.reading import LINK_OUT, content_hash, read
from indexer.ignore import IgnoreRules
from indexer.records import Extracted, Folder
from indexer.scan import Changes, apply, compare
from indexer.store import files, folders, passages
from indexer.store.database import Database
from indexer.walk import NO_PERMISSION, see
from tests.indexer.conftest import extracted, write_notes

RULES = IgnoreRules(largest=10_000)
Look = Callable[..., Changes]


@pytest.fixture
def look(database: Database, folder: Folder) -> Look:
    """Compares, applies, and tells what it was."""

    def run(below: Path | None = None, rules: IgnoreRules = RULES, at: Folder = folder) -> Changes:
        changes = compare(database, at, rules, None if below is None else str(below))
        apply(database, [changes])
        return changes

    return run


def known(database: Database) -> dict[str, str]:
    """File names and states."""
    with database.read() as connection:
        return dict(
            connection.execute("SELECT replace(path, rtrim(path, replace(path, '/', '')), ''), state FROM files")
        )


def index_all(database: Database) -> None:
    """Give every waiting file one passage, its content, as the pipeline would."""
    with database.write() as connection:
        for row, _ in files.waiting(connection, 1000):
            text = Path(row.path).read_text()
            reading = extracted(text, title=Path(row.path).stem)
            reading = Extracted(content_hash(row.path), *(getattr(reading, n) for n in reading.__struct_fields__[1:]))
            passages.replace(connection, row.id, row.path, reading)
            files.finish(connection, row, "indexed")


def test_new_changed_and_gone_files_are_found(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one", "sub/b.txt": "two", "photo.jpg": "x", "empty.md": ""})
    first = look()
    assert len(first.new) == 3
    assert known(database) == {"a.md": "waiting", "b.txt": "waiting", "empty.md": "waiting"}
    index_all(database)
    assert len(look()) == 0
    write_notes(root, {"a.md": "one more"})
    (root / "sub" / "b.txt").unlink()
    changes = look()
    assert [Path(seen.path).name for _, seen in changes.changed] == ["a.md"]
    assert [Path(row.path).name for row in changes.gone] == ["b.txt"]
    assert known(database) == {"a.md": "waiting", "empty.md": "indexed"}


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
        (found,) = passages.hits(connection, [(passages.matching(connection, "title: new", 5)[0], 1.0)])
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
        (row,) = files.under(connection, second.id)
    assert row.state == "indexed"
    assert row.path == str(tmp_path / "second" / "a.md")


def test_a_copy_is_a_new_file(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "text"})
    look()
    index_all(database)
    shutil.copy(root / "a.md", root / "b.md")
    look()
    assert known(database) == {"a.md": "indexed", "b.md": "waiting"}


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


def names_under(database: Database, root: Path) -> list[str]:
    with database.read() as connection:
        paths = [path for (path,) in connection.execute("SELECT path FROM files")]
    return sorted(str(Path(path).relative_to(root)) for path in paths)


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


def test_a_change_that_keeps_size_and_time_shows_in_the_ctime(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one"})
    look()
    index_all(database)
    before = (root / "a.md").stat()
    (root / "a.md").write_text("two")
    os.utime(root / "a.md", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert len(look().changed) == 1
    assert known(database) == {"a.md": "waiting"}


def test_a_file_read_right_after_a_change_is_compared_by_its_content_once(
    root: Path, database: Database, look: Look
) -> None:
    write_notes(root, {"same.md": "one", "other.md": "two"})
    look()
    with database.write() as connection:
        for row, _ in files.waiting(connection, 10):
            reading = extracted("two" if row.path.endswith("other.md") else "one")
            read_as = "two" if row.path.endswith("other.md") else content_hash(row.path)
            reading = Extracted(read_as, *(getattr(reading, n) for n in reading.__struct_fields__[1:]))
            passages.replace(connection, row.id, row.path, reading)
            seen = see(row.path)
            assert seen.young
            files.finish(connection, row, "indexed", seen=seen)
    # Within the clock's step after it was read, other.md changed: nothing but its content tells.
    changes = look()
    assert len(changes) == 0
    assert len(changes.doubtful) == 2
    assert known(database) == {"same.md": "indexed", "other.md": "waiting"}


def test_pauses_before_another_attempt_grow(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one"})
    look()
    pauses = []
    with database.write() as connection:
        for _ in range(9):
            ((row, _),) = files.waiting(connection, 1)
            files.finish(connection, row, "failed", "no permission", again=True)
            ((done, again),) = connection.execute("SELECT done_at, retry_at FROM files").fetchall()
            pauses.append(again - done)
            assert files.retry_due(connection) == 0
            connection.execute("UPDATE files SET done_at = done_at - ?1, retry_at = retry_at - ?1", (pauses[-1],))
            assert files.next_retry(connection) == 0
            assert files.retry_due(connection) == 1
    assert pauses == [10, 30, 90, 270, 810, 2430, 7290, 21600, 21600]
    write_notes(root, {"a.md": "changed"})
    look()
    with database.write() as connection:
        ((row, _),) = files.waiting(connection, 1)
        files.finish(connection, row, "failed", "no permission", again=True)
        assert files.next_retry(connection) == pytest.approx(10, abs=1.5)
        connection.execute("UPDATE files SET retry_at = retry_at + 1000000")  # written while the clock was wrong
        assert files.retry_due(connection) == 1


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


def test_the_case_of_a_name_is_the_names(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"sub/note.md": "one"})
    look()
    index_all(database)
    (root / "sub" / "note.md").rename(root / "sub" / "Note.md")
    (root / "sub").rename(root / "Sub")
    for path in (root / "sub", root / "Sub"):
        look(path)
    assert names_under(database, root) == ["Sub/Note.md"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX pipes")
def test_only_regular_files_count(root: Path, database: Database, look: Look) -> None:
    os.mkfifo(root / "pipe.md")
    (root / "directory.md").mkdir()
    look()
    assert known(database) == {}


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="these systems refuse such names")
def test_a_name_that_is_no_text_is_set_aside_with_the_reason(root: Path, database: Database, look: Look) -> None:
    (root / os.fsdecode(b"caf\xe9.md")).write_text("x")
    look()
    assert len(look()) == 0
    with database.read() as connection:
        (problem,) = files.problems(connection, 10)
    assert problem.path.endswith("caf\\xe9.md")
    assert "renamed" in problem.reason


def test_a_file_too_large_is_skipped_until_the_limit_allows_it(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"big.md": "x" * 20_000})
    look()
    assert known(database) == {"big.md": "skipped"}
    assert len(look()) == 0
    look(rules=IgnoreRules(largest=30_000))
    assert known(database) == {"big.md": "waiting"}
    index_all(database)
    look()
    assert known(database) == {"big.md": "skipped"}
    with database.read() as connection:
        assert connection.execute("SELECT * FROM chunks").fetchall() == []


def test_a_new_ignore_rule_forgets_files(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one", "drafts/b.md": "two"})
    look()
    look(rules=IgnoreRules(patterns=("drafts/",)))
    assert known(database) == {"a.md": "waiting"}
    write_notes(root, {".gitignore": "a.md\n"})
    look(rules=IgnoreRules(patterns=("drafts/",)))
    assert known(database) == {}


def test_a_look_at_one_path_sees_that_path_alone(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {"a.md": "one", "sub/b.md": "two", "sub/deep/c.md": "three", "sub.md": "four"})
    look(root / "a.md")
    assert set(known(database)) == {"a.md"}
    look(root / "sub")
    assert set(known(database)) == {"a.md", "b.md", "c.md"}
    shutil.rmtree(root / "sub")
    (root / "a.md").unlink()
    look(root / "sub")
    assert set(known(database)) == {"a.md"}
    look(root / "a.md")
    assert known(database) == {}
    assert len(look(root / "never" / "was.md")) == 0


def test_a_look_at_a_hidden_path_finds_nothing(root: Path, database: Database, look: Look) -> None:
    write_notes(root, {".git/a.md": "x", "node_modules/b/c.md": "x", "ok.md": "x"})
    rules = IgnoreRules(patterns=("node_modules/",))
    for path in (root / ".git" / "a.md", root / "node_modules" / "b" / "c.md", root / "node_modules" / "b"):
        look(path, rules=rules)
    assert known(database) == {}


def test_a_folder_removed_in_the_meantime_gets_nothing(root: Path, database: Database, folder: Folder) -> None:
    write_notes(root, {"a.md": "one"})
    changes = compare(database, folder, RULES)
    with database.write() as connection:
        folders.mark_removed(connection, folder.id)
    apply(database, [changes])
    assert known(database) == {}


def test_the_hash_is_the_extractors(root: Path) -> None:
    import hashlib

    write_notes(root, {"a.md": "some text"})
    content = read(str(root / "a.md"), str(root), 1000)
    assert isinstance(content, bytes)
    assert content_hash(str(root / "a.md")) == hashlib.blake2b(content, digest_size=16).hexdigest()


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
        assert [Path(row.path).name for row in files.under(connection, folder.id)] == ["new.md"]
