"""The notes that one question is answered from: all of them, or those that the person has chosen."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import structs

from indexer.index import Index
from indexer.records import EVERYWHERE, CatalogItem, CatalogQuery, Filter, Hit
from indexer.search import Stage

NO_FOLDERS = "You have no folders yet: `offhand add FOLDER`."


class Shelf:
    """The library of answering (`core.answering.library`) over the index.

    Args:
        index: the person's folders.
        chosen: the files that are looked into.
    """

    def __init__(self, index: Index, chosen: Filter = EVERYWHERE) -> None:
        self._index = index
        self._chosen = chosen

    def search(
        self, words: str, limit: int, meaning: bool = True, *, unfinished: bool = False, meant: str = ""
    ) -> Iterator[tuple[Stage, list[Hit], str]]:
        """See `Index.search`; the note tells a person without any folder how to add one."""
        found = self._index.search(words, limit, meaning, self._chosen, unfinished=unfinished, meant=meant)
        for stage, hits, note in found:
            yield stage, hits, note if hits or self._index.folders() else NO_FOLDERS

    def similarity(self, question: str, sentences: list[str]) -> list[float]:
        """See `Index.similarity`."""
        return self._index.similarity(question, sentences)

    def document_frequency(self, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        """See `Index.document_frequency`."""
        return self._index.document_frequency(terms)

    @property
    def narrowed(self) -> bool:
        """Whether only some files are looked into."""
        return self._chosen != EVERYWHERE

    def listed(self, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
        """See `Facts.listed`; what the query is kept to lies among the chosen files."""
        folder = _inner(query.within.folder, self._chosen.folder)
        if folder is None:
            return 0, []
        return self._index.facts.listed(structs.replace(query, within=structs.replace(self._chosen, folder=folder)))

    def has_tag(self, tag: str) -> bool:
        """See `Facts.has_tag`."""
        return self._index.facts.has_tag(tag)

    def folder_called(self, name: str) -> str:
        """See `Facts.folder_called`."""
        return self._index.facts.folder_called(name)

    def file_called(self, name: str) -> bool:
        """See `Facts.file_called`."""
        return self._index.facts.file_called(name)


def _inner(one: str, other: str) -> str | None:
    """The folder that lies in the other one, "" where both are everywhere, None where neither does."""
    if not one or not other:
        return one or other
    inner, outer = sorted((Path(one), Path(other)), key=lambda path: -len(path.parts))
    return str(inner) if inner.is_relative_to(outer) else None
