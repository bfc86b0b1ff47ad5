"""Measures the rule for "not in your notes": how sure a sentence must be to be quoted as an answer.

    python benchmarks/quote_threshold.py DATA/qa-en

The folder holds `notes/` and `questions.jsonl`; questions without answers cannot be answered from the notes. Thresholds
are read off the even-numbered questions and reported on the odd-numbered ones.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.answering import quote  # noqa: E402  # runs from a plain checkout
from core.engine.engine import Engine  # noqa: E402
from core.engine.shelf import Shelf  # noqa: E402
from core.paths import Profile  # noqa: E402
from core.protocol import AddFolder, Index  # noqa: E402
from indexer.worker import Cancellation  # noqa: E402

DECLINED = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9)
NONE = -1000.0  # a threshold that every quote reaches


class Judged(NamedTuple):
    """One question: how sure its best quote is (log odds), whether it holds an answer, whether there is one at all."""

    score: float
    holds: bool
    answerable: bool


def judge(engine: Engine, question: str, answers: list[str]) -> Judged:
    """Score the best quote of a question, whatever the present threshold is."""
    hits = list(engine.index.search(question, 6))[-1][1]
    evidence = quote.weigh(question, hits, Shelf(engine.index))
    text = evidence.quote.text.lower() if evidence.quote else ""
    return Judged(evidence.confidence, any(answer.lower() in text for answer in answers), bool(answers))


def row(judged: list[Judged], threshold: float) -> str:
    """Quoted, rightly quoted and declined shares at a threshold, for a table."""
    can = [one for one in judged if one.answerable]
    cannot = [one for one in judged if not one.answerable]
    given = sum(one.score >= threshold for one in can) / len(can)
    right = sum(one.score >= threshold and one.holds for one in can) / len(can)
    declined = sum(one.score < threshold for one in cannot) / max(len(cannot), 1)
    return f"| {threshold:.2f} | {given:.0%} | {right:.0%} | {declined:.0%} |"


def lowest_that_declines(judged: list[Judged], share: float) -> float:
    """The lowest threshold, to a hundredth, that declines that share of the unanswerable questions."""
    scores = sorted(one.score for one in judged if not one.answerable)
    return math.floor(scores[math.ceil(len(scores) * share) - 1] * 100 + 1) / 100


def main() -> None:
    """Index, judge, print both halves."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    asked = [json.loads(line) for line in (folder / "questions.jsonl").read_text("utf-8").splitlines()]
    present, quote.THRESHOLD = quote.THRESHOLD, NONE  # every question gets its best quote; the table applies thresholds
    with tempfile.TemporaryDirectory(prefix="offhand-benchmark-") as home:
        os.environ["OFFHAND_HOME"] = home
        profile = Profile()
        profile.create()
        engine = Engine(profile)
        engine.start()
        for call in (AddFolder(str(folder / "notes")), Index(wait=True)):
            list(engine.handle(call, Cancellation()))
        judged = [judge(engine, one["question"], one["answers"]) for one in asked]
        engine.close()
    tune, report = judged[::2], judged[1::2]
    head = (
        "| threshold | answerable: a quote is given | it holds the answer | unanswerable: declined |\n|---|---|---|---|"
    )
    print(f"Read off one half ({len(tune)} questions)\n\n{head}")
    thresholds = [*(lowest_that_declines(tune, share) for share in DECLINED), present]
    print("\n".join(row(tune, threshold) for threshold in thresholds))
    print(f"\nReported on the other half ({len(report)} questions)\n\n{head}")
    print("\n".join(row(report, threshold) for threshold in [*thresholds, NONE]))


if __name__ == "__main__":
    main()
