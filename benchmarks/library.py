"""Measures how fast a folder becomes searchable: by words beside Recoll, by meaning beside the bare model.

    python benchmarks/library.py [--notes 10000] [--rounds 3] [--vectors 1000] [--data FOLDER] [--write]

The notes are generated, 2 KB each. Recoll (`recollindex`, the package recollcmd of Debian) indexes the same folder in
the same run, alternating with Offhand; without it its rows are left out and a line says so. The time of both is that of
a complete first index; Offhand's engine runs already, as it does in daily use. `--data` is a folder of test data with
`vault-wiki/` and `qa-en/` for the trial of eight-bit weights. `--write` keeps the table in docs/BENCHMARKS.md.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import int8  # noqa: E402  # the project is not installed in a plain checkout
from benchmarks.bare import bare_rate, model_folder  # noqa: E402
from benchmarks.generated import write_notes  # noqa: E402
from benchmarks.report import Row, keep, table  # noqa: E402
from benchmarks.spine import on_fresh_profile  # noqa: E402
from core.client import Engine  # noqa: E402
from core.protocol import AddFolder, Index, Progress, Search  # noqa: E402
from indexer.chunk import Chunker  # noqa: E402
from indexer.extract.markdown import parse_markdown  # noqa: E402
from indexer.store.passages import vector_hash  # noqa: E402

BYTES_EACH = 2048
LONG_NOTE = 160_000  # bytes: more than 200 passages
SENTENCE = "The inspection on Thursday found that two of the seven valves had to be replaced before the winter. "


def progress(engine: Engine, folder: Path) -> Iterator[tuple[float, Progress]]:
    """Add a folder; seconds since then with each look at how far it is."""
    for _ in engine.call(Search("anything", limit=1)):
        pass  # the first call starts the engine and its model, which run already in daily use
    start = time.perf_counter()
    for _ in engine.call(AddFolder(str(folder))):
        pass
    for event in engine.call(Index(wait=True)):
        assert isinstance(event, Progress)
        yield time.perf_counter() - start, event


def words_seconds(engine: Engine, folder: Path, notes: int) -> tuple[float, int]:
    """Seconds until every note is searchable by words, and how many passages then still lack their vector."""
    for seconds, now in progress(engine, folder):
        if now.counts.indexed == notes:
            return seconds, now.counts.vectors_owed
    raise SystemExit("Offhand came to rest without having indexed every note.")


def recoll_seconds(folder: Path) -> float:
    """Seconds of Recoll's complete first index of a folder, with a configuration of its own."""
    with tempfile.TemporaryDirectory(prefix="offhand-recoll-") as place:
        # Not at the lowest priority, which is its default and would be unfair to it on a busy machine.
        Path(place, "recoll.conf").write_text(f"topdirs = {folder}\nidxniceprio = 0\n", "utf-8")
        start = time.perf_counter()
        subprocess.run(["recollindex", "-c", place, "-z"], check=True, capture_output=True)
        return time.perf_counter() - start


def recoll_version() -> str:
    """What recollindex calls itself, "" where it is not installed."""
    if shutil.which("recollindex") is None:
        return ""
    told = subprocess.run(["recollindex", "-h"], check=False, capture_output=True, text=True)
    return (told.stdout + told.stderr).rpartition("Recoll version: ")[2].strip() or "Recoll"


def words_rows(folder: Path, notes: int, rounds: int) -> Iterator[Row]:
    """Every note searchable by words: Recoll and Offhand in turn."""
    recoll = recoll_version()
    theirs: list[float] = []
    ours: list[float] = []
    owed = 0
    for _ in range(rounds):
        if recoll:
            theirs.append(recoll_seconds(folder))

        def measured(engine: Engine) -> list[tuple[float, int]]:
            return [words_seconds(engine, folder, notes)]

        ((seconds, owed),) = on_fresh_profile(measured)
        ours.append(seconds)
    what = f"{notes} notes of 2 KB searchable by words"
    yield f"{what}: Offhand, each round", ", ".join(f"{seconds:.1f}" for seconds in ours) + " s"
    yield f"{what}: passages whose vector is still on its way", str(owed)
    if not recoll:
        yield f"{what}: Recoll", "not installed here"
        return
    yield f"{what}: {recoll}, each round", ", ".join(f"{seconds:.1f}" for seconds in theirs) + " s"
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    yield "Offhand's time of Recoll's (median of the rounds)", f"{ratio:.2f}"


