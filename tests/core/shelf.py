"""A library of a few passages in memory, for the tests of answering; the real index is tested in its own room."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from core.answering.words import content, stem, stems, tokens
from indexer.records import CatalogItem, CatalogQuery, Hit, Problem


class Shelf:
    """A library of a few passages in memory, ranked by how many of the words they have.

    It stands in for the index, whose search and catalog are tested in their own room; `meaning` switches the
    embedding model on.
    """

    def __init__(self, passages: Sequence[str], *, embed: Any = None, title: str = "Notes") -> None:
        self.hits = [_hit(number, title, text) for number, text in enumerate(passages)]
        self.embed = embed
        self.searches: list[str] = []
        self.narrowed = False

    def search(
        self, words: str, limit: int, meaning: bool
    ) -> Iterator[tuple[Literal["words", "fused"], list[Hit], str]]:
        self.searches.append(words)
        wanted = {stem(word) for word in content(words)}
        ranked = sorted(self.hits, key=lambda hit: -len(wanted & stems(hit.text)))
        found = [hit for hit in ranked if wanted & stems(hit.text)][:limit]
        yield "words", found, ""
        yield "fused", found, "" if self.embed else "Search by meaning is switched off."

    def similarity(self, question: str, sentences: list[str]) -> list[float]:
        if self.embed is None:
            raise Problem("Search by meaning is switched off.")
        vectors = self.embed.embed([question, *sentences])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    def document_frequency(self, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        sets = [frozenset(tokens(hit.text)) for hit in self.hits]
        return {term: sum(term in words for words in sets) for term in terms}, len(self.hits)

    def listed(self, query: CatalogQuery) -> tuple[int, list[CatalogItem]]:
        return 0, []

    def has_tag(self, tag: str) -> bool:
        return False

    def folder_called(self, name: str) -> str:
        return ""

    def file_called(self, name: str) -> bool:
        return False


def _hit(number: int, title: str, text: str) -> Hit:
    start = 100 * number  # as if something stood before it in its file
    return Hit(
        number, f"/notes/{number}.md", title, title, 5, 5 + text.count("\n"), None, start, start + len(text), 1.0, text
    )
