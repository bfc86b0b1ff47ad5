"""A profile with a real index goes into an archive and comes back on another machine; kills in between lose nothing."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec
import pytest

from core import launch
from core.client import Engine
from core.paths import ROOT, Profile, command
from core.protocol import (
    AddFolder,
    Configure,
    CurrentSettings,
    Done,
    Export,
    Found,
    GetSettings,
    Import,
    Index,
    Problem,
    Progress,
    Search,
    Settings,
)
from indexer.worker import start_thread
from tests.processes.conftest import eventually, family, indexed, status

pytestmark = pytest.mark.slow


def answer(engine: Engine, call: Import | Export) -> str:
    (done,) = engine.call(call)
    assert isinstance(done, Done)
    return done.message


def found(engine: Engine, words: str) -> list[tuple[str, list[str]]]:
    """Stage and file names of both stages of a search; meaning must be there."""
    stages = []
    for event in engine.call(Search(words)):
        assert isinstance(event, Found)
        assert event.note == ""
        stages.append((event.stage, [Path(hit.path).name for hit in event.hits]))
    return stages


def by_words(engine: Engine, words: str) -> list[str]:
    (event,) = engine.call(Search(words, meaning=False))
    assert isinstance(event, Found)
    return [Path(hit.path).name for hit in event.hits]


def vectors(profile: Profile) -> dict[int, bytes]:
    with apsw.Connection(str(profile.catalog), flags=apsw.SQLITE_OPEN_READONLY) as connection:
        return {
            int(number): bytes(vector) for number, vector in connection.execute("SELECT id, vector FROM embeddings")
        }


class House:
    """A profile with the example notes, indexed, and the archive made of it beside its running engine."""

    def __init__(self, place: Path) -> None:
        self.notes = Path(shutil.copytree(ROOT / "examples" / "notes", place / "notes"))
        self.archive = place / "profile.zip"
        self.engine = Engine(Profile(place / "home"))
        indexed(self.engine, self.notes)
        list(self.engine.call(Configure("idle_minutes", "7")))
        assert str(self.archive) in answer(self.engine, Export(str(self.archive)))
        self.vectors = vectors(self.engine.profile)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.engine.close()
    launch.stop(made.engine.profile)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Engine]:
    """An engine of another profile."""
    engine = Engine(Profile(tmp_path / "elsewhere"))
    yield engine
    engine.close()
    launch.stop(engine.profile)
    assert eventually(lambda: not family(engine.profile))


def test_the_whole_profile_comes_back_and_nothing_is_embedded_again(
    house: House, elsewhere: Engine, tmp_path: Path
) -> None:
    before = found(house.engine, "boiler pressure")
    moved = Path(shutil.copytree(house.notes, tmp_path / "moved"))
    status(elsewhere)  # one runs there already: the import ends it
    assert "1 folder" in answer(elsewhere, Import(str(house.archive), map=[f"{house.notes}={moved}"]))
    assert vectors(elsewhere.profile) == house.vectors
    assert found(elsewhere, "boiler pressure") == before, "at once, while Chroma's index is built"
    last = list(elsewhere.call(Index(wait=True)))[-1]
    assert isinstance(last, Progress)
    assert last.counts.files == last.counts.indexed > 0
    assert [folder.path for folder in status(elsewhere).folders] == [str(moved)]
    assert vectors(elsewhere.profile) == house.vectors, "nothing was embedded again"
    (current,) = elsewhere.call(GetSettings())
    assert isinstance(current, CurrentSettings)
    assert current.settings == msgspec.structs.replace(Settings(), idle_minutes=7)


def test_clients_that_want_an_engine_all_the_time_do_not_disturb_it(house: House, elsewhere: Engine) -> None:
    """Each of them starts an engine when it finds none: one that began in the middle would open half a profile."""
    imported = threading.Event()

    def ask() -> None:
        client = Engine(elsewhere.profile)
        while not imported.is_set():
            with contextlib.suppress(Problem):
                status(client)
        client.close()

    clients = [start_thread("client", ask) for _ in range(2)]
    try:
        assert "1 folder" in answer(elsewhere, Import(str(house.archive), replace=True))
    finally:
        imported.set()
        for client in clients:
            client.join(60)
    assert by_words(elsewhere, "boiler")
    assert not elsewhere.profile.importing.exists()


def test_folders_that_are_not_there_are_kept_and_said(house: House, elsewhere: Engine) -> None:
    answer(elsewhere, Import(str(house.archive), map=[f"{house.notes}=/nowhere/at/all"]))
    assert found(elsewhere, "boiler pressure")[0][1]
    assert eventually(lambda: not status(elsewhere).folders[0].reachable)
    assert status(elsewhere).counts.indexed > 0


def test_an_archive_is_not_written_into_a_folder_of_theirs(house: House) -> None:
    before = sorted(house.notes.rglob("*"))
    with pytest.raises(Problem, match="one of your folders") as refused:
        answer(house.engine, Export(str(house.notes / "profile.zip")))
    assert refused.value.kind == "input"
    with pytest.raises(Problem, match="exists already"):
        answer(house.engine, Export(str(house.archive)))
    assert sorted(house.notes.rglob("*")) == before


def test_what_is_wrong_with_an_archive_crosses_the_border(elsewhere: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no archive")
    pid = status(elsewhere).pid
    with pytest.raises(Problem, match="is no archive made by") as refused:
        answer(elsewhere, Import(str(tmp_path / "a.zip")))
    assert refused.value.kind == "input"
    assert status(elsewhere).pid == pid, "its engine went on"


@pytest.mark.parametrize("part", range(7))
def test_a_killed_import_leaves_the_old_profile_or_the_new(
    house: House, elsewhere: Engine, tmp_path: Path, part: int
) -> None:
    """Kills spread over the length of an import; the engine that comes next finishes it or clears up after it."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "contract.md").write_text("# Contract\n\nThe zeppelin contract ends in May.\n")
    list(elsewhere.call(AddFolder(str(work))))
    assert eventually(lambda: by_words(elsewhere, "zeppelin") != [], 60)
    environment = {**os.environ, "OFFHAND_HOME": str(elsewhere.profile.home)}
    started = time.monotonic()
    importing = subprocess.Popen(command("--process", "import"), stdin=subprocess.PIPE, env=environment)
    assert importing.stdin is not None
    importing.stdin.write(msgspec.json.encode(Import(str(house.archive), replace=True)))
    importing.stdin.close()
    # The first parts wait for signs on the disk, so that a busy machine hits the same moments as an idle one.
    signs = [elsewhere.profile.importing, elsewhere.profile.importing / "plan.json"]
    if part < 6:
        sign = signs[part // 3]
        while not sign.exists() and importing.poll() is None and time.monotonic() < started + 60:
            time.sleep(0.001)
        time.sleep(0.02 * (part % 3))
    else:
        importing.wait(60)
    importing.send_signal(signal.SIGKILL)
    importing.wait(10)
    launch.stop(elsewhere.profile)
    paths = [folder.path for folder in status(elsewhere).folders]
    zeppelin, boiler = by_words(elsewhere, "zeppelin"), by_words(elsewhere, "boiler")
    if paths == [str(work)]:
        assert zeppelin == ["contract.md"]
        assert boiler == []
    else:
        assert paths == [str(house.notes)]
        assert zeppelin == []
        assert boiler
        assert list(elsewhere.profile.data.glob("before-import-*/catalog.sqlite3"))
    assert not elsewhere.profile.importing.exists()
