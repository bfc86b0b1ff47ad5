"""One search from its words to its passages: by words at once, then with those that are close in meaning."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future

from indexer import search
from indexer.fusion import fuse
from indexer.records import EVERYWHERE, Filter, Hit, Problem
from indexer.search import Stage
from indexer.semantics import Meaning
from indexer.store import passages, selection
from indexer.store.database import Database
from indexer.terms import words_of
from indexer.worker import start_thread

Near = list[tuple[int, float]]
"""Ids and cosines, closest first."""


class Finder:
    """Finds passages.

    Args:
        database: the catalog.
        meaning: the semantics process.
        doubt: called when the index of vectors did not answer, so that somebody looks after it.
    """

    def __init__(self, database: Database, meaning: Meaning, doubt: Callable[[], None]) -> None:
        self._database = database
        self._meaning = meaning
        self._doubt = doubt

    def search(
        self,
        words: str,
        limit: int,
        meaning: bool = True,
        chosen: Filter = EVERYWHERE,
        *,
        unfinished: bool = False,
        meant: str = "",
    ) -> Iterator[tuple[Stage, list[Hit], str]]:
        """Passages, best first: ("words", hits, ""), and with `meaning` then ("fused", hits, note).

        The note is one sentence when meaning could not be searched; the hits are then those found by words. Without any
        words, the newest of the chosen files are listed.

        Args:
            unfinished: the last word is still being typed, and may be the beginning of a longer one.
            meant: what is looked for by words in the place of `words`, some of which are misspelt. It is a guess, so
                a passage with all of these words does not come before those that are close in meaning.

        Raises:
            FolderRefused: the chosen folder has no files in the index.
        """
        pool = max(limit, search.POOL) if meaning else limit  # a keystroke ranks no more than it shows
        with self._database.read() as connection:
            selection.check(connection, chosen)
            listed = chosen != EVERYWHERE and not words_of(words)
            near = self._start_near(words, pool, chosen) if meaning and not listed and words.strip() else None
            if listed:  # nothing but filters
                hits = passages.hits(connection, [(one, 0.0) for one in selection.newest(connection, chosen, limit)])
            else:
                lexical = search.words_within(connection, meant or words, pool, chosen, unfinished=unfinished)
                if meant:
                    lexical = [match._replace(whole=False) for match in lexical]
                hits = passages.hits(connection, [(match.number, match.points) for match in lexical[:limit]])
        yield "words", hits, ""
        if listed and meaning:
            yield "fused", hits, ""
        if near is None:
            return
        try:
            close = near.result()
        except Problem as problem:
            yield "fused", hits, f"{problem.what} These passages were found by their words."
            return
        with self._database.read() as connection:
            fused = passages.hits(connection, fuse(lexical, close))[:limit]
        yield "fused", fused, ""

    def _start_near(self, words: str, limit: int, chosen: Filter) -> Future[Near]:
        """Look for what is close in meaning, which is another process's work, while the words are looked up here."""
        found: Future[Near] = Future()

        def look() -> None:
            try:
                found.set_result(self._near(words, limit, chosen))
            except Exception as error:  # noqa: BLE001  # whoever asks for the result gets it
                found.set_exception(error)

        start_thread("meaning", look)
        return found

    def _near(self, words: str, limit: int, chosen: Filter) -> Near:
        if chosen != EVERYWHERE:
            return search.meaning_within(self._database, self._meaning, words, limit, chosen)
        near = search.by_meaning(self._meaning, words, limit)
        if near.exact:
            self._doubt()
        return list(zip(near.ids, near.scores, strict=True))
