"""Searching in some files only: by folder and by day, with everything found that a look at each passage would find."""

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.paths import ROOT
from indexer import search
from indexer.embed import Embedder
from indexer.records import EVERYWHERE, Chunk, Extracted, Fact, Filter
from indexer.semantics import Call, Event, Semantics
from indexer.store import files, folders, outbox, passages, selection
from indexer.store.batch_stamp import BatchStamp
from indexer.store.database import Database
from indexer.store.embedded import EmbeddedStore
from indexer.store.exact import ExactScan
from indexer.store.files import Seen
from indexer.store.stored import StoredVectors, Vector, pack
from indexer.store.vector_index import VectorIndex
from indexer.terms import phrase
from indexer.worker import Cancellation
from tests.indexer.conftest import eventually, extracted

DAY = 86_400 * 10**9
COUNT = 3_000
SHARES = {"rare": 0.001, "tenth": 0.1, "most": 0.6}
QUESTION = "When was the boiler serviced"  # a question mark is not embedded


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (EVERYWHERE, {"a/one.md", "a/b/two.md", "ab/three.md", "a%/four.md", "a.md"}),
        (Filter("/notes/a"), {"a/one.md", "a/b/two.md"}),
        (Filter("/notes/a/"), {"a/one.md", "a/b/two.md"}),
        (Filter("/notes/a/b"), {"a/b/two.md"}),
        (Filter("/notes/a%"), {"a%/four.md"}),
        (Filter("/notes/a.md"), {"a.md"}),
        (Filter("/"), {"a/one.md", "a/b/two.md", "ab/three.md", "a%/four.md", "a.md"}),
        (Filter("/elsewhere"), set()),
        (Filter(after=2 * DAY), {"ab/three.md", "a%/four.md", "a.md"}),
        (Filter(before=2 * DAY), {"a/one.md", "a/b/two.md"}),
        (Filter(after=DAY, before=3 * DAY), {"a/b/two.md", "ab/three.md"}),
        (Filter("/notes/a", after=DAY), {"a/b/two.md"}),
    ],
)
@pytest.mark.skipif(os.sep != "/", reason="written with this system's paths")
def test_a_filter_admits_exactly_its_files(database: Database, chosen: Filter, names: set[str]) -> None:
    with database.write() as connection:
        folder = folders.add(connection, "/notes")
        for day, name in enumerate(["a/one.md", "a/b/two.md", "ab/three.md", "a%/four.md", "a.md"]):
            path = f"/notes/{name}"
            files.add(connection, folder.id, Seen(path, 1, day * DAY, 1))
            known = files.at(connection, path)
            assert known is not None
            passages.replace(connection, known.id, path, extracted(name))
    with database.read() as connection:
        every = {hit.chunk_id: hit.text for hit in passages.hits(connection, [(n, 0.0) for n in range(1, 6)])}
        assert {every[chunk_id] for chunk_id in selection.ids(connection, chosen)} == names
        assert {every[chunk_id] for chunk_id in selection.admitted(connection, chosen, list(every))} == names
        assert len(selection.ids(connection, chosen, 1)) == min(1, len(names))
        assert selection.is_known(connection, chosen.folder) == bool(names)


def tagged(*tags: str) -> tuple[Fact, ...]:
    return tuple(Fact("tag", tag, tag, 1) for tag in tags)


NAMED = {
    "House/roof.md": ("clay tiles or slate tiles", ("roof", "work/taxes")),
    "House/Übung 100%.md": ("the tiles are made of clay", ("workshop",)),
    "households/roof.md": ("slate tiles", ("roofing",)),
    "roofs.md": ("nothing but clay", ()),
}


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (Filter(within=("house",)), {"House/roof.md", "House/Übung 100%.md"}),
        (Filter(within=("hous",)), {"House/roof.md", "House/Übung 100%.md", "households/roof.md"}),
        (Filter(within=("notes/house",)), {"House/roof.md", "House/Übung 100%.md"}),
        (Filter(within=("/notes/HOUSE/",)), {"House/roof.md", "House/Übung 100%.md"}),
        (Filter(within=("notes", "house")), {"House/roof.md", "House/Übung 100%.md"}),
        (Filter(within=("roof",)), set()),
        (Filter(within=("h%",)), set()),
        (Filter(names=("roof",)), {"House/roof.md", "households/roof.md", "roofs.md"}),
        (Filter(names=("übung",)), {"House/Übung 100%.md"}),
        (Filter(names=("0%",)), {"House/Übung 100%.md"}),
        (Filter(names=("house",)), set()),
        (Filter(names=("roof", ".MD"), within=("house",)), {"House/roof.md"}),
        (Filter(tags=("roof",)), {"House/roof.md"}),
        (Filter(tags=("Work",)), {"House/roof.md"}),
        (Filter(tags=("wor",)), {"House/roof.md", "House/Übung 100%.md"}),
        (Filter(tags=("roof", "work/taxes")), {"House/roof.md"}),
        (Filter(tags=("roof", "workshop")), set()),
        (Filter(having=(phrase("clay tiles"),)), {"House/roof.md"}),
        (Filter(having=(phrase("tiles"), phrase("clay"))), {"House/roof.md", "House/Übung 100%.md"}),
        (Filter(lacking=(phrase("slate"),)), {"House/Übung 100%.md", "roofs.md"}),
        (Filter(lacking=(phrase("slate tiles"), phrase("nothing"))), {"House/Übung 100%.md"}),
        (Filter(having=(phrase("clay"),), lacking=(phrase("slate"),), names=("roof",)), {"roofs.md"}),
    ],
)
@pytest.mark.skipif(os.sep != "/", reason="written with this system's paths")
def test_names_tags_and_words_admit_exactly_their_files(database: Database, chosen: Filter, names: set[str]) -> None:
    with database.write() as connection:
        folder = folders.add(connection, "/notes")
        for day, (name, (text, tags)) in enumerate(NAMED.items()):
            files.add(connection, folder.id, Seen(f"/notes/{name}", 1, day * DAY, 1))
            known = files.at(connection, f"/notes/{name}")
            assert known is not None
            passages.replace(connection, known.id, known.path, extracted(text, tags=tags, facts=tagged(*tags)))
    every = dict(enumerate(NAMED, 1))
    with database.read() as connection:
        assert {every[chunk_id] for chunk_id in selection.ids(connection, chosen)} == names
        assert {every[chunk_id] for chunk_id in selection.admitted(connection, chosen, list(every))} == names
        if not chosen.having:
            assert [every[one] for one in selection.newest(connection, chosen, 9)] == [
                name for name in reversed(NAMED) if name in names
            ]


