"""What a power cut can leave of the catalog: its journal cut anywhere, or damage; and vectors that knew more."""

import os
import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import numpy as np
import pytest

from indexer.records import CatalogUnusable, Chunk, Extracted
from indexer.store import files, folders, outbox, passages
from indexer.store.batch_stamp import BatchStamp
from indexer.store.database import Database
from indexer.store.embedded import EmbeddedStore
from indexer.store.files import Seen
from indexer.store.stored import pack, unpack
from indexer.store.vector_index import VectorIndex
from tests.indexer.conftest import eventually

TRANSACTIONS = 60
MODEL = "a model"
HEADER, FRAME = 32, 24 + 4096  # bytes of a WAL's header and of one frame (sqlite.org/fileformat2.html, section 4)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog as it stands on the disk while it is open: every transaction but the first ones is in its WAL alone."""
    home = tmp_path_factory.mktemp("killed")
    database = Database(home / "open.sqlite3")
    database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    database._writer.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    for number in range(TRANSACTIONS):
        with database.write() as connection:
            folder = folders.add(connection, f"/folder-{number}")
            files.add(connection, folder.id, Seen(f"/folder-{number}/a.md", 1, 1, 1))
            reading = Extracted("h", "t", [], [Chunk(0, "", f"text {number} " * 50, 0, 1, 1, 1)], [], 1)
            passages.replace(connection, number + 1, f"/folder-{number}/a.md", reading)
    for suffix in ("", "-wal"):
        shutil.copyfile(home / f"open.sqlite3{suffix}", home / f"catalog.sqlite3{suffix}")
    database.close()
    assert (home / "catalog.sqlite3-wal").stat().st_size > TRANSACTIONS * FRAME
    return home


@pytest.fixture
def catalog(killed: Path, tmp_path: Path) -> Path:
    for suffix in ("", "-wal"):
        shutil.copyfile(killed / f"catalog.sqlite3{suffix}", tmp_path / f"catalog.sqlite3{suffix}")
    return tmp_path / "catalog.sqlite3"


def kept(path: Path) -> int:
    """How many of the transactions are there; each must be there as a whole, after all earlier ones."""
    with closing(Database(path)) as database, database.write() as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall()
        if said != [("ok",)]:
            raise CatalogUnusable(f"damaged: {said}", "found by looking")
        connection.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)")
        found = [row[0] for row in connection.execute("SELECT path FROM folders ORDER BY id")]
        for table in ("files", "chunks", "vector_outbox", "chunks_fts_docsize"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(len(found),)], table
    assert found == [f"/folder-{number}" for number in range(len(found))]
    return len(found)