def vector_rows(folder: Path, notes: int) -> Iterator[Row]:
    """Passages a second through the engine, and of the model alone on the same passages just before and after."""
    before = bare_rate(folder)

    def measured(engine: Engine) -> list[tuple[float, float, int]]:
        words = whole = 0.0
        passages = 0
        for seconds, now in progress(engine, folder):
            words = words or (seconds if now.counts.indexed == notes else 0.0)
            whole, passages = seconds, now.counts.chunks
        return [(words, whole, passages)]

    ((words, whole, passages),) = on_fresh_profile(measured)
    bare = statistics.mean((before, bare_rate(folder)))
    yield f"{notes} notes: passages", str(passages)
    yield "the bare model", f"{bare:.1f} passages/s"
    yield (
        "through the engine, words included",
        f"{passages / whole:.1f} passages/s, {passages / whole / bare:.2f} of it",
    )
    after = passages / (whole - words)
    yield "through the engine, once all words are in", f"{after:.1f} passages/s, {after / bare:.2f} of it"


def edit_rows() -> Iterator[Row]:
    """How many passages of a long note are embedded anew after a small edit: in the worst of 20 notes, and in most."""
    chunker = Chunker(model_folder() / "tokenizer.json")

    def hashes(text: str) -> set[bytes]:
        return {vector_hash(chunk.headings, chunk.text) for chunk in chunker.chunk(parse_markdown(text, "note"))}

    anew: dict[str, list[int]] = {}
    sizes: list[int] = []
    with tempfile.TemporaryDirectory(prefix="offhand-notes-") as made:
        for path in write_notes(Path(made), 20, LONG_NOTE, seed=3):
            text = path.read_text("utf-8")
            old = hashes(text)
            sizes.append(len(old))
            start, middle = text.index("\n\n", text.index("# ")) + 2, text.index(". ", len(text) // 2) + 2
            end = text.index(". ", middle) + 2
            edits = {
                "a sentence put in at the start": text[:start] + SENTENCE + text[start:],
                "a sentence put in in the middle": text[:middle] + SENTENCE + text[middle:],
                "a sentence taken out in the middle": text[:middle] + text[end:],
            }
            for edit, changed in edits.items():
                anew.setdefault(edit, []).append(len(hashes(changed) - old))
    for edit, counts in anew.items():
        what = f"{edit} of a note of {statistics.median(sizes):.0f} passages: embedded anew (median / most)"
        yield what, f"{statistics.median(counts):.0f} / {max(counts)}"


def measure(notes: int, rounds: int, vectors: int, data: Path | None) -> Iterator[Row]:
    """All rows of the table."""
    with tempfile.TemporaryDirectory(prefix="offhand-notes-") as made:
        place = Path(made).resolve()
        write_notes(place / "words", notes, BYTES_EACH, seed=7)
        yield from words_rows(place / "words", notes, rounds)
        if vectors:
            write_notes(place / "vectors", vectors, BYTES_EACH, seed=8)
            yield from vector_rows(place / "vectors", vectors)
    yield from edit_rows()
    if data is not None:
        yield from int8.rows(data, os.cpu_count() or 1)


def main() -> None:
    """Measure and print; with --write keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vectors", type=int, default=1_000, help="notes whose vectors are waited for; 0 for none")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    data = options.data.resolve() if options.data else None
    rows = list(measure(options.notes, options.rounds, options.vectors, data))
    text = table(rows, "python benchmarks/library.py")
    print(text)
    if options.write:
        keep("The library: speed", text)


if __name__ == "__main__":
    main()
