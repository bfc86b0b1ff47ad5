"""Disk against catalog: new, changed, gone, moved; and everything that must not be taken for deleted."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from indexer.extract.reading import content_hash, read
from indexer.ignore import IgnoreRules
from indexer.records import Extracted, Folder
from indexer.scan import apply, compare
from indexer.store import files, folders, passages
from indexer.store.database import Database
from indexer.walk import see
from tests.indexer.conftest import RULES, Look, extracted, index_all, known, write_notes


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
