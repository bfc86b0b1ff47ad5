"""A disk that fills up at any moment: nothing is lost, one clear word, search goes on, and it resumes by itself."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import launch
from core.client import Engine
from core.protocol import Answered, Ask, Configure, CurrentSettings, GetSettings, RemoveFolder, Search
from indexer.records import Problem
from tests.processes.catalogs import downgrade
from tests.processes.conftest import eventually
from tests.processes.disks import Disk, small
from tests.processes.kills import spoil
from tests.processes.scene import Scene, status

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FULL = os.environ.get("OFFHAND_KILLS") == "full"
FILLED = [(96, 0), (112, 100_000), (128, 300_000)]  # megabytes of the disk, bytes that are left on it

RESUMES = 120.0  # seconds; the promise is a minute, on a machine that is not loaded


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Disk]:
    with small(tmp_path / "disk", getattr(request, "param", 112)) as made:
        yield made


@pytest.fixture
def home(disk: Disk) -> Path:
    return disk.place / "home"


def full(scene: Scene) -> list[str]:
    return [notice for notice in status(scene.lives.channel).notices if "full" in notice]


def finds(scene: Scene, word: str) -> bool:
    (found,) = scene.lives.channel.call(Search(word, meaning=False), patience=60.0)
    return any(word in hit.text for hit in found.hits)  # type: ignore[union-attr]


def resumes(scene: Scene, disk: Disk) -> None:
    """Free the disk and touch nothing else."""
    disk.clear()
    assert eventually(lambda: not scene.invariants.owed(), RESUMES), status(scene.lives.channel)
    scene.rest()
    assert eventually(lambda: not full(scene), 30), "the notice goes away"


@pytest.mark.parametrize(("disk", "left"), FILLED if FULL else FILLED[:1], indirect=["disk"])
def test_during_the_first_index(scene: Scene, disk: Disk, left: int) -> None:
    scene.begin(shelf=False)
    word = scene.changes.live_words(1)[0][0]
    disk.fill(left)
    scene.changes.fill(120 if left else 40)
    assert eventually(lambda: bool(full(scene)), 90), status(scene.lives.channel)
    assert len(status(scene.lives.channel).notices) == 1
    assert finds(scene, word)
    resumes(scene, disk)


@pytest.mark.parametrize("left", [0, 60_000] if FULL else [60_000])
def test_during_edits(scene: Scene, disk: Disk, left: int) -> None:
    scene.begin(shelf=False)
    scene.changes.fill(20)
    scene.rest()
    disk.fill(left)
    for _ in range(60):
        scene.changes.step()
    assert eventually(lambda: bool(full(scene)), 90), status(scene.lives.channel)
    assert len(status(scene.lives.channel).notices) == 1
    resumes(scene, disk)


def test_while_the_vectors_are_built_anew(scene: Scene, disk: Disk) -> None:
    scene.begin(shelf=True)
    word = scene.changes.live_words(1)[0][0]
    scene.lives.stop()
    for graph in scene.profile.vectors.glob("gen-*/*/header.bin"):
        spoil(graph)
    kept = sum(path.stat().st_size for path in scene.profile.vectors.rglob("*") if path.is_file())
    scene.lives.start()
    assert finds(scene, word)

    def told() -> bool:
        disk.fill(0)  # again and again: the old generation is deleted first, and its room would do for the new one
        return bool(status(scene.lives.channel).notices)

    assert eventually(told, 90)
    assert len(status(scene.lives.channel).notices) == 1
    found = list(scene.lives.channel.call(Search(word), patience=60.0))
    assert any(word in hit.text for hit in found[-1].hits), "by words and by an exact scan"  # type: ignore[union-attr]
    resumes(scene, disk)
    assert sum(path.stat().st_size for path in scene.profile.vectors.rglob("*") if path.is_file()) < 2 * kept


def test_at_a_start_and_before_a_migration(scene: Scene, disk: Disk) -> None:
    scene.begin(shelf=True)
    scene.lives.stop()
    downgrade(scene.profile.catalog, 1)
    for left in (0, 300_000):
        disk.fill(left)
        with pytest.raises(Problem) as refused:
            list(Engine(scene.profile).call(Search("boiler", meaning=False)))
        assert "room" in str(refused.value) or "space" in str(refused.value)
        assert not list(scene.profile.data.glob("*.backup")), "no half of a copy stays behind"
        disk.clear()
    assert list(Engine(scene.profile).call(Search("boiler", meaning=False))), "the next call starts it"
    launch.stop(scene.profile)
    (scene.profile.logs / "engine.log").unlink()  # it says why the engine could not start, which it should
    scene.rest()
    assert [path.name for path in scene.profile.data.glob("*.version-*")] == ["catalog.sqlite3.version-1"]


def test_while_a_folder_is_removed(scene: Scene, disk: Disk) -> None:
    scene.begin(shelf=True)
    disk.fill(0)
    said = "full"  # unless the journal has room enough in the space that it holds already
    try:
        list(scene.lives.channel.call(RemoveFolder(str(scene.changes.root)), patience=60.0))
    except Problem as problem:
        said = str(problem)
    assert "full" in said
    disk.clear()
    if status(scene.lives.channel).folders:
        scene.rest()
        return
    assert eventually(lambda: not status(scene.lives.channel).counts.chunks, RESUMES)
    assert eventually(lambda: not full(scene), RESUMES)


def test_settings_and_history_say_so_and_stay(scene: Scene, disk: Disk) -> None:
    scene.begin(shelf=False)
    channel = scene.lives.channel
    disk.fill(0)
    with pytest.raises(Problem, match="could not be saved"):
        list(channel.call(Configure("threads", "1")))
    (kept,) = channel.call(GetSettings())
    assert isinstance(kept, CurrentSettings)
    assert kept.settings.threads == 0
    answer = list(channel.call(Ask("Who calls the plumber?", model=False), patience=60.0))[-1]
    assert isinstance(answer, Answered)
    assert "history" in answer.note
    disk.clear()
    list(channel.call(Configure("threads", "1")))
    again = list(channel.call(Ask("Who calls the plumber?", model=False), patience=60.0))[-1]
    assert isinstance(again, Answered)
    assert "history" not in again.note
    scene.rest()


def test_the_log_costs_nothing_else(scene: Scene, disk: Disk) -> None:
    scene.begin(shelf=False)
    disk.fill(0)
    scene.lives.kill("semantics")
    scene.lives.kill("extractor")
    scene.changes.fill(3)
    assert eventually(lambda: bool(full(scene)), 90)
    assert "Logging error" not in (scene.profile.logs / "engine.stderr").read_text()
    resumes(scene, disk)
    assert shutil.disk_usage(disk.place).free
