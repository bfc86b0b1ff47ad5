"""Words that stand in no passage, and the words that were probably meant."""

import re
from collections.abc import Sequence

from indexer.records import QueryPart
from indexer.scripts import has_signs
from indexer.store import passages
from indexer.store.database import Database
from indexer.store.vocabulary import LONGEST, SHORTEST, Vocabulary
from indexer.terms import LONGEST_TEXT, fold, query_words

MOST = 3  # words that are looked for among all others, of one text

_LETTERS = re.compile(r"[^\W\d_]+")


class Spelling:
    """Finds what was misspelt.

    Args:
        database: the catalog.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._vocabulary = Vocabulary(database)

    def mended(
        self, text: str, parts: Sequence[QueryPart] = (), *, unfinished: bool = False, wait: bool = False
    ) -> list[QueryPart]:
        """For each word that no passage has, the nearest one that some have. What has none near stays as it is.

        Args:
            text: what was typed.
            parts: its filters, in which nothing is mended.
            unfinished: the last word may be the beginning of one.
            wait: until all words are read, at the first use and when passages are new; without it nothing is mended
                meanwhile.

        Raises:
            CatalogUnusable: the catalog cannot be read.
        """
        typed = text[:LONGEST_TEXT]
        wanted = frozenset(query_words(typed))
        words = [
            word
            for word in _LETTERS.finditer(typed)
            if SHORTEST <= len(word.group()) <= LONGEST
            and fold(word.group()) in wanted
            and _is_word(typed, word)
            and not any(part.start < word.end() and word.start() < part.end for part in parts)
        ]
        found: list[QueryPart] = []
        for word in self._unknown(words, len(text) if unfinished else -1)[:MOST]:
            nearest = self._vocabulary.nearest(fold(word.group()), wait=wait)
            if nearest:
                found.append(QueryPart("spelling", nearest, word.start(), word.end()))
        return found

    def _unknown(self, words: Sequence[re.Match[str]], end: int) -> list[re.Match[str]]:
        """The words that no passage has; the one that ends at `end` not even as a beginning."""
        with self._database.read() as connection:
            return [
                word
                for word in words
                if not passages.has_word(connection, fold(word.group()), begins=word.end() == end)
            ]


def replaced(text: str, mended: Sequence[QueryPart]) -> str:
    """A text with the words that were probably meant."""
    for part in reversed(mended):
        text = text[: part.start] + part.value + text[part.end :]
    return text


def sentence(text: str, mended: Sequence[QueryPart]) -> str:
    """What a person is told about it, "" when nothing was mended."""
    return " ".join(f"Nothing has “{text[part.start : part.end]}”; showing “{part.value}”." for part in mended)


def _is_word(text: str, found: re.Match[str]) -> bool:
    """Whether letters make up a whole word: part numbers and other mixtures are never misspelt, nor half of "couldn't",
    nor a `prefix:`, nor scripts without spaces."""
    before, behind = text[max(found.start() - 1, 0) : found.start()], text[found.end() : found.end() + 1]
    mixed = any(sign.isalnum() or sign in "_'’" for sign in before + behind)
    return not mixed and behind != ":" and not has_signs(found.group())
