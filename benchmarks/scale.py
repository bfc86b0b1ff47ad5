"""Measures how Offhand grows with the library: start, search, filters, status and memory at 1,000 to 100,000 notes.

    python benchmarks/scale.py [--sizes 1000 10000 100000] [--prepared] [--keep FOLDER] [--write]

By default a real engine indexes real files end to end; 100,000 notes then take most of an hour. `--prepared` writes the
catalog of the same files directly and synthesises most vectors (mixtures of real ones, see `synthesise`), which takes
minutes; the table says so, and has the words of the real files and a minute of their vectors besides. `--keep` leaves
notes and profiles in a folder, and uses those that are there. `--write` puts the table under its own heading into
docs/BENCHMARKS.md.
"""

import argparse
import itertools
import os
import platform
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import psutil
from msgspec import structs
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import keep  # noqa: E402  # the project is not installed where this runs from a plain checkout
from core import launch  # noqa: E402
from core.client import Engine  # noqa: E402
from core.paths import Profile, model_directories  # noqa: E402
from core.protocol import AddFolder, Checked, Doctor, Found, Index, Progress, Search, Status, StatusReport  # noqa: E402
from indexer import scan  # noqa: E402
from indexer.embed import Embedder  # noqa: E402
from indexer.extract.extractor import Extract, Extractor  # noqa: E402
from indexer.ignore import IgnoreRules  # noqa: E402
from indexer.records import Extracted  # noqa: E402
from indexer.store import files, folders, outbox, passages  # noqa: E402
from indexer.store.database import Database  # noqa: E402
from indexer.store.stored import pack  # noqa: E402
from indexer.store.vector_index import LOOK_SECONDS, RELEASE_SECONDS  # noqa: E402
from ui.scoring import percentile  # noqa: E402

Vectors = NDArray[np.float32]

NOTE_BYTES = 400  # about one passage a note
SHARES = {"rare": 0.001, "tenth": 0.1, "most": 0.6}  # folders that hold this share of the notes; "rest" has the others
EMBEDDED = 2_000
AT_ONCE = 1_000
RESTARTS = 3
VECTORS_SECONDS = 60.0  # that embedding is watched for, once all words are in
QUERIES = 100
EMBEDDER = "all-MiniLM-L6-v2"


# ---- notes --------------------------------------------------------------------------------------------------------


def write_notes(folder: Path, count: int, bytes_each: int, seed: int) -> None:
    """Write `count` notes of about `bytes_each` bytes: sentences of the example notes, one word in six exchanged."""
    dice = random.Random(seed)
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "examples" / "notes").rglob("*.md")))
    sentences = [found.strip() for found in re.findall(r"[A-Z][^.!?|\n#]{30,200}[.!?]", text)]
    words = re.findall(r"[a-z]{4,}", text)
    for number in range(count):
        place = folder / f"{number // 1000:03}"
        place.mkdir(parents=True, exist_ok=True)
        lines: list[str] = []
        while sum(map(len, lines)) < bytes_each:
            said = dice.choice(sentences).split()
            lines.append(" ".join(dice.choice(words) if dice.random() < 1 / 6 else word for word in said))
        title = f"{dice.choice(words)} {dice.choice(words)} {dice.randrange(10**6)}".capitalize()
        (place / f"{number:06}.md").write_text(f"# {title}\n\n" + "\n".join(lines) + "\n", "utf-8")


def write_library(folder: Path, count: int) -> None:
    """`count` notes in four folders, of which `SHARES` says how much each holds."""
    sizes = {name: max(1, round(count * share)) for name, share in SHARES.items()}
    sizes["rest"] = count - sum(sizes.values())
    for seed, (name, size) in enumerate(sizes.items()):
        write_notes(folder / name, size, NOTE_BYTES, seed)


# ---- a profile ----------------------------------------------------------------------------------------------------


def index_for_real(engine: Engine, notes: Path) -> None:
    """Let the engine read and embed everything."""
    for call in (AddFolder(str(notes)), Index(wait=True)):
        for _ in engine.call(call):
            pass


