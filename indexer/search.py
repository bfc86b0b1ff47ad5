"""Finding passages by words and by meaning, which `fusion` makes one list of."""

from collections.abc import Sequence
from typing import Literal

import apsw

from indexer import semantics, shortlist
from indexer.fusion import Match
from indexer.records import EVERYWHERE, Filter
from indexer.scripts import is_sign
from indexer.semantics import Meaning
from indexer.shortlist import Ids, idf
from indexer.store import passages, selection
from indexer.store.database import Database
from indexer.terms import LONGEST_TEXT, ends_in_word, expression, may_go_on, query_words, says_little, words_of

Stage = Literal["words", "fused"]

POOL = 50  # candidates of each kind that are fused
RANKED = 3_000  # matches that are ranked: bm25 takes one to two microseconds for each, finding them a tenth of that
SHORTLISTED = 2_000  # of the passages with some of the words, each of which makes the ranking slower
LOOKED_UP = 50_000  # times that the rarer words of a question stand in a passage; what the others add is ranked alone
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
    if unfinished and len(words) == 1 and not may_go_on(words[0]):
        found = [Match(number, 1.0, whole=True) for number in passages.titled(connection, words[0], limit, among)]
        if len(words[0]) > 1:  # a word by itself perhaps: "TV"
            found = _joined(found, by_words(connection, words[0], limit, among), limit)
        return found
    every = expression(words, every=True, unfinished=unfinished)
    whole = _newest(connection, every, among)
    alike = among is None and says_little(words)
    if alike and len(whole) > RANKED:
        prominent = passages.holding(connection, _prominent(every), limit).tolist()
        return _unranked(sorted(prominent, reverse=True), whole, limit)
    if len(words) == 1 or len(whole) >= limit:
        rank = _best if among is None else _ranked
        found = rank(connection, every, limit, whole)
        return [match._replace(whole=True) for match in found]
    some = expression(words, every=False, unfinished=unfinished)
    if among is None and not alike:
        among = _telling(connection, words, whole, max(limit, SHORTLISTED), unfinished=unfinished)
    if among is None:
        newest = _newest(connection, some, None)
        if alike and len(newest) > RANKED:
            return _unranked(whole, newest, limit)
        among = list({*newest[:RANKED], *whole})
    held = frozenset(whole)
    found = _ranked(connection, some, limit + len(held), among)
    marked = [match._replace(whole=match.number in held) for match in found]
    return sorted(marked, key=lambda match: not match.whole)[:limit]


def _newest(connection: apsw.Connection, wanted: str, among: Sequence[int] | None) -> Sequence[int]:
    """The ids of all matches, newest first; without `among` so many at most that one can tell they are too many."""
    found: list[int] = passages.holding(connection, wanted, -1 if among is not None else RANKED + 1).tolist()
    return sorted(found if among is None else set(found).intersection(among), reverse=True)


def _joined(first: Sequence[Match], more: Sequence[Match], limit: int) -> list[Match]:
    known = {match.number for match in first}
    return [*first, *(match for match in more if match.number not in known)][:limit]


def _unranked(first: Sequence[int], newest: Sequence[int], limit: int) -> list[Match]:
    """Of passages that no word sets apart from each other: some first, then the newest, which count for nothing."""
    return _joined([Match(number, 1.0, whole=True) for number in first], [Match(one, 0.0) for one in newest], limit)


def _ranked(connection: apsw.Connection, wanted: str, limit: int, ids: Sequence[int]) -> list[Match]:
    return [Match(*found) for found in passages.matching(connection, wanted, limit, ids)]


def _best(connection: apsw.Connection, wanted: str, limit: int, matching: Sequence[int]) -> list[Match]:
    """The best of the matches; of too many those with the words in title, headings or tags, then of the newest.

    Args:
        matching: their ids, newest first.
    """
    if len(matching) <= RANKED:
        return _ranked(connection, wanted, limit, matching)
    found = _ranked(connection, wanted, limit, passages.holding(connection, _prominent(wanted), RANKED).tolist())
    return (
        found if len(found) >= limit else _joined(found, _ranked(connection, wanted, limit, matching[:RANKED]), limit)
    )


def _prominent(wanted: str) -> str:
    return f"{{title headings tags}} : ({wanted})"


def _telling(
    connection: apsw.Connection, words: Sequence[str], whole: Sequence[int], count: int, *, unfinished: bool
) -> Sequence[int] | None:
    """About `count` passages with some of the words that are worth ranking, with `whole` among them; None for all."""
    frequency, total = passages.document_frequency(connection, words)
    known: dict[str, Ids] = {}
    for sign in filter(is_sign, words):  # it finds pairs that begin with it
        known[sign] = passages.holding(connection, expression([sign], every=True))
        frequency[sign] = len(known[sign])
    if (
        unfinished and may_go_on(words[-1]) and not is_sign(words[-1])
    ):  # how many it finds is not known: perhaps nearly all
        begun = expression(words[-1:], every=True, unfinished=True)
        known[words[-1]] = passages.holding(connection, begun, count)
        frequency[words[-1]] = len(known[words[-1]])
    if sum(frequency.values()) <= count:
        return None
    postings: list[tuple[float, Ids]] = []
    looked_up = 0
    for word in sorted(filter(frequency.__getitem__, frequency), key=frequency.__getitem__):
        looked_up += frequency[word]
        if looked_up > LOOKED_UP and postings and len(postings[-1][1]) >= count:  # enough without this one
            break
        ids = known[word] if word in known else passages.holding(connection, expression([word], every=True))
        postings.append((idf(frequency[word], total), ids))
    return list({*shortlist.most_telling(postings, count), *whole})


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
