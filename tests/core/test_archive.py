"""A profile as one file: out, and in again; and every archive that must not be let in."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import msgspec
import pytest
from filelock import FileLock, Timeout

from core import archive, restore
from core.errors import BadInput, ProfileUnusable
from core.paths import Profile
from core.protocol import Import, Provider, Settings
from core.settings import SettingsFile
from indexer.records import Extracted
from indexer.store import files, folders, outbox, passages
from indexer.store.database import Database, DiskFull
from indexer.store.files import Seen
from indexer.store.schema import MIGRATIONS
from tests.indexer.conftest import extracted

MODEL = "a model"


def fill(profile: Profile, root: str, *texts: str, schema: int = len(MIGRATIONS)) -> None:
    """A profile with one folder, one file for each text, a vector for each passage, and a setting."""
    profile.create()
    database = Database(profile.catalog, MIGRATIONS[:schema])
    with database.write() as connection:
        folder = folders.add(connection, root)
        for number, text in enumerate(texts):
            path = f"{root}/{number}.md"
            files.add(connection, folder.id, Seen(path, 1, 1, 1))
            known = files.at(connection, path)
            assert known is not None
            reading: Extracted = extracted(text)
            passages.replace(connection, known.id, path, reading)
            files.finish(connection, known, "indexed")
        hashes = [bytes(row[0]) for row in connection.execute("SELECT vector_hash FROM chunks")]
        outbox.store_vectors(connection, MODEL, dict.fromkeys(hashes, bytes(768)))
        outbox.point(connection, outbox.Pointer(3, "signature", MODEL))
    database.close()
    SettingsFile(profile.settings).change("idle_minutes", "7")


def texts(profile: Profile) -> dict[str, str]:
    """What the catalog holds: paths and passages."""
    database = Database(profile.catalog)
    with database.read() as connection:
        rows = connection.execute("SELECT f.path, c.body FROM chunks c JOIN files f ON f.id = c.file_id")
        found = {str(path): str(body) for path, body in rows}
    database.close()
    return found


def other(tmp_path: Path) -> Profile:
    return Profile(tmp_path / "other")


@pytest.fixture
def made(profile: Profile, tmp_path: Path) -> Path:
    """An archive of a small profile."""
    fill(profile, "/notes", "the boiler", "the roof")
    archive.export(profile, SettingsFile(profile.settings).current, tmp_path / "profile.zip")
    return tmp_path / "profile.zip"


def test_a_profile_comes_back_whole(profile: Profile, made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    done = restore.restore(new, Import(str(made)))
    assert "1 folder" in done.message
    assert texts(new) == texts(profile) == {"/notes/0.md": "the boiler", "/notes/1.md": "the roof"}
    assert SettingsFile(new.settings).current.idle_minutes == 7
    with contextlib.closing(apsw.Connection(str(new.catalog))) as connection:
        assert connection.execute("SELECT count(*) FROM embeddings").fetchone() == (2,)
    assert sorted(path.name for path in new.data.iterdir()) == ["catalog.sqlite3", "logs"]


def test_the_archive_is_this_users_alone_and_holds_no_secret(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler")
    settings = Settings(providers=[Provider("x", "openai", "https://somebody:secret@api.example.org/v1", "m")])
    archive.export(profile, settings, tmp_path / "a.zip")
    if os.name == "posix":
        assert (tmp_path / "a.zip").stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert sorted(opened.namelist()) == ["catalog.sqlite3", "manifest.json", "settings.toml"]
        assert b"secret" not in opened.read("settings.toml")
        assert b"api.example.org" in opened.read("settings.toml")


def test_deleted_words_do_not_travel(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler", "Zeppelinmuseum")
    database = Database(profile.catalog)
    with database.write() as connection:
        files.forget(connection, [2])
    database.close()
    archive.export(profile, Settings(), tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert b"zeppelin" not in opened.read("catalog.sqlite3").lower()


def test_no_file_is_replaced_and_none_is_left_half(profile: Profile, made: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exists already"):
        archive.export(profile, Settings(), made)
    with pytest.raises(BadInput, match="could not be written"):
        archive.export(profile, Settings(), tmp_path / "no folder" / "a.zip")
    assert [path.name for path in profile.data.iterdir() if path.name.startswith("export")] == []


def test_a_profile_in_use_gives_way_only_when_told_and_is_kept(made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    fill(new, "/work", "a contract")
    new.vectors.mkdir()
    with pytest.raises(BadInput, match="of its own already"):
        restore.restore(new, Import(str(made)))
    assert texts(new) == {"/work/0.md": "a contract"}
    done = restore.restore(new, Import(str(made), replace=True))
    assert set(texts(new)) == {"/notes/0.md", "/notes/1.md"}
    assert not new.vectors.exists()
    (aside,) = new.data.glob("before-import-*")
    assert str(aside) in done.message
    assert {"catalog.sqlite3", "settings.toml", "vectors"} <= {path.name for path in aside.iterdir()}


def test_nothing_that_was_kept_is_ever_replaced(made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    for number in range(3):  # all within a second, or not
        restore.restore(new, Import(str(made), replace=number > 0))
    kept = list(new.data.glob("before-import-*/catalog.sqlite3"))
    assert len(kept) == 2


def test_a_damaged_profile_can_be_replaced(made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    new.create()
    new.catalog.write_bytes(b"no database" * 1000)
    with pytest.raises(BadInput, match="of its own already"):
        restore.restore(new, Import(str(made)))
    restore.restore(new, Import(str(made), replace=True))
    assert len(texts(new)) == 2


def test_folders_that_lie_elsewhere_are_mapped(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/home/old/notes", "the boiler")
    settings = Settings(local_model="/home/old/models/m.gguf")
    archive.export(profile, settings, tmp_path / "a.zip")
    new = other(tmp_path)
    restore.restore(new, Import(str(tmp_path / "a.zip"), map=["/home/old=/home/new/"]))
    assert texts(new) == {"/home/new/notes/0.md": "the boiler"}
    assert SettingsFile(new.settings).current.local_model == "/home/new/models/m.gguf"
    with contextlib.closing(apsw.Connection(str(new.catalog))) as connection:
        assert connection.execute("SELECT path FROM folders").fetchall() == [("/home/new/notes",)]


@pytest.mark.parametrize("wrong", ["/notes", "notes=/x", "/notes=x", "=", "/elsewhere=/x"])
def test_a_map_that_makes_no_sense(made: Path, tmp_path: Path, wrong: str) -> None:
    new = other(tmp_path)
    with pytest.raises(BadInput):
        restore.restore(new, Import(str(made), map=[wrong]))
    assert not new.catalog.exists()
    assert not new.importing.exists()


def test_an_older_catalog_is_brought_up_to_date_with_a_backup(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler", schema=2)
    archive.export(profile, Settings(), tmp_path / "a.zip")
    new = other(tmp_path)
    restore.restore(new, Import(str(tmp_path / "a.zip")))
    assert (new.data / "catalog.sqlite3.version-2").exists()
    assert texts(new) == {"/notes/0.md": "the boiler"}


# ---- what must not be let in --------------------------------------------------------------------------------------


def repacked(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The archive with its contents changed, the manifest not adapted."""
    with zipfile.ZipFile(path) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    change(contents)
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as made:
        for name, content in contents.items():
            made.writestr(name, content)
    return target