def prepare(profile: Profile, notes: Path) -> None:
    """Write the catalog as the engine would have, with synthesised vectors; Chroma is the engine's to build."""
    models = next(place / EMBEDDER for place in model_directories(profile) if (place / EMBEDDER).exists())
    extractor = Extractor(models / "tokenizer.json")
    database = Database(profile.catalog)
    with database.write() as connection:
        folder = folders.add(connection, str(notes))
    scan.apply(database, [scan.compare(database, folder, IgnoreRules())])
    with database.read() as connection:
        waiting = [known for known, _ in files.waiting(connection, 10**9)]
    for first in range(0, len(waiting), AT_ONCE):
        with database.write() as connection:
            for known in waiting[first : first + AT_ONCE]:
                read = extractor.extract(Extract(known.path, str(notes), 1 << 20))
                assert isinstance(read, Extracted)
                passages.replace(connection, known.id, known.path, read)
                files.finish(connection, known, "indexed")
    with database.read() as connection:
        unseen = outbox.unseen(connection, EMBEDDER, 10**9)
    embedder = Embedder(models, profile.data / "models" / EMBEDDER, os.cpu_count() or 1)
    hashes = list(unseen)
    real = embedder.embed([unseen[digest] for digest in hashes[:EMBEDDED]])
    stored = pack(np.concatenate([real, synthesise(real, len(hashes) - len(real))]))
    with database.write() as connection:
        outbox.store_vectors(connection, EMBEDDER, dict(zip(hashes, stored, strict=True)))
        connection.execute("DELETE FROM vector_outbox")  # Chroma's first generation is built of all stored vectors
    database.close()


def synthesise(real: Vectors, count: int) -> Vectors:
    """`count` unit vectors [count, 384], each a real one moved along the difference of two others.

    They lie where real vectors lie, in the same clusters; random ones would be no data for a neighbour graph.
    """
    dice = np.random.default_rng(5)
    made = [np.empty((0, real.shape[1]), np.float32)]
    for first in range(0, count, 10_000):
        size = min(10_000, count - first)
        one, two, three = dice.integers(len(real), size=(3, size))
        step = dice.uniform(0.05, 0.35, size=(size, 1)).astype(np.float32)
        rows = real[one] + step * (real[two] - real[three])
        made.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return np.concatenate(made)


def settle(engine: Engine) -> None:
    """Wait until nothing is owed and Chroma holds it all."""
    for _ in engine.call(Index(wait=True)):
        pass
    while not any(
        said.finding.name == "vector index" and said.finding.ok
        for said in engine.call(Doctor())
        if isinstance(said, Checked)
    ):
        time.sleep(1.0)


# ---- what is measured ---------------------------------------------------------------------------------------------


def indexing_rows(notes: Path) -> Iterator[tuple[str, str]]:
    """A real engine indexes the files into a throw-away profile: until all are found by words, and a while beyond."""
    with tempfile.TemporaryDirectory(prefix="offhand-scale-words-") as home:
        os.environ["OFFHAND_HOME"] = home
        profile = Profile()
        try:
            with closing(Engine(profile)) as engine:
                yield from _while_indexing(engine, notes)
        finally:
            launch.stop(profile)


def _while_indexing(engine: Engine, notes: Path) -> Iterator[tuple[str, str]]:
    start = time.perf_counter()
    for _ in engine.call(AddFolder(str(notes))):
        pass
    began: tuple[float, int] | None = None
    for event in engine.call(Index(wait=True)):
        assert isinstance(event, Progress)
        counts, now = event.counts, time.perf_counter()
        made = counts.chunks - counts.vectors_owed
        if counts.files and not counts.waiting and began is None:
            began = now, made
            yield "real files: every one searchable by words after, s", f"{now - start:.1f}"
        if began is not None and (event.done or now - began[0] > VECTORS_SECONDS):
            yield "then vectors, passages/s", f"{(made - began[1]) / max(now - began[0], 0.001):.1f}"
            return


