"""A profile that cannot be written, from the start or from some moment on: one sentence, and search where it can be."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.client import Engine
from core.paths import command
from core.protocol import Configure, Search
from indexer.records import Problem
from tests.processes.conftest import eventually, family
from tests.processes.disks import Disk, sealed, small
from tests.processes.scene import Scene, status

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NOBODY = 65534


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small(tmp_path / "disk", 64) as made:
        yield made


@pytest.fixture
def home(disk: Disk) -> Path:
    return disk.place / "home"


def files(scene: Scene) -> dict[str, bytes]:
    top = scene.profile.data.parent
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def test_a_read_only_disk_refuses_in_one_sentence_and_loses_nothing(scene: Scene, disk: Disk) -> None:
    scene.begin(shelf=False)
    scene.lives.stop()
    before = files(scene)
    disk.read_only(True)
    try:
        with pytest.raises(Problem, match=r"cannot write its profile in .*: Read-only file system") as refused:
            list(Engine(scene.profile).call(Search("boiler")))
        assert refused.value.next_step
        done = subprocess.run(command("--process", "engine"), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 4
        assert done.stderr.count("\n") == 1
        assert "Read-only file system" in done.stderr
        assert not family(scene.profile)
        assert files(scene) == before
    finally:
        disk.read_only(False)
    scene.rest()


def test_it_becomes_read_only_in_the_middle(scene: Scene) -> None:
    scene.begin(shelf=False)
    word = scene.changes.live_words(1)[0][0]
    with sealed(scene.profile.data.parent):
        with pytest.raises(Problem, match="could not be saved: Read-only file system"):
            list(scene.lives.channel.call(Configure("threads", "1")))
        scene.changes.fill(20)
        scene.lives.kill("semantics")
        assert eventually(lambda: bool(status(scene.lives.channel).notices), 60)
        assert len(status(scene.lives.channel).notices) == 1
        found = list(scene.lives.channel.call(Search(word), patience=60.0))
        assert any(word in hit.text for hit in found[-1].hits)  # type: ignore[union-attr]
    assert eventually(lambda: not scene.invariants.owed(), 120), status(scene.lives.channel)
    scene.rest()
    assert eventually(lambda: not status(scene.lives.channel).notices, 60)


def test_a_catalog_that_may_not_be_written_is_one_sentence(scene: Scene) -> None:
    """As another user than root: root may write everything."""
    scene.begin(shelf=False)
    scene.lives.stop()
    top = scene.profile.data.parent
    for path in [top, *top.rglob("*")]:
        _give(path)
    before = scene.profile.catalog.read_bytes()
    scene.profile.catalog.chmod(0o400)
    try:
        done = subprocess.run(
            command("--process", "engine"), capture_output=True, text=True, timeout=60, check=False, user=NOBODY
        )
    except PermissionError:
        pytest.skip("another user than root cannot run this installation")
    assert done.returncode == 4, done.stderr
    assert "cannot be opened for writing" in done.stderr
    assert "Traceback" not in done.stderr.rpartition("offhand: ")[2]
    assert scene.profile.catalog.read_bytes() == before


def _give(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)
    path.chmod(path.stat().st_mode | stat.S_IRUSR | stat.S_IWUSR)
