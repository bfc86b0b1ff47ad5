"""Finding passages by words and by meaning, which `fusion` makes one list of."""

from collections.abc import Sequence
from typing import Literal

import apsw

from indexer import semantics, shortlist
from indexer.fusion import Match
from indexer.records import EVERYWHERE, Filter
from indexer.semantics import Meaning
from indexer.store import passages, selection
from indexer.store.database import Database
from indexer.terms import LONGEST_TEXT, ends_in_word, expression, is_short, query_words, words_of

Stage = Literal["words", "fused"]

POOL = 50  # candidates of each kind that are fused
RANKED = 5_000  # matches that are ranked: bm25 takes one to two microseconds for each, finding them a tenth of that
SHORTLISTED = 3_000  # about; of the passages with some of many words, each of which makes the ranking slower
FEW = 5_000  # passages admitted by a filter that are looked at one by one, in about 30 ms
WIDE = 1_000  # candidates of each kind when a filter admits more: Chroma finds so many in 15 ms
PATIENCE = 60.0  # seconds; only the first question after a start waits for the model


def by_words(
    connection: apsw.Connection,
    text: str,
    limit: int,
    among: Sequence[int] | None = None,
    *,
    unfinished: bool = False,
) -> list[Match]:
    """The passages that match, best first: those with all of the words before those with some.

    Args:
        among: look at these passages only, and rank every one of them that matches.
        unfinished: the last word may be the beginning of a longer one, unless something stands behind it.
    """
    words = query_words(text)
    if not words:
        return []
    unfinished = unfinished and ends_in_word(text) and words_of(text)[-1] == words[-1]
    if unfinished and len(words) == 1 and is_short(words[0]):
        found = [Match(number, 1.0, whole=True) for number in passages.titled(connection, words[0], limit, among)]
        if len(words[0]) > 1:  # a word by itself perhaps: "TV"
            found = _joined(found, _ranked(connection, expression(words, every=True), limit, among), limit)
        return found
    every = expression(words, every=True, unfinished=unfinished)
    found = [match._replace(whole=True) for match in _ranked(connection, every, limit, among)]
    if len(words) > 1 and len(found) < limit:
        some = expression(words, every=False, unfinished=unfinished)
        if among is None:
            some = _narrowed(connection, words, some, unfinished=unfinished)
        found = _joined(found, _ranked(connection, some, limit, among), limit)
    return found


def _joined(first: Sequence[Match], more: Sequence[Match], limit: int) -> list[Match]:
    known = {match.number for match in first}
    return [*first, *(match for match in more if match.number not in known)][:limit]


def _ranked(connection: apsw.Connection, wanted: str, limit: int, among: Sequence[int] | None) -> list[Match]:
    """The best matches; of too many, those with the words in title, headings or tags, then the best of the newest."""

    def matching(expression: str, above: int = 0) -> list[Match]:
        found = passages.matching(connection, expression, limit, above=above, among=among)
        return [Match(number, points) for number, points in found]

    above = 0 if among is not None else passages.nth_newest(connection, wanted, RANKED)
    if not above:
        return matching(wanted)
    prominent = f"{{title headings tags}} : ({wanted})"
    found = matching(prominent, passages.nth_newest(connection, prominent, RANKED))
    return found if len(found) >= limit else _joined(found, matching(wanted, above), limit)


def _narrowed(connection: apsw.Connection, words: Sequence[str], some: str, *, unfinished: bool) -> str:
    """`some`, where it has too many matches only those with the words that tell most; all words rank."""
    if not passages.nth_newest(connection, some, RANKED):
        return some
    frequency, total = passages.document_frequency(connection, words)
    if unfinished:
        frequency.pop(words[-1], None)
    chosen = [f"({expression(group, every=True)})" for group in shortlist.groups(frequency, total, SHORTLISTED)]
    return f"({' OR '.join(chosen)}) AND ({some})" if chosen else some


def words_within(
    connection: apsw.Connection, text: str, limit: int, chosen: Filter, *, unfinished: bool = False
) -> list[Match]:
    """As `by_words`, in the chosen files only."""
    if chosen == EVERYWHERE:
        return by_words(connection, text, limit, unfinished=unfinished)
    among = selection.ids(connection, chosen, FEW + 1)
    if len(among) > FEW:
        found = by_words(connection, text, WIDE, unfinished=unfinished)
        admitted = frozenset(selection.admitted(connection, chosen, [match.number for match in found]))
        kept = [match for match in found if match.number in admitted]
        if len(kept) >= limit or len(found) < WIDE:
            return kept[:limit]
        among = selection.ids(connection, chosen)
    return by_words(connection, text, limit, among, unfinished=unfinished)


def by_meaning(meaning: Meaning, text: str, limit: int, among: list[int] | None = None) -> semantics.Neighbours:
    """The passages closest to a text; with `among` the closest of these, each of them compared.

    Raises:
        Problem: meaning cannot be searched now.
    """
    found = meaning.ask(semantics.Nearest(unmarked(text), limit, among), patience=PATIENCE)
    assert isinstance(found, semantics.Neighbours)
    return found


def meaning_within(
    database: Database, meaning: Meaning, text: str, limit: int, chosen: Filter
) -> list[tuple[int, float]]:
    """The passages of the chosen files that are closest to a text: ids and cosines.

    Few passages are compared one by one. When most are admitted, the index is asked for more than is needed; should
    too few of these be admitted, every admitted one is compared after all.

    Raises:
        Problem: meaning cannot be searched now.
    """
    with database.read() as connection:
        among = selection.ids(connection, chosen, FEW + 1)
    if len(among) > FEW:
        found = by_meaning(meaning, text, WIDE)
        with database.read() as connection:
            admitted = frozenset(selection.admitted(connection, chosen, found.ids))
            kept = [near for near in zip(found.ids, found.scores, strict=True) if near[0] in admitted]
            if len(kept) >= limit:
                return kept[:limit]
            among = selection.ids(connection, chosen)
    found = by_meaning(meaning, text, limit, among)
    return list(zip(found.ids, found.scores, strict=True))


def unmarked(question: str) -> str:
    """A question as it is embedded: without the marks at its end, which would change what is found.

    On the development sets that finds as well or better (right one first: en 0.881 for 0.876, de 0.627 for 0.624).
    """
    return sendable(question).rstrip(" \t\n?!.？！。") or sendable(question)


def sendable(text: str) -> str:
    """A question as it can cross a process border: not too long, and no halves of characters."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