def spread(values: list[float]) -> str:
    """Median and 95th percentile, for a cell."""
    return f"{percentile(values, 0.5):.1f} / {percentile(values, 0.95):.1f}"


def queries(notes: Path) -> dict[str, list[str]]:
    """Texts a person might type, by kind, from a fixed seed."""
    dice = random.Random(11)
    chosen = dice.sample(sorted(notes.rglob("*.md")), QUERIES)
    texts = [path.read_text("utf-8").split("\n", 2)[2].split() for path in chosen]
    starts = [dice.randrange(len(words) - 8) for words in texts]
    phrases = [" ".join(words[at : at + dice.choice((2, 3))]) for words, at in zip(texts, starts, strict=True)]
    every = " ".join(" ".join(words) for words in texts)
    common = [word for word, _ in _commonest(re.findall(r"[a-z]{4,}", every.lower()), 20)]
    return {
        "phrases": phrases,
        "questions": [" ".join(words[at : at + 8]) + "?" for words, at in zip(texts, starts, strict=True)],
        "frequent words": [*common, *(f"{a} {b}" for a, b in itertools.pairwise(common))],
        "first two letters": sorted({word[:2] for word in common}),
        "first letter": sorted({word[:1] for word in common}),
    }


def _commonest(words: list[str], count: int) -> list[tuple[str, int]]:
    from collections import Counter

    return Counter(words).most_common(count)


def found(engine: Engine, call: Search) -> Iterator[tuple[Found, float]]:
    """Each stage of a search with the milliseconds since it was sent, everything included."""
    start = time.perf_counter()
    for event in engine.call(call):
        assert isinstance(event, Found)
        yield event, (time.perf_counter() - start) * 1000


def restart_rows(profile: Profile, words: str) -> Iterator[tuple[str, str]]:
    """Seconds from starting the engine's process to the first hits at the client."""
    by_words, fused, ready = [], [], []
    for _ in range(RESTARTS):
        launch.stop(profile)
        start = time.perf_counter()
        with closing(Engine(profile)) as engine:
            list(found(engine, Search(words, meaning=False)))
            by_words.append(time.perf_counter() - start)
            for event, _ms in found(engine, Search(words)):
                if event.stage == "fused":
                    assert not event.note, event.note
            fused.append(time.perf_counter() - start)
            settle(engine)
            ready.append(time.perf_counter() - start)
    yield "restart to first hit by words, s", f"{percentile(by_words, 0.5):.2f}"
    yield "restart to first hit by words and meaning, s", f"{percentile(fused, 0.5):.2f}"
    yield "restart to everything looked at and settled, s", f"{percentile(ready, 0.5):.1f}"


