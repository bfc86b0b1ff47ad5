"""How little Offhand is felt: the processor it takes while idle, and how long a search takes while everything is read.

    python -m benchmarks.unfelt [--notes 1500] [--idle 60] [--searches 60]

Prints one JSON object. `idle_cpu` is the share of one core that the engine and all of its children take together over
the idle seconds. The searches of the second part come one every 0.3 s, as from somebody who types, with and without
the work in the background: paused, the same engine on the same folder searches undisturbed.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

import psutil

from core import launch
from core.client import Engine
from core.paths import Profile
from core.protocol import AddFolder, Configure, Found, Index, Search, Status, StatusReport

WORDS = "gutter slate boiler invoice river train apple shed storm coffee paint ladder window garden letter".split()
TYPING = 0.3  # seconds between two searches


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=1500)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--searches", type=int, default=60)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="offhand-unfelt-") as place:
        profile = Profile(Path(place) / "home")
        engine = Engine(profile)
        try:
            print(json.dumps(measure(engine, Path(place), wanted), indent=1))
        finally:
            engine.close()
            launch.stop(profile)


def measure(engine: Engine, place: Path, wanted: argparse.Namespace) -> dict[str, object]:
    """All figures; times in milliseconds."""
    write_notes(place / "first", 50, 0)
    list(engine.call(AddFolder(str(place / "first"))))
    list(engine.call(Index(wait=True)))
    idle = idle_share(engine, wanted.idle)
    write_notes(place / "notes", wanted.notes, 1)
    list(engine.call(AddFolder(str(place / "notes"))))
    during = searches(engine, wanted.searches)
    working = report(engine).counts
    list(engine.call(Configure("paused", "on")))
    time.sleep(3)
    paused = searches(engine, wanted.searches)
    load = psutil.getloadavg()[0]
    owed = {"waiting": working.waiting, "vectors_owed": working.vectors_owed}
    return {"idle_cpu": idle, "while_working": during, "left_then": owed, "while_paused": paused, "load": load}


def idle_share(engine: Engine, seconds: float) -> dict[str, float]:
    """The share of one core that each process takes while nobody wants anything, and all together."""
    time.sleep(5)  # the last round of tidying
    pids = {child.name: child.pid for child in report(engine).children if child.pid}
    processes = {name: psutil.Process(pid) for name, pid in [*pids.items(), ("engine", report(engine).pid)]}
    before = {name: spent(process) for name, process in processes.items()}
    time.sleep(seconds)
    shares = {name: round((spent(process) - before[name]) / seconds, 5) for name, process in processes.items()}
    return {**shares, "all": round(sum(shares.values()), 5)}


def searches(engine: Engine, count: int) -> dict[str, float]:
    """Latency of whole searches, words and meaning, one after the other as from somebody who types."""
    times = []
    chance = random.Random(7)
    for _ in range(count):
        started = time.perf_counter()
        for event in engine.call(Search(" ".join(chance.sample(WORDS, 3)))):
            assert isinstance(event, Found)
        times.append((time.perf_counter() - started) * 1000)
        time.sleep(TYPING)
    return {"median_ms": round(median(times), 1), "p95_ms": round(quantiles(times, n=20)[-1], 1)}


def report(engine: Engine) -> StatusReport:
    """Where the engine stands."""
    found = next(iter(engine.call(Status())))
    assert isinstance(found, StatusReport)
    return found


def spent(process: psutil.Process) -> float:
    """Seconds of processor time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def write_notes(folder: Path, count: int, seed: int) -> None:
    """Notes of about 2 KB."""
    chance = random.Random(seed)
    folder.mkdir(parents=True)
    for number in range(count):
        text = " ".join(chance.choice(WORDS) for _ in range(330))
        (folder / f"note-{number}.md").write_text(f"# Note {number}\n\n{text}\n")


if __name__ == "__main__":
    main()
