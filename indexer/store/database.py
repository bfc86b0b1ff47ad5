"""The catalog's file: one writer behind a lock, a few readers, and clear words for all that can be wrong with it.

Refuses to open what a newer Offhand wrote, what another program wrote, and what is damaged.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from indexer.records import CatalogDamaged, CatalogUnusable
from indexer.store.schema import MIGRATIONS, Migration, equip

BUSY_MS = 5_000
CHECKPOINT_MS = 500  # that emptying the journal waits for readers, and all writers for it
READER_KIB = 8192  # of its own cache; a mapped file is no quicker (measured) and counts as memory of the process
MERGED_AT_ONCE = 200  # pages of the word index in one transaction
BACKUP_SECONDS = 7 * 24 * 3600.0  # a backup holds texts that were deleted since, so it is not kept for ever
LEAST_FREE = 1 << 18  # bytes; below that a failed write of SQLite's is a full disk, whatever SQLite calls it
APPLICATION_ID = 0x0FF4A9D  # names the file's owner to `file(1)` and to us


class DiskFull(CatalogUnusable):
    """There is no room for the write. Nothing was changed."""

    kind = "disk"


class Database:
    """The open catalog, usable from several threads.

    Args:
        path: the file; it is made when it is missing, its directory is not.

    Raises:
        CatalogUnusable: it cannot be opened, is damaged, or is not ours.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self.path = path
        self._turn = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._closed = False
        with explained(path, full=_no_room_to_start):
            _check_whole(path)
            self._writer = apsw.Connection(str(path))
            # What is refused stays as it is, its WAL too.
            self._writer.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            try:
                _check_owner(self._writer, len(migrations))
                _prepare_writer(self._writer)
                equip(self._writer)
                self._migrate(migrations)
                self._writer.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            except BaseException:
                self._writer.close(True)
                raise

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[apsw.Connection]:
        """One transaction: all of it is kept, or, after any exception, nothing.

        Args:
            durable: it, and with it every earlier one, survives a power cut from the moment this returns.

        Raises:
            DiskFull: there is no room.
            CatalogUnusable: the file cannot be written or is damaged.
        """
        with self._turn, explained(self.path):
            if durable:
                self._writer.execute("PRAGMA synchronous = FULL")
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # a full disk makes SQLite roll back by itself
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                if durable:
                    self._writer.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """An unchanging view of the catalog. Not to be held while waiting: it keeps the WAL from shrinking.

        Raises:
            CatalogUnusable: the file cannot be read or is damaged.
        """
        with explained(self.path):
            if self._closed:
                raise apsw.ConnectionClosedError
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = open_reader(self.path)
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:  # a damaged file can make SQLite roll back by itself
                    connection.execute("ROLLBACK")
                if self._closed:
                    connection.close(True)
                else:
                    self._idle.append(connection)

    def tidy(self) -> bool:
        """Take the words of deleted passages out of every file, and give their space back. Others may write between.

        Killed in the middle, the next call goes on. Costs about a second of processor time for 100,000 passages when
        something was deleted, nothing otherwise. Returns whether it is done; while somebody reads an old state of the
        catalog (an export, say) the journal keeps the words, and the next call goes on.
        """
        self.drop_backups(older_than=BACKUP_SECONDS)
        with self.write() as connection:
            # What is deleted from now on is the next call's work: the triggers note it under the first name again.
            connection.execute("UPDATE OR REPLACE meta SET name = 'tidying' WHERE name = 'untidy'")
            if not connection.execute("SELECT 1 FROM meta WHERE name = 'tidying'").fetchall():
                return True
        first = True
        while self._merge(first=first):
            first = False
        with self._turn, explained(self.path):
            self._writer.execute("PRAGMA incremental_vacuum").fetchall()
            if not self._empty_journal():
                return False
        with self.write() as connection:
            connection.execute("DELETE FROM meta WHERE name = 'tidying'")
        return True

    def drop_backups(self, older_than: float = 0.0) -> None:
        """Remove the copies that migrations made, those older than so many seconds."""
        for backup in self.path.parent.glob(f"{self.path.name}.version-*"):
            if time.time() - backup.stat().st_mtime >= older_than:
                backup.unlink(missing_ok=True)

    def close(self) -> None:
        """Close it for good."""
        with self._turn:
            self._closed = True
            while self._idle:
                self._idle.pop().close(True)
            self._writer.close(True)

    def _empty_journal(self) -> bool:
        """Whether all of the WAL is in the catalog and its file empty: the first column (sqlite.org/pragma.html)."""
        self._writer.set_busy_timeout(CHECKPOINT_MS)
        try:
            row = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._writer.set_busy_timeout(BUSY_MS)
        assert row is not None
        return not row[0]

    def _merge(self, *, first: bool) -> bool:
        # A negative number begins a merge of everything, the same positive one goes on (sqlite.org/fts5.html, 'merge').
        with self.write() as connection:
            before = connection.total_changes()
            pages = -MERGED_AT_ONCE if first else MERGED_AT_ONCE
            connection.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('merge', ?)", (pages,))
            return connection.total_changes() - before >= 2

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        version = _number(self._writer, "PRAGMA user_version")
        if 0 < version < len(migrations):
            self._back_up(version)
        for number, migration in enumerate(migrations[version:], version + 1):
            with self.write() as connection:
                migration(connection)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")

    def _back_up(self, version: int) -> None:
        """Copy the catalog before it is changed for good. Only the latest copy is kept, and only a whole one."""
        partial = self.path.with_name(f"{self.path.name}.backup")
        partial.unlink(missing_ok=True)
        try:
            self._writer.execute("VACUUM INTO ?", (str(partial),))
        except (apsw.FullError, apsw.IOError) as error:
            partial.unlink(missing_ok=True)
            raise DiskFull(
                "Your catalog has to be brought up to date, and there is no room for the copy made of it first.",
                f"Free {(self.path.stat().st_size >> 20) + 1} MB on the disk that holds your profile; nothing is lost.",
            ) from error
        with partial.open("rb+") as file:
            os.fsync(file.fileno())  # SQLite leaves that to us (sqlite.org/lang_vacuum.html)
        self.drop_backups()
        partial.replace(self.path.with_name(f"{self.path.name}.version-{version}"))


