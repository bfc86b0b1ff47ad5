"""Measures how soon a saved note is found, how soon a burst is digested, and what a look at a large folder costs.

    python benchmarks/freshness.py [--saves 200] [--burst 5000] [--files 100000] [--notes 500]

Everything goes through a real engine on a throw-away profile: notes are saved as editors save them, and the search is
asked until it finds them. Figures depend on the machine: read the ratios first.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.generated import write_notes  # noqa: E402  # runs from a plain checkout
from core.client import Engine  # noqa: E402
from core.paths import Profile  # noqa: E402
from core.protocol import AddFolder, Found, Index, Progress, Search, Settings, Shutdown, Status, StatusReport  # noqa: E402
from indexer import scan  # noqa: E402
from indexer.ignore import IgnoreRules  # noqa: E402
from indexer.store import folders  # noqa: E402
from indexer.store.database import Database  # noqa: E402
from ui.scoring import percentile  # noqa: E402

PATIENCE = 60.0  # seconds until a save counts as lost
PAUSE = 0.3  # seconds between two saves, so that each finds the engine idle

# A note, and a question that shares no word with it: whoever finds it has understood it.
TOPICS = [
    ("The veterinarian vaccinated the sheep on the hill farm", "animal doctor injections for livestock"),
    ("Our aeroplane to Lisbon leaves before sunrise", "early flight Portugal departure"),
    ("Knead the dough and let it rise beside the oven", "baking loaves with yeast"),
    ("The orchestra rehearsed a symphony by Brahms", "classical music practice"),
    ("Water dripped through the ceiling after the storm", "leaking roof rain damage"),
    ("The lawyer sent a draft of the tenancy agreement", "rented flat attorney document"),
    ("Tomatoes and beans were planted behind the shed", "vegetables growing from seeds"),
    ("The dentist filled two cavities this morning", "teeth repair appointment"),
    ("Snow closed the mountain pass until Thursday", "icy roads blocked"),
    ("Quarterly revenue fell because of currency rates", "company income decline exchange"),
    ("The laptop battery swells and must be replaced", "computer accumulator defective"),
    ("She won the marathon in under three hours", "long distance running race victory"),
]


def timings(values: list[float]) -> str:
    """Median, 95th percentile and maximum of milliseconds, for a table cell."""
    return f"{percentile(values, 0.5):.0f} / {percentile(values, 0.95):.0f} / {max(values):.0f} ms"


@contextmanager
def engine_on(profile: Profile) -> Iterator[Engine]:
    """The profile's engine process, ended afterwards."""
    engine = Engine(profile)
    try:
        yield engine
    finally:
        list(engine.call(Shutdown()))
        engine.close()


@contextmanager
def fresh_profile() -> Iterator[tuple[Profile, Path]]:
    """A profile and a folder for notes, both thrown away."""
    with tempfile.TemporaryDirectory(prefix="offhand-freshness-") as place:
        os.environ["OFFHAND_HOME"] = str(Path(place, "home"))
        profile = Profile()
        profile.create()
        notes = Path(place, "notes").resolve()
        notes.mkdir()
        yield profile, notes


def settle(engine: Engine) -> None:
    """Wait until nothing is owed."""
    for event in engine.call(Index(wait=True)):
        assert isinstance(event, Progress)


def until(condition: Callable[[], bool], pause: float) -> float:
    """Seconds until a condition holds.

    Raises:
        TimeoutError: it never did.
    """
    start = time.perf_counter()
    while not condition():
        if time.perf_counter() - start > PATIENCE:
            raise TimeoutError("a change was never found")
        time.sleep(pause)
    return time.perf_counter() - start


def finds(engine: Engine, words: str, path: Path, number: int, *, meaning: bool) -> bool:
    """Whether a search finds the version `number` of a note among the first fifty."""
    found = list(engine.call(Search(words, 50, meaning)))[-1]
    assert isinstance(found, Found)
    return any(hit.path == str(path) and f"version {number}." in hit.text for hit in found.hits)


def save(path: Path, text: str, number: int) -> None:
    """Write in place, or beside and renamed over it, by turns: the two ways of editors."""
    if number % 2:
        path.write_text(text)
        return
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text)
    beside.replace(path)


def saves(count: int, notes_there: int) -> Iterator[tuple[str, str]]:
    """From a save to the hit."""
    by_words: list[float] = []
    by_meaning: list[float] = []
    with fresh_profile() as (profile, notes), engine_on(profile) as engine:
        write_notes(notes, notes_there, 600, seed=7)
        list(engine.call(AddFolder(str(notes))))
        settle(engine)
        for number in range(count):
            text, question = TOPICS[number % len(TOPICS)]
            path = notes / f"saved-{number % 7}.md"
            time.sleep(PAUSE)
            saved = time.perf_counter()
            save(path, f"{text}. Quern{number}x, version {number}.\n", number)
            until(lambda n=number, p=path: finds(engine, f"Quern{n}x", p, n, meaning=False), 0.004)  # type: ignore[misc]
            by_words.append((time.perf_counter() - saved) * 1000)
            until(lambda n=number, p=path, q=question: finds(engine, q, p, n, meaning=True), 0.02)  # type: ignore[misc]
            by_meaning.append((time.perf_counter() - saved) * 1000)
    yield f"save → found by words, {count} saves (p50 / p95 / max)", timings(by_words)
    yield "save → found by meaning (p50 / p95 / max)", timings(by_meaning)


