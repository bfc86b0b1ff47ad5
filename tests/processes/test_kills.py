"""SIGKILL, again and again, while a folder changes: after each restart every promise holds.

`OFFHAND_KILLS=full` runs hundreds of kills instead of a few dozen; `OFFHAND_KILLS_LOG=FILE` has one line for each test.
"""

import contextlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from filelock import FileLock, Timeout

from core.launch import EngineChannel
from core.protocol import Call, RemoveFolder, Search
from indexer.records import Problem
from indexer.worker import start_thread
from tests.processes import kills
from tests.processes.catalogs import downgrade
from tests.processes.conftest import eventually
from tests.processes.scene import Scene, status

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FULL = os.environ.get("OFFHAND_KILLS") == "full"
KILLS_EACH = 10  # of one profile


def seeds(often: int, seldom: int) -> list[int]:
    """So many tests of a kind in the full run and in CI."""
    return list(range(1, (often if FULL else seldom) + 1))


@pytest.fixture
def scene(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Scene]:
    seed = request.node.callspec.params["seed"]
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path / "home"))
    made = Scene(tmp_path, models, seed)
    started = time.monotonic()
    try:
        yield made
        if made.lives.running:
            assert not made.lives.doctor()
    finally:
        made.lives.stop()
        if "OFFHAND_KILLS_LOG" in os.environ:
            with Path(os.environ["OFFHAND_KILLS_LOG"]).open("a") as log:
                line = {
                    "test": request.node.name,
                    "kills": made.lives.kills,
                    "aimed": made.fired,
                    "answered_after": [round(s, 2) for s in made.lives.answered_after],
                    "seconds": round(time.monotonic() - started),
                }
                log.write(json.dumps(line) + "\n")


def test_random_kills(scene: Scene, seed: int) -> None:
    """Whoever, whenever; half of the times a second kill falls into the recovery from the first."""
    scene.begin(shelf=seed % 2 == 0)
    while scene.lives.kills < KILLS_EACH:
        whom = scene.chance.choice(["family", "family", "engine", "engine", "semantics", "extractor"])

        def kill_some_time(whom: str = whom) -> None:
            time.sleep(scene.chance.uniform(0, 2))
            scene.lives.kill(whom)
            if whom in {"family", "engine"} and scene.chance.random() < 0.5:
                scene.lives.start()
                time.sleep(scene.chance.uniform(0, 3))
                scene.lives.kill(scene.chance.choice(["family", "engine"]))

        scene.changing(kill_some_time)
        scene.rest()


def test_aimed_kills(scene: Scene, seed: int) -> None:
    """At the moments that can hurt, with more passages than Chroma keeps in its log alone."""
    scene.begin(shelf=True)
    deeds = [_at_a_graph_write, _at_a_commit, _at_a_switch, _at_a_checkpoint, _at_a_graph_write, _at_a_removal]
    for number in range(KILLS_EACH):
        deeds[(number + seed) % len(deeds)](scene)
        scene.rest()


def _at_a_graph_write(scene: Scene) -> None:
    whom = scene.chance.choice(["semantics", "family", "engine"])
    moment = kills.segments(scene.profile)
    _swinging(scene, lambda: scene.kill_at(moment, whom, seconds=30))


def _at_a_checkpoint(scene: Scene) -> None:
    moment = kills.checkpoint(scene.profile)
    _swinging(scene, lambda: scene.kill_at(moment, "family", seconds=30))


def _at_a_commit(scene: Scene) -> None:
    whom = scene.chance.choice(["family", "engine", "extractor"])
    moment, changes = kills.commit(scene.profile), scene.chance.randint(1, 40)
    scene.changing(lambda: scene.kill_at(moment, whom, seconds=20, changes=changes))


def _at_a_switch(scene: Scene) -> None:
    """The index is found damaged at a start; the kill falls into the making of the next generation."""
    scene.lives.stop()
    for graph in scene.profile.vectors.glob("gen-*/*/header.bin"):
        kills.spoil(graph)
    scene.lives.start()
    moment, changes = kills.switch(scene.profile), scene.chance.randint(1, 3)
    scene.kill_at(moment, scene.chance.choice(["family", "engine", "semantics"]), seconds=60, changes=changes)


def _at_a_removal(scene: Scene) -> None:
    """Either the folder is still there, or no trace of it is."""
    channel = scene.lives.channel
    start_thread("remove", lambda: _ignoring_the_end(channel, RemoveFolder(str(scene.changes.root))))
    moment = scene.chance.choice([kills.commit, kills.checkpoint])(scene.profile)
    scene.kill_at(moment, "family", seconds=10, changes=scene.chance.randint(1, 8))
    scene.lives.start()
    if status(scene.lives.channel).folders:
        return
    assert eventually(lambda: not _traces(scene), kills.PATIENCE), _traces(scene)
    scene.lives.stop()
    connection = apsw.Connection(str(scene.profile.catalog))
    connection.execute("DELETE FROM audit")
    connection.close()
    scene.invariants.forget()
    scene.give_vectors()
    scene.lives.start()
    scene.lives.add_folder()


