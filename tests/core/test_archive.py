"""A profile as one file: what is in it, what must not be, and where it may stand."""

import errno
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import archive, restore
from core.errors import BadInput
from core.paths import Profile
from core.protocol import Import, Provider, Settings
from indexer.store import files, folders
from indexer.store.database import Database, DiskFull
from tests.core.profiles import fill, other, texts


def exported_catalog(profile: Profile, place: Path) -> bytes:
    """The bytes of the catalog in a new archive, in lower case."""
    archive.export(profile, Settings(), place / "a.zip")
    with zipfile.ZipFile(place / "a.zip") as opened:
        return opened.read("catalog.sqlite3").lower()


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
    assert b"zeppelin" not in exported_catalog(profile, tmp_path)


def test_deleted_words_do_not_travel_while_they_are_being_tidied_away(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler", "Zeppelinmuseum")
    database = Database(profile.catalog)
    with database.write() as connection:
        files.forget(connection, [2])
    with database.write() as connection:  # where `Database.tidy` is between its first step and the merging
        connection.execute("UPDATE meta SET name = 'tidying' WHERE name = 'untidy'")
    database.close()
    assert b"zeppelin" not in exported_catalog(profile, tmp_path)


def test_a_folder_that_is_being_removed_does_not_travel(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler", "Zeppelinmuseum")
    database = Database(profile.catalog)
    with database.write() as connection:
        folders.mark_removed(connection, 1)  # its files go afterwards, some at a time
    database.close()
    content = exported_catalog(profile, tmp_path)
    assert b"zeppelin" not in content
    assert b"/notes" not in content
    restore.restore(other(tmp_path), Import(str(tmp_path / "a.zip")))
    assert texts(other(tmp_path)) == {}


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_file_that_appears_meanwhile_is_not_replaced(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    fill(profile, "/notes", "the boiler")
    target = tmp_path / "place" / "a.zip"
    target.parent.mkdir()
    looked_at = Path.exists
    monkeypatch.setattr(
        Path, "exists", lambda path: path != target and looked_at(path)
    )  # nobody's look is quick enough
    if not links:

        def refuse(*_: object) -> None:
            raise PermissionError(errno.EPERM, "no links on this disk")

        monkeypatch.setattr(os, "link", refuse)
    archive.export(profile, Settings(), target)
    made = target.read_bytes()
    assert zipfile.is_zipfile(target)
    with pytest.raises(BadInput, match="exists already"):
        archive.export(profile, Settings(), target)
    assert target.read_bytes() == made
    assert list(target.parent.iterdir()) == [target]


def test_no_file_is_replaced_and_none_is_left_half(profile: Profile, made: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exists already"):
        archive.export(profile, Settings(), made)
    with pytest.raises(BadInput, match="could not be written"):
        archive.export(profile, Settings(), tmp_path / "no folder" / "a.zip")
    assert [path.name for path in profile.data.iterdir() if path.name.startswith("export")] == []


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
