"""Real parts for the tests of the indexer: a catalog, processes, and a small library that is indexed once."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from core.paths import ROOT
from indexer import semantics
from indexer.child import Child
from indexer.extract import extractor
from indexer.extract.reading import content_hash
from indexer.ignore import IgnoreRules
from indexer.index import Index
from indexer.records import Chunk, Extracted, Fact, Folder
from indexer.scan import Changes, apply, compare
from indexer.store import files, folders, passages
from indexer.store.database import Database
from indexer.store.files import Known, Seen

HOST = "import sys; sys.path.insert(0, {root!r}); from indexer import child; import {module} as service; "
HOST += "child.run(service.build, service.Call, serial={serial})"

NOTES = {
    "boiler.md": "# Boiler\n\nThe boiler is serviced every October by Mr Hale. The pressure should be 1.4 bar.\n",
    "roof.md": "# Roof\n\nTwo slates were replaced in May after the storm.\n",
    "garden/apple.md": "# Apple tree\n\nPlanted in 2019 beside the shed, it bears fruit since 2023. #garden\n",
    "garden/café.md": "# Café notes\n\nThe roastery in Lyon sells beans by mail.\n\n## Hours\n\nTuesday to Friday.\n",
    "travel.md": "# Porto\n\nWe fly on 3 June and stay near the river for five nights.\n",
    "kittens.txt": "The cat had four kittens in spring, and the neighbours took two of them.\n",
}


RULES = IgnoreRules(largest=10_000)
Look = Callable[..., Changes]


def hosted(module: str, *, serial: bool) -> list[str]:
    """The argv of a process that hosts the service of a module."""
    return [sys.executable, "-c", HOST.format(root=str(ROOT), module=module, serial=serial)]


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def write_notes(folder: Path, notes: dict[str, str]) -> None:
    for name, text in notes.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def extracted(*texts: str, title: str = "Note", tags: tuple[str, ...] = (), facts: tuple[Fact, ...] = ()) -> Extracted:
    """A reading of a note with one passage for each text; "heading: text" gives it a heading."""
    chunks, position = [], 0
    for ordinal, text in enumerate(texts):
        headings, _, body = text.rpartition(": ")
        chunks.append(Chunk(ordinal, headings, body, position, position + len(body), ordinal + 1, ordinal + 1))
        position += len(body) + 1
    return Extracted(f"hash of {texts}", title, list(tags), chunks, list(facts), position)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "catalog.sqlite3")
    yield made
    made.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder of a person's."""
    made = tmp_path / "notes"
    made.mkdir()
    return made


@pytest.fixture
def folder(database: Database, root: Path) -> Folder:
    """The same, watched."""
    with database.write() as connection:
        return folders.add(connection, str(root))


@pytest.fixture
def store(database: Database, folder: Folder) -> Callable[..., int]:
    """Puts a reading of a file into the catalog and returns the file's id."""

    def put(name: str, reading: Extracted, mtime_ns: int = 1) -> int:
        path = f"{folder.path}/{name}"
        with database.write() as connection:
            files.add(connection, folder.id, Seen(path, 10, mtime_ns, 1))
            known = files.at(connection, path)
            assert known is not None
            assert passages.replace(connection, known.id, path, reading)
            files.finish(connection, known, "indexed")
        return known.id

    return put


@pytest.fixture
def bench(database: Database, folder: Folder, tmp_path: Path) -> Iterator[Any]:
    from tests.indexer.bench import Bench  # which stands on this file

    (tmp_path / "run").mkdir()
    made = Bench(database, folder, tmp_path / "run")
    yield made
    made.stop()


