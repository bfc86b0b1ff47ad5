"""What answering needs from the index, and nothing more, so that it can be tested and grown without it."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from indexer.records import Hit


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
