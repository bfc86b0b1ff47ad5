"""The clock is wrong, is set back, or files come from the future: nothing is embedded again, nothing is missed.

The engine is real; a small preloaded library shows its processes another wall clock (other_clock.c).
"""

import os
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import apsw
import pytest

from core.paths import ROOT
from tests.processes.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DAY = 86_400
TO_2040 = 16 * 365 * DAY  # seconds from the day this was written to a date beyond 2038


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file: engines see the system's clock off by the number of seconds in it, within a second."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("another clock needs a C compiler and Linux")
    library = tmp_path / "other_clock.so"
    source = ROOT / "tests" / "processes" / "other_clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
    offset = tmp_path / "clock"
    offset.write_text("0")
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("OTHER_CLOCK", str(offset))
    return offset


def log(scene: Scene) -> str:
    return (scene.profile.logs / "engine.log").read_text()


def test_the_clock_jumps_while_notes_change(scene: Scene, clock: Path) -> None:
    """`scene.rest` sees that no text was embedded twice and that no change was missed."""
    scene.begin(shelf=False)
    for seconds in (-DAY, DAY, TO_2040, 0):
        clock.write_text(str(seconds))
        for _ in range(8):
            scene.changes.step()
        scene.rest()


def test_the_clock_is_another_one_at_the_next_start(scene: Scene, clock: Path) -> None:
    scene.begin(shelf=False)
    for seconds in (-DAY, DAY, TO_2040):
        scene.lives.stop()
        clock.write_text(str(seconds))
        scene.changes.step()
        scene.rest()
        seen = datetime.now() + timedelta(seconds=seconds)  # noqa: DTZ005  # as the log writes it
        assert f"{seen:%Y-%m-%d}" in log(scene), "the engine did see that clock"


YEAR_2039, YEAR_2300, YEAR_1950 = 2_177_452_800, 10_413_792_000, -631_152_000


def test_files_from_any_time_are_read_and_what_is_new_comes_first(scene: Scene) -> None:
    scene.begin(shelf=False)
    for year, seconds in (("2039", YEAR_2039), ("2300", YEAR_2300), ("1950", YEAR_1950)):
        note = f"live/{year}.md"
        scene.changes._put(note, f"# Of {year}\n\nThe harbour in {scene.changes._word()}.\n")
        os.utime(scene.changes.root / note, (seconds, seconds))
    scene.rest()
    scene.changes._put("live/2039.md", f"# Of 2039\n\nThe ferry in {scene.changes._word()}.\n")  # back to today
    os.utime(scene.changes.root / "live/2300.md", (YEAR_2300 + DAY, YEAR_2300 + DAY))
    scene.rest()
    with closing(apsw.Connection(str(scene.profile.catalog), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        newest = connection.execute("SELECT path FROM files ORDER BY mtime_ns DESC").fetchall()
    assert newest[0][0].endswith("2300.md"), "its own word is taken for it, and nothing else waits behind it"


def test_a_step_back_during_the_first_index(scene: Scene, clock: Path) -> None:
    scene.changes.fill(60)
    scene.create()
    scene.lives.start()
    scene.lives.add_folder()
    clock.write_text(str(-3 * DAY))
    scene.rest()
    clock.write_text(str(2 * DAY))
    scene.changes.step()
    scene.rest()
