"""Random changes to a real folder under a real index: whatever the order, in the end the catalog is the disk."""

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer import scan
from indexer.extract.reading import content_hash
from indexer.index import Index
from indexer.store import folders
from indexer.store.database import open_reader
from tests.indexer.conftest import Parts, eventually, settled

WORDS = ["alder", "birch", "cedar", "dogwood", "elm", "fir", "gorse", "hazel"]
STEPS = 150


class Person:
    """Somebody who does things with files, from a seed."""

    def __init__(self, root: Path, outside: Path, seed: int) -> None:
        self.root = root
        self._outside = outside
        self._dice = random.Random(seed)
        self._count = 0
        self.deeds: list[str] = []

    def act(self) -> None:
        deeds: list[Callable[[], None]] = [
            self.write, self.write, self.append, self.replace, self.rename, self.delete, self.copy, self.touch,
            self.make_directory, self.move_directory, self.delete_directory, self.move_out, self.link, self.ignore,
            self.forbid,
        ]  # fmt: skip
        deed = self._dice.choice(deeds)
        self.deeds.append(deed.__name__)
        try:
            deed()
        except (OSError, shutil.Error):
            pass  # what cannot be done is not done: a directory into itself, a link to nothing

    def write(self) -> None:
        self._new_name().write_text(self._text())

    def append(self) -> None:
        with self._file().open("a") as file:
            file.write(self._text())

    def replace(self) -> None:
        path = self._file()
        beside = path.with_name(f".{path.name}.part")
        beside.write_text(self._text())
        beside.replace(path)

    def rename(self) -> None:
        self._file().rename(self._new_name())

    def delete(self) -> None:
        self._file().unlink()

    def copy(self) -> None:
        shutil.copy2(self._file(), self._new_name())

    def touch(self) -> None:
        self._file().touch()

    def make_directory(self) -> None:
        (self._directory() / f"d{self._number()}").mkdir()

    def move_directory(self) -> None:
        self._directory(inner=True).rename(self._directory() / f"d{self._number()}")

    def delete_directory(self) -> None:
        if self._dice.random() < 0.3:
            shutil.rmtree(self._directory(inner=True))

    def move_out(self) -> None:
        gone = self._outside / f"d{self._number()}"
        self._directory(inner=True).rename(gone)
        if self._dice.random() < 0.5:
            gone.rename(self._directory() / f"back{self._number()}")

    def link(self) -> None:
        self._new_name().symlink_to(self._dice.choice([self._file(), self._outside, self.root, self.root / "nothing"]))

    def ignore(self) -> None:
        (self._directory() / ".gitignore").write_text(self._dice.choice(["*1.md\n", "d2*/\n", ""]))

    def forbid(self) -> None:
        self._file().chmod(self._dice.choice([0o600, 0o644]))

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _text(self) -> str:
        return f"# {self._dice.choice(WORDS)} {self._number()}\n\n{' '.join(self._dice.choices(WORDS, k=8))}.\n"

    def _new_name(self) -> Path:
        return self._directory() / f"n{self._number()}.md"

    def _file(self) -> Path:
        found = sorted(path for path in self.root.rglob("n*.md") if path.is_file())
        if not found:
            raise FileNotFoundError
        return self._dice.choice(found)

    def _directory(self, *, inner: bool = False) -> Path:
        found = sorted(path for path in self.root.rglob("*") if path.is_dir() and not path.is_symlink())
        if not found and inner:
            raise FileNotFoundError
        return self._dice.choice(found if inner else [self.root, *found])


def differences(index: Index, catalog: Path, root: Path) -> list[str]:
    """In what the catalog does not say what the disk says, down to contents.

    The doctor passes over what was saved this moment, so names and times are compared here too.
    """
    wrong = [finding.what for finding in index.check() if not finding.ok]
    with index._database.read() as reader:
        watched = folders.watched(reader)
    looks = [scan.compare(index._database, folder, index._scanner.rules) for folder in watched]
    wrong += [f"{look.folder.path}: {len(look)}" for look in looks if len(look)]
    connection = open_reader(catalog)
    try:
        rows = connection.execute(
            "SELECT path, content_hash FROM files WHERE state = 'indexed' AND path >= ?1 AND path < ?1 || '0'",
            (str(root) + os.sep,),
        ).fetchall()
    finally:
        connection.close()
    wrong += [path for path, read in rows if not Path(path).is_file() or content_hash(path) != read]
    return wrong


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[tuple[Parts, Index]]:
    """One index with its processes for all seeds."""
    parts = Parts(tmp_path_factory.mktemp("home"), models)
    yield parts, parts.index()
    parts.stop_all()


@pytest.mark.skipif(sys.platform == "win32", reason="links and permissions of POSIX")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_after_random_changes_the_catalog_is_the_disk(
    shared: tuple[Parts, Index], root: Path, tmp_path: Path, seed: int
) -> None:
    parts, index = shared
    (tmp_path / "outside").mkdir()
    index.add_folder(root)
    person = Person(root, tmp_path / "outside", seed)
    for step in range(STEPS):
        person.act()
        if step % 25 == 24:
            assert settled(index)  # then the next round begins from calm
    well = eventually(lambda: settled(index) and not differences(index, parts.catalog, root), 60.0)
    assert well, (differences(index, parts.catalog, root), person.deeds)
    assert index.counts().indexed > 0
    index.remove_folder(root)
