"""What answering needs from the index, and nothing more, so that it can be tested and grown without it."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from indexer.records import CatalogItem, CatalogQuery, Hit


class Library(Protocol):
    """The person's notes, searchable."""

    def search(
        self, words: str, limit: int, meaning: bool
    ) -> Iterator[tuple[Literal["words", "fused"], list[Hit], str]]:
        """Passages, best first: by words, then fused with those close in meaning; the note says what was missing."""
        ...

    def similarity(self, question: str, sentences: list[str]) -> list[float]:
        """The cosine of each sentence with the question.

        Raises:
            Problem: the embedding model is not available now.
        """
        ...

    def document_frequency(self, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        """In how many passages each term occurs, and how many passages there are."""
        ...

    @property
    def narrowed(self) -> bool:
        """Whether only some files are looked into."""
        ...

    def listed(self, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
        """What the catalog holds of what is asked for: how many there are, and `query.limit` of them.

        Raises:
            Problem: the folder that the notes are kept to has no files in the index.
        """
        ...

    def has_tag(self, tag: str) -> bool:
        """Whether a file has the tag (lower case, without "#"), or one below it."""
        ...

    def folder_called(self, name: str) -> str:
        """The path of the one folder of this name, "" for none or several; capitals do not count."""
        ...

    def file_called(self, name: str) -> bool:
        """Whether a file has this title or name; capitals do not count."""
        ...
