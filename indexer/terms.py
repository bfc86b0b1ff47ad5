"""The words of a text as the word index keeps them, and FTS5 expressions made of them.

Whatever a person types is words, never syntax: an expression holds folded words between quotation marks and nothing
else of theirs.
"""

import re
import unicodedata
from collections.abc import Sequence

from indexer.scripts import apart, ends_in_pair, has_signs, is_sign, pieces

LONGEST_TEXT = 2_000  # characters of a question that are looked at; an embedding model reads no further either
MOST_WORDS = 32
SHORTEST_BEGINNING = 3
"""Bytes (UTF-8) of a word that is looked up as the beginning of others: three Latin letters, one Chinese sign. Two
letters begin so many words that finding their passages takes up to 40 ms among 100,000."""

_WORD = re.compile(r"[^\W_]+")


def fold(word: str) -> str:
    """A word as the index keeps it: lower case, without diacritics (FTS5's unicode61, remove_diacritics 2)."""
    if has_signs(word):
        return word.lower()  # が is not か with an accent
    signs = unicodedata.normalize("NFD", word.lower())
    return unicodedata.normalize("NFC", "".join(sign for sign in signs if not unicodedata.combining(sign)))


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

_BEGINNINGS = frozenset(word[:length] for word in _STOP_WORDS for length in range(1, len(word) + 1))


def prepared(text: str) -> str:
    """The part of a text that is looked at, composed (NFC)."""
    return unicodedata.normalize("NFC", text[:LONGEST_TEXT])


def words_of(text: str) -> list[str]:
    """All words of a text, folded, in their order; in scripts without spaces pairs of signs."""
    return [fold(piece) for word in _WORD.findall(prepared(text)) for piece in pieces(word)]


def spelt(word: str, text: str) -> str:
    """A folded word as it first stands in a text; itself where it does not."""
    return next((found for found in _WORD.findall(text) if fold(found) == word), word)


def query_words(text: str) -> list[str]:
    """The words of a question that are searched for, each once: without function words, unless there are no others."""
    every = list(dict.fromkeys(words_of(text)))[:MOST_WORDS]
    return [word for word in every if word not in _STOP_WORDS] or every


def says_little(words: Sequence[str]) -> bool:
    """Whether all of the words are function words."""
    return _STOP_WORDS.issuperset(words)


def ends_in_word(text: str) -> bool:
    """Whether nothing stands behind the last word, so that it may go on."""
    return bool(_WORD.fullmatch(prepared(text)[-1:]))


def may_go_on(word: str) -> bool:
    """Whether a word is looked up as the beginning of others.

    Not one that is too short, nor one that is or becomes a function word: "wit" would find what "with" finds, which is
    nearly every passage, and take as long as two letters.
    """
    return len(word.encode()) >= SHORTEST_BEGINNING and word not in _BEGINNINGS


def expression(words: Sequence[str], *, every: bool, unfinished: bool = False) -> str:
    """An FTS5 expression for passages with all of the words, or any of them; an unfinished last word may go on."""
    quoted = [f'"{word}"' + "*" * is_sign(word) for word in words]  # a sign is the beginning of a pair
    if unfinished and may_go_on(words[-1]) and not is_sign(words[-1]):
        quoted[-1] += "*"
    return (" AND " if every else " OR ").join(quoted)


def phrase(text: str, *, unfinished: bool = False) -> str:
    """An FTS5 expression for passages with these words one directly after the other, "" for a text without words.

    Args:
        unfinished: the last word may go on; one too short to be looked up as a beginning is left out.
    """
    every = _WORD.findall(prepared(text))
    words = [fold(word) for word in _WORD.findall(apart(" ".join(every)))]
    goes_on = unfinished and ends_in_word(text)
    if every and ends_in_pair(every[-1]):
        words, goes_on = words[:-1], False  # other signs may follow where the text goes on
    elif every and is_sign(words[-1]):
        goes_on = True
    elif goes_on and not may_go_on(words[-1]):
        words, goes_on = words[:-1], False
    return f'"{" ".join(words[:MOST_WORDS])}"' + "*" * (goes_on and len(words) <= MOST_WORDS) if words else ""