class Meaning:
    """The semantics service, asked in this process."""

    def __init__(self, service: Semantics) -> None:
        self._service = service

    def ask(self, call: Call, *, patience: float | None = None) -> Event:
        (event,) = self._service.handle(call, Cancellation())
        return event


class Shelf:
    """A catalog of COUNT passages in folders of known sizes, their vectors in Chroma too."""

    def __init__(self, home: Path, embedder: Embedder) -> None:
        self.embedder = embedder
        self.database = Database(home / "c.sqlite3")
        self.vectors = _like_texts(embedder)
        sizes = {name: math.ceil(COUNT * share) for name, share in SHARES.items()}
        sizes["rest"] = COUNT - sum(sizes.values())
        with self.database.write() as connection:
            folder = folders.add(connection, "/notes")
            number = 0
            for name, size in sizes.items():
                path = f"/notes/{name}/a.md"
                files.add(connection, folder.id, Seen(path, 1, 1, 1))
                known = files.at(connection, path)
                assert known is not None
                chunks = []
                for ordinal in range(size):
                    text = f"passage {number} the boiler" if number % 3 else f"passage {number} serviced"
                    chunks.append(Chunk(ordinal, "", text, 0, len(text), 1, 1))
                    number += 1
                passages.replace(connection, known.id, path, Extracted("h", name, [], chunks, [], 1))
            hashes = [bytes(row[0]) for row in connection.execute("SELECT vector_hash FROM chunks ORDER BY id")]
            made = dict(zip(hashes, pack(self.vectors), strict=True))
            outbox.store_vectors(connection, embedder.model_id, made)
            connection.execute("DELETE FROM vector_outbox")
        index = VectorIndex(EmbeddedStore(home / "vectors"), home / "c.sqlite3", BatchStamp(home / "vectors"))
        index.begin(embedder.model_id)
        assert eventually(lambda: index.report().state == "ready", 60)
        self.meaning = Meaning(Semantics(lambda: embedder, index))

    def closest(self, text: str, among: list[int]) -> list[float]:
        """The cosines of the best ten, by comparing every one."""
        wanted = self.embedder.embed([text])[0]
        scan = ExactScan(lambda: StoredVectors(self.database.path, self.embedder.model_id))
        ranked = [cosine for number, cosine in scan.nearest(wanted, COUNT) if number in set(among)]
        return ranked[:10]


def _like_texts(embedder: Embedder) -> Vector:
    """Unit vectors of real sentences, and mixtures of them: a neighbour graph loses records of pure noise."""
    text = " ".join(path.read_text("utf-8") for path in sorted((ROOT / "examples" / "notes").rglob("*.md")))
    sentences = [part.strip() for part in text.replace("\n", " ").split(". ") if len(part) > 40][:64]
    real = embedder.embed(sentences)
    dice = np.random.default_rng(3)
    one, two, three = dice.integers(len(real), size=(3, COUNT))
    rows = real[one] + dice.uniform(0.05, 0.4, size=(COUNT, 1)).astype(np.float32) * (real[two] - real[three])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Shelf]:
    home = tmp_path_factory.mktemp("shelf")
    made = Shelf(home, Embedder(models / "all-MiniLM-L6-v2", home / "models", threads=2))
    yield made
    made.database.close()