def _traces(scene: Scene) -> list[str]:
    connection = apsw.Connection(str(scene.profile.catalog), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(5000)
    found = [
        table
        for table in ("folders", "files", "chunks", "facts", "embeddings", "vector_outbox")
        if connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    ]
    connection.close()
    word = scene.changes.live_words(1)[0][0].encode()
    return found + [path.name for path in scene.profile.data.glob("catalog.sqlite3*") if word in path.read_bytes()]


def _ignoring_the_end(channel: EngineChannel, call: Call) -> None:
    with contextlib.suppress(Problem):
        list(channel.call(call))


def _swinging(scene: Scene, deed: Callable[[], None]) -> None:
    """Run `deed` while half of the shelf is taken away and put back: 1,200 records for Chroma, nothing to embed."""
    over = threading.Event()

    def swing() -> None:
        scene.changes.take_away("shelf-0")
        gone = f"{scene.changes.root}/shelf-0/%"
        connection = apsw.Connection(str(scene.profile.catalog), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(5000)
        while not over.wait(0.02):
            if not connection.execute("SELECT count(*) FROM files WHERE path LIKE ?", (gone,)).fetchall()[0][0]:
                break
        connection.close()
        scene.changes.put_back("shelf-0")

    swinging = start_thread("swing", swing)
    try:
        deed()
    finally:
        over.set()
        swinging.join()


def test_kills_during_a_migration(scene: Scene, seed: int) -> None:
    """A catalog of the first version, killed while it is brought up to date: the next start completes it."""
    scene.begin(shelf=True)
    while scene.lives.kills < KILLS_EACH // 2:
        scene.lives.stop()
        downgrade(scene.profile.catalog, 1)
        for _ in range(scene.chance.randint(1, 2)):
            moment = scene.chance.choice([kills.backup, kills.commit])(scene.profile)
            scene.lives.start()
            scene.kill_at(moment, "family", seconds=20, changes=scene.chance.randint(1, 4))
        scene.rest()


def test_kills_during_the_first_start(scene: Scene, seed: int) -> None:
    scene.changes.fill(12)
    while scene.lives.kills < KILLS_EACH // 2:
        scene.create()
        scene.lives.start()
        scene.kill_at(kills.birth(scene.profile), "family", seconds=10, changes=scene.chance.randint(1, 25))
        scene.lives.start()
        if scene.chance.random() < 0.5:
            scene.lives.add_folder()
            scene.kill_at(kills.commit(scene.profile), "family", seconds=10, changes=scene.chance.randint(1, 30))
            scene.lives.start()
        if not status(scene.lives.channel).folders:
            scene.lives.add_folder()
        scene.rest()
        scene.lives.stop()
        shutil.rmtree(scene.profile.data.parent)
        scene.invariants.forget()


def test_two_semantics_processes_never_share_chroma(scene: Scene, seed: int) -> None:
    """One that cannot die yet (here it is stopped; a long write holds it as well) keeps the next one waiting."""
    scene.begin(shelf=False)
    stopped, chroma = scene.lives.pid_of("semantics"), scene.lives.pid_of("vectors")
    assert stopped is not None
    assert chroma is not None
    os.kill(stopped, signal.SIGSTOP)
    try:
        scene.lives.kill("engine", orphans={stopped, chroma})
        scene.changes.fill(1)
        scene.lives.start()
        word = scene.changes.live_words(1)[0][0]
        found = list(scene.lives.channel.call(Search(word), patience=kills.PATIENCE))
        assert any(word in hit.text for hit in found[-1].hits), "an exact scan answers"  # type: ignore[union-attr]
        with pytest.raises(Timeout):
            FileLock(scene.profile.vectors / "owner.lock").acquire(timeout=0)
        stamp = (scene.profile.vectors / "batch").read_bytes()
        assert not (scene.profile.vectors / "opening").exists()
    finally:
        os.kill(stopped, signal.SIGCONT)
    scene.rest()
    assert (scene.profile.vectors / "batch").read_bytes() != stamp, "now it was its turn"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    counts = {
        "test_random_kills": (21, 1),
        "test_aimed_kills": (10, 1),
        "test_kills_during_a_migration": (5, 1),
        "test_kills_during_the_first_start": (5, 1),
        "test_two_semantics_processes_never_share_chroma": (1, 1),
    }
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds(*counts[metafunc.function.__name__]))
