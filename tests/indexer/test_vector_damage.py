"""Damage to Chroma's files, of every kind we know: noticed, put aside, answered by exact scan, and built anew.

Chroma runs in a real process, on a real index of more than 3,000 vectors of real text. Half of the cases forge the
record of what the files looked like, so that Chroma opens the damage: it then crashes, hangs or lies, as it would in
the hands of anybody who does not look first.
"""

import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from msgspec import Struct

from indexer.embed import Embedder
from indexer.index import Index
from indexer.search import by_words
from indexer.store import outbox
from indexer.store.batch_stamp import BatchStamp
from indexer.store.database import Database, open_reader
from indexer.store.embedded import CATALOG, EmbeddedStore, occupied
from indexer.store.exact import ExactScan
from indexer.store.outbox import Pointer
from indexer.store.store_process import Host, StoreProcess
from indexer.store.stored import StoredVectors
from indexer.store.vector_index import NotReady, VectorIndex
from indexer.store.vector_store import Vector
from indexer.worker import start_thread
from tests.indexer import damage
from tests.indexer.conftest import NOTES, Parts, eventually, settled, write_notes
from tests.indexer.damage import COUNT, GRAPH, WAYS, Damage, believe, clusters, make_catalog, pieces, point, segment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HEALING_SECONDS = 240.0  # twelve are usual; a hanging Chroma is given its time first
MOST_DISK = 4 * COUNT * 384 * 4 + (128 << 20)  # bytes: four times the vectors, and what Chroma's tables may take
QUESTIONS = ["how are exceptions raised", "names of local variables", "a class and its attributes", "format of strings"]


class Prepared(Struct):
    """A sound index, closed; another one of other vectors; and questions with their right answers."""

    home: Path
    other: Path
    model: str
    questions: list[Vector]
    right: list[list[int]]


