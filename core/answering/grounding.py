"""Which passage each sentence of a model's prose rests on, decided by code; a sentence no passage supports is marked.

A sentence is supported when a passage holds every number and proper name in it and enough of its telling words.
"""

import re
from collections.abc import Sequence

from core.answering.sentences import units
from core.answering.words import content, stems, tokens
from core.protocol import Sentence
from indexer.records import Hit

LEAST_COVER = 0.6
"""Share of a sentence's telling words that its passage must hold; below it, half the claim may be the model's own."""

_NUMBER = re.compile(r"\d[\d.,:/-]*")
_NAME = re.compile(r"(?<=[\w,;)] )[A-ZÄÖÜ][\w'’-]+")  # a capital inside a sentence


def bind(prose: str, question: str, hits: Sequence[Hit]) -> list[Sentence]:
    """Each sentence of the prose with the number (from 1) of the passage that supports it, or None."""
    held = [stems(f"{hit.title} {hit.heading} {hit.text}") for hit in hits]
    texts = [f"{hit.title} {hit.heading} {hit.text}" for hit in hits]
    asked = stems(question)
    return [
        Sentence(prose[unit.start : unit.end], _support(prose[unit.start : unit.end], asked, held, texts))
        for unit in units(prose)
    ]


def _support(sentence: str, asked: frozenset[str], held: Sequence[frozenset[str]], texts: Sequence[str]) -> int | None:
    said = stems(" ".join(content(sentence)))
    new = said - asked or said
    best, best_cover = None, LEAST_COVER
    for number, (words, text) in enumerate(zip(held, texts, strict=True), 1):
        if not _has_all(_NUMBER.findall(sentence), text) or not _has_all(_NAME.findall(sentence), text):
            continue
        cover = len(new & words) / len(new) if new else 0.0
        if cover > best_cover or (best is None and cover == best_cover):
            best, best_cover = number, cover
    return best


def _has_all(marks: Sequence[str], text: str) -> bool:
    known = set(tokens(text))
    return all(set(tokens(mark)) <= known for mark in marks)
