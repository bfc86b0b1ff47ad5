"""What became of every file, how much of the folders can be found now, and why a path is or is not in the index."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from indexer import why
from indexer.ignore import IgnoreRules
from indexer.records import Coverage, FileProblem, FileRecord, FileState, Folder
from indexer.store import files, folders, ledger
from indexer.store.database import Database


class Ledger:
    """Reads the catalog's files for a person.

    Args:
        database: the catalog.
        rules: which files are left alone, asked each time.
    """

    def __init__(self, database: Database, rules: Callable[[], IgnoreRules]) -> None:
        self._database = database
        self._rules = rules
        self._changes = 0
        self._counted: tuple[int, Coverage] | None = None  # and after how many changes

    def changed(self) -> None:
        """Something in the catalog may be another than it was."""
        self._changes += 1

    def files(self, state: FileState | None, path: str, after: str, limit: int) -> list[FileRecord]:
        """What became of the files, in the order of their paths; see `store.ledger.listed`."""
        with self._database.read() as connection:
            return ledger.listed(connection, state, path, after, limit)

    def problems(self, limit: int) -> list[FileProblem]:
        """Files that are not in the index, failed ones first."""
        with self._database.read() as connection:
            return files.problems(connection, limit)

    def coverage(self) -> Coverage:
        """How much of all folders can be found now; counted once after each change."""
        changes = self._changes  # read before counting: what changes meanwhile is for the next one
        if self._counted is not None and self._counted[0] == changes:
            return self._counted[1]
        with self._database.read() as connection:
            counted = ledger.coverage(connection)
        self._counted = changes, counted
        return counted

    def knows(self, path: Path) -> bool:
        """Whether anything is known about a path, or it is a directory that is looked into."""
        if self.files(None, str(path), "", 1):
            return True
        with self._database.read() as connection:
            folder = _around(path, folders.watched(connection))
        return folder is not None and path.is_dir() and not why.against(path, folder, self._rules())

    def why(self, path: Path) -> tuple[FileRecord | None, str]:
        """What is known about a path, and in one sentence why it is or is not in the index."""
        with self._database.read() as connection:
            watched = folders.watched(connection)
            folder = _around(path, watched)
            if folder is None:  # a folder is watched under its own name, whatever link a person goes by
                real = Path(os.path.realpath(path.parent)) / path.name
                folder = _around(real, watched)
                path = real if folder is not None else path
            record = ledger.record(connection, str(path))
            below = ledger.coverage(connection, str(path))
        return record, why.sentence(path, folder, self._rules(), record, below)


def _around(path: Path, watched: Sequence[Folder]) -> Folder | None:
    return next((folder for folder in watched if path.is_relative_to(folder.path)), None)
