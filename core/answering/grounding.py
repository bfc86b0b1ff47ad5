"""Binds each sentence of the prose to the passage that supports it, or to none. Code decides, never the model.

It is strict on purpose: a true sentence that goes unmarked as supported costs trust in one line, a false one that is
given a source costs trust in all of them.
"""

import re
from collections.abc import Sequence

from core.answering.library import Library
from core.answering.numbers import MONTHS, SMALL_NUMBERS, numbers
from core.answering.sentences import units
from core.answering.words import FUNCTION_WORDS, content, rarity, stem, stems, tokens
from core.protocol import Sentence, Source
from indexer.records import Problem

ENOUGH_WORDS = 0.8  # idf-weighted share of the sentence's content words that the passage must have
SOME_WORDS = 0.5  # enough with ENOUGH_CLOSE: the sentence says the same in other words
ENOUGH_CLOSE = 0.75  # cosine with the closest unit of the passage

_NEGATIONS = frozenset(
    "no not never none nobody nothing neither nor without cannot kein keine keinen nicht nie".split()
)
_WORD = re.compile(r"[^\W\d_]+")
_OPENERS = frozenset(  # of sentences: capitalised, but no names; function words besides
    "according although around based because both during each every here however since thus unfortunately usually "
    "while without yes".split()
)


def ground(prose: str, sources: Sequence[Source], library: Library) -> list[Sentence]:
    """Every sentence of `prose`, in order, with the number of the source that supports it, or None."""
    texts = [prose[unit.start : unit.end] for unit in units(prose)]
    words = {word for text in texts for word in content(text)}
    frequency, passages = library.document_frequency(sorted(words))
    weights = rarity(words, frequency, passages)
    return [Sentence(text, _support(text, sources, weights, library)) for text in texts]


def _support(sentence: str, sources: Sequence[Source], weights: dict[str, float], library: Library) -> int | None:
    words = [word for word in content(sentence) if not word[0].isdigit() and word not in MONTHS]
    said = {stem(word): 1 + weights[word] for word in words}
    total = sum(said.values())
    best, best_place, best_share = None, "", 0.0
    for source in sources:
        for place in _places(source.text):
            whole = f"{source.title} {source.heading}\n{place}"
            if not _has_particulars(sentence, whole):
                continue
            known = stems(whole)
            share = sum(weight for word, weight in said.items() if word in known) / total if total else 1.0
            if share > best_share:
                best, best_place, best_share = source, place, share
    if best is None or best_share < SOME_WORDS or not _same_polarity(sentence, best_place):
        return None
    return best.n if best_share >= ENOUGH_WORDS or _is_close(sentence, best_place, library) else None


def _places(passage: str) -> list[str]:
    """The parts of a passage that belong together closely enough to support one sentence.

    A row of a table stands alone, under its header: its neighbours say something about something else. A list's items
    count together, a sentence with the one before and the one after.
    """
    places = []
    parts = [unit for unit in units(passage) if unit.kind not in ("heading", "header")]
    for at, unit in enumerate(parts):
        around = parts if unit.kind == "item" else parts[max(at - 1, 0) : at + 2]
        near = [other for other in around if (other.kind, other.context) == (unit.kind, unit.context)]
        near = [unit] if unit.kind == "row" else near
        places.append("\n".join([unit.context, *(passage[other.start : other.end] for other in near)]))
    return list(dict.fromkeys(places))


def _has_particulars(sentence: str, passage: str) -> bool:
    """Whether every number, date and name of the sentence stands in the passage too."""
    if not numbers(sentence) <= numbers(passage):
        return False
    capitalised = " ".join(word for word in _WORD.findall(sentence) if word[0].isupper())
    no_names = FUNCTION_WORDS | MONTHS.keys() | SMALL_NUMBERS.keys() | _OPENERS
    return {stem(name) for name in tokens(capitalised) if name not in no_names} <= stems(passage)


def _same_polarity(sentence: str, passage: str) -> bool:
    """Whether both deny or both do not; in the passage the unit counts that shares most words with the sentence."""
    said = stems(sentence)
    parts = [passage[unit.start : unit.end] for unit in units(passage)] or [passage]
    closest = max(parts, key=lambda part: len(said & stems(part)))
    return _denies(sentence) == _denies(closest)


def _denies(text: str) -> bool:
    return any(word in _NEGATIONS or word.endswith("n't") for word in tokens(text))


def _is_close(sentence: str, passage: str, library: Library) -> bool:
    parts = [passage[unit.start : unit.end] for unit in units(passage)]
    try:
        return max(library.similarity(sentence, parts), default=0.0) >= ENOUGH_CLOSE
    except Problem:
        return False
