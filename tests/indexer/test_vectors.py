"""Chroma as a cache that may be damaged at any time: every damage is noticed, and healed without embedding anything."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.records import Chunk, Extracted
from indexer.store import files, folders, outbox, passages
from indexer.store.batch_stamp import BatchStamp
from indexer.store.database import Database
from indexer.store.embedded import EmbeddedStore
from indexer.store.exact import ExactScan
from indexer.store.files import Seen
from indexer.store.outbox import Pointer
from indexer.store.stored import StoredVectors, pack, unpack
from indexer.store.vector_index import NotReady, VectorIndex
from indexer.store.vector_store import StoreClosed, StoreFailed, Vector
from tests.indexer.conftest import eventually

MODEL = "a model"
COUNT = 1_200  # above Chroma's sync threshold of 1,000: its graph is on the disk


def vectors_like_texts(count: int) -> Vector:
    """Unit vectors in clusters, as texts make them; HNSW loses records of pure noise (hnswlib#31)."""
    noise = np.random.default_rng(7)
    centres = noise.normal(size=(40, 384))
    rows = centres[noise.integers(40, size=count)] + 0.6 * noise.normal(size=(count, 384))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


VECTORS = vectors_like_texts(COUNT)


def fill(database: Database, count: int = COUNT) -> None:
    """Passages 1 to count, each with its vector, all still owed to Chroma."""
    chunks = [Chunk(n, "", f"text {n}", n, n, n, n) for n in range(count)]
    with database.write() as connection:
        folder = folders.add(connection, "/notes")
        files.add(connection, folder.id, Seen("/notes/a.md", 1, 1, 1))
        passages.replace(connection, 1, "/notes/a.md", Extracted("h", "t", [], chunks, [], 1))
        hashes = [passages.vector_hash("", chunk.text) for chunk in chunks]
        outbox.store_vectors(connection, MODEL, dict(zip(hashes, pack(VECTORS[:count]), strict=True)))


def settle(database: Database, index: VectorIndex) -> None:
    """What the engine does: clear the outbox and point to the index."""
    with database.write() as connection:
        connection.execute("DELETE FROM vector_outbox")
        outbox.point(connection, index.report().pointer)


OPEN: list[VectorIndex] = []


@pytest.fixture(autouse=True)
def _chroma_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a library too large to compare every passage."""
    monkeypatch.setattr("indexer.store.vector_index.EXACT", 0)
    monkeypatch.setattr("indexer.store.vector_index.NEWEST", 1)


@pytest.fixture(autouse=True)
def _all_are_closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def opened(home: Path, model: str = MODEL) -> VectorIndex:
    index = VectorIndex(EmbeddedStore(home / "vectors"), home / "c.sqlite3", BatchStamp(home / "vectors"))
    OPEN.append(index)
    index.begin(model)
    return index


def signature(home: Path) -> str:
    return EmbeddedStore(home / "vectors").signature(1)


def ready(index: VectorIndex) -> bool:
    return eventually(lambda: index.report().state == "ready")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("vectors")
    database = Database(home / "c.sqlite3")
    fill(database)
    index = opened(home)
    assert ready(index)
    settle(database, index)
    OPEN.remove(index)
    index.close()
    database.close()
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A catalog and a sound index of COUNT vectors, closed, to be damaged."""
    return Path(shutil.copytree(template, tmp_path / "home", copy_function=shutil.copy2))


def segment(home: Path) -> Path:
    (found,) = [path for path in (home / "vectors" / "gen-1").iterdir() if path.is_dir()]
    return found


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(min(path.stat().st_size, 4096)))


