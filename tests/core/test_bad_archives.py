"""Every archive that must not be let in."""

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core import archive, restore
from core.errors import BadInput
from core.protocol import Import
from tests.core.profiles import fill, manifest, other, repacked, texts


def cut(path: Path) -> Path:
    os.truncate(path, path.stat().st_size * 2 // 3)
    return path


def flipped(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    return path


def listed_outside(contents: dict[str, bytes]) -> None:
    said = msgspec.json.decode(contents["manifest.json"])
    said["files"]["../../evil.txt"] = {"size": 4, "sha256": "x"}
    contents["manifest.json"] = msgspec.json.encode(said)
    contents["../../evil.txt"] = b"evil"


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda path: path.with_name("none.zip"), "cannot be read"),
    "a folder": (lambda path: path.parent, "cannot be read"),
    "no archive": (lambda path: Path(shutil.copy(__file__, path.with_name("a.txt"))), "no archive made by"),
    "empty": (lambda path: cut(cut(path)) if path.write_bytes(b"") else path, "no archive made by"),
    "cut off": (cut, "only a part of one"),
    "one byte wrong": (flipped, "damaged"),
    "another archive": (lambda path: repacked(path, lambda held: held.pop("manifest.json")), "no archive made by"),
    "no manifest": (lambda path: repacked(path, lambda held: held.update({"manifest.json": b"{"})), "no archive"),
    "newer format": (lambda path: repacked(path, manifest(format=3, files=7)), "newer Offhand"),
    "newer schema": (lambda path: repacked(path, manifest(schema=999)), "newer Offhand"),
    "other content": (lambda path: repacked(path, lambda held: held.update({"settings.toml": b"x = 1"})), "damaged"),
    "file missing": (lambda path: repacked(path, lambda held: held.pop("settings.toml")), "does not hold"),
    "no catalog": (lambda path: repacked(path, manifest(files={})), "does not hold"),
    "a way out": (lambda path: repacked(path, listed_outside), "does not hold"),
    "unlisted file": (lambda path: repacked(path, lambda held: held.update({"/etc/x": b"x"})), "does not hold"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("spoil", "says"), BAD.values(), ids=BAD)
def test_bad_archives_are_refused_in_one_sentence_and_change_nothing(
    made: Path, tmp_path: Path, spoil: Callable[[Path], Path], says: str
) -> None:
    new = other(tmp_path)
    fill(new, "/work", "a contract")
    with pytest.raises(BadInput, match=says) as caught:
        restore.restore(new, Import(str(spoil(made)), replace=True))
    assert caught.value.next_step
    assert texts(new) == {"/work/0.md": "a contract"}
    assert not new.importing.exists()
    assert list(new.data.glob("before-import-*")) == []
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_catalog_that_is_none_is_refused(made: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(made) as opened:
        said = msgspec.json.decode(opened.read("manifest.json"), type=archive.Manifest)
    place = tmp_path / "spoilt"
    place.mkdir()
    (place / "catalog.sqlite3").write_bytes(b"no database" * 1000)
    archive._pack(place, tmp_path / "b.zip", said.model, said.schema)
    with pytest.raises(BadInput, match="catalog cannot be used"):
        restore.restore(other(tmp_path), Import(str(tmp_path / "b.zip")))
