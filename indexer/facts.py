"""What the catalog knows exactly: tasks with their due days, files, headings, tags and links."""

import os

from indexer.records import CatalogItem, CatalogQuery
from indexer.store import facts, selection
from indexer.store.database import Database


class Facts:
    """Answers queries from the catalog.

    Args:
        database: the catalog.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._named: dict[str, set[str]] = {}  # folders that hold files, by their folded names
        self._seen = 0  # the highest id among the files whose folders are in there

    def listed(self, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
        """How many there are, and `query.limit` of them after the first `query.skip`.

        Raises:
            FolderRefused: the folder that the query is kept to has no files in the index.
        """
        with self._database.read() as connection:
            selection.check(connection, query.within)
            return facts.listed(connection, query)

    def has_tag(self, tag: str) -> bool:
        """Whether a file has the tag (lower case, without "#"), or one below it."""
        with self._database.read() as connection:
            return facts.has_tag(connection, tag)

    def folder_called(self, name: str) -> str:
        """The path of the one folder of this name that holds files, "" for none or several; capitals do not count.

        A folder that was renamed a moment ago may not be known by its new name yet.
        """
        self._learn(self._named, self._seen)
        found = tuple(self._named.get(name.casefold(), ()))
        outermost = [one for one in found if not any(one.startswith(other + os.sep) for other in found)]
        with self._database.read() as connection:
            known = [one for one in outermost if selection.is_known(connection, one)]
        return known[0] if len(known) == 1 else ""

    def look_again(self) -> None:
        """Learn the names of all folders anew; otherwise only those of new files are learnt."""
        named: dict[str, set[str]] = {}
        self._learn(named, 0)
        self._named = named

    def _learn(self, named: dict[str, set[str]], above: int) -> None:
        with self._database.read() as connection:
            highest, directories = facts.directories(connection, above)
        for root, directory in directories:
            while len(directory) >= len(root):
                above_it, name = os.path.split(directory)
                paths = named.setdefault(name.casefold(), set())
                if directory in paths:
                    break
                paths.add(directory)
                directory = above_it  # noqa: PLW2901  # and on to the folder around it
        self._seen = highest

    def file_called(self, name: str) -> bool:
        """See `store.facts.file_called`."""
        with self._database.read() as connection:
            return facts.file_called(connection, name)