def cuts(size: int) -> list[int]:
    """Places in the header, at and inside frames, and by chance."""
    chance = random.Random(5)
    frames = [HEADER + FRAME * number for number in (1, 2, 7, 50, 101)]
    inside = [frame + extra for frame in frames for extra in (-FRAME // 2, 0, 23, 24)]
    return sorted({0, 1, 31, HEADER, size - 1, *inside, *(chance.randrange(size) for _ in range(15))})


def test_a_journal_cut_anywhere_costs_only_its_last_transactions(catalog: Path, killed: Path) -> None:
    wal = catalog.with_name("catalog.sqlite3-wal")
    whole = wal.read_bytes()
    places = cuts(len(whole))
    assert len(places) > 30
    before = 0
    for place in places:
        shutil.copyfile(killed / "catalog.sqlite3", catalog)
        wal.write_bytes(whole[:place])
        now = kept(catalog)
        assert now >= before, f"cut at {place}"
        before = now
    shutil.copyfile(killed / "catalog.sqlite3", catalog)
    wal.write_bytes(whole)
    assert kept(catalog) == TRANSACTIONS


@pytest.mark.parametrize("place", [40, 20_000, 100_000])
def test_garbage_in_the_journal_costs_what_comes_after_it(catalog: Path, place: int) -> None:
    with catalog.with_name("catalog.sqlite3-wal").open("r+b") as wal:
        wal.seek(place)
        wal.write(random.Random(3).randbytes(512))
    assert kept(catalog) < TRANSACTIONS


def test_a_garbage_tail_and_a_garbage_index_of_the_journal_cost_nothing(catalog: Path) -> None:
    with catalog.with_name("catalog.sqlite3-wal").open("ab") as wal:
        wal.write(random.Random(3).randbytes(10_000))
    catalog.with_name("catalog.sqlite3-shm").write_bytes(random.Random(4).randbytes(32_768))
    assert kept(catalog) == TRANSACTIONS


def _cut(path: Path, size: int) -> None:
    os.truncate(path, size)


def _spoil(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(random.Random(3).randbytes(4096))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "nothing left": lambda path: _cut(path, 0),
    "half a header": lambda path: _cut(path, 50),
    "half a page": lambda path: _cut(path, 2000),
    "half of it": lambda path: _cut(path, path.stat().st_size // 2),
    "garbage header": lambda path: _spoil(path, 0),
    "garbage page": lambda path: _spoil(path, 4096),
    "garbage in the middle": lambda path: _spoil(path, 4096 * (path.stat().st_size // 8192)),
}


@pytest.mark.parametrize("with_journal", [False, True])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_catalog_is_whole_again_or_refused_in_a_sentence(
    catalog: Path, damage: Callable[[Path], None], with_journal: bool
) -> None:
    if not with_journal:
        connection = apsw.Connection(str(catalog))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()
    damage(catalog)
    if not catalog.stat().st_size and not with_journal:
        assert kept(catalog) == 0  # nothing tells it from a new one, killed before its first page
        return
    refused = _refusal(lambda: kept(catalog))
    if refused is None:
        assert with_journal, "the journal had every page that was damaged"
        return
    assert "damaged" in refused.what or "another program" in refused.what
    assert refused.next_step


def _refusal(deed: Callable[[], object]) -> CatalogUnusable | None:
    try:
        deed()
    except CatalogUnusable as refused:
        return refused
    return None


def test_a_catalog_that_is_refused_at_once_is_left_as_it_is(catalog: Path) -> None:
    _cut(catalog, 50)
    wal = catalog.with_name("catalog.sqlite3-wal")
    before = catalog.read_bytes(), wal.read_bytes()
    with pytest.raises(CatalogUnusable):
        Database(catalog)
    assert (catalog.read_bytes(), wal.read_bytes()) == before


# ---- catalog and vectors of different times --------------------------------------------------------------------------


def _passages(database: Database, texts: list[str]) -> None:
    """Passages that have a vector each; the same text always has the same."""
    reading = Extracted("h", "t", [], [Chunk(n, "", text, n, n, n, n) for n, text in enumerate(texts)], [], 1)
    with database.write() as connection:
        if not folders.watched(connection):
            folders.add(connection, "/notes")
        files.add(connection, 1, Seen("/notes/a.md", 1, 1, 1))
        passages.replace(connection, 1, "/notes/a.md", reading)
        made = {}
        for text in texts:
            digest = passages.vector_hash("", text)
            vector = np.random.default_rng(int.from_bytes(digest[:4])).normal(size=384)
            made[digest] = pack((vector / np.linalg.norm(vector))[None].astype(np.float32))[0]
        outbox.store_vectors(connection, MODEL, made)


def _give(database: Database, index: VectorIndex) -> None:
    """What the engine does with the outbox."""
    with database.write(durable=True) as connection:
        batch = outbox.begin_batch(connection)
        owed, gone = outbox.upserts(connection, MODEL, 1000), outbox.removals(connection, 1000)
    vectors = unpack([vector for _, vector in owed]) if owed else []
    pointer = index.apply(list(zip([number for number, _ in owed], vectors, strict=True)), gone, batch)
    with database.write() as connection:
        outbox.clear(connection, [number for number, _ in owed], gone)
        outbox.confirm_batch(connection, batch)
        outbox.point(connection, pointer)


def _opened(home: Path) -> VectorIndex:
    index = VectorIndex(EmbeddedStore(home / "vectors"), home / "c.sqlite3", BatchStamp(home / "vectors"))
    index.begin(MODEL)
    assert eventually(lambda: index.report().state == "ready")
    return index


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A home whose Chroma holds three passages; `before.sqlite3` is the catalog as it was when there was one."""
    database = Database(tmp_path / "c.sqlite3")
    index = _opened(tmp_path)
    with database.write() as connection:
        outbox.point(connection, index.report().pointer)
    _passages(database, ["one"])
    _give(database, index)
    database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    shutil.copyfile(tmp_path / "c.sqlite3", tmp_path / "before.sqlite3")
    shutil.copytree(tmp_path / "vectors", tmp_path / "vectors-before")
    _passages(database, ["one", "two", "three"])
    _give(database, index)
    assert sorted(index.ids()) == [1, 2, 3]
    database.close()
    return tmp_path


def test_vectors_that_know_more_than_the_catalog_are_built_anew(given: Path) -> None:
    """Otherwise the next texts get the ids 2 and 3 again, under which Chroma holds other texts."""
    later = given / "later"
    shutil.copytree(given / "vectors", later / "vectors")
    shutil.copyfile(given / "before.sqlite3", later / "c.sqlite3")
    database = Database(later / "c.sqlite3")
    _passages(database, ["one", "another two"])
    index = _opened(later)
    assert index.report().pointer.generation == 2
    assert sorted(index.ids()) == [1, 2]
    with database.read() as connection:
        (found,) = connection.execute(
            "SELECT vector FROM embeddings WHERE hash = ?", (passages.vector_hash("", "another two"),)
        ).fetchall()
    assert index.nearest(unpack([found[0]])[0], 1)[0][0] == pytest.approx((2, 1.0), abs=1e-3)
    database.close()


def test_vectors_that_know_less_than_the_catalog_are_built_anew(given: Path) -> None:
    shutil.rmtree(given / "vectors")
    shutil.copytree(given / "vectors-before", given / "vectors")
    index = _opened(given)
    assert index.report().pointer.generation == 2
    assert sorted(index.ids()) == [1, 2, 3]


def test_a_batch_that_was_given_and_not_confirmed_is_given_again(given: Path) -> None:
    database = Database(given / "c.sqlite3")
    _passages(database, ["one", "two", "three", "four"])
    with database.write(durable=True) as connection:
        outbox.begin_batch(connection)
    index = _opened(given)
    assert index.report().pointer.generation == 1, "a kill between the two is no reason to build anew"
    _give(database, index)
    assert sorted(index.ids()) == [1, 2, 3, 4]
    database.close()