def manifest(**changes: object) -> Callable[[dict[str, bytes]], object]:
    def change(contents: dict[str, bytes]) -> None:
        said = msgspec.json.decode(contents["manifest.json"])
        contents["manifest.json"] = msgspec.json.encode({**said, **changes})

    return change


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
    "newer format": (lambda path: repacked(path, manifest(format=2, files=7)), "newer Offhand"),
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


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 400 kB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs Linux and root")
    place = Path(tempfile.mkdtemp(prefix="offhand-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        place.rmdir()
        pytest.skip("no small disk can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)
    place.rmdir()


def test_without_room_nothing_changes(profile: Profile, small_disk: Path, tmp_path: Path) -> None:
    noise = [os.urandom(40_000).hex() for _ in range(20)]
    fill(profile, "/notes", *noise)
    with pytest.raises(DiskFull, match="Nothing was changed"):
        archive.export(profile, Settings(), small_disk / "a.zip")
    assert list(small_disk.iterdir()) == []
    archive.export(profile, Settings(), tmp_path / "a.zip")
    new = Profile(small_disk / "home")
    with pytest.raises(DiskFull, match="are needed"):
        restore.restore(new, Import(str(tmp_path / "a.zip")))
    assert not new.catalog.exists()
    assert not new.importing.exists()


def test_two_imports_at_once_are_refused(made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    new.create()
    with FileLock(new.runtime / "import.lock"), pytest.raises(ProfileUnusable, match="Another import"):
        restore.restore(new, Import(str(made)))
    restore.restore(new, Import(str(made)))


def test_no_engine_can_begin_between_the_plan_and_its_end(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = other(tmp_path)
    began = []

    def commit(profile: Profile, staging: Path) -> None:
        decide(profile, staging)
        with contextlib.suppress(Timeout), FileLock(profile.lock, timeout=0):  # what an engine does first
            began.append("an engine")
            restore.settle(profile)

    decide = restore._commit
    monkeypatch.setattr(restore, "_commit", commit)
    assert "was imported" in restore.restore(new, Import(str(made))).message
    assert began == []
    assert len(texts(new)) == 2


def test_what_came_into_the_profile_meanwhile_is_not_replaced(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = other(tmp_path)

    def adapt(*arguments: object) -> int:
        fill(new, "/work", "a contract")  # a folder is added while the archive is being unpacked
        return 1

    monkeypatch.setattr(restore, "_adapt", adapt)
    with pytest.raises(BadInput, match="of its own already"):
        restore.restore(new, Import(str(made)))
    assert texts(new) == {"/work/0.md": "a contract"}
    assert not new.importing.exists()


def test_an_engine_that_does_not_end_changes_nothing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "ENGINE_SECONDS", 0.0)
    new = other(tmp_path)
    new.create()
    with FileLock(new.lock), pytest.raises(ProfileUnusable, match="does not end; nothing was changed"):
        restore.restore(new, Import(str(made)))
    assert not new.importing.exists()
    assert not new.catalog.exists()


# ---- a kill in the middle -----------------------------------------------------------------------------------------


class Killed(BaseException):
    """What a kill is to the code it interrupts: nothing runs any more, no clearing up either."""


@pytest.mark.parametrize("step", range(40))
def test_a_kill_at_any_step_leaves_the_old_profile_or_the_new(
    made: Path, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call that changes the disk may be the last one; the kill of a real process is in tests/processes."""
    new = other(tmp_path)
    fill(new, "/work", "a contract")
    left = step

    def counted(work: Callable[..., object]) -> Callable[..., object]:
        def one(*arguments: object, **options: object) -> object:
            nonlocal left
            if left <= 0:
                raise Killed
            left -= 1
            return work(*arguments, **options)

        return one

    with monkeypatch.context() as patch:
        for owner, name in ((Path, "rename"), (Path, "replace"), (Path, "mkdir"), (Path, "unlink"), (shutil, "rmtree")):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        with contextlib.suppress(Killed):
            restore.restore(new, Import(str(made), replace=True))
            left = -1
    with FileLock(new.lock):
        restore.settle(new)
    kept = list(new.data.glob("before-import-*/catalog.sqlite3"))
    if set(texts(new)) == {"/work/0.md"}:
        assert kept == []
        assert SettingsFile(new.settings).current.idle_minutes == 7
    else:
        assert set(texts(new)) == {"/notes/0.md", "/notes/1.md"}
        assert len(kept) == 1
    assert not new.importing.exists()
    if step == 39:
        assert left == -1, "more steps than are tried here"
