"""What may become of a folder's text: whether it may go to a model on another machine.

This room only keeps the rule beside the folder; it is `core.privacy` that acts on it.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from indexer.placement import holds, names
from indexer.records import STRICTEST, FolderRefused, FolderRule
from indexer.store import folder_copy, folders
from indexer.store.database import Database
from indexer.store.folder_copy import Chosen


class FolderRules:
    """The rules of the watched folders.

    Args:
        database: the catalog.
        on_change: called when a rule has changed.
    """

    def __init__(self, database: Database, on_change: Callable[[], None]) -> None:
        self._database = database
        self._on_change = on_change

    def of(self, paths: Sequence[str]) -> dict[str, FolderRule]:
        """The rule of each file as it is now; files that are in no watched folder (any more) are left out.

        Where links out of a folder are followed, a file has the strictest rule of all folders that it is in by its name
        and by where it really lies, and is left out where that cannot be seen: its link may have led into another one.
        """
        with self._database.read() as connection:
            found = folders.rules(connection, paths)
            watched = folder_copy.chosen(connection)
        own = {path: _strictest(path, rule, watched) if links else rule for path, (rule, links) in found.items()}
        return {path: rule for path, rule in own.items() if rule is not None}

    def kept_here(self) -> list[str]:
        """The folders whose text and vectors never leave this machine."""
        with self._database.read() as connection:
            return folders.with_rule(connection, "local")

    def set(self, path: Path, rule: FolderRule) -> None:
        """Give a watched folder another rule; it holds from this moment on.

        Raises:
            FolderRefused: it is not watched.
        """
        with self._database.write() as connection:
            known = any(folders.set_rule(connection, name, rule) for name in names(path))
        if not known:
            raise FolderRefused(f"{path} is not one of your folders.", "`offhand folders` lists them.")
        self.copy()
        self._on_change()

    def copy(self) -> None:
        """Keep the list of folders and their rules beside the catalog too."""
        with self._database.write() as connection:  # one copy at a time
            folder_copy.save(self._database.path, folder_copy.chosen(connection))


def _strictest(path: str, rule: FolderRule, watched: Sequence[Chosen]) -> FolderRule | None:
    try:
        real = os.path.realpath(path, strict=True)
    except OSError:
        return None
    rules = [rule, *(folder.rule for folder in watched if holds(folder.path, real))]
    return min(rules, key=STRICTEST.index)
