"""The notes that one question is answered from: all of them, or those that the person has chosen."""

from collections.abc import Iterator, Sequence

from indexer.index import Index
from indexer.records import EVERYWHERE, Filter, Hit
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