def burst(count: int) -> Iterator[tuple[str, str]]:
    """Many files at once, as a checkout writes them."""
    with fresh_profile() as (profile, notes), engine_on(profile) as engine:
        list(engine.call(AddFolder(str(notes))))
        settle(engine)
        write_notes(notes, count, 600, seed=7)
        written = time.perf_counter()

        def counts() -> Any:
            report = next(iter(engine.call(Status())))
            assert isinstance(report, StatusReport)
            return report.counts

        known = until(lambda: counts().files == count, 0.05)
        global PATIENCE  # noqa: PLW0603  # reading thousands of files is allowed to take longer
        PATIENCE = 600.0
        until(lambda: counts().indexed == count, 0.1)
        yield f"burst of {count} new files → all known", f"{known:.1f} s"
        yield f"burst of {count} new files → all found by words", f"{time.perf_counter() - written:.1f} s"


def make_small_files(folder: Path, count: int) -> None:
    """`count` files of one line, a hundred in each directory."""
    for number in range(count):
        place = folder / f"{number // 2000}" / f"{number // 100}"
        if number % 100 == 0:
            place.mkdir(parents=True)
        (place / f"{number}.md").write_text(f"# Note {number}\n\nA line of its own.\n")


def know_all(profile: Profile, folder: Path, rules: IgnoreRules) -> tuple[float, float]:
    """Put a folder into the catalog as if it had been read, and compare once more; processor and wall seconds."""
    database = Database(profile.catalog)
    with database.write() as connection:
        watched = folders.add(connection, str(folder))
    scan.apply(database, [scan.compare(database, watched, rules)])
    with database.write() as connection:
        connection.execute("UPDATE files SET state = 'indexed'")
    wall, processor = time.perf_counter(), time.process_time()
    changes = scan.compare(database, watched, rules)
    assert len(changes) == 0
    spent = time.process_time() - processor, time.perf_counter() - wall
    database.close()
    return spent


class Prober:
    """Searches all the time in a thread and keeps the milliseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ended = threading.Event()
        self.took: list[float] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended.wait(0.01):
            start = time.perf_counter()
            list(self._engine.call(Search("boiler garden", 10, meaning=False)))
            self.took.append((time.perf_counter() - start) * 1000)

    def __enter__(self) -> "Prober":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def reconcile(count: int) -> Iterator[tuple[str, str]]:
    """A look at a large unchanged folder: what it takes, and what a search and a save feel of it."""
    settings = Settings()
    rules = IgnoreRules(tuple(settings.ignore), settings.hidden_files, settings.largest_file_mb << 20)
    with fresh_profile() as (profile, place):
        large, small = place / "large", place / "small"
        make_small_files(large, count)
        small.mkdir()
        write_notes(small, 200, 600, seed=7)
        time.sleep(2.1)  # files that changed a moment ago would be compared by content
        processor, wall = know_all(profile, large, rules)
        yield f"compare {count} unchanged files, alone (processor / wall)", f"{processor:.1f} / {wall:.1f} s"
        with engine_on(profile) as engine:
            list(engine.call(AddFolder(str(small))))
            settle(engine)
            with Prober(engine) as idle:
                time.sleep(3.0)
            start = time.perf_counter()
            with Prober(engine) as during:
                looking = engine.call(Index(wait=True))
                next(looking)
                saved = time.perf_counter()
                (small / "now.md").write_text("Quern7x, version 7.\n")
                until(lambda: finds(engine, "Quern7x", small / "now.md", 7, meaning=False), 0.004)
                heard = (time.perf_counter() - saved) * 1000
                for _ in looking:
                    pass
            took = time.perf_counter() - start
        yield f"look at {count} unchanged files in the engine, searches going on", f"{took:.1f} s"
        yield "search by words, idle (p50 / p95 / max)", timings(idle.took)
        yield "search by words, during the look (p50 / p95 / max)", timings(during.took)
        yield "save → found by words, during the look", f"{heard:.0f} ms"


def main() -> None:
    """Measure and print each figure as it comes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--saves", type=int, default=200)
    parser.add_argument("--burst", type=int, default=5_000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--notes", type=int, default=500)
    options = parser.parse_args()
    print("| what | figure |\n|---|---|")
    for measure in (
        saves(options.saves, options.notes) if options.saves else iter(()),
        burst(options.burst) if options.burst else iter(()),
        reconcile(options.files) if options.files else iter(()),
    ):
        for what, figure in measure:
            print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
