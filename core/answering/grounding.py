"""Binds each sentence of the prose to the passage that supports it, or to none. Code decides, never the model.

A sentence of the prose is supported by one sentence, item or row that has all its telling words, its numbers and names,
denies where it denies, and relates the words in the same way. Strict on purpose: a true sentence that goes unmarked as
supported costs trust in one line, a false one that is given a source costs trust in all of them. Closeness in meaning
is no help: to MiniLM "Heinz broke the valve" is as close to "Heinz replaced the valve" (0.94) as "swapped by Heinz" is.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.answering.numbers import MONTHS, SMALL_NUMBERS, days, numbers
from core.answering.relation import relates
from core.answering.sentences import Unit, units
from core.answering.words import FUNCTION_WORDS, stem, stems, tokens
from core.protocol import Sentence, Source

_NEGATIONS = frozenset(
    "no not never none nobody nothing neither nor without cannot kein keine keinen nicht nie".split()
)
_PRONOUN = re.compile(r"(?:It|He|She|They|This|That|These|Its|His|Her|Their|Er|Sie|Es|Dies\w*)\b")
_WORD = re.compile(r"[^\W\d_]+")
_OPENERS = frozenset(  # of sentences: capitalised, but no names; function words besides
    "according although around based because both during each every here however since thus unfortunately usually "
    "while without yes".split()
)


class _Place(NamedTuple):
    """A part of a passage that can support a sentence, and what it hangs under."""

    text: str
    above: str


def ground(prose: str, sources: Sequence[Source]) -> list[Sentence]:
    """Every sentence of `prose`, in order, with the number of the source that supports it, or None."""
    texts = [prose[unit.start : unit.end] for unit in units(prose)]
    return [Sentence(text, _support(text, sources)) for text in texts]


def _support(sentence: str, sources: Sequence[Source]) -> int | None:
    for source in sources:
        for place in _places(source, sentence):
            if (
                _has_particulars(sentence, f"{place.above}\n{place.text}")
                and _denies(sentence) == _denies(place.text)
                and relates(_without_opener(sentence), place.text, place.above)
            ):
                return source.n
    return None


def _places(source: Source, sentence: str) -> Iterator[_Place]:
    """The single sentences, items and rows of a passage; never two that say something of two things.

    A sentence that begins with a pronoun needs the one before it. Of a list several items count together where the
    sentence has them whole.
    """
    passage = source.text
    parts = [unit for unit in units(passage) if unit.kind not in ("heading", "header")]
    said = stems(sentence)
    before: Unit | None = None
    listed: dict[str, list[str]] = {}
    for unit in parts:
        text = passage[unit.start : unit.end]
        above = f"{source.title} {source.heading} {unit.context}"
        if before and unit.kind == before.kind == "prose" and _PRONOUN.match(text):
            yield _Place(f"{passage[before.start : before.end]} {text}", above)
        yield _Place(text, above)
        before = unit
        if unit.kind == "item" and stems(text) <= said:
            listed.setdefault(above, []).append(text)
    for above, items in listed.items():
        yield _Place(", ".join(items), above)


def _without_opener(sentence: str) -> str:
    """Without what a model likes to begin with: "Usually", "According to your notes,"."""
    first = _WORD.search(sentence)
    return sentence[first.end() :] if first and first.group().casefold() in _OPENERS else sentence


def _has_particulars(sentence: str, passage: str) -> bool:
    """Whether every number, date and name of the sentence stands in the passage too."""
    if not (numbers(sentence) <= numbers(passage) and days(sentence) <= days(passage)):
        return False
    capitalised = " ".join(word for word in _WORD.findall(sentence) if word[0].isupper())
    no_names = FUNCTION_WORDS | MONTHS.keys() | SMALL_NUMBERS.keys() | _OPENERS
    return {stem(name) for name in tokens(capitalised) if name not in no_names} <= stems(passage)


def _denies(text: str) -> bool:
    return any(word in _NEGATIONS or word.endswith("n't") for word in tokens(text))
