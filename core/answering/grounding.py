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
_ABSOLUTE = frozenset(  # a sentence has none that its source has not
    "all every each only must always ever once most both any more less least entirely completely nur alle jede jeder "
    "jedes immer muss müssen".split()
)
_LIMITING = frozenset(  # nor is one of these left out
    "only most some few may might could should would perhaps maybe possibly probably almost nearly hardly sometimes "
    "usually if unless nur fast kaum vielleicht wohl könnte sollte würde manchmal meist falls".split()
)
_PRONOUN = re.compile(r"(?:It|He|She|They|This|That|These|Its|His|Her|Their|Er|Sie|Es|Dies\w*)\b")
_WORD = re.compile(r"[^\W\d_]+")
_CLAUSE = re.compile(r"[,;:.!?()–—|\n]")
_OPENERS = frozenset(  # of sentences: capitalised, but no names; function words besides
    "according although around based because both during each every here however since thus unfortunately usually "
    "while without yes".split()
)


_NO_NAMES = FUNCTION_WORDS | MONTHS.keys() | SMALL_NUMBERS.keys() | _OPENERS
_PARTICULAR = re.compile(  # a day as a whole, a number, or a word
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}\b|\b\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?(?:{'|'.join(MONTHS)})\b"
    rf"|\b(?:{'|'.join(MONTHS)})\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?![.,]?\d)|\d+(?:[.,:]\d+)*|[^\W\d_]+",
    re.IGNORECASE,
)


class _Place(NamedTuple):
    """A part of a passage that can support a sentence, and what it hangs under."""

    text: str
    above: str


def ground(prose: str, sources: Sequence[Source]) -> list[Sentence]:
    """Every sentence of `prose`, in order, with the number of the source that supports it, or None."""
    texts = [prose[unit.start : unit.end] for unit in units(prose)]
    return [_judged(text, sources) for text in texts]


def _judged(text: str, sources: Sequence[Source]) -> Sentence:
    source = _support(text, sources)
    return Sentence(text, source, [] if source is not None else foreign(text, sources))


def foreign(sentence: str, sources: Sequence[Source]) -> list[str]:
    """The numbers, dates and names of a sentence that stand in none of the sources, as they are written in it."""
    texts = [f"{source.title}\n{source.heading}\n{source.text}" for source in sources]
    known_numbers = frozenset[str]().union(*map(numbers, texts))
    known_days = frozenset[tuple[int, int]]().union(*map(days, texts))
    known_words = frozenset[str]().union(*map(stems, texts))
    found = []
    for match in _PARTICULAR.finditer(sentence):
        word = match.group()
        if not (numbers(word) <= known_numbers and days(word) <= known_days) or (
            _is_name(word, sentence, match.start()) and not stems(word) <= known_words
        ):
            found.append(word)
    return list(dict.fromkeys(found))


def _is_name(word: str, sentence: str, start: int) -> bool:
    """Whether it is capitalised, and not merely because the sentence begins there."""
    begins = not sentence[:start].strip(" \t\n\"'“”‘’«»„*_>#-")
    return word[0].isupper() and not begins and word.casefold() not in _NO_NAMES


def _support(sentence: str, sources: Sequence[Source]) -> int | None:
    for source in sources:
        for place in _places(source, sentence):
            if (
                _has_particulars(sentence, f"{place.above}\n{place.text}")
                and _denies(sentence) == _denies(place.text)
                and _claims_no_more(sentence, place.text)
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
    return {stem(name) for name in tokens(capitalised) if name not in _NO_NAMES} <= stems(passage)


def _claims_no_more(sentence: str, passage: str) -> bool:
    """Whether the sentence is neither more general nor more certain than the passage: "most", "may", "only" stay."""
    said, known = _bare(sentence), _bare(passage)
    return said & _ABSOLUTE <= known and _limits(passage, stems(sentence)) <= said


def _limits(passage: str, said: frozenset[str]) -> set[str]:
    """The limiting words of a passage that go with something that is said: with the next telling word, or, where the
    clause ends before there is one, with the last."""
    found = set()
    for clause in _CLAUSE.split(passage):
        words = _WORD.findall(clause)
        for place, word in enumerate(words):
            if (word if word == "May" else word.casefold()) not in _LIMITING:
                continue
            behind = [one for one in words[place + 1 :] if one.casefold() not in FUNCTION_WORDS]
            before = [one for one in words[:place] if one.casefold() not in FUNCTION_WORDS]
            with_it = behind[:1] or before[-1:]
            if stems(" ".join(with_it)) <= said:
                found.add(word.casefold())
    return found


def _bare(text: str) -> set[str]:
    """The words as they are written, but for a capital at the beginning: "May" is a month."""
    first, *others = _WORD.findall(text) or [""]
    return {first if first == "May" else first.casefold(), *others}


def _denies(text: str) -> bool:
    return any(word in _NEGATIONS or word.endswith("n't") for word in tokens(text))