@pytest.mark.parametrize("few", [50, 10_000], ids=["by the index", "one by one"])
@pytest.mark.parametrize("name", [*SHARES, "rest"])
def test_meaning_finds_all_that_a_look_at_each_would(
    shelf: Shelf, name: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much the filter admits, and whichever way is taken: few one by one, many by the index or after all so."""
    monkeypatch.setattr(search, "FEW", few)
    monkeypatch.setattr(search, "WIDE", 100)
    chosen = Filter(f"/notes/{name}")
    with shelf.database.read() as connection:
        among = selection.ids(connection, chosen)
    near = search.meaning_within(shelf.database, shelf.meaning, QUESTION, 10, chosen)  # type: ignore[arg-type]
    found = [number for number, _ in near]
    assert set(found) <= set(among)
    wanted = shelf.embedder.embed([QUESTION])[0]
    right = shelf.closest(QUESTION, among)
    assert len(found) == len(right) == min(10, len(among))
    got = sorted((float(shelf.vectors[number - 1] @ wanted) for number in found), reverse=True)
    assert got == pytest.approx(right, abs=2e-3)  # stored in half precision
    assert [cosine for _, cosine in near] == pytest.approx(got, abs=2e-3)


@pytest.mark.parametrize("few", [50, 10_000], ids=["by the index", "one by one"])
@pytest.mark.parametrize(
    "chosen",
    [
        Filter(having=(phrase("serviced"),)),
        Filter("/notes/tenth", lacking=(phrase("the boiler"),)),
        Filter(within=("notes/ra",), having=(phrase("the boiler"),)),
    ],
)
def test_meaning_finds_all_that_have_the_phrase_or_lack_the_word(
    shelf: Shelf, chosen: Filter, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    monkeypatch.setattr(search, "WIDE", 100)
    with shelf.database.read() as connection:
        among = selection.ids(connection, chosen)
    near = search.meaning_within(shelf.database, shelf.meaning, QUESTION, 10, chosen)  # type: ignore[arg-type]
    assert among
    assert {number for number, _ in near} <= set(among)
    right = shelf.closest(QUESTION, among)
    assert [cosine for _, cosine in near] == pytest.approx(right, abs=2e-3)


@pytest.mark.parametrize("few", [50, 10_000], ids=["from a wide list", "one by one"])
@pytest.mark.parametrize("words", ["boiler ", "passage ", "serviced passage 3 ", "zeppelin "])
@pytest.mark.parametrize("name", [*SHARES, "rest"])
def test_words_find_all_that_a_look_at_each_would(
    shelf: Shelf, name: str, words: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    chosen = Filter(f"/notes/{name}")
    with shelf.database.read() as connection:
        among = selection.ids(connection, chosen)
        every = search.by_words(connection, words, COUNT)
        right = [match.number for match in every if match.number in set(among)]
        found = [match.number for match in search.words_within(connection, words, 50, chosen)]
    assert len(found) == min(50, len(right))
    assert set(found) <= set(right)


Store = Callable[..., int]


def test_of_too_many_matches_those_with_the_word_in_the_title_come_first(
    database: Database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RANKED", 5)
    monkeypatch.setattr(search, "SHORTLISTED", 5)
    store("title.md", extracted("nothing else", title="Meeting"))
    for number in range(20):
        store(f"{number}.md", extracted(f"meeting about {number}"))
    with database.read() as connection:
        found = [match.number for match in search.by_words(connection, "meeting ", 4)]
    assert found[0] == 1
    assert len(set(found)) == 4
    assert set(found[1:]) <= set(range(17, 22)), "then the best of the newest"


def test_of_too_many_matches_those_with_a_rare_word_are_ranked(
    database: Database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RANKED", 5)
    monkeypatch.setattr(search, "SHORTLISTED", 5)
    store("rare.md", extracted("the zeppelin of Friedrichshafen"))
    for number in range(20):
        store(f"{number}.md", extracted(f"meeting about {number}"))
    with database.read() as connection:
        assert search.by_words(connection, "meeting zeppelin ", 3)[0].number == 1
        assert search.by_words(connection, "meeting about zeppelin ", 3)[0].number == 1


def test_a_title_of_function_words_is_found_among_too_many(
    database: Database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RANKED", 5)
    store("title.md", extracted("nothing else", title="To do"))
    for number in range(20):
        store(f"{number}.md", extracted(f"to do with number {number}"))
    with database.read() as connection:
        found = search.by_words(connection, "to do ", 4)
    assert found[0].number == 1
    assert [match.whole for match in found] == [True, False, False, False], "what is merely new passes nothing"


def test_passages_with_all_words_are_found_however_many_newer_ones_have_some(
    database: Database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RANKED", 5)
    monkeypatch.setattr(search, "SHORTLISTED", 5)
    store("both.md", extracted("to be or to have 水を飲む"))
    for number in range(20):
        store(f"{number}.md", extracted(f"to be number {number} 水道 {number}"))
    with database.read() as connection:
        for words in ("be have ", "水 飲む"):
            assert search.by_words(connection, words, 4)[0].number == 1, words
