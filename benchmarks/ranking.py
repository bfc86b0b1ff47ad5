"""Measures how well passages are ranked: by words, by meaning, and by both fused.

    python benchmarks/ranking.py --data FOLDER [--keep FOLDER] [--write]

`--data` is a folder of test data with `cranfield/` (queries and graded judgements of whole notes) and `qa-LANGUAGE/`
(questions, each with the paragraph that answers it). Of each `qa-` set there is also a row with the two rarest words of
each question alone, as people type into a search field. Each set is indexed by a real engine; `--keep` leaves these
profiles in a folder, and uses those that are there. `--write` puts the table into docs/BENCHMARKS.md.
"""

import argparse
import json
import math
import os
import platform
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import keep  # noqa: E402  # runs from a plain checkout
from core.engine.engine import Engine  # noqa: E402
from core.paths import Profile  # noqa: E402
from core.protocol import AddFolder, Index  # noqa: E402
from indexer import search  # noqa: E402
from indexer.index import Index as Library  # noqa: E402
from indexer.records import Hit  # noqa: E402
from indexer.terms import query_words  # noqa: E402
from indexer.worker import Cancellation  # noqa: E402

DEPTH = 50
RARE_WORDS = 2
HALF = 0.5
"""A passage counts as the paragraph when it shares this much of the shorter of the two."""


class Query(NamedTuple):
    """What is asked, what a passage counts as (its note, its paragraph), and how relevant each of these is."""

    text: str
    counts_as: Callable[[Hit], str]
    relevant: dict[str, int]


class Quality(NamedTuple):
    """Of one ranking: nDCG@10 (Järvelin & Kekäläinen 2002), first hit, recall among 5 and 20, reciprocal rank."""

    ndcg: float
    first: float
    recall_5: float
    recall_20: float
    mrr: float


def quality(ranked: Sequence[str], relevant: dict[str, int]) -> Quality:
    """Judge one ranking of distinct things."""

    def gain(grades: Sequence[int]) -> float:
        return sum(grade / math.log2(place + 2) for place, grade in enumerate(grades[:10]))

    return Quality(
        gain([relevant.get(one, 0) for one in ranked]) / gain(sorted(relevant.values(), reverse=True)),
        float(ranked[0] in relevant) if ranked else 0.0,
        len(relevant.keys() & set(ranked[:5])) / len(relevant),
        len(relevant.keys() & set(ranked[:20])) / len(relevant),
        next((1 / place for place, one in enumerate(ranked, 1) if one in relevant), 0.0),
    )


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file with one on each line."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def judged_notes(folder: Path) -> Iterator[Query]:
    """The queries of Cranfield: whole notes are relevant or not."""
    judged: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines():
        query, name, grade = line.split("\t")
        if int(grade) > 0:
            judged[int(query)][name] = int(grade)
    for one in lines(folder / "queries.jsonl"):
        yield Query(one["question"], lambda hit: Path(hit.path).name, judged[one["id"]])


def judged_paragraphs(folder: Path) -> Iterator[Query]:
    """The questions of a set that are answerable: one paragraph answers each."""
    for one in lines(folder / "questions.jsonl"):
        if not one["answers"]:
            continue
        path = folder / "notes" / one["file"]
        start = path.read_text("utf-8").index(one["paragraph"])
        yield Query(one["question"], paragraph(str(path), start, start + len(one["paragraph"])), {"gold": 1})


def paragraph(path: str, start: int, end: int) -> Callable[[Hit], str]:
    """Names a passage "gold" when it is that paragraph of that file."""

    def name(hit: Hit) -> str:
        shared = min(hit.end, end) - max(hit.start, start)
        is_gold = hit.path == path and shared >= HALF * min(hit.end - hit.start, end - start)
        return "gold" if is_gold else str(hit.chunk_id)

    return name


def rankings(library: Library, query: Query) -> list[list[str]]:
    """What words, meaning and both find, best first."""
    (_, words, _), (_, fused, _) = library.search(query.text, DEPTH)
    near = search.by_meaning(library._meaning, query.text, DEPTH).ids
    found = (words, library.passages(near), fused)
    return [list(dict.fromkeys(query.counts_as(hit) for hit in hits)) for hits in found]


def rarest(library: Library, text: str) -> str:
    """The two rarest of a question's words that the library knows, in their order."""
    words = query_words(text)
    frequency, _ = library.document_frequency(words)
    rare = sorted((word for word in words if frequency[word]), key=frequency.__getitem__)[:RARE_WORDS]
    return " ".join(word for word in words if word in rare)


def rows(name: str, library: Library, queries: Sequence[Query]) -> Iterator[str]:
    """One row each for words, meaning and both."""
    judged = [[quality(ranked, query.relevant) for ranked in rankings(library, query)] for query in queries]
    for number, ranker in enumerate(("words", "meaning", "fused")):
        means = [sum(figures) / len(queries) for figures in zip(*(one[number] for one in judged), strict=True)]
        yield f"| {name} ({len(queries)}) | {ranker} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |"


def measure(folder: Path, home: Path) -> Iterator[str]:
    """The rows of one set."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ["OFFHAND_HOME"] = str(home)
    profile = Profile()
    profile.create()
    engine = Engine(profile)
    engine.start()
    with closing(engine):
        if not engine.index.folders():
            list(engine.handle(AddFolder(str(folder / "notes")), Cancellation()))
        list(engine.handle(Index(wait=True), Cancellation()))
        if folder.name == "cranfield":
            yield from rows(folder.name, engine.index, list(judged_notes(folder)))
            return
        queries = list(judged_paragraphs(folder))
        yield from rows(folder.name, engine.index, queries)
        short = [query._replace(text=rarest(engine.index, query.text)) for query in queries]
        yield from rows(f"{folder.name}, two words", engine.index, [query for query in short if query.text])


def main() -> None:
    """Measure and print; with --write keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    data = options.data.resolve()
    machine = f"{os.cpu_count()} cores, {platform.machine()}; the figures do not depend on it"
    table = [
        f"Machine: {machine}. Command: `python benchmarks/ranking.py --data FOLDER`.",
        "",
        "| set (queries) | ranked by | nDCG@10 | hit@1 | recall@5 | recall@20 | MRR |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="offhand-benchmark-") as made:
        place = (options.keep or Path(made)).resolve()
        for folder in [data / "cranfield", *sorted(data.glob("qa-*"))]:
            table += measure(folder, place / folder.name)
            print("\n".join(table[-6:]), file=sys.stderr, flush=True)
    text = "\n".join(table) + "\n"
    print(text)
    if options.write:
        keep("Ranking", text)


if __name__ == "__main__":
    main()