def search_rows(engine: Engine, asked: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Latency at the client, by kind of query."""
    everything: dict[str, list[float]] = {"words": [], "fused": []}
    for kind, texts in asked.items():
        taken: dict[str, list[float]] = {"words": [], "fused": []}
        for text in texts:
            for event, ms in found(engine, Search(text)):
                taken[event.stage].append(ms)
        yield f"search, words: {kind}, ms (p50 / p95)", spread(taken["words"])
        for stage, values in taken.items():
            everything[stage] += values
    yield "search, words: all of these, ms (p50 / p95)", spread(everything["words"])
    yield "search, words and meaning: all of these, ms (p50 / p95)", spread(everything["fused"])


def filter_rows(engine: Engine, notes: Path, asked: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Latency of a search in a part of the notes."""
    days = {"today": str(date.today()), "any day": "2001-01-01"}  # noqa: DTZ011  # files are dated by this machine
    filters = {f"folder with {share:.1%}": Search("", folder=str(notes / name)) for name, share in SHARES.items()}
    filters |= {f"{name} or later": Search("", after=day) for name, day in days.items()}
    for name, chosen in filters.items():
        taken = []
        for text in asked["phrases"]:
            *_, (_event, ms) = found(engine, structs.replace(chosen, words=text))
            taken.append(ms)
        yield f"search, words and meaning, {name}, ms (p50 / p95)", spread(taken)


def status_rows(engine: Engine) -> Iterator[tuple[str, str]]:
    """What a look at the state costs."""
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        list(engine.call(Status()))
        taken.append((time.perf_counter() - start) * 1000)
    yield "status, ms (p50 / p95)", spread(taken)


def memory_rows(engine: Engine) -> Iterator[tuple[str, str]]:
    """Resident and proportional memory of each process."""
    report = next(iter(engine.call(Status())))
    assert isinstance(report, StatusReport)
    total = 0
    processes = {"engine": psutil.Process(report.pid)}
    for child in report.children:
        if child.pid:
            processes[child.name] = psutil.Process(child.pid)
            processes |= {
                f"{child.name}'s own child": below for below in processes[child.name].children(recursive=True)
            }
    for name, process in processes.items():
        used = process.memory_full_info()
        proportional = getattr(used, "pss", used.rss)  # Linux alone can tell
        yield f"memory of {name}, MB resident / proportional", f"{used.rss / 1e6:.0f} / {proportional / 1e6:.0f}"
        total += 0 if name == "llm" else proportional
    yield "memory without llm, MB", f"{total / 1e6:.0f}"


def measure(size: int, place: Path, *, prepared: bool) -> dict[str, str]:
    """All figures of one size."""
    notes, home = place / "notes", place / "home"
    if not notes.exists():
        write_library(notes, size)
    rows: dict[str, str] = dict(indexing_rows(notes)) if prepared else {}
    os.environ["OFFHAND_HOME"] = str(home)
    profile = Profile()
    try:
        if not profile.catalog.exists():
            profile.create()
            start = time.perf_counter()
            if prepared:
                prepare(profile, notes)
            with closing(Engine(profile)) as engine:
                if not prepared:
                    index_for_real(engine, notes)
                settle(engine)
            rows["indexed, s" if not prepared else "prepared, s"] = f"{time.perf_counter() - start:.0f}"
        asked = queries(notes)
        for part in (restart_rows(profile, asked["phrases"][0]), running_rows(profile, notes, asked)):
            for name, figure in part:
                print(f"{size:,}: {name}: {figure}", file=sys.stderr)
                rows[name] = figure
    finally:
        launch.stop(profile)
    return rows


def running_rows(profile: Profile, notes: Path, asked: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """What is measured of an engine that has come to rest."""
    with closing(Engine(profile)) as engine:
        yield from search_rows(engine, asked)
        yield from filter_rows(engine, notes, asked)
        yield from status_rows(engine)
        *_, (name, figure) = memory_rows(engine)
        yield f"{name}, just after searches that are kept to most of the files", figure
        time.sleep(RELEASE_SECONDS + LOOK_SECONDS + 5)  # then a copy of all vectors in memory is given up
        yield from memory_rows(engine)


def table(sizes: Iterable[int], columns: list[dict[str, str]], *, prepared: bool) -> str:
    """The figures as a Markdown table under a line that names the machine."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {platform.system()}"
    command = f"python benchmarks/scale.py{' --prepared' if prepared else ''}"
    how = f" Most vectors were synthesised from {EMBEDDED:,} real ones." if prepared else ""
    names = list(dict.fromkeys(name for column in columns for name in column))
    head = "| what | " + " | ".join(f"{size:,} notes" for size in sizes) + " |\n|---" + "|---" * len(columns) + "|\n"
    body = "\n".join(f"| {name} | " + " | ".join(column.get(name, "") for column in columns) + " |" for name in names)
    return f"Machine: {machine}. Command: `{command}`.{how}\n\n{head}{body}\n"


def main() -> None:
    """Measure and print; with --write keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--prepared", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="offhand-scale-") as made:
        place = (options.keep or Path(made)).resolve()
        columns = [measure(size, place / str(size), prepared=options.prepared) for size in options.sizes]
    text = table(options.sizes, columns, prepared=options.prepared)
    print(text)
    if options.write:
        keep("Growth", text)


if __name__ == "__main__":
    main()
