"""Measures what is felt at the desktop: from the key to the palette, from the start to the window, and while all works.

    python benchmarks/desktop.py [--rounds 100] [--starts 10] [--notes 1500] [--seconds 90] [--idle 60] [--write]

The real app with its real engine on a throw-away profile, on a screen of its own (Xvfb) with real key presses, seen
from outside through X. Only for the gaps of its event loop the app has a guest, a timer of one millisecond. `--write`
puts the table into docs/BENCHMARKS.md. Needs the packages of `python packaging/bootstrap.py --tests`. Figures depend on
the machine: read the ratios first.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.generated import write_notes  # noqa: E402  # runs from a plain checkout
from benchmarks.report import Row, keep, table  # noqa: E402
from benchmarks.x_screen import ALT, CONTROL, ESCAPE, GLANCE, RETURN, SPACE, WINDOW_MANAGERS, Screen, screen  # noqa: E402
from core.client import Engine  # noqa: E402
from core.paths import Profile, command  # noqa: E402
from core.protocol import AddFolder, Shutdown, Status, StatusReport  # noqa: E402
from ui.scoring import percentile  # noqa: E402

PALETTE, WINDOW, OTHER = "Offhand palette", "Offhand", "another program"
OTHERS_CODE = (
    "from PySide6.QtWidgets import QApplication, QLineEdit; a = QApplication([]); w = QLineEdit();"
    f"w.setWindowTitle({OTHER!r}); w.show(); a.exec()"
)
QUESTIONS = ("when is the boiler serviced", "who pays for the roof", "what did the garden cost", "which train is first")
TICK = 1  # ms between two beats of the guest


def spread(values: list[float]) -> str:
    """Median, 95th percentile and maximum of milliseconds, for a table cell."""
    return f"{percentile(values, 0.5):.0f} / {percentile(values, 0.95):.0f} / {max(values):.0f} ms"


@contextmanager
def program(on: Screen, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program on the screen; asked to end afterwards, and killed if it does not."""
    process = subprocess.Popen(arguments, env=on.environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def another(on: Screen) -> Iterator[None]:
    """Another program, which has the keyboard."""
    with program(on, sys.executable, "-c", OTHERS_CODE):
        on.until(lambda: on.focused() == OTHER)
        yield


def has_shortcut(profile: Profile) -> bool:
    """Whether the app has grabbed its key; its log tells."""
    log = profile.logs / "app.log"
    return log.exists() and "opens Offhand from anywhere" in log.read_text()


def give_back(on: Screen) -> None:
    """Esc, and the other program has the keyboard again."""
    on.press(ESCAPE)
    on.release(ESCAPE)
    on.until(lambda: on.focused() == OTHER)
    time.sleep(random.uniform(0.15, 0.35))


def presses(on: Screen, rounds: int) -> list[float]:
    """Milliseconds from the key going down until the palette has the keyboard."""
    took = []
    for _ in range(rounds):
        on.press(CONTROL, ALT)
        on.press(SPACE)
        took.append(on.until(lambda: on.focused() == PALETTE, GLANCE))
        on.release(SPACE, ALT, CONTROL)
        give_back(on)
    return took


def toggles(on: Screen, rounds: int) -> list[float]:
    """Milliseconds from the start of `offhand toggle` until the palette is to be seen."""
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        with program(on, *command("toggle")) as toggle:
            on.until(lambda: on.shown(PALETTE))
            took.append((time.perf_counter() - started) * 1000)
            toggle.wait(10)
        on.until(lambda: on.focused() == PALETTE)
        give_back(on)
    return took


def starts(on: Screen, rounds: int) -> list[float]:
    """Milliseconds from the start of the program until its window is to be seen; the first start warms the disk."""
    took = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        with program(on, *command("open")):
            on.until(lambda: on.shown(WINDOW))
            took.append((time.perf_counter() - started) * 1000)
            time.sleep(2.0)  # what follows the window is no part of the next start
        on.until(lambda: not on.shown(WINDOW))
    return took[1:]


def keys(options: argparse.Namespace, profile: Profile, folder: Path) -> Iterator[Row]:
    """From the key, the command and the start to the screen; memory and processor of the app at rest."""
    for manager in WINDOW_MANAGERS:
        with screen(manager, folder / manager) as on:
            if manager == "openbox" and options.starts:
                took = starts(on, options.starts)
                yield f"start → window visible, {options.starts} starts (p50 / p95 / max)", spread(took)
            (profile.logs / "app.log").unlink(missing_ok=True)
            with program(on, *command("open")) as app:
                on.until(lambda: on.shown(WINDOW) and has_shortcut(profile))
                with another(on):
                    took = presses(on, options.rounds)
                    yield f"key → palette focused, {manager}, {options.rounds} presses (p50 / p95 / max)", spread(took)
                    took = toggles(on, options.rounds)
                    yield f"`offhand toggle` → palette shown, {manager} (p50 / p95 / max)", spread(took)
                    if manager == "openbox":
                        yield from at_rest(app.pid, options.idle)


def at_rest(pid: int, seconds: float) -> Iterator[Row]:
    """What the app's process holds and takes while nobody wants anything of it."""
    process = psutil.Process(pid)
    time.sleep(5)
    before = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    share = (sum(process.cpu_times()[:2]) - before) / seconds
    memory = process.memory_full_info()
    yield f"app at rest, window open, {seconds:.0f} s: share of one core", f"{share:.2%}"
    yield "app after use: memory, resident / its own (RSS / USS)", f"{memory.rss / 1e6:.0f} / {memory.uss / 1e6:.0f} MB"


def busy(options: argparse.Namespace, profile: Profile, folder: Path) -> Iterator[Row]:
    """How long the app's event loop is held up while everything is read and answers stream."""
    notes = folder / "notes"
    notes.mkdir()
    write_notes(notes.resolve(), options.notes, 2048, seed=7)
    kept = folder / "gaps.json"
    (profile.logs / "app.log").unlink(missing_ok=True)
    with screen("openbox", folder / "busy") as on, program(on, sys.executable, __file__, "--inside", str(kept)):
        on.until(lambda: on.shown(WINDOW) and has_shortcut(profile))
        engine = Engine(profile)
        with another(on):
            calm = time.monotonic()
            time.sleep(5.0)
            began = time.monotonic()
            list(engine.call(AddFolder(str(notes.resolve()))))
            asked = ask_all_along(on, began + options.seconds)
            ended = time.monotonic()
            left = report(engine).counts
        engine.close()
    beats = [(at, gap) for at, gap in json.loads(kept.read_text())]
    work = f"{options.notes} notes being read, {asked} questions answered, {ended - began:.0f} s"
    yield "gaps of the event loop, at rest (p50 / p99 / max)", gaps(beats, calm, began)
    yield f"gaps of the event loop, {work} (p50 / p99 / max)", gaps(beats, began, ended)
    yield "… files and vectors that still waited at the end", f"{left.waiting}, {left.vectors_owed}"


def gaps(beats: list[tuple[float, float]], begin: float, end: float) -> str:
    """Median, 99th percentile and maximum of the milliseconds between two beats, for a table cell."""
    took = [gap for at, gap in beats if begin <= at < end]
    return f"{percentile(took, 0.5):.1f} / {percentile(took, 0.99):.1f} / {max(took):.1f} ms"


def ask_all_along(on: Screen, end: float) -> int:
    """Ask by keyboard, one question after the other, until `end`; how many."""
    asked = 0
    while time.monotonic() < end:
        on.press(CONTROL, ALT)
        on.press(SPACE)
        on.until(lambda: on.focused() == PALETTE)
        on.release(SPACE, ALT, CONTROL)
        for sign in QUESTIONS[asked % len(QUESTIONS)]:
            on.press(ord(sign))
            on.release(ord(sign))
            time.sleep(0.06)
        on.press(RETURN)
        on.release(RETURN)
        asked += 1
        time.sleep(6.0)  # the quote, then prose
        while on.focused() == PALETTE:  # Esc closes the answer first, then the palette
            on.press(ESCAPE)
            on.release(ESCAPE)
            time.sleep(0.3)
    return asked


def report(engine: Engine) -> StatusReport:
    """Where the engine stands."""
    found = next(iter(engine.call(Status())))
    assert isinstance(found, StatusReport)
    return found


def inside(kept: Path) -> int:
    """The app as it is, and a timer in it that notes when it is let run; written down at the end."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from ui import app

    beats: list[tuple[float, float]] = []

    class Timed(app.App):
        def start(self, *, palette: bool, hidden: bool = False) -> None:
            super().start(palette=palette, hidden=hidden)
            last = [time.monotonic()]

            def beat() -> None:
                now = time.monotonic()
                beats.append((now, (now - last[0]) * 1000))
                last[0] = now

            self._beat = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=TICK)
            self._beat.timeout.connect(beat)
            self._beat.start()

    app.App = Timed  # type: ignore[misc]
    signal.signal(signal.SIGTERM, lambda *_: QApplication.quit())
    status = app.run(Profile())
    kept.write_text(json.dumps(beats))
    return status


def measure(options: argparse.Namespace) -> Iterator[Row]:
    """All rows of the table, as they come."""
    for part in (keys, busy):
        with tempfile.TemporaryDirectory(prefix="offhand-desktop-") as place:
            folder = Path(place)
            for name in (*WINDOW_MANAGERS, "busy"):
                (folder / name).mkdir(mode=0o700)
            os.environ["OFFHAND_HOME"] = str(folder / "home")
            profile = Profile()
            profile.create()
            try:
                yield from part(options, profile, folder)
            finally:
                engine = Engine(profile)
                list(engine.call(Shutdown()))
                engine.close()


def main() -> None:
    """Measure and print each figure as it comes; with --write keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--notes", type=int, default=1500)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        sys.exit(inside(options.inside))
    rows: list[Row] = []
    for row in measure(options):
        rows.append(row)
        print(f"| {row[0]} | {row[1]} |", flush=True)
    if options.write:
        keep("The desktop", table(rows, "python benchmarks/desktop.py"))


if __name__ == "__main__":
    main()
