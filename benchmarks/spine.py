"""Measures the whole path on this machine: indexing, search, quotes, first words, and how often the answer is right.

    python benchmarks/spine.py [--data FOLDER] [--notes 1000 10000] [--write]

Everything goes through a real engine on a throw-away profile. `--data` is a folder of test data with `vault-wiki/` and
`qa-en/` in it; without it only `examples/notes` and generated notes are used. `--write` puts the table into
docs/BENCHMARKS.md. Figures depend on the machine: read the ratios first.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from msgspec import structs

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.bare import bare_rate  # noqa: E402  # the project is not installed in a plain checkout
from benchmarks.generated import write_notes  # noqa: E402
from benchmarks.report import Row, keep, table  # noqa: E402
from core.client import Engine  # noqa: E402
from core.paths import Profile  # noqa: E402
from core.protocol import AddFolder, Ask, Found, Index, Progress, Search, Shutdown  # noqa: E402
from ui.question_list import Wanted, read  # noqa: E402
from ui.scoring import Share, Spread, figures, follow, percentile  # noqa: E402

T = TypeVar("T")


def spread(values: list[float]) -> str:
    """Median and 95th percentile of milliseconds, for a table cell."""
    return f"{percentile(values, 0.5):.1f} / {percentile(values, 0.95):.1f} ms"


def events(engine: Engine, call: Any) -> Iterator[tuple[Any, float]]:
    """Each event of a call with the milliseconds since it was sent, everything included."""
    start = time.perf_counter()
    for event in engine.call(call):
        yield event, (time.perf_counter() - start) * 1000


def index_folder(engine: Engine, folder: Path) -> tuple[float, float, int, int]:
    """Index a folder to the last vector; returns seconds to words, seconds in all, files, passages."""
    start = time.perf_counter()
    words_at = 0.0
    counts = None
    for _ in engine.call(AddFolder(str(folder))):
        pass
    for event in engine.call(Index(wait=True)):
        assert isinstance(event, Progress)
        counts = event.counts
        if not words_at and counts.files and not counts.waiting:
            words_at = time.perf_counter() - start
    assert counts is not None
    return words_at or time.perf_counter() - start, time.perf_counter() - start, counts.files, counts.chunks


def queries(folder: Path, count: int) -> list[str]:
    """`count` queries of two or three words taken from the notes of a folder, from a fixed seed."""
    dice = random.Random(11)
    pieces = [path.read_text("utf-8", errors="replace").split() for path in sorted(folder.rglob("*.md"))]
    texts = [[word for word in text if any(map(str.isalnum, word))] for text in pieces]
    texts = [words for words in texts if len(words) > 10]
    made: list[str] = []
    while len(made) < count:
        words = dice.choice(texts)
        at = dice.randrange(len(words) - 3)
        made.append(" ".join(words[at : at + dice.choice((2, 3))]))
    return made


def search_rows(engine: Engine, folder: Path, name: str) -> Iterator[Row]:
    """Latency of word search and of fused search, as a client sees it."""
    words: list[float] = []
    fused: list[float] = []
    for query in queries(folder, 200):
        for event, ms in events(engine, Search(query, limit=10)):
            if isinstance(event, Found):
                (words if event.stage == "words" else fused).append(ms)
    yield f"search, words, {name} (p50 / p95)", spread(words)
    yield f"search, words and meaning, {name} (p50 / p95)", spread(fused)


def question_rows(engine: Engine, questions: list[Wanted], folder: Path, name: str) -> Iterator[Row]:
    """How often the gold file is found, the quote holds the answer, and an unanswerable question is declined."""
    there = [structs.replace(one, file=str(folder / one.file) if one.file else "") for one in questions]
    found = figures([(one, follow(engine.call(Ask(one.question, model=False)))) for one in there])
    yield f"{name}: gold file first / in the first five", f"{part(found.hit_at_1)} / {part(found.hit_at_5)}"
    yield f"{name}: a quote is given / it holds the answer", f"{part(found.quoted)} / {part(found.held)}"
    declined = found.declined
    yield f"{name}: unanswerable ones declined", f"{declined.count} of {declined.of} ({part(declined)})"
    yield f"{name}: Enter to quote (p50 / p95)", both(found.quote_ms)


def prose_rows(engine: Engine, questions: Iterable[Wanted]) -> Iterator[Row]:
    """Time to the first word of prose, cold prompts, and to the end."""
    given = [(one, follow(engine.call(Ask(one.question)))) for one in questions]
    first = figures([(one, what) for one, what in given if what.first_token_ms is not None])
    if first.questions:
        yield (
            f"Enter to first word of prose, starter model, {first.questions} questions (p50 / p95)",
            both(first.first_token_ms),
        )
        yield "Enter to last word of prose (median)", f"{(first.total_ms.p50 or 0.0) / 1000:.1f} s"


def part(share: Share) -> str:
    """A share, for a table cell."""
    return f"{share.count / max(share.of, 1):.0%}"


def both(spread: Spread) -> str:
    """Median and 95th percentile of measured milliseconds, for a table cell."""
    return f"{spread.p50 or 0.0:.1f} / {spread.p95 or 0.0:.1f} ms"


def index_rows(engine: Engine, folder: Path, name: str, bare: float) -> Iterator[Row]:
    """Indexing rates against the embedder alone."""
    words_s, all_s, files, chunks = index_folder(engine, folder)
    yield f"{name}: files, passages", f"{files}, {chunks}"
    yield f"{name}: every file searchable by words after", f"{words_s:.1f} s ({files / words_s:.0f} files/s)"
    yield f"{name}: every passage searchable by meaning after", f"{all_s:.1f} s ({chunks / all_s:.1f} passages/s)"
    yield f"{name}: of the bare embedder's rate ({bare:.1f} passages/s)", f"{chunks / all_s / bare:.2f}"


def on_fresh_profile(work: Callable[[Engine], Iterable[T]]) -> list[T]:
    """Run `work(engine)` against an engine of a throw-away profile and return what it yields."""
    with tempfile.TemporaryDirectory(prefix="offhand-benchmark-") as home:
        os.environ["OFFHAND_HOME"] = home
        engine = Engine(Profile())
        try:
            return list(work(engine))
        finally:
            for _ in engine.call(Shutdown()):
                pass


def measure(data: Path | None, sizes: list[int]) -> list[Row]:
    """All rows of the table."""
    rows: list[Row] = []
    notes = ROOT / "examples" / "notes"
    questions, _ = read(ROOT / "examples" / "questions.jsonl")

    def examples(engine: Engine) -> Iterator[Row]:
        yield from index_rows(engine, notes, "examples", bare_rate(notes))
        yield from question_rows(engine, questions, notes, "examples")
        yield from prose_rows(engine, [one for one in questions if one.answers][:20])

    rows += on_fresh_profile(examples)
    if data is not None:
        wiki, qa = data / "vault-wiki", data / "qa-en"
        asked, _ = read(qa / "questions.jsonl")

        def vault(engine: Engine) -> Iterator[Row]:
            yield from index_rows(engine, wiki, "vault-wiki", bare_rate(wiki))
            yield from search_rows(engine, wiki, "vault-wiki")

        def paragraphs(engine: Engine) -> Iterator[Row]:
            index_folder(engine, qa / "notes")
            yield from question_rows(engine, asked, qa / "notes", "qa-en")

        rows += on_fresh_profile(vault) + on_fresh_profile(paragraphs)
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="offhand-notes-") as made:
            folder = Path(made).resolve()
            write_notes(folder, size, 600, seed=7)

            def generated(engine: Engine, folder: Path = folder, size: int = size) -> Iterator[Row]:
                yield from index_rows(engine, folder, f"{size} generated notes", bare_rate(folder))
                yield from search_rows(engine, folder, f"{size} notes")

            rows += on_fresh_profile(generated)
    return rows


def main() -> None:
    """Measure and print; with --write keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--notes", type=int, nargs="*", default=[1000, 10000])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    text = table(measure(options.data.resolve() if options.data else None, options.notes), "python benchmarks/spine.py")
    print(text)
    if options.write:
        keep("The spine", text)


if __name__ == "__main__":
    main()
