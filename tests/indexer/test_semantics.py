"""The semantics service with the real model: directly, and in a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer import semantics
from indexer.embed import Embedder
from indexer.records import ModelUnusable
from indexer.semantics import (
    Applied,
    Apply,
    Embed,
    Ids,
    ListIds,
    Nearest,
    Neighbours,
    Rebuild,
    Scores,
    Semantics,
    Similarity,
    Vectors,
    Verified,
    Verify,
)
from indexer.store.batch_stamp import BatchStamp
from indexer.store.database import Database
from indexer.store.embedded import EmbeddedStore
from indexer.store.stored import unpack
from indexer.store.vector_index import VectorIndex
from indexer.worker import Cancellation
from tests.indexer.conftest import Parts, eventually

TEXTS = ["The cat had four kittens.", "The boiler is serviced in October.", "Two slates fell off the roof."]


@pytest.fixture(scope="session")
def embedder(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return Embedder(models / "all-MiniLM-L6-v2", tmp_path_factory.mktemp("graph"), 2)


@pytest.fixture
def service(embedder: Embedder, tmp_path: Path) -> Iterator[Semantics]:
    Database(tmp_path / "c.sqlite3").close()
    index = VectorIndex(EmbeddedStore(tmp_path / "vectors"), tmp_path / "c.sqlite3", BatchStamp(tmp_path / "vectors"))
    yield Semantics(lambda: embedder, index)
    index.close()


def ask(service: Semantics, call: semantics.Call) -> semantics.Event:
    (event,) = service.handle(call, Cancellation())
    return event


def is_ready(service: Semantics) -> bool:
    event = ask(service, Verify())
    return isinstance(event, Verified) and event.report.state == "ready"


def test_texts_become_unit_vectors_in_their_order(service: Semantics, embedder: Embedder) -> None:
    event = ask(service, Embed(TEXTS))
    assert isinstance(event, Vectors)
    assert event.model == embedder.model_id
    rows = unpack(event.vectors)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-3)
    assert np.allclose(rows, embedder.embed(TEXTS), atol=1e-3)


def test_the_closest_sentence_has_the_highest_score(service: Semantics) -> None:
    event = ask(service, Similarity("Who repaired the top of the house?", TEXTS))
    assert isinstance(event, Scores)
    assert int(np.argmax(event.scores)) == 2


def test_applied_passages_are_found_by_meaning(service: Semantics) -> None:
    assert eventually(lambda: is_ready(service))
    made = ask(service, Embed(TEXTS))
    assert isinstance(made, Vectors)
    applied = ask(service, Apply(list(zip([11, 12, 13], made.vectors, strict=True)), []))
    assert isinstance(applied, Applied)
    assert applied.pointer.generation == 1
    near = ask(service, Nearest("a young pet", 2))
    assert isinstance(near, Neighbours)
    assert near.ids[0] == 11
    assert near.scores == sorted(near.scores, reverse=True)
    assert not near.exact
    assert ask(service, ListIds()) == Ids([11, 12, 13])
    ask(service, Apply([], [11]))
    assert ask(service, ListIds()) == Ids([12, 13])


def test_a_rebuild_can_be_asked_for(service: Semantics) -> None:
    assert eventually(lambda: is_ready(service))
    event = ask(service, Rebuild("a test asks"))
    assert isinstance(event, Verified)
    assert eventually(lambda: is_ready(service))
    event = ask(service, Verify(sample=True))
    assert isinstance(event, Verified)
    assert event.report.pointer.generation == 2


def test_a_missing_model_is_a_problem_each_time(tmp_path: Path) -> None:
    Database(tmp_path / "c.sqlite3").close()
    index = VectorIndex(EmbeddedStore(tmp_path / "vectors"), tmp_path / "c.sqlite3", BatchStamp(tmp_path / "vectors"))
    service = Semantics(lambda: Embedder(tmp_path / "no model", tmp_path, 1), index)
    service.start()
    for _ in range(2):
        with pytest.raises(ModelUnusable):
            ask(service, Nearest("anything", 3))


def test_a_killed_process_is_followed_by_one_that_believes_the_catalog_alone(parts: Parts) -> None:
    database = Database(parts.catalog)
    child = parts.semantics()

    def is_open() -> bool:
        event = child.ask(Verify())
        return isinstance(event, Verified) and event.report.state == "ready"

    try:
        assert eventually(is_open)
        made = child.ask(Embed(TEXTS))
        assert isinstance(made, Vectors)
        child.ask(Apply(list(zip([1, 2, 3], made.vectors, strict=True)), []))
        assert child.ask(Nearest("kittens", 1)) != Neighbours([], [], exact=False)
        child.kill()
        assert eventually(is_open)
        assert child.ask(ListIds()) == Ids([])  # the catalog points to no index and holds no passage
    finally:
        child.stop()
        database.close()