class Parts:
    """An index with real processes around one home directory, which survives the index."""

    def __init__(self, home: Path, models: Path) -> None:
        self.home = home
        self.vectors = "embedded"
        self._models = models
        (home / "run").mkdir(parents=True, exist_ok=True)
        self._made: list[tuple[Index, list[Child[Any, Any]]]] = []

    @property
    def catalog(self) -> Path:
        return self.home / "catalog.sqlite3"

    def semantics(self) -> Child[semantics.Call, semantics.Event]:
        """A semantics process; the caller stops it."""
        return Child(
            "semantics",
            hosted("indexer.semantics", serial=False),
            self.home / "run",
            semantics.Event,
            {
                "model_dir": str(self._models / "all-MiniLM-L6-v2"),
                "cache_dir": str(self.home / "models"),
                "vectors_dir": str(self.home / "vectors"),
                "catalog": str(self.catalog),
                "threads": 2,
                "runtime": str(self.home / "run"),
                "vectors": self.vectors,
                "vectors_closed": "",
                "vectors_command": hosted("indexer.store.store_service", serial=True),
            },
        )

    def reader(self, module: str = "indexer.extract.extractor") -> Child[extractor.Call, extractor.Event]:
        """An extractor process; the caller stops it."""
        tokenizer = str(self._models / "all-MiniLM-L6-v2" / "tokenizer.json")
        command = hosted(module, serial=True)
        return Child("extractor", command, self.home / "run", extractor.Event, {"tokenizer": tokenizer})

    def index(self, rules: IgnoreRules | None = None, **options: Any) -> Index:
        """A started index with a semantics process and a reader of its own."""
        meaning, reader = self.semantics(), self.reader()
        made = Index(self.catalog, meaning, [reader], rules or IgnoreRules(), **options)
        self._made.append((made, [meaning, reader]))
        made.start()
        return made

    def child(self, made: Index, name: str) -> Child[Any, Any]:
        """A process of an index."""
        return next(c for index, children in self._made if index is made for c in children if c.name == name)

    def stop(self, made: Index) -> None:
        """Stop an index and its processes."""
        entry = next(entry for entry in self._made if entry[0] is made)
        self._made.remove(entry)
        made.stop()
        for child in entry[1]:
            child.stop()

    def stop_all(self) -> None:
        for made, _ in list(self._made):
            self.stop(made)


def embedded_texts(meaning: Child[Any, Any]) -> list[str]:
    """A list that grows by every text that this semantics process is asked to embed from now on."""
    texts: list[str] = []
    call = meaning.call

    def listening(message: Any, **options: Any) -> Any:
        if isinstance(message, semantics.Embed):
            texts.extend(message.texts)
        return call(message, **options)

    meaning.call = listening  # type: ignore[method-assign, assignment]
    return texts


def settled(index: Index, seconds: float = 60.0) -> bool:
    """Whether the index came to rest, its last vector included."""
    return eventually(lambda: index.progress()[4], seconds)


@pytest.fixture
def parts(tmp_path: Path, models: Path) -> Iterator[Parts]:
    made = Parts(tmp_path / "home", models)
    yield made
    made.stop_all()


@contextmanager
def indexed(place: Path, models: Path, notes: dict[str, str]) -> Iterator[Index]:
    """These notes, read and embedded."""
    write_notes(place / "notes", notes)
    parts = Parts(place / "home", models)
    index = parts.index()
    index.add_folder(place / "notes")
    assert settled(index)
    yield index
    parts.stop_all()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Index]:
    """NOTES, indexed once for all tests that only search."""
    with indexed(tmp_path_factory.mktemp("library"), models, NOTES) as index:
        yield index


@pytest.fixture
def look(database: Database, folder: Folder) -> Look:
    """Compares, applies, and tells what it was."""

    def run(below: Path | None = None, rules: IgnoreRules = RULES, at: Folder = folder) -> Changes:
        changes = compare(database, at, rules, None if below is None else str(below))
        apply(database, [changes])
        return changes

    return run


def known(database: Database) -> dict[str, str]:
    """File names and states."""
    with database.read() as connection:
        return dict(
            connection.execute("SELECT replace(path, rtrim(path, replace(path, '/', '')), ''), state FROM files")
        )


def index_all(database: Database) -> None:
    """Give every waiting file one passage, its content, as the pipeline would."""
    with database.write() as connection:
        for row, _ in files.waiting(connection, 1000):
            text = Path(row.path).read_text()
            reading = extracted(text, title=Path(row.path).stem)
            reading = Extracted(content_hash(row.path), *(getattr(reading, n) for n in reading.__struct_fields__[1:]))
            passages.replace(connection, row.id, row.path, reading)
            files.finish(connection, row, "indexed")


def files_of(connection: apsw.Connection, folder_id: int) -> list[Known]:
    """The rows of a folder's files, in the order in which they were added."""
    numbers = sorted(status[0] for status in files.statuses(connection, folder_id).values())
    return list(files.rows(connection, numbers).values())


def names_under(database: Database, root: Path) -> list[str]:
    with database.read() as connection:
        paths = [path for (path,) in connection.execute("SELECT path FROM files")]
    return sorted(str(Path(path).relative_to(root)) for path in paths)
