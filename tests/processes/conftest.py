"""Real engines on throw-away profiles, and a way to see that none of their processes stays behind."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from core import launch
from core.client import Engine
from core.paths import ROOT, Profile
from core.protocol import AddFolder, Event, Index, Progress, Status, StatusReport

if TYPE_CHECKING:
    from tests.processes.scene import Scene


def family(profile: Profile) -> list[psutil.Process]:
    """Every running process whose environment names this profile, the test itself left out."""
    found = []
    for process in psutil.process_iter():
        try:
            named = process.environ().get("OFFHAND_HOME") == str(profile.data.parent)
            if named and process.status() != psutil.STATUS_ZOMBIE and "--process" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def status(engine: Engine) -> StatusReport:
    report = next(iter(engine.call(Status())))
    assert isinstance(report, StatusReport)
    return report


def indexed(engine: Engine, folder: Path) -> Progress:
    """Add a folder and wait for its last vector."""
    list(engine.call(AddFolder(str(folder))))
    last: Event = list(engine.call(Index(wait=True)))[-1]
    assert isinstance(last, Progress)
    assert last.done
    return last


@pytest.fixture
def engine(profile: Profile, models: Path) -> Iterator[Engine]:
    made = Engine(profile)
    yield made
    made.close()
    launch.stop(profile)
    assert eventually(lambda: not family(profile)), f"orphans: {family(profile)}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the profile of a `scene` lies; on a disk of its own where a test file says so."""
    return tmp_path / "home"


@pytest.fixture
def scene(home: Path, tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Scene"]:
    """A profile at `home`, a person's folder that changes, and the lives of the engine between them."""
    from tests.processes.scene import Scene  # which needs this file

    monkeypatch.setenv("OFFHAND_HOME", str(home))
    made = Scene(tmp_path, models, 1, home=home)
    yield made
    made.lives.stop()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A copy of the example notes that a test may change."""
    return Path(shutil.copytree(ROOT / "examples" / "notes", tmp_path / "notes"))
