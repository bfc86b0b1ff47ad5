"""The catalog's file: transactions, readers, migrations, and the words for what can be wrong with it."""

import os
from pathlib import Path

import apsw
import pytest

from indexer.records import CatalogUnusable, Folder
from indexer.store import files, folders, outbox, passages
from indexer.store.database import Database, DiskFull
from indexer.store.files import Seen
from indexer.store.schema import MIGRATIONS
from indexer.worker import start_thread
from tests.indexer.conftest import eventually, extracted


def paths(database: Database) -> list[str]:
    with database.read() as connection:
        return [folder.path for folder in folders.watched(connection)]


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with database.write() as connection:
        folders.add(connection, "/kept")

    def fail() -> None:
        with database.write() as connection:
            folders.add(connection, "/lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert paths(database) == ["/kept"]


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.read() as before:
        assert folders.watched(before) == []
        with database.write() as connection:
            folders.add(connection, "/new")
        assert folders.watched(before) == []
    assert paths(database) == ["/new"]


def test_writers_take_turns(database: Database) -> None:
    def add(first: int) -> None:
        for number in range(first, first + 50):
            with database.write() as connection:
                folders.add(connection, f"/{number}")

    for first in (0, 50, 100):
        start_thread("writer", add, first)
    assert eventually(lambda: len(paths(database)) == 150)


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(CatalogUnusable, match="opened for writing"), database.read() as connection:
        folders.add(connection, "/new")


def test_a_catalog_keeps_its_content_when_opened_again(tmp_path: Path) -> None:
    first = Database(tmp_path / "c.sqlite3")
    with first.write() as connection:
        folders.add(connection, "/kept")
    first.close()
    second = Database(tmp_path / "c.sqlite3")
    assert paths(second) == ["/kept"]
    second.close()
    with pytest.raises(CatalogUnusable, match="closed"), second.read():
        pass


def test_a_newer_catalog_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite3"
    Database(path, (*MIGRATIONS, lambda connection: None)).close()
    before = path.read_bytes()
    with pytest.raises(CatalogUnusable, match="newer Offhand"):
        Database(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite3"
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (a)")
    other.close()
    with pytest.raises(CatalogUnusable, match="another program"):
        Database(path)


@pytest.mark.parametrize("content", [b"no database at all " * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_refused_with_a_next_step(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.sqlite3"
    path.write_bytes(content)
    with pytest.raises(CatalogUnusable, match="damaged") as caught:
        Database(path)
    assert "notes are untouched" in caught.value.next_step
    assert path.read_bytes() == content


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnusable, match="cannot be opened"):
        Database(tmp_path / "missing" / "c.sqlite3")


def test_a_full_disk_changes_nothing_and_passes(database: Database) -> None:
    # SQLite's own limit gives the very error of a full disk, without filling one.
    pages = database._writer.execute("PRAGMA page_count").fetchone()
    assert pages is not None
    database._writer.execute(f"PRAGMA max_page_count = {pages[0] + 2}").fetchall()

    def fill() -> None:
        with database.write() as connection:
            for number in range(1000):
                folders.add(connection, f"/{number}" * 50)

    with pytest.raises(DiskFull, match="disk is full"):
        fill()
    assert paths(database) == []
    database._writer.execute("PRAGMA max_page_count = 1000000").fetchall()
    with database.write() as connection:
        folders.add(connection, "/later")
    assert paths(database) == ["/later"]


def test_a_migration_runs_once_and_leaves_a_backup(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite3"
    old = Database(path)
    with old.write() as connection:
        folders.add(connection, "/kept")
    old.close()
    newer = (*MIGRATIONS, lambda connection: connection.execute("ALTER TABLE folders ADD COLUMN colour TEXT"))
    for _ in range(2):
        Database(path, newer).close()
    backup = Database(path.with_name(f"c.sqlite3.version-{len(MIGRATIONS)}"))
    assert paths(backup) == ["/kept"]
    backup.close()


def test_a_failed_migration_leaves_the_old_catalog(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite3"
    Database(path).close()

    def broken(connection: apsw.Connection) -> None:
        connection.execute("CREATE TABLE half (a)")
        connection.execute("nonsense")

    with pytest.raises(apsw.SQLError):
        Database(path, (*MIGRATIONS, broken))
    same = Database(path)
    with same.read() as connection:
        assert connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'half'").fetchall() == []
    same.close()


def test_deleted_text_is_in_no_file(database: Database, folder: Folder, store) -> None:
    for number in range(20):
        store(f"{number}.md", extracted(f"the xyzzy secret number {number} " + "and so on " * 500))
    database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert b"xyzzy" in database.path.read_bytes()
    before = database.path.stat().st_size
    with database.write() as connection:
        folders.mark_removed(connection, folder.id)
        assert folders.remove_some(connection, 1000) == 20
    database.tidy()
    for path in database.path.parent.glob("catalog*"):
        assert b"xyzzy" not in path.read_bytes()
    assert database.path.stat().st_size < before


def test_a_tidying_that_was_cut_off_is_done_again(database: Database, folder: Folder, store, monkeypatch) -> None:
    for number in range(20):
        store(f"{number}.md", extracted(f"the xyzzy secret number {number} " + "and so on " * 500))
    with database.write() as connection:
        folders.mark_removed(connection, folder.id)
        folders.remove_some(connection, 1000)

    def cut_off(*, first: bool) -> bool:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(database, "_merge", cut_off)
        with pytest.raises(ZeroDivisionError):
            database.tidy()
    database.tidy()
    for path in database.path.parent.glob("catalog*"):
        assert b"xyzzy" not in path.read_bytes()


def test_what_somebody_still_reads_is_tidied_away_the_next_time(database: Database, folder: Folder, store) -> None:
    for number in range(20):
        store(f"{number}.md", extracted(f"the xyzzy secret number {number} " + "and so on " * 500))
    with database.read() as before:
        before.execute("SELECT count(*) FROM chunks").fetchall()
        with database.write() as connection:
            folders.mark_removed(connection, folder.id)
            folders.remove_some(connection, 1000)
        assert not database.tidy()
        assert any(b"xyzzy" in path.read_bytes() for path in database.path.parent.glob("catalog*"))
    assert database.tidy()
    for path in database.path.parent.glob("catalog*"):
        assert b"xyzzy" not in path.read_bytes()


def test_a_copy_of_the_catalog_goes_after_a_week_or_when_it_is_told_to(database: Database) -> None:
    old, new = (database.path.with_name(f"{database.path.name}.version-{number}") for number in (1, 2))
    for path in (old, new):
        path.write_bytes(b"a copy")
    os.utime(old, (1, 1))
    database.tidy()
    assert not old.exists()
    assert new.exists()
    database.drop_backups()
    assert not new.exists()


def test_a_removal_that_was_cut_off_before_its_end_is_known_to_be_unfinished(
    database: Database, folder: Folder, store
) -> None:
    store("a.md", extracted("some text"))
    with database.write() as connection:
        folders.mark_removed(connection, folder.id)
        assert folders.remove_some(connection, 1000) == 1
    with database.write() as connection:
        assert folders.any_removed(connection), "vectors and words may still be there"
        folders.close_removed(connection)
        assert not folders.any_removed(connection)


def test_a_catalog_of_the_first_version_is_brought_up_to_date_with_a_backup(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    old = Database(path, MIGRATIONS[:1])
    with old.write() as connection:
        connection.execute("INSERT INTO folders (path) VALUES ('/kept')")
        connection.execute(
            "INSERT INTO files (folder_id, path, size, mtime_ns, inode, state) "
            "VALUES (1, '/kept/a.md', 1, 1, 1, 'indexed')"
        )
    old.close()
    new = Database(path)
    assert paths(new) == ["/kept"]
    with new.read() as connection:
        assert connection.execute("SELECT links, rule FROM folders").fetchall() == [(0, "ask")]
        assert connection.execute("SELECT path, ctime_ns, retry_at FROM files").fetchall() == [("/kept/a.md", 0, None)]
    new.close()
    assert (tmp_path / "catalog.sqlite3.version-1").exists()


def test_a_catalog_from_before_signs_were_taken_apart_has_their_words_found(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite3"
    old = Database(path, MIGRATIONS[:5])
    with old.write() as connection:
        folder = folders.add(connection, "/notes")
        files.add(connection, folder.id, Seen("/notes/a.md", 1, 1, 1))
        passages.replace(connection, 1, "/notes/a.md", extracted("北京的屋顶", "a plain roof", title="会议"))
        outbox.store_vectors(connection, "m", dict.fromkeys(outbox.unseen(connection, "m", 9), b"vector"))
        connection.execute("DELETE FROM vector_outbox")
        assert passages.matching(connection, '"屋顶"', 9) == []
    old.close()
    new = Database(path)
    with new.write() as connection:
        assert len(passages.matching(connection, '"屋顶"', 9)) == 1
        assert len(passages.matching(connection, '"会议" AND "roof"', 9)) == 1
        connection.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)")
        assert outbox.unseen(connection, "m", 9) == {}, "nothing is embedded again"
        assert connection.execute("SELECT count(*) FROM vector_outbox").fetchall() == [(0,)]
        files.forget(connection, [1])
        connection.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)")
    new.close()
    assert path.with_name("c.sqlite3.version-5").exists()
