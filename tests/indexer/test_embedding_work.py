"""What is embedded, in which order, and above all what is not: a rename, a move, a touch, a copy, an edit elsewhere."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.generated import write_notes as generate
from indexer import vector_flow
from indexer.chunk import Chunker
from indexer.extract.markdown import parse_markdown
from indexer.ignore import IgnoreRules
from indexer.index import Index
from indexer.loop import Notices
from indexer.store import folders, outbox
from indexer.store.database import Database, open_reader
from indexer.store.passages import embedding_text
from indexer.vector_flow import ROUND, VectorFlow
from tests.indexer.conftest import NOTES, Parts, embedded_texts, eventually, extracted, settled, write_notes

pytestmark = pytest.mark.timeout(600)  # many waits, each for as long as a loaded machine may need
PATIENCE = 120.0


class Counted:
    """A running index, the texts it has embedded since the last look, and its stored vectors."""

    def __init__(self, parts: Parts) -> None:
        meaning, reader = parts.semantics(), parts.reader()
        self.embedded = embedded_texts(meaning)
        self.index = Index(parts.catalog, meaning, [reader], IgnoreRules())
        self._catalog = parts.catalog
        self._children = (meaning, reader)
        self.index.start()

    def vectors(self) -> dict[bytes, int]:
        reader = open_reader(self._catalog)
        try:
            return dict(reader.execute("SELECT hash, id FROM embeddings").fetchall())
        finally:
            reader.close()

    def paths(self) -> set[str]:
        reader = open_reader(self._catalog)
        try:
            rows = reader.execute("SELECT path FROM files WHERE state = 'indexed'").fetchall()
        finally:
            reader.close()
        return {Path(path).name for (path,) in rows}

    def stop(self) -> None:
        self.index.stop()
        for child in self._children:
            child.stop()


@pytest.fixture
def counted(parts: Parts) -> Iterator[Counted]:
    made = Counted(parts)
    yield made
    made.stop()


def test_what_changes_no_text_embeds_nothing(counted: Counted, root: Path) -> None:
    write_notes(root, NOTES)
    counted.index.add_folder(root)
    assert settled(counted.index, PATIENCE)
    before = counted.vectors()
    assert len(before) >= len(NOTES)
    counted.embedded.clear()
    names = {Path(name).name for name in NOTES}

    def rename() -> set[str]:
        (root / "roof.md").rename(root / "slates.md")
        return names - {"roof.md"} | {"slates.md"}

    def rename_back() -> set[str]:
        (root / "slates.md").rename(root / "roof.md")
        return names

    def move() -> set[str]:
        (root / "elsewhere").mkdir()
        (root / "boiler.md").rename(root / "elsewhere" / "heating.md")
        return names - {"boiler.md"} | {"heating.md"}

    def move_a_folder() -> set[str]:
        (root / "elsewhere" / "heating.md").rename(root / "boiler.md")
        (root / "garden").rename(root / "elsewhere" / "garden")
        return names

    def take_a_folder_away() -> set[str]:
        (root / "elsewhere" / "garden").rename(root.parent / "garden")
        return names - {"apple.md", "café.md"}

    def put_it_back() -> set[str]:
        (root.parent / "garden").rename(root / "garden")
        return names

    def copy() -> set[str]:
        shutil.copy(root / "travel.md", root / "copy of travel.md")
        return names | {"copy of travel.md"}

    for change in (rename, rename_back, move, move_a_folder, take_a_folder_away, put_it_back, copy):
        expected = change()
        assert eventually(lambda expected=expected: counted.paths() == expected, PATIENCE), change.__name__
        assert settled(counted.index, PATIENCE)
        assert counted.embedded == [], change.__name__
        assert counted.vectors() == before, change.__name__

    os.utime(root / "travel.md", (1_800_000_000, 1_800_000_000))
    (root / "roof.md").write_text(NOTES["roof.md"])  # saved again without a change
    counted.index.rescan()
    assert eventually(lambda: not counted.index.counts().waiting and counted.index.progress()[4], PATIENCE)
    assert counted.embedded == []
    assert counted.vectors() == before


def test_an_edit_in_a_long_note_embeds_only_the_passages_whose_text_changed(
    counted: Counted, root: Path, models: Path
) -> None:
    (path,) = generate(root, 1, 24_000, seed=5)
    chunker = Chunker(models / "all-MiniLM-L6-v2" / "tokenizer.json")

    def texts() -> set[str]:
        parsed = parse_markdown(path.read_text(), path.stem)
        return {embedding_text(chunk.headings, chunk.text) for chunk in chunker.chunk(parsed)}

    counted.index.add_folder(root)
    assert settled(counted.index, PATIENCE)
    old, before = texts(), counted.vectors()
    assert sorted(counted.embedded) == sorted(old)
    counted.embedded.clear()
    text = path.read_text()
    middle = text.index(". ", len(text) // 2) + 2
    path.write_text(f"{text[:middle]}The pelican was seen on Thursday. {text[middle:]}")
    new = texts() - old
    assert 1 <= len(new) < len(old) // 4
    assert eventually(lambda: sorted(counted.embedded) == sorted(new), PATIENCE)
    assert settled(counted.index, PATIENCE)
    assert before.items() <= counted.vectors().items(), "an edit that is undone costs nothing either"
    counted.embedded.clear()
    path.write_text(text)
    assert eventually(lambda: counted.index.counts().chunks == len(old) and counted.index.progress()[4], PATIENCE)
    assert counted.embedded == []


def test_every_note_has_a_vector_before_any_has_its_second(
    parts: Parts, database: Database, store: Callable[..., int]
) -> None:
    notes = ROUND + 20  # more than one round of first passages, and a last round that holds both
    for number in range(notes):
        store(f"{number}.md", extracted(*(f"part {part} of note {number}" for part in range(3))), mtime_ns=number)
    meaning = parts.semantics()
    meaning.configure(catalog=str(database.path))
    embedded = embedded_texts(meaning)
    flow = VectorFlow(database, meaning, hold=lambda: False, on_change=lambda: None, notices=Notices(lambda: None))
    flow.start()

    def owed() -> int:
        with database.read() as connection:
            return folders.counts(connection).vectors_owed

    try:
        assert eventually(lambda: owed() == 0, PATIENCE)
    finally:
        flow.stop(5.0)
        meaning.stop()
    assert len(embedded) == 3 * notes
    assert all(text.startswith("part 0") for text in embedded[:notes])
    assert not any(text.startswith("part 0") for text in embedded[notes:])
    with database.read() as connection:
        stored = connection.execute(
            "SELECT c.ordinal FROM embeddings e JOIN chunks c ON c.vector_hash = e.hash ORDER BY e.id"
        ).fetchall()
    assert [ordinal for (ordinal,) in stored[:notes]] == [0] * notes
    assert {f"note {number}" for number in range(20, notes)} == {
        text.partition("of ")[2] for text in embedded[:ROUND]
    }, "newest first"


def test_embedding_is_held_while_many_files_wait_but_not_for_ever(
    parts: Parts, database: Database, store: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        store(f"{number}.md", extracted(*(f"part {part} of note {number}" for part in range(20))))
    meaning = parts.semantics()
    meaning.configure(catalog=str(database.path))
    embedded = embedded_texts(meaning)
    monkeypatch.setattr(vector_flow, "HELD_SHARE", 1e-9)
    flow = VectorFlow(database, meaning, hold=lambda: True, on_change=lambda: None, notices=Notices(lambda: None))
    flow.start()

    def stored() -> int:
        with database.read() as connection:
            return len(connection.execute("SELECT id FROM embeddings").fetchall())

    try:
        assert eventually(lambda: outbox_generation(database) > 0, PATIENCE), "the index is opened meanwhile"
        assert embedded == []
        monkeypatch.setattr(vector_flow, "HELD_SHARE", 1e9)
        flow.wake()
        assert eventually(lambda: stored() == 100, PATIENCE), "some at a time, to the end"
    finally:
        flow.stop(5.0)
        meaning.stop()


def outbox_generation(database: Database) -> int:
    with database.read() as connection:
        return outbox.pointer(connection).generation