def open_reader(path: Path) -> apsw.Connection:
    """A connection that can only read, for this process or another one."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_MS)
    connection.execute(f"PRAGMA cache_size = -{READER_KIB}")
    return connection


def disk_full() -> DiskFull:
    """What a person is told when there is no room."""
    return DiskFull(
        "The disk is full: indexing pauses until there is room again; search goes on.",
        "Free some space on the disk that holds your profile.",
    )


def damaged(path: Path, why: str) -> CatalogDamaged:
    """What a person is told when the catalog cannot be read any more."""
    return CatalogDamaged(
        f"The catalog {path} is damaged ({why}).",
        "Your notes are untouched. `offhand doctor --fix` sets it aside and reads your folders again.",
    )


def _no_room_to_start() -> DiskFull:
    return DiskFull(
        "The disk that holds your profile is full, and Offhand cannot start on it; nothing is lost.",
        "Free some space there; Offhand then starts by itself.",
    )


@contextmanager
def explained(path: Path, full: Callable[[], DiskFull] = disk_full) -> Iterator[None]:
    """Turn SQLite's complaints about the file into problems for a person; mistakes in our SQL pass through.

    Args:
        path: the file.
        full: what is said when there is no room.
    """
    try:
        yield
    except apsw.FullError as error:
        raise full() from error
    except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError) as error:
        raise damaged(path, str(error)) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError, apsw.AuthError, apsw.IOError) as error:
        if _is_full(path):
            raise full() from error
        if isinstance(error, apsw.IOError):
            raise CatalogUnusable(
                f"The catalog {path} could not be read or written ({error}).",
                "Check the disk; your notes are untouched.",
            ) from error
        raise CatalogUnusable(
            f"The catalog {path} cannot be opened for writing.", "Check the permissions of that folder."
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise CatalogUnusable(
            f"Another program holds the catalog {path}.", "Close programs that look into Offhand's files."
        ) from error
    except apsw.ConnectionClosedError as error:
        raise CatalogUnusable("The catalog is closed; Offhand is ending.") from error


def _is_full(path: Path) -> bool:
    """SQLite says "I/O error" or "cannot open" where there is no room for one of the files beside the catalog."""
    try:
        return shutil.disk_usage(path.parent).free < LEAST_FREE
    except OSError:
        return False


def _check_owner(connection: apsw.Connection, newest: int) -> None:
    version = _number(connection, "PRAGMA user_version")
    if version > newest:
        raise CatalogUnusable(
            "Your profile was last used by a newer Offhand, and this one cannot read it.", "Update this Offhand."
        )
    owner = _number(connection, "PRAGMA application_id")
    if owner != (APPLICATION_ID if version else 0) or (
        not version and _number(connection, "SELECT count(*) FROM sqlite_schema")
    ):
        raise CatalogUnusable(
            f"{connection.filename} belongs to another program.", "Move it away; Offhand makes its own."
        )


def _check_whole(path: Path) -> None:
    # SQLite takes an empty file for a new database and deletes its WAL, and with it what the person had.
    wal = path.with_name(f"{path.name}-wal")
    if path.exists() and not path.stat().st_size and wal.exists() and wal.stat().st_size:
        raise apsw.CorruptError("the file is empty and its journal is not")


def _prepare_writer(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_MS)
    for pragma in (
        "auto_vacuum = INCREMENTAL",  # only has an effect before the first table
        "journal_mode = WAL",
        # A power cut may cost the last seconds, never the file's soundness; the next scan reads those files again.
        # FULL would cost an fsync for each of thousands of files.
        "synchronous = NORMAL",
        "secure_delete = ON",
        "foreign_keys = ON",
        "wal_autocheckpoint = 4000",  # pages; at 1000 nearly every batch of notes paid for a copy of its own
        "journal_size_limit = 67108864",
        "cache_size = -16384",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _number(connection: apsw.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