@pytest.fixture(scope="session")
def prepared(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    home = tmp_path_factory.mktemp("sound")
    embedder = Embedder(models / "all-MiniLM-L6-v2", tmp_path_factory.mktemp("graph"), 2)
    make_catalog(home / "c.sqlite3", embedder, pieces(COUNT))
    index = VectorIndex(damage.store_process(home), home / "c.sqlite3", BatchStamp(home / "vectors"))
    index.begin(embedder.model_id)
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    point(home, index.report().pointer)
    index.close()
    other = EmbeddedStore(tmp_path_factory.mktemp("other"))
    other.create(1, 0)
    other.apply(list(enumerate(clusters(1_200))), [])
    other.close()
    (generation,) = other._directory.glob("gen-1")
    questions = list(embedder.embed(QUESTIONS))
    stored = ExactScan(lambda: StoredVectors(home / "c.sqlite3", embedder.model_id))
    right = [[number for number, _ in stored.nearest(question, 10)] for question in questions]
    return Prepared(home, generation, embedder.model_id, questions, right)


@pytest.fixture(autouse=True)
def _looks_are_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.store.vector_index.LOOK_SECONDS", 1.0)


@pytest.fixture(autouse=True)
def _chroma_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a library too large to compare every passage."""
    monkeypatch.setattr("indexer.store.vector_index.EXACT", 0)
    monkeypatch.setattr("indexer.store.vector_index.NEWEST", 1)


@pytest.fixture
def home(prepared: Prepared, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared.home, tmp_path / "home", copy_function=shutil.copy2))


@pytest.fixture
def opened(home: Path, prepared: Prepared) -> Iterator[Callable[[], VectorIndex]]:
    made: list[VectorIndex] = []

    def open_index() -> VectorIndex:
        made.append(VectorIndex(damage.store_process(home), home / "c.sqlite3", BatchStamp(home / "vectors")))
        made[-1].begin(prepared.model)
        return made[-1]

    yield open_index
    for index in made:
        index.close()


def embeddings(home: Path) -> list[tuple[object, ...]]:
    return open_reader(home / "c.sqlite3").execute("SELECT id, hash FROM embeddings ORDER BY id").fetchall()


def scanned(index: VectorIndex, prepared: Prepared) -> bool:
    """All questions are answered rightly; returns whether any by exact scan."""
    exact = False
    for question, right in zip(prepared.questions, prepared.right, strict=True):
        found, compared = index.nearest(question, 10)
        exact = exact or compared
        assert [number for number, _ in found] == right
    return exact


def generations(home: Path) -> list[str]:
    """What stands in the vectors' directory besides the stamp and the lock."""
    return sorted({path.name for path in (home / "vectors").iterdir()} - {"batch", "owner.lock"})


def answered(index: VectorIndex, prepared: Prepared) -> None:
    """The same, perhaps by Chroma, whose graph is not exact."""
    for question, right in zip(prepared.questions, prepared.right, strict=True):
        found, _ = index.nearest(question, 10)
        assert len({number for number, _ in found} & set(right)) >= 9
        assert found[0][0] == right[0]


def healed(home: Path, index: VectorIndex, prepared: Prepared) -> None:
    """From now until a new generation answers, nothing else is noticed, and the disk is not filled."""
    most = 0

    def is_healed() -> bool:
        nonlocal most
        most = max(most, occupied(home / "vectors"))
        return index.report().state == "ready" and index.report().pointer.generation > 1

    assert eventually(is_healed, HEALING_SECONDS), index.report()
    assert most < MOST_DISK
    assert index.report().vectors == COUNT
    answered(index, prepared)
    assert generations(home) == ["gen-2"]


def on_catalog(way: str) -> Damage:
    return lambda generation: WAYS[way](generation / CATALOG, generation / CATALOG)


def on_graph(name: str, way: str) -> Damage:
    return lambda generation: WAYS[way](segment(generation) / name, generation)


def running(index: VectorIndex) -> Host:
    """The process with Chroma in it."""
    store = index._store
    assert isinstance(store, StoreProcess)
    return store._host


def torn(generation: Path) -> None:
    """As after a kill in the middle of writing: some files are of one state, others of an earlier one."""
    for name in ("data_level0.bin", "header.bin"):
        path = segment(generation) / name
        content = path.read_bytes()
        path.write_bytes(content[: len(content) * 2 // 3] + bytes(len(content) - len(content) * 2 // 3))


def foreign(generation: Path) -> None:
    (segment(generation) / "data_level1.bin").write_bytes(b"something else")


CATALOG_DAMAGES: dict[str, Damage] = {
    "catalog truncated": on_catalog("truncated"),
    "catalog zeroed": on_catalog("zeroed"),
    "catalog deleted": on_catalog("deleted"),
    "catalog random bytes": on_catalog("random bytes"),
    "catalog with lost pages": damage.break_page,
}
OTHER_DAMAGES: dict[str, Damage] = {
    **CATALOG_DAMAGES,
    "catalog of an older version": damage.older_schema,
    "graph deleted": lambda generation: shutil.rmtree(segment(generation)),
    "torn write": torn,
    "a foreign file": foreign,
    "bits flipped, size and time as before": damage.flip,
    "generation deleted": shutil.rmtree,
    "generation a file": damage.not_a_directory,
    "everything deleted": lambda generation: shutil.rmtree(generation.parent),
    "an opening that did not end": lambda generation: (generation.parent / "opening").touch(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", GRAPH)
def test_a_damaged_file_of_the_graph(
    home: Path, opened: Callable[[], VectorIndex], prepared: Prepared, name: str, way: str
) -> None:
    WAYS[way](segment(home / "vectors" / "gen-1") / name, segment(prepared.other) / name)
    before = embeddings(home)
    index = opened()
    assert scanned(index, prepared)
    healed(home, index, prepared)
    assert embeddings(home) == before


@pytest.mark.parametrize("harm", OTHER_DAMAGES.values(), ids=OTHER_DAMAGES)
def test_other_damage(home: Path, opened: Callable[[], VectorIndex], prepared: Prepared, harm: Damage) -> None:
    harm(home / "vectors" / "gen-1")
    if harm is damage.older_schema:
        point(home, Pointer(1, "as another version of Chroma left it", prepared.model))
    before = embeddings(home)
    index = opened()
    assert scanned(index, prepared)
    assert by_words(open_reader(home / "c.sqlite3"), "exception", 5)
    healed(home, index, prepared)
    assert embeddings(home) == before


# What Chroma 1.5.9 does with each of them was tried: it refuses, crashes (SIGSEGV), or answers wrongly without a word.
OPENED: dict[str, Damage] = {
    "refused: header deleted": lambda generation: (segment(generation) / "header.bin").unlink(),
    "refused: id map of random bytes": on_graph("index_metadata.pickle", "random bytes"),
    "crash: header truncated": on_graph("header.bin", "truncated"),
    "crash: vectors of random bytes": on_graph("data_level0.bin", "random bytes"),
    "crash: links zeroed": on_graph("link_lists.bin", "zeroed"),
    "lie: vectors truncated": on_graph("data_level0.bin", "truncated"),
    "lie: id map deleted": on_graph("index_metadata.pickle", "deleted"),
    "lie: graph deleted": lambda generation: shutil.rmtree(segment(generation)),
}


@pytest.mark.parametrize("harm", OPENED.values(), ids=OPENED)
def test_damage_that_chroma_is_let_open(
    home: Path, opened: Callable[[], VectorIndex], prepared: Prepared, harm: Damage
) -> None:
    harm(home / "vectors" / "gen-1")
    believe(home, prepared.model)
    index = opened()
    assert scanned(index, prepared)
    healed(home, index, prepared)


@pytest.mark.parametrize("way", ["truncated", "deleted", "random bytes"])
def test_damage_to_the_catalog_of_a_running_index(
    home: Path, opened: Callable[[], VectorIndex], prepared: Prepared, way: str
) -> None:
    index = opened()
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    on_catalog(way)(home / "vectors" / "gen-1")
    index.examine()
    answered(index, prepared)
    healed(home, index, prepared)


@pytest.mark.logs("vectors did not answer within")
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a process is made to hang by a signal of POSIX")
def test_a_hanging_chroma_is_answered_for_and_ended(
    home: Path,
    opened: Callable[[], VectorIndex],
    prepared: Prepared,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    index = opened()
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    hanging = running(index).pid
    assert hanging is not None
    with monkeypatch.context() as hasty:
        hasty.setattr("indexer.store.store_process.OPEN_SECONDS", 5.0)
        os.kill(hanging, signal.SIGSTOP)
        assert scanned(index, prepared)
        assert eventually(lambda: index.report().state != "ready", HEALING_SECONDS)
    healed(home, index, prepared)
    assert "it hung and was stopped" in caplog.text
    assert not psutil.pid_exists(hanging)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a call is made to last by a signal of POSIX")
def test_a_flood_is_stopped(
    home: Path, opened: Callable[[], VectorIndex], prepared: Prepared, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    index = opened()
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    process = psutil.Process(running(index).pid)
    if sys.platform == "linux":
        assert process.rlimit(psutil.RLIMIT_FSIZE)[0] < MOST_DISK
    process.suspend()  # in the place of an opening that writes without end: the call goes on while the file grows
    with (segment(home / "vectors" / "gen-1") / "link_lists.bin").open("ab") as file:
        for _ in range(90):
            file.write(bytes(1 << 20))
    scanned(index, prepared)
    healed(home, index, prepared)
    assert "it filled the disk and was stopped" in caplog.text


def test_a_chroma_that_is_killed_between_two_calls_is_opened_again(
    opened: Callable[[], VectorIndex], prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.store.vector_index.LOOK_SECONDS", 3600.0)  # or the kill may hit a look
    index = opened()
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    psutil.Process(running(index).pid).kill()
    assert eventually(lambda: running(index).pid is None)
    index.examine()
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    answered(index, prepared)
    assert index.report().pointer.generation == 1


def test_a_graph_changed_under_a_running_index_is_noticed_by_itself(
    home: Path, opened: Callable[[], VectorIndex], prepared: Prepared, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    index = opened()
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    assert index.report().pointer.generation == 1
    torn(home / "vectors" / "gen-1")
    healed(home, index, prepared)
    assert "changed by somebody else" in caplog.text


@pytest.mark.parametrize("later", [0.0, 0.01])
def test_a_kill_at_the_moment_the_graph_is_written(
    home: Path, opened: Callable[[], VectorIndex], prepared: Prepared, later: float
) -> None:
    """The aimed kill that leaves Chroma's files torn; the vectors written are those that are there already."""
    index = opened()
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    written = segment(home / "vectors" / "gen-1") / "data_level0.bin"
    before = written.stat().st_mtime_ns
    victim = psutil.Process(running(index).pid)
    ids, rows = next(StoredVectors(home / "c.sqlite3", prepared.model).pages())
    writing = start_thread("write", partial(refused, index, list(zip(ids, rows, strict=True))))
    deadline = time.monotonic() + HEALING_SECONDS
    while written.stat().st_mtime_ns == before:
        assert time.monotonic() < deadline
    time.sleep(later)
    victim.kill()
    writing.join()
    healed(home, index, prepared)


def refused(index: VectorIndex, upserts: list[tuple[int, Vector]]) -> None:
    with pytest.raises(NotReady):
        index.apply(upserts, [])


def test_a_pointer_to_no_generation(home: Path, opened: Callable[[], VectorIndex], prepared: Prepared) -> None:
    database = Database(home / "c.sqlite3")
    with database.write() as connection:
        connection.execute("UPDATE meta SET value = '77' WHERE name = 'vectors.generation'")
    database.close()
    index = opened()
    assert scanned(index, prepared)
    assert eventually(lambda: index.report().state == "ready", HEALING_SECONDS)
    assert index.report().pointer.generation == 78
    assert generations(home) == ["gen-78"]


@pytest.mark.parametrize("name", ["everything deleted", "catalog truncated", "catalog of an older version"])
def test_a_library_whose_vectors_are_damaged(parts: Parts, root: Path, name: str) -> None:
    """The whole way: folders, catalog, three processes. Words go on, nothing is embedded again, nobody clicks."""
    write_notes(root, NOTES)
    index = parts.index()
    index.add_folder(root)
    assert settled(index, HEALING_SECONDS)
    assert eventually(lambda: is_ready(index, 1), HEALING_SECONDS)
    parts.stop(index)
    before = open_reader(parts.catalog).execute("SELECT id, hash FROM embeddings ORDER BY id").fetchall()
    OTHER_DAMAGES[name](parts.home / "vectors" / "gen-1")

    index = parts.index()
    words = next(iter(index.search("serviced October", 3)))
    assert words[1][0].path.endswith("boiler.md")
    *_, (_, hits, note) = index.search("young pets", 3)
    assert (Path(hits[0].path).name, note) == ("kittens.txt", "")
    assert eventually(lambda: is_ready(index, 2), HEALING_SECONDS), index.vectors.report
    assert all(finding.ok for finding in index.check(fix=True))
    assert open_reader(parts.catalog).execute("SELECT id, hash FROM embeddings ORDER BY id").fetchall() == before
    with open_reader(parts.catalog) as connection:
        assert outbox.pointer(connection).generation == 2


def is_ready(index: Index, generation: int) -> bool:
    report = index.vectors.report
    return report is not None and report.state == "ready" and report.pointer.generation == generation
