"""Makes the weights of the quote's confidence (`core.answering.quote.CONFIDENCE`) from SelQA.

    python benchmarks/quote_weights.py DATA/selqa

Every question is asked twice: of a library that holds its section, and of one from which that section is missing while
other sections of the article stay. A logistic regression then learns from `quote.Signs` whether the quote holds a
marked sentence. `--every 10` takes each tenth question only, as a check.
"""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.answering import quote  # noqa: E402  # runs from a plain checkout
from core.answering.words import content, stem, stems, tokens  # noqa: E402
from indexer.embed import Embedder  # noqa: E402
from indexer.records import Hit  # noqa: E402
from indexer.shortlist import idf  # noqa: E402

MODEL = ROOT / ".models" / "all-MiniLM-L6-v2"
PASSAGE = 650  # characters, about what a passage of the index has
HITS = 6
THREADS = 2
RIDGE = 1.0  # on standardised signs; with thousands of questions it only keeps the fit finite
STEPS = 60  # of Newton's method, which needs about ten
SEED = 4

Section = tuple[str, str, tuple[str, ...]]


class Library:
    """Sections in memory, found by the idf of the words they share with the question."""

    narrowed = False

    def __init__(self, sections: Sequence[Section], embedder: Embedder) -> None:
        parts = [(article, name, text) for article, name, said in sections for text in _passages(said)]
        self._hits = [_hit(number, *part) for number, part in enumerate(parts)]
        self._embedder = embedder
        self._having: dict[str, list[int]] = defaultdict(list)
        self._frequency: dict[str, int] = defaultdict(int)
        for number, hit in enumerate(self._hits):
            for word in stems(f"{hit.title} {hit.heading} {hit.text}"):
                self._having[word].append(number)
            for token in set(tokens(hit.text)):
                self._frequency[token] += 1

    def best(self, question: str) -> list[Hit]:
        """The passages for a question, best first."""
        scores: dict[int, float] = defaultdict(float)
        for word in {stem(token) for token in content(question)}:
            having = self._having.get(word, [])
            for number in having:
                scores[number] += idf(len(having), len(self._hits))
        return [self._hits[number] for number in sorted(scores, key=lambda number: -scores[number])[:HITS]]

    def similarity(self, question: str, sentences: list[str]) -> list[float]:
        """See `core.answering.library`."""
        vectors = self._embedder.embed([question, *sentences])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    def document_frequency(self, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        """See `core.answering.library`."""
        return {term: self._frequency.get(term, 0) for term in terms}, len(self._hits)


class Example(NamedTuple):
    """The signs of a question's best quote, and whether it holds a marked sentence."""

    signs: quote.Signs
    holds: bool


def examples(asked: list[dict[str, Any]], every: int) -> list[Example]:
    """Each question with its section, then without it."""
    sections = list(dict.fromkeys(_section(one) for one in asked))
    chance = random.Random(SEED)
    first = {section: chance.random() < 0.5 for section in sections}
    embedder = Embedder(MODEL, MODEL, THREADS)
    found = []
    for side in (True, False):
        library = Library([section for section in sections if first[section] == side], embedder)
        for one in asked[::every]:
            said = [one["candidates"][at] for at in one["answers"]] if first[_section(one)] == side else []
            example = judge(library, one["question"], said)
            found += [example] if example else []
    return found


def judge(library: Library, question: str, answers: list[str]) -> Example | None:
    """The example that a question makes, None where no sentence of the library comes into question."""
    hits = library.best(question)
    evidence = quote.weigh(question, hits, library)  # type: ignore[arg-type]  # of a library it needs these two methods
    if not evidence.candidates or evidence.quote is None:
        return None
    found = quote.signs(evidence.candidates, quote.shares(question, library), hits, evidence.units)  # type: ignore[arg-type]
    text = _plain(evidence.quote.text)
    return Example(found, any(_plain(answer)[:60] in text for answer in answers))


def fit(signs: NDArray[np.float64], holds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ridge logistic regression by Newton's method: the weights [signs], then the constant."""
    mean, spread = signs.mean(0), signs.std(0)
    rows = np.c_[(signs - mean) / spread, np.ones(len(signs))]
    ridge = np.r_[np.full(signs.shape[1], RIDGE), 1e-6]
    weights: NDArray[np.float64] = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        odds = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (odds - holds) + ridge * weights
        weights -= np.linalg.solve((rows.T * (odds * (1 - odds))) @ rows + np.diag(ridge), slope)
    plain = weights[:-1] / spread
    made: NDArray[np.float64] = np.r_[plain, weights[-1] - plain @ mean]
    return made


def _section(one: dict[str, Any]) -> Section:
    return one["article"], one["section"], tuple(one["candidates"])


def _passages(sentences: Sequence[str]) -> list[str]:
    texts = [""]
    for sentence in (sentence.strip() for sentence in sentences):
        if texts[-1] and len(texts[-1]) + len(sentence) > PASSAGE:
            texts.append("")
        texts[-1] = f"{texts[-1]} {sentence}".strip()
    return [text for text in texts if text]


def _hit(number: int, title: str, heading: str, text: str) -> Hit:
    return Hit(number, f"/{title}.md", title, heading, 1, 1, None, 0, len(text), 1.0, text)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def main() -> None:
    """Read, judge, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    asked = [one for name in ("dev", "test") for one in json.loads((given.folder / f"{name}.json").read_text("utf-8"))]
    quote.THRESHOLD = -1000.0  # every question gets its best quote
    found = examples([one for one in asked if one["answers"]], given.every)
    signs, holds = np.array([one.signs for one in found]), np.array([one.holds for one in found], float)
    weights = fit(signs, holds)
    print(f"{len(found)} examples, {holds.mean():.0%} hold a marked sentence")
    print(dict(zip(quote.Signs._fields, weights.round(2).tolist(), strict=False)), "constant", round(weights[-1], 2))


if __name__ == "__main__":
    main()
