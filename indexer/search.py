"""Finding passages by words, by meaning, and both fused. Whatever a person types is words, never syntax."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

import apsw

from indexer import semantics
from indexer.child import Child
from indexer.store import passages

Stage = Literal["words", "fused"]

POOL = 50  # candidates of each kind that are fused
RRF_K = 60  # Cormack, Clarke & Büttcher 2009, "Reciprocal rank fusion": flat enough that one list cannot rule alone
LONGEST_TEXT = 2_000  # characters of a question that are looked at; an embedding model reads no further either
MOST_WORDS = 32
PATIENCE = 60.0  # seconds; only the first question after a start waits for the model

_WORD = re.compile(r"[^\W_]+")


def fold(word: str) -> str:
    """A word as the index keeps it: lower case, without diacritics (FTS5's unicode61, remove_diacritics 2)."""
    apart = unicodedata.normalize("NFD", word.lower())
    return unicodedata.normalize("NFC", "".join(sign for sign in apart if not unicodedata.combining(sign)))


# Function words of English, German, French and Spanish: in nearly every passage, and in nearly every question.
_STOP_WORDS = frozenset(
    fold(word)
    for word in (
        "a about am an and any are as at be been but by can could did do does for from get had has have how i if in "
        "into is it its many me much my no not of on or our s should t than that the their them then there these they "
        "this to us was we were what when where which who whom whose why will with would you your "
        "aber als am an auch auf aus bei bin bis da das dass dem den der des die doch du ein eine einem einen einer er "
        "es für haben hat hatte ich ihr im in ist kann man mein meine mich mir mit nach nicht noch nur oder sein sich "
        "sie sind so über um und uns vom von vor war waren warum was wann welche welcher welches wem wen wenn wer wie "
        "wird wo wurde zu zum zur "
        "au aux avec ce ces cette combien comment dans de du elle en est et il ils je l la le les leur ma mais mes mon "
        "ne nous où par pas pour pourquoi quand que quel quelle qui sa se ses son sur un une vous "
        "al como cómo con cual cuál cuando cuándo cuánto del donde dónde el ella en era es esta este fue ha las lo los "
        "mi mis no para pero por qué quién ser si sin su sus una y yo"
    ).split()
)


def query_words(text: str) -> list[str]:
    """The words of a question that are searched for, each once: without function words, unless there are no others."""
    found = dict.fromkeys(fold(word) for word in _WORD.findall(_prepared(text)))
    every = list(found)[:MOST_WORDS]
    return [word for word in every if word not in _STOP_WORDS] or every


def expression(words: Sequence[str], *, every: bool, unfinished: bool = False) -> str:
    """An FTS5 expression for passages with all of the words, or any of them; an unfinished last word may go on."""
    quoted = [f'"{word}"' for word in words]
    if unfinished and len(words[-1]) > 1:  # the index of prefixes begins at two letters
        quoted[-1] += "*"
    return (" AND " if every else " OR ").join(quoted)


def by_words(connection: apsw.Connection, text: str, limit: int) -> list[int]:
    """Ids of the passages that match, best first: those with all of the words before those with some."""
    words = query_words(text)
    if not words:
        return []
    typed = _prepared(text)
    unfinished = _WORD.fullmatch(typed[-1:]) is not None and fold(_WORD.findall(typed)[-1]) == words[-1]
    if unfinished and len(words) == 1 and len(words[0]) == 1:
        return passages.titled(connection, words[0], limit)
    found = passages.matching(connection, expression(words, every=True, unfinished=unfinished), limit)
    if len(words) > 1 and len(found) < limit:
        some = passages.matching(connection, expression(words, every=False, unfinished=unfinished), limit)
        found = list(dict.fromkeys([*found, *some]))[:limit]
    return found


def by_meaning(meaning: Child[semantics.Call, semantics.Event], text: str, limit: int) -> semantics.Neighbours:
    """The passages closest to a text.

    Raises:
        Problem: meaning cannot be searched now.
    """
    found = meaning.ask(semantics.Nearest(sendable(text), limit), patience=PATIENCE)
    assert isinstance(found, semantics.Neighbours)
    return found


def sendable(text: str) -> str:
    """A question as it can cross a process border: not too long, and no halves of characters."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode()


def fuse(*rankings: Sequence[int]) -> list[tuple[int, float]]:
    """Several rankings of ids as one, best first: reciprocal rank fusion, score = Σ 1 / (RRF_K + rank)."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def _prepared(text: str) -> str:
    return unicodedata.normalize("NFC", text[:LONGEST_TEXT])