# The silent ones among them (measured): Chroma opens them without a word and finds one passage instead of ten.
DAMAGES: dict[str, Callable[[Path], object]] = {
    "vectors truncated": lambda home: truncate(segment(home) / "data_level0.bin"),
    "header truncated": lambda home: truncate(segment(home) / "header.bin"),
    "links zeroed": lambda home: zero(segment(home) / "link_lists.bin"),
    "id map deleted": lambda home: (segment(home) / "index_metadata.pickle").unlink(),
    "graph deleted": lambda home: shutil.rmtree(segment(home)),
    "database deleted": lambda home: (home / "vectors" / "gen-1" / "chroma.sqlite3").unlink(),
    "database truncated": lambda home: truncate(home / "vectors" / "gen-1" / "chroma.sqlite3"),
    "all deleted": lambda home: shutil.rmtree(home / "vectors"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_every_damage_is_noticed_and_healed_from_the_catalog(home: Path, damage: Callable[[Path], object]) -> None:
    damage(home)
    index = opened(home)
    found, _ = index.nearest(VECTORS[3], 10)  # at once, whatever the index is doing
    assert ready(index)
    report = index.report()
    assert report.pointer.generation == 2
    assert report.vectors == COUNT
    again, exact = index.nearest(VECTORS[3], 10)
    assert not exact
    expected = ExactScan(lambda: StoredVectors(home / "c.sqlite3", MODEL)).nearest(VECTORS[3], 10)
    assert {number for number, _ in found} == {number for number, _ in expected}
    assert [number for number, _ in again] == [number for number, _ in expected]
    assert [path.name for path in (home / "vectors").glob("gen-*")] == ["gen-2"]


def test_a_sound_index_is_opened_and_not_rebuilt(home: Path) -> None:
    index = opened(home)
    assert ready(index)
    assert index.report().pointer.generation == 1
    assert index.nearest(VECTORS[5], 3) == ([*index.nearest(VECTORS[5], 3)[0]], False)
    assert index.nearest(VECTORS[5], 3)[0][0][0] == 6


def test_damage_that_leaves_no_trace_is_found_by_the_sample(home: Path) -> None:
    (segment(home) / "index_metadata.pickle").unlink()
    database = Database(home / "c.sqlite3")
    with database.write() as connection:
        outbox.point(connection, Pointer(1, signature(home), MODEL))
    database.close()
    index = opened(home)
    assert eventually(lambda: index.report().pointer.generation == 2)
    assert ready(index)


def test_an_opening_that_did_not_end_is_not_tried_twice(home: Path) -> None:
    (home / "vectors" / "opening").touch()
    index = opened(home)
    assert eventually(lambda: index.report().pointer.generation == 2)
    assert ready(index)
    assert not (home / "vectors" / "opening").exists()


def test_another_model_means_another_index(home: Path) -> None:
    index = opened(home, "another model")
    assert ready(index)
    assert index.report().pointer.model == "another model"
    assert index.report().vectors == 0


def test_damage_under_a_running_index_is_healed_too(home: Path) -> None:
    index = opened(home)
    assert ready(index)
    index.rebuild("a test asks for it")
    found, _ = index.nearest(VECTORS[3], 10)
    assert found[0][0] == 4
    assert ready(index)
    assert index.report().pointer.generation == 2


def test_a_new_home_gets_an_empty_index(tmp_path: Path) -> None:
    Database(tmp_path / "c.sqlite3").close()
    index = opened(tmp_path)
    assert ready(index)
    assert index.report().pointer.generation == 1
    assert index.nearest(VECTORS[0], 5) == ([], False)
    index.examine()
    assert index.report().state == "ready"


def test_nothing_is_applied_before_the_index_is_open(tmp_path: Path) -> None:
    index = VectorIndex(EmbeddedStore(tmp_path / "vectors"), tmp_path / "c.sqlite3", BatchStamp(tmp_path / "vectors"))
    with pytest.raises(NotReady):
        index.apply([], [])
    with pytest.raises(NotReady):
        index.ids()
    index.close()


def test_applied_vectors_are_found_and_taken_out_again(home: Path) -> None:
    index = opened(home)
    assert ready(index)
    before = index.report().pointer
    after = index.apply([(9001, VECTORS[0]), (9002, -VECTORS[0])], [1, 77_777])
    assert after.generation == before.generation
    found, _ = index.nearest(VECTORS[0], 3)
    assert found[0][0] == 9001
    assert found[0][1] == pytest.approx(1.0, abs=1e-3)
    assert 1 not in {number for number, _ in found}
    assert set(index.ids()) == {*range(2, COUNT + 1), 9001, 9002}


def test_the_signature_changes_with_the_files_and_not_with_looking(home: Path) -> None:
    before = signature(home)
    store = EmbeddedStore(home / "vectors")
    store.open(1, before, VECTORS.nbytes)
    store.keep_only(1)
    store.nearest([VECTORS[0]], 5)
    assert signature(home) == before
    for path in segment(home).iterdir():
        os.utime(path)  # a profile that was copied has other times
    assert signature(home) == before
    store.apply([(10_000 + n, VECTORS[n]) for n in range(1_100)], [])
    assert signature(home) != before
    store.close()
    with pytest.raises(StoreFailed, match="not as they were left"):
        store.open(1, before, VECTORS.nbytes)
    with pytest.raises(StoreFailed, match="gone"):
        store.open(7, before, VECTORS.nbytes)
    with pytest.raises(StoreClosed):
        store.ids()


def test_more_ids_than_a_page_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.store.vectors.PAGE", 100)
    store = EmbeddedStore(tmp_path)
    store.create(1, 0)
    store.apply([(n, VECTORS[n]) for n in range(250)], [])
    assert sorted(store.ids()) == list(range(250))
    store.close()


def test_stored_vectors_keep_their_neighbours() -> None:
    kept = unpack(pack(VECTORS))
    assert kept.shape == VECTORS.shape
    assert float(np.abs(kept - VECTORS).max()) < 1e-3
    assert (np.argmax(kept @ VECTORS.T, axis=1) == np.arange(COUNT)).all()


def test_without_room_on_the_disk_nothing_is_built_and_the_scan_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only root could fill a real disk here; tests/processes does so where it may.
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    shutil.rmtree(segment(home))
    index = opened(home)
    assert eventually(lambda: index.report().state == "broken")
    assert "MB are free" in index.report().why
    assert index.nearest(VECTORS[3], 1)[0][0][0] == 4
    with pytest.raises(NotReady):
        index.apply([], [])
    monkeypatch.undo()
    index.rebuild("there is room again")
    assert ready(index)


def test_no_text_of_a_note_is_in_the_files_of_the_index(home: Path) -> None:
    for path in (home / "vectors").rglob("*"):
        assert path.is_dir() or b"text 1" not in path.read_bytes()
