"""The words of a question and of a passage, made comparable: folded, lightly stemmed, without function words."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from indexer.scripts import pieces
from indexer.shortlist import idf

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+", re.UNICODE)
_OF_KANA = "\u3099\u309a"  # が is not か with an accent
_SUFFIXES = ("ingly", "edly", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e", "y")
_SHORTEST_STEM = 3

# Question words and function words of English, German, French and Spanish: they say how something is asked, not what.
FUNCTION_WORDS = frozenset(
    (
        "a about after all also am an and any are as at be been before being but by can could did do does doing "
        "for from get had has have having he her here hers him his how i if in into is it its itself just many me "
        "more most much my no nor not now of off on once one or our ours out over own please same she should so "
        "some such tell than that the their theirs them then there these they this those through to too under "
        "until up us very was we were what whats when where which while who whom whose why will with would you "
        "your yours let lets say said give show know does'nt many aber als am an auch auf aus bei beim bin bis da "
        "das dass dein dem den der des die dir doch du ein eine einem einen einer eines er es für haben hat hatte "
        "hatten ich ihr ihre im in ist ja kann mein meine mich mir mit nach nicht noch nur oder sein seine sich "
        "sie sind so über um und uns unser vom von vor war waren warum was welche welchem welchen welcher welches "
        "wann wem wen wenn wer wie wird wo wurde wurden zu zum zur viel viele au aux avec ce ces cette combien "
        "comment dans de des du elle en est et il ils je la le les leur lui ma mais mes moi mon ne nous ou où par "
        "pas pour pourquoi quand que quel quelle quelles quels qui sa se ses son sont sur ta tes toi ton tu un une "
        "vous y a ai été al como con cual cuales cuando cuanto cuantos de del donde el ella ellos en era es esta "
        "este fue ha la las lo los mi mis no para pero por que qué quien quién se ser si sin son su sus un una y "
        "yo cómo cuándo cuál cuánto cuántos dónde"
    ).split()
)


def tokens(text: str) -> list[str]:
    """All words and numbers of `text`, case-folded, without accents; scripts without spaces as pairs of characters."""
    found: list[str] = []
    for word in _WORD.findall(fold(text)):
        found += pieces(word.replace("’", "'").removesuffix("'s"))
    return found


def content(text: str) -> list[str]:
    """The words that carry meaning, each once, in their order; all words when there are only function words."""
    every = list(dict.fromkeys(tokens(text)))
    return [word for word in every if word not in _FOLDED_FUNCTION_WORDS] or every


def stem(word: str) -> str:
    """A word without its commonest English endings, so that "paid the deposits" meets "pay a deposit" half-way."""
    if word[0].isdigit():
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            word = word[: -len(suffix)]
            return word[:-1] if len(word) > _SHORTEST_STEM and word[-1] == word[-2] else word
    return word


def stems(text: str) -> frozenset[str]:
    """The stems of all words of `text`."""
    return frozenset(stem(word) for word in tokens(text))


def rarity(words: Iterable[str], frequency: Mapping[str, int], passages: int) -> dict[str, float]:
    """How telling each word is, by `idf`.

    Args:
        words: content words as `content` gives them.
        frequency: in how many passages each occurs.
        passages: how many passages there are.
    """
    return {word: idf(frequency.get(word, 0), passages) for word in words}


def fold(text: str) -> str:
    """Text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (c for c in decomposed if c in _OF_KANA or not unicodedata.combining(c))
    return unicodedata.normalize("NFC", "".join(kept))


_FOLDED_FUNCTION_WORDS = frozenset(fold(word) for word in FUNCTION_WORDS)
