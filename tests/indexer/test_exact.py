"""The exact scan: a copy in memory that finds what there is, however it came, and nothing else."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records import Chunk, Extracted
from indexer.store import exact, files, folders, outbox, passages
from indexer.store.batch_stamp import BatchStamp
from indexer.store.database import Database
from indexer.store.embedded import EmbeddedStore
from indexer.store.exact import ExactScan, Rows, merged
from indexer.store.files import Seen
from indexer.store.stored import StoredVectors, pack
from indexer.store.vector_index import VectorIndex
from indexer.store.vector_store import Vector
from tests.indexer.conftest import eventually

MODEL = "a model"
COUNT = 60


def units(count: int, seed: int = 3) -> Vector:
    rows = np.random.default_rng(seed).normal(size=(count, 384))
    found: Vector = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


VECTORS = units(COUNT)


def add(database: Database, path: str, vectors: Vector) -> list[int]:
    """A note with a passage for each vector, all still owed to the index; their ids."""
    with database.write() as connection:
        folder = next(iter(folders.watched(connection)), None) or folders.add(connection, "/notes")
        files.add(connection, folder.id, Seen(path, 1, 1, 1))
        known = connection.last_insert_rowid()
        chunks = [Chunk(n, "", f"text {n} of {path}", n, n, n, n) for n in range(len(vectors))]
        passages.replace(connection, known, path, Extracted("h", "t", [], chunks, [], 1))
        hashes = [passages.vector_hash("", chunk.text) for chunk in chunks]
        outbox.store_vectors(connection, MODEL, dict(zip(hashes, pack(vectors), strict=True)))
        return [int(row[0]) for row in connection.execute("SELECT id FROM chunks WHERE file_id = ?", (known,))]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "c.sqlite3")
    yield made
    made.close()


def scan_of(database: Database, newest: int = 0) -> ExactScan:
    return ExactScan(lambda: StoredVectors(database.path, MODEL), newest)


def found(scan: ExactScan, vector: Vector, *, catch_up: bool = False) -> set[int]:
    return {number for number, _ in scan.nearest(vector, COUNT, catch_up=catch_up)}


PUT = st.tuples(st.just("put"), st.lists(st.integers(1, 30), max_size=8, unique=True))
REMOVE = st.tuples(st.just("remove"), st.lists(st.integers(1, 30), max_size=8))


@given(st.lists(st.one_of(PUT, REMOVE), max_size=30), st.integers(0, COUNT - 1))
def test_rows_are_what_was_put_and_not_removed(steps: list[tuple[str, list[int]]], asked: int) -> None:
    rows, expected = Rows(), dict[int, Vector]()
    for step, (kind, numbers) in enumerate(steps):
        if kind == "put":
            made = units(len(numbers), step)
            rows.put(numbers, made)
            expected.update(zip(numbers, made, strict=True))
        else:
            rows.remove(numbers)
            for number in numbers:
                expected.pop(number, None)
    near = dict(rows.nearest(VECTORS[asked], 50))
    assert near == pytest.approx({number: float(row @ VECTORS[asked]) for number, row in expected.items()}, abs=1e-5)
    assert list(near.values()) == sorted(near.values(), reverse=True)


def test_rows_grow_without_losing_any() -> None:
    rows, many = Rows(), units(2_000)
    for first in range(0, 2_000, 37):
        rows.put(range(first, min(first + 37, 2_000)), many[first : first + 37])
    assert len(rows) == 2_000
    assert [rows.nearest(many[n], 1)[0][0] for n in (0, 36, 37, 999, 1_999)] == [0, 36, 37, 999, 1_999]


def test_the_copy_holds_what_is_stored_when_it_is_made(database: Database) -> None:
    scan = scan_of(database)
    assert scan.nearest(VECTORS[0], 5) == []
    scan.release()
    numbers = add(database, "/notes/a.md", VECTORS[:10])
    assert found(scan, VECTORS[0]) == set(numbers)
    assert scan.nearest(VECTORS[4], 1)[0] == (numbers[4], pytest.approx(1.0, abs=1e-3))


def test_what_the_index_takes_is_in_the_copy(database: Database) -> None:
    numbers = add(database, "/notes/a.md", VECTORS[:10])
    scan = scan_of(database)
    scan.load()
    scan.take([100, 101], VECTORS[10:12], [numbers[0]])
    assert found(scan, VECTORS[0]) == {*numbers[1:], 100, 101}
    assert scan.nearest(VECTORS[11], 1)[0][0] == 101


def test_while_the_index_takes_nothing_the_copy_looks_at_what_is_owed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "CATCH_UP_SECONDS", 0.0)
    scan = scan_of(database)
    numbers = add(database, "/notes/a.md", VECTORS[:10])
    assert found(scan, VECTORS[0], catch_up=True) == set(numbers)
    later = add(database, "/notes/b.md", VECTORS[10:20])
    assert found(scan, VECTORS[0]) == set(numbers)
    assert found(scan, VECTORS[0], catch_up=True) == {*numbers, *later}
    with database.write() as connection:
        connection.execute("DELETE FROM chunks WHERE id = ?", (numbers[4],))
    assert found(scan, VECTORS[0], catch_up=True) == {*numbers, *later} - {numbers[4]}


def test_the_newest_are_those_with_the_highest_ids_and_stay_few(database: Database) -> None:
    numbers = add(database, "/notes/a.md", VECTORS[:20])
    scan = scan_of(database, newest=5)
    assert found(scan, VECTORS[0]) == set(numbers[-5:])
    later = add(database, "/notes/b.md", VECTORS[20:26])
    scan.take(later, VECTORS[20:26], [])
    assert found(scan, VECTORS[0]) == set(later[-5:])


def test_only_the_given_passages_are_compared(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = add(database, "/notes/a.md", VECTORS)
    scan = scan_of(database)
    few = [numbers[3], numbers[49], numbers[50], 99_999]
    near = scan.nearest(VECTORS[49], 10, few)
    assert scan._rows is None, "few are read from the disk"
    assert near[0][0] == numbers[49]
    assert {number for number, _ in near} == set(few[:3])
    assert scan.nearest(VECTORS[49], 10, []) == []
    monkeypatch.setattr(exact, "FEW", 2)
    assert [number for number, _ in scan.nearest(VECTORS[49], 10, few)] == [number for number, _ in near]


def test_merged_lists_name_each_passage_once() -> None:
    assert merged(3, [(1, 0.9), (2, 0.5)], [(3, 0.7), (1, 0.9), (4, 0.1)]) == [(1, 0.9), (3, 0.7), (2, 0.5)]


def test_a_group_unlike_all_others_is_found_at_once_and_after_a_start(tmp_path: Path) -> None:
    """What Chroma's graph lost: a few passages hang together and nothing leads to them from the rest."""
    database = Database(tmp_path / "c.sqlite3")
    centre, axes = units(1)[0], units(7, seed=5)
    rest = centre + 0.05 * units(500, seed=8)
    add(database, "/notes/rest.md", (rest / np.linalg.norm(rest, axis=1, keepdims=True)).astype(np.float32))
    home = Path(shutil.copytree(tmp_path, tmp_path / "home"))
    index = VectorIndex(EmbeddedStore(home / "vectors"), database.path, BatchStamp(home / "vectors"))
    index.begin(MODEL)
    assert eventually(lambda: index.report().state == "ready")
    index.nearest(centre, 1)
    group = add(database, "/notes/group.md", axes)
    index.apply(list(zip(group, axes, strict=True)), [])
    question = axes.sum(axis=0) - centre
    question /= np.linalg.norm(question)
    near, doubtful = index.nearest(question, 7)
    assert not doubtful
    assert {number for number, _ in near} == set(group)
    index.close()
    database.close()
