"""What the catalog knows exactly: tasks with their due days, files, headings, tags and links."""

from indexer.records import CatalogItem, CatalogQuery, FolderRefused
from indexer.store import facts, selection
from indexer.store.database import Database


class Facts:
    """Answers queries from the catalog.

    Args:
        database: the catalog.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
        """How many there are, and `query.limit` of them after the first `query.skip`.

        Raises:
            FolderRefused: the folder that the query is kept to has no files in the index.
        """
        folder = query.within.folder
        with self._database.read() as connection:
            if folder and not selection.is_known(connection, folder):
                raise FolderRefused(f"Nothing is indexed in {folder}.", "`offhand folders` lists your folders.")
            return facts.listed(connection, query)

    def has_tag(self, tag: str) -> bool:
        """Whether a file has the tag (lower case, without "#"), or one below it."""
        with self._database.read() as connection:
            return facts.has_tag(connection, tag)

    def folder_called(self, name: str) -> str:
        """The path of the one folder of this name that holds files, "" for none or several; capitals do not count."""
        with self._database.read() as connection:
            return facts.folder_called(connection, name)

    def file_called(self, name: str) -> bool:
        """Whether a file has this title or name, with or without its suffix; capitals do not count."""
        with self._database.read() as connection:
            return facts.file_called(connection, name)
