"""The verbatim answer: the one or two sentences of the notes that answer best, or None when nothing does well enough.

No model writes it. A sentence is judged by its closeness in meaning to the question and by how many of the question's
telling words it covers, and by whether it has what such a question asks for: a name, a time, a number. The best is
quoted if it is close enough, stands out, and its passage has the question's words. A passage without a number of the
question is about another thing, whatever else it says. A quote is a span of the text, never rewritten.
"""

from collections.abc import Sequence
from typing import NamedTuple

from core.answering.answer_type import asked_for, attribute, has_one
from core.answering.library import Library
from core.answering.numbers import numbers
from core.answering.sentences import Unit, units
from core.answering.words import content, rarity, stem, stems, tokens
from core.protocol import Quote
from indexer.records import Hit, Problem

# Weights and thresholds: docs/decisions/0004-quote-threshold.md; benchmarks/quote_threshold.py measures them again, and
# benchmarks/quote_weights.py makes those of the confidence.
COVER_WEIGHT = 0.8
ABOVE_SHARE = 0.8  # what a question's word counts that stands in the headings above a sentence, not in it
BESIDE_SHARE = 0.4  # and in the sentence before or after
NEIGHBOUR_RATIO = 0.5  # a neighbour is quoted too if it scores this share of the best sentence,
NEIGHBOUR_GAIN = 0.1  # or covers words of the question that the best one lacks and that make up this share of it
CUE_WEIGHT = 0.05  # for a name where the question asks who, a time where it asks when, a number where it asks how many
FEW_WORDS = 2  # in a question of so few, none or only the commoner one may be missing from the passage
LONG_NUMBER = 2  # digits; shorter numbers are written in too many ways ("grade I")
JUDGED_BY_MEANING = 10  # sentences; embedding one costs 5 to 9 ms, so only those that the words favour are
SAME = 0.6  # sentences that share this much of their words (Jaccard) say the same: neither makes the other doubtful
CONFIDENCE = (7.24, 0.78, 6.99, -2.96)  # a logistic regression's weights of `Signs`, in their order,
CONFIDENCE_BASE = -5.18  # and its constant
THRESHOLD = -2.07
THRESHOLD_BY_WORDS = 0.38

_NOT_QUOTED = ("heading", "header")


class Candidate(NamedTuple):
    """A unit of a passage: `hit` is the passage's place among the hits, `at` the unit's place in that passage.

    `words` are the question's words (stems) that the unit itself has, `cover` their share and that of its surroundings.
    """

    hit: int
    at: int
    words: frozenset[str]
    cover: float
    score: float
    cosine: float = 0.0


class Signs(NamedTuple):
    """What tells whether the best sentence answers, each about 0 to 1.

    cosine: its closeness to the question.  inside: the share of the question's words, by idf, that it has itself.
    margin: by how much its score is above the next sentence's that says something else.
    missing: the share of the question's words that its passage lacks, with its headings.
    """

    cosine: float
    inside: float
    margin: float
    missing: float


class Evidence(NamedTuple):
    """What the passages hold on a question: each one's units, the candidates best first, the quote and its passage.

    `confidence` is what was held against the threshold: log odds, or the score while the embedding model is away.
    """

    units: list[list[Unit]]
    candidates: list[Candidate]
    quote: Quote | None
    hit: int | None
    confidence: float = float("-inf")


def weigh(question: str, hits: Sequence[Hit], library: Library) -> Evidence:
    """Judge every sentence of the passages and choose the quote.

    Args:
        question: as `question.clean` gives it.
        hits: the passages, best first.
    """
    split = [units(hit.text) for hit in hits]
    weights = shares(question, library)
    about = [_is_about(question, weights, hit) for hit in hits]
    candidates = [one for one in _covers(weights, hits, split) if about[one.hit]]
    meant = True
    try:
        candidates = _with_meaning(question, hits, split, candidates, library)
    except Problem:  # without the embedding model the words have to do
        meant = False
    candidates = _with_cue(question, hits, split, candidates)
    candidates.sort(key=lambda candidate: -candidate.score)
    if not candidates:
        return Evidence(split, candidates, None, None)
    best = candidates[0]
    sure = confidence(signs(candidates, weights, hits, split)) if meant else best.score
    if sure < (THRESHOLD if meant else THRESHOLD_BY_WORDS):
        return Evidence(split, candidates, None, None, sure)
    start, end = _span(best, candidates, weights, split[best.hit], hits[best.hit].text)
    return Evidence(split, candidates, _quote(hits[best.hit], start, end), best.hit, sure)


def signs(
    candidates: Sequence[Candidate], weights: dict[str, float], hits: Sequence[Hit], split: Sequence[Sequence[Unit]]
) -> Signs:
    """The signs of the first candidate.

    Args:
        candidates: at least one, best first.
        weights: the question's stems with the share of the question that each makes up.
        split: the units of each of the hits.
    """

    def said(one: Candidate) -> frozenset[str]:
        unit = split[one.hit][one.at]
        return stems(hits[one.hit].text[unit.start : unit.end])

    best, hit = candidates[0], hits[candidates[0].hit]
    own = said(best)
    # Without another sentence there is nothing to be ahead of, which is no sign of anything.
    second = next((one.score for one in candidates[1:] if not _alike(own, said(one))), best.score)
    inside = sum(weights[word] for word in best.words)
    known = stems(f"{hit.title} {hit.heading} {hit.text}")
    missing = sum(weight for word, weight in weights.items() if word not in known)
    return Signs(best.cosine, inside, best.score - second, missing)


