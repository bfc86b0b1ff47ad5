"""Measures what an outage of the cloud costs: the fault matrix, the second question, and the change of hands.

    python benchmarks/outage.py [--cuts 40] [--write]

The cells are those of `tests/faults`: real sockets, SDK and local model, limits shortened so that it takes minutes.
`--write` puts the section into docs/RELIABILITY.md. Figures depend on the machine: read the differences first.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import openai  # noqa: E402, F401  # no cell pays for its import

from core.models.breaker import Breaker  # noqa: E402  # the project is not installed where this runs
from core.models.llama import Generate  # noqa: E402
from core.models.model import Message  # noqa: E402
from core.protocol import Piece, RouteStep  # noqa: E402
from indexer.embed import Embedder  # noqa: E402
from tests.core import fault_server  # noqa: E402
from tests.core.conftest import STARTER, language_child  # noqa: E402
from tests.faults.matrix import FAULTS, HURRIED, LOCALS, NO_OUTAGE, ORDERS, Bench, Cell, faults_of, table  # noqa: E402

HEAD, TAIL = "## When the cloud fails\n", "\n<!-- end of the cloud's section -->\n"


def matrix(bench: Bench) -> tuple[list[Cell], int]:
    """All cells, and how many of them are not as they should be."""
    cells, wrong = [], 0
    for order in ORDERS:
        for local in LOCALS:
            bench.ask("none", order, local)  # what the first question alone pays for
            for fault in ("none", *FAULTS):
                cell = bench.ask(fault, order, local)
                cells.append(cell)
                for words in faults_of(cell):
                    wrong += 1
                    print(f"WRONG: {fault}, {order}, local {local}: {words}", flush=True)
    return cells, wrong


def second_questions(bench: Bench) -> list[float]:
    """Milliseconds that a provider at rest costs the next question, for each fault."""
    lost = []
    for fault in (fault for fault in FAULTS if fault not in NO_OUTAGE):
        breaker = Breaker()
        bench.ask(fault, "cloud first", "ready", breaker)
        second = bench.ask(fault, "cloud first", "ready", breaker)
        if second.passed_by_ms is not None:
            lost.append(second.passed_by_ms)
    return lost


def cuts(bench: Bench, count: int) -> list[float]:
    """Milliseconds from the cloud's last word, after which it hangs up, to the local model's first."""
    waits = []
    for number in range(count):
        bench.server.sent_at.clear()
        waits.append(_one_cut(bench, 1 + number % 6))
    return waits


def _one_cut(bench: Bench, after: int) -> float:
    list(bench.llm.call(Generate([Message("user", "Say hello.")], 1)))  # so that no prompt is known from the last time
    cell = bench.ask("cut", "cloud first", "ready", after=after)
    speaks = ""
    for event, at in zip(cell.events, cell.at, strict=True):
        if isinstance(event, RouteStep) and event.step.outcome == "asked":
            speaks = event.step.kind
        if speaks == "local" and isinstance(event, Piece):
            return (at - bench.server.sent_at[-1]) * 1000
    return float("nan")  # all had been said


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def section(cells: list[Cell], wrong: int, lost: list[float], waits: list[float]) -> str:
    """The section of docs/RELIABILITY.md."""
    said = [wait for wait in waits if wait == wait]  # noqa: PLR0124  # without NaN
    where = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {platform.system()}"
    limits = f"connection {HURRIED.connect} s, first word {HURRIED.first_word} s, between words {HURRIED.stall} s"
    return f"""{HEAD}
Machine: {where}. Command: `python benchmarks/outage.py --write`; the same cells are tests (`tests/faults`).

| what | figure |
|---|---|
| cells of the matrix, all with an answer on the card and no word lost or doubled | {len(cells)}, {wrong} wrong |
| second question of an outage: delay by the provider at rest (median / p95 / worst of {len(lost)} faults) | \
{statistics.median(lost):.1f} / {p95(lost):.1f} / {max(lost):.1f} ms |
| cloud cut in mid-answer → first word of the local model (median / p95 of {len(said)}) | \
{statistics.median(said):.0f} / {p95(said):.0f} ms |

Whose words the answer is made of, the time to the first of them, and what the fault added to a sound service. The
limits are shortened for this ({limits}); with the real ones a silent service costs up to 10 s instead. The question is
always the same, so a local model that is ready has read its prompt before; for the cuts above it had not. "quote": no
model was left, and the quote and the passages, which are there before any model is asked, close the card.

{table(cells)}
{TAIL}"""


def write(made: str) -> None:
    """Put the section into docs/RELIABILITY.md, in the place of its last version."""
    path = ROOT / "docs" / "RELIABILITY.md"
    text = path.read_text("utf-8") if path.exists() else "# Reliability\n\n"
    before, _, rest = text.partition(HEAD)
    _, _, after = rest.partition(TAIL)
    path.write_text(before + made + after, "utf-8")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--cuts", type=int, default=40)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    models = Path(os.environ.get("OFFHAND_MODELS", ROOT / ".models")).resolve()
    with tempfile.TemporaryDirectory(prefix="offhand-outage-") as folder, fault_server.running() as server:
        llm = language_child(models / STARTER, Path(folder))
        embedder = Embedder(models / "all-MiniLM-L6-v2", Path(folder), threads=2)
        bench = Bench(server, llm, embedder, Path(folder))
        started = time.monotonic()
        try:
            made = section(*matrix(bench), second_questions(bench), cuts(bench, chosen.cuts))
        finally:
            llm.stop()
    print(made)
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    if chosen.write:
        write(made)


if __name__ == "__main__":
    main()