def confidence(found: Signs) -> float:
    """The log odds that a quote with these signs holds the answer, as they were where the weights come from."""
    return CONFIDENCE_BASE + sum(weight * sign for weight, sign in zip(CONFIDENCE, found, strict=True))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= SAME * len(one | other)


def shares(question: str, library: Library) -> dict[str, float]:
    """The stems of a question's telling words and what share of the question each makes up, by idf."""
    asked = content(question)
    frequency, passages = library.document_frequency(asked)
    weights = rarity(asked, frequency, passages)
    total = sum(weights.values()) or 1.0
    return {stem(word): weight / total for word, weight in weights.items()}


def _is_about(question: str, weights: dict[str, float], hit: Hit) -> bool:
    """Whether the passage, with its headings, has what a question can hardly be answered without.

    That is every longer number, and of a question of few words the rarest, or all where they are bare key words. The
    word that only names what is asked for is not among them.
    """
    text = f"{hit.title} {hit.heading} {hit.text}"
    if any(len(number) >= LONG_NUMBER for number in numbers(question) - numbers(text)):
        return False
    if not 0 < len(weights) <= FEW_WORDS:
        return True
    known = stems(text)
    telling = [word for word in weights if word not in stems(attribute(question))] or list(weights)
    bare = len(weights) == len(set(map(stem, tokens(question))))
    return weights.keys() <= known if bare else max(telling, key=weights.__getitem__) in known


def _with_cue(
    question: str, hits: Sequence[Hit], split: list[list[Unit]], candidates: list[Candidate]
) -> list[Candidate]:
    kind = asked_for(question)
    if kind is None:
        return candidates

    def cue(one: Candidate) -> float:
        unit = split[one.hit][one.at]
        return CUE_WEIGHT if has_one(kind, hits[one.hit].text[unit.start : unit.end], question) else 0.0

    return [one._replace(score=one.score + cue(one)) for one in candidates]


def _covers(weights: dict[str, float], hits: Sequence[Hit], split: list[list[Unit]]) -> list[Candidate]:
    """Every quotable unit with the share of the question that it covers, best first."""
    found = []
    for number, (hit, parts) in enumerate(zip(hits, split, strict=True)):
        words = [stems(hit.text[unit.start : unit.end]) for unit in parts]
        title = stems(f"{hit.title} {hit.heading}")
        for at, unit in enumerate(parts):
            if unit.kind in _NOT_QUOTED or hit.text[unit.end - 1] == ":":
                continue
            above = title | stems(unit.context)
            beside = frozenset[str]().union(*words[max(at - 1, 0) : at], *words[at + 1 : at + 2])
            cover = sum(weight * _share(word, words[at], above, beside) for word, weight in weights.items())
            found.append(Candidate(number, at, words[at] & weights.keys(), cover, cover))
    return sorted(found, key=lambda candidate: -candidate.cover)


def _share(word: str, inside: frozenset[str], above: frozenset[str], beside: frozenset[str]) -> float:
    if word in inside:
        return 1.0
    if word in above:
        return ABOVE_SHARE
    return BESIDE_SHARE if word in beside else 0.0


def _with_meaning(
    question: str, hits: Sequence[Hit], split: list[list[Unit]], candidates: list[Candidate], library: Library
) -> list[Candidate]:
    judged = candidates[:JUDGED_BY_MEANING]
    texts = [_readable(hits[c.hit], split[c.hit][c.at]) for c in judged]
    cosines = library.similarity(question, texts) if texts else []
    return [
        c._replace(score=cosine + COVER_WEIGHT * c.cover, cosine=cosine)
        for c, cosine in zip(judged, cosines, strict=True)
    ]


def _readable(hit: Hit, unit: Unit) -> str:
    """A unit as the embedding model should read it: with what it hangs under, without which it often says little."""
    above = [hit.title, *hit.heading.split(" › "), unit.context]
    return " › ".join(dict.fromkeys(part for part in above if part)) + ": " + hit.text[unit.start : unit.end]


def _span(
    best: Candidate, candidates: list[Candidate], weights: dict[str, float], parts: list[Unit], text: str
) -> tuple[int, int]:
    """The best unit, together with the better of its neighbours if that adds to the answer."""
    unit = parts[best.at]
    for other in candidates:
        if other.hit != best.hit or abs(other.at - best.at) != 1:
            continue
        gain = sum(weights[word] for word in other.words - best.words)
        first, second = sorted((unit, parts[other.at]))
        if first.kind != second.kind or _blank_line(text[first.end : second.start]):
            continue
        if other.score >= NEIGHBOUR_RATIO * best.score or gain >= NEIGHBOUR_GAIN:
            return first.start, second.end
    return unit.start, unit.end


def _blank_line(gap: str) -> bool:
    return gap.count("\n") > 1


def _quote(hit: Hit, start: int, end: int) -> Quote:
    return Quote(
        text=hit.text[start:end],
        path=hit.path,
        line=hit.line + hit.text.count("\n", 0, start),
        page=hit.page,
        start=hit.start + start,
        end=hit.start + end,
    )
