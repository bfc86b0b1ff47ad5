"""What happens to files while a real index listens: editors, copies, bursts, moves, disks that go and come back."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.index import Index
from indexer.store.database import open_reader
from tests.indexer.conftest import Parts, eventually, settled, write_notes


class Live:
    """A started index and one folder of it."""

    def __init__(self, index: Index, catalog: Path, folder: Path) -> None:
        self.index = index
        self.folder = folder
        self._catalog = catalog

    def names(self, words: str) -> list[str]:
        """Files of the folder that are found by words alone."""
        _, hits, _ = next(self.index.search(words, 50, meaning=False))
        return sorted(str(Path(hit.path).relative_to(self.folder)) for hit in hits if self._owns(hit.path))

    def finds(self, words: str, *names: str) -> bool:
        return eventually(lambda: self.names(words) == sorted(names), 30.0)

    def rows(self) -> dict[str, str]:
        """Files of the folder in the catalog, and their states."""
        found = self._select("SELECT path, state FROM files")
        return {str(Path(path).relative_to(self.folder)): state for path, state in found if self._owns(path)}

    def vectors(self) -> list[tuple[int, bytes]]:
        """Every stored vector: the same list before and after means that nothing was embedded."""
        return self._select("SELECT id, hash FROM embeddings ORDER BY id")

    def rest(self) -> None:
        assert settled(self.index)

    def _owns(self, path: str) -> bool:
        return Path(path).is_relative_to(self.folder)

    def _select(self, query: str) -> list:
        connection = open_reader(self._catalog)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[tuple[Parts, Index]]:
    """One index with its processes for all tests of this file; each has a folder of its own."""
    parts = Parts(tmp_path_factory.mktemp("home"), models)
    yield parts, parts.index()
    parts.stop_all()


@pytest.fixture
def live(shared: tuple[Parts, Index], root: Path) -> Iterator[Live]:
    parts, index = shared
    write_notes(root, {"a.md": "The first word is alder.\n"})
    index.add_folder(root)
    made = Live(index, parts.catalog, root)
    assert made.finds("alder", "a.md")
    yield made
    index.remove_folder(root)


NEW = "The second word is birch.\n"


def _beside(path: Path, outside: Path) -> None:
    (path.parent / "a.md.tmp").write_text(NEW)
    (path.parent / "a.md.tmp").replace(path)


def _from_outside(path: Path, outside: Path) -> None:
    (outside / "new").write_text(NEW)
    (outside / "new").replace(path)


def _vim(path: Path, outside: Path) -> None:
    (path.parent / "4913").touch()
    (path.parent / "4913").unlink()
    path.rename(path.with_name("a.md~"))
    path.write_text(NEW)
    path.chmod(0o644)
    path.with_name("a.md~").unlink()


def _emacs(path: Path, outside: Path) -> None:
    (path.parent / ".#a.md").symlink_to("somebody@host.1:2")
    path.rename(path.with_name("a.md~"))
    with path.open("w") as file:
        file.write(NEW)
        file.flush()
        os.fsync(file.fileno())
    (path.parent / ".#a.md").unlink()


def _vs_code(path: Path, outside: Path) -> None:
    with path.open("r+") as file:
        file.truncate(0)
        file.write(NEW)


def _gedit(path: Path, outside: Path) -> None:
    (path.parent / ".goutputstream-X1Y2Z3").write_text(NEW)
    os.link(path, path.with_name("a.md~"))
    (path.parent / ".goutputstream-X1Y2Z3").replace(path)


def _libreoffice(path: Path, outside: Path) -> None:
    lock = path.parent / ".~lock.a.md#"
    lock.write_text("me")
    (path.parent / "lu1234abcd.tmp").write_text(NEW)
    path.unlink()
    (path.parent / "lu1234abcd.tmp").rename(path)
    lock.unlink()


@pytest.mark.parametrize("way", [_beside, _from_outside, _vim, _emacs, _vs_code, _gedit, _libreoffice])
def test_a_note_is_found_as_its_editor_left_it(live: Live, tmp_path: Path, way: Callable[[Path, Path], None]) -> None:
    for _ in range(2):  # the second time from the state the first one left
        way(live.folder / "a.md", tmp_path)
        assert live.finds("birch", "a.md")
        assert live.names("alder") == []
        live.rest()
        assert live.rows() == {"a.md": "indexed"}
        (live.folder / "a.md").write_text("The first word is alder.\n")
        (live.folder / "a.md~").unlink(missing_ok=True)
        assert live.finds("alder", "a.md")


@pytest.mark.skipif(sys.platform != "linux", reason="only inotify tells when a file is closed")
def test_half_a_copy_is_never_stored(live: Live) -> None:
    with (live.folder / "a.md").open("w") as file:
        for number in range(16):
            file.write(f"Line {number} of the copy.\n")
            file.flush()
            time.sleep(0.2)
            assert live.names("copy") == []
        assert live.names("alder") == ["a.md"]  # the version before stands until the new one is whole
        file.write("The last word is cedar.\n")
    assert live.finds("cedar", "a.md")


@pytest.mark.skipif(sys.platform != "linux", reason="only inotify tells when a file is closed")
def test_a_directory_that_is_still_filled_is_read_to_the_end(live: Live) -> None:
    write_notes(live.folder, {"copied/first.md": "Copied already: maples.\n"})
    assert live.finds("maples", "copied/first.md")
    with (live.folder / "copied" / "b.md").open("w") as file:
        for number in range(6):
            file.write(f"Line {number} of the copy.\n")
            file.flush()
            (live.folder / "copied" / f"beside{number}").mkdir()  # each a look at what is new here
            time.sleep(0.2)
            assert live.names("copy") == []
        file.write("The last word is cedar.\n")
    assert live.finds("cedar", "copied/b.md")


def test_moves_and_renames_embed_nothing(live: Live, tmp_path: Path) -> None:
    write_notes(live.folder, {"sub/deep/b.md": "A text about larches.\n", "sub/c.md": "Willows by the water.\n"})
    assert live.finds("larches", "sub/deep/b.md")
    live.rest()
    before = live.vectors()
    (live.folder / "sub").rename(live.folder / "moved")
    assert live.finds("larches", "moved/deep/b.md")
    assert live.finds("willows", "moved/c.md")
    (live.folder / "moved").rename(live.folder / "Moved")  # the case alone
    assert live.finds("larches", "Moved/deep/b.md")
    (live.folder / "Moved" / "c.md").rename(live.folder / "Moved" / "C.md")
    assert live.finds("willows", "Moved/C.md")
    live.rest()
    assert live.rows() == dict.fromkeys(["a.md", "Moved/deep/b.md", "Moved/C.md"], "indexed")
    assert live.vectors() == before


def test_a_folder_that_is_deleted_and_put_back_embeds_nothing(live: Live, tmp_path: Path) -> None:
    write_notes(live.folder, {"sub/b.md": "A text about larches.\n", "sub/c.md": "Willows by the water.\n"})
    assert live.finds("larches", "sub/b.md")
    live.rest()
    before = live.vectors()
    shutil.copytree(live.folder / "sub", tmp_path / "kept")
    shutil.rmtree(live.folder / "sub")
    assert live.finds("larches")
    live.rest()
    assert live.rows() == {"a.md": "indexed"}
    shutil.copytree(tmp_path / "kept", live.folder / "sub")
    assert live.finds("larches", "sub/b.md")
    live.rest()
    assert live.vectors() == before


def test_a_directory_that_left_is_not_listened_to(live: Live, tmp_path: Path) -> None:
    write_notes(live.folder, {"sub/b.md": "A text about larches.\n"})
    assert live.finds("larches", "sub/b.md")
    (live.folder / "sub").rename(tmp_path / "elsewhere")
    assert live.finds("larches")
    write_notes(tmp_path / "elsewhere", {"b.md": "A secret about yews.\n", "new.md": "More about yews.\n"})
    write_notes(live.folder, {"sub/b.md": "Another directory with a text about hazels.\n"})
    assert live.finds("hazels", "sub/b.md")
    write_notes(live.folder, {"sub/d.md": "Later in that one, rowans.\n"})
    assert live.finds("rowans", "sub/d.md")
    assert live.names("yews") == []
    assert set(live.rows()) == {"a.md", "sub/b.md", "sub/d.md"}


def test_a_root_that_is_replaced_is_followed(live: Live, tmp_path: Path) -> None:
    live.folder.rename(tmp_path / "away")
    assert eventually(lambda: any(f"{live.folder} is not reachable" in said for said in live.index.notices()), 30.0)
    assert live.names("alder") == ["a.md"]
    write_notes(live.folder, {"b.md": "Another root with maples.\n"})
    assert live.finds("maples", "b.md")
    assert live.finds("alder")
    write_notes(live.folder, {"c.md": "And it is heard: poplars.\n"})
    assert live.finds("poplars", "c.md")
    assert not any(str(live.folder) in said for said in live.index.notices())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX pipes and sockets")
def test_special_files_hold_nothing_up(live: Live) -> None:
    os.mkfifo(live.folder / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(live.folder / "socket.md"))
    if os.geteuid() == 0:
        os.mknod(live.folder / "zero.md", 0o666 | 0o020000, os.makedev(1, 5))
    (live.folder / "zero link.md").symlink_to("/dev/zero")
    write_notes(live.folder, {"b.md": "Oaks, after all of them.\n"})
    assert live.finds("oaks", "b.md")
    live.rest()
    assert live.rows() == {"a.md": "indexed", "b.md": "indexed"}


def test_an_edit_that_keeps_size_and_time_is_found(live: Live) -> None:
    path = live.folder / "a.md"
    before = path.stat()
    path.write_text("The first word is aspen.\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert live.finds("aspen", "a.md")
    assert live.names("alder") == []


@pytest.mark.parametrize("year", [1975, 2100])
def test_a_clock_that_steps_hides_no_edit(live: Live, year: int) -> None:
    path = live.folder / "a.md"
    seconds = (year - 1970) * 31_556_952
    path.write_text("The first word is aspen.\n")
    os.utime(path, (seconds, seconds))
    assert live.finds("aspen", "a.md")
    live.rest()
    path.write_text("The first word is elder.\n")
    os.utime(path, (seconds, seconds))
    assert live.finds("elder", "a.md")


def test_links_that_lead_out_are_followed_where_that_is_allowed(shared: tuple[Parts, Index], root: Path) -> None:
    parts, index = shared
    write_notes(root.parent / "outside", {"b.md": "A text about larches.\n", "sub/c.md": "Willows too.\n"})
    (root / "link").symlink_to(root.parent / "outside")
    (root / "one.md").symlink_to(root.parent / "outside" / "b.md")
    (root.parent / "outside" / "back").symlink_to(root)
    write_notes(root, {"a.md": "The first word is alder.\n"})
    live = Live(index, parts.catalog, root)
    index.add_folder(root)
    assert live.finds("alder", "a.md")
    live.rest()
    assert live.rows() == {"a.md": "indexed", "link": "skipped", "one.md": "skipped"}
    index.remove_folder(root)
    index.add_folder(root, links=True)
    assert live.finds("willows", "link/sub/c.md")
    live.rest()
    assert live.names("larches") in (["link/b.md"], ["one.md"])  # once, by whichever name
    assert [folder["links"] for folder in index.folders() if folder["path"] == str(root)] == [True]
    index.remove_folder(root)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[bool], None]]:
    """A small disk with a file system of its own, to be put in and taken out at `tmp_path/disk`."""
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    image.write_bytes(bytes(8 << 20))

    def mount(there: bool) -> None:
        command = ["mount", "-o", "loop", str(image), str(place)] if there else ["umount", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"this machine mounts no loop device for the test: {done.stderr.strip()}")

    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("only root can mount a disk (and mkfs.ext4 makes one)")
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    mount(True)
    yield mount
    subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def test_a_disk_that_is_taken_out_and_put_in_again(
    shared: tuple[Parts, Index], tmp_path: Path, disk: Callable[[bool], None]
) -> None:
    parts, index = shared
    live = Live(index, parts.catalog, tmp_path / "disk")
    write_notes(live.folder, {"a.md": "The first word is alder.\n", "sub/b.md": "A text about larches.\n"})
    index.add_folder(live.folder)
    assert live.finds("larches", "sub/b.md")
    live.rest()
    before = live.vectors()
    assert eventually(lambda: _taken_out(disk), 30.0)
    assert eventually(lambda: any("is not reachable" in said for said in index.notices()), 30.0)
    index.rescan()
    assert settled(index)
    assert live.names("larches") == ["sub/b.md"]
    disk(True)
    assert eventually(lambda: not index.notices(), 30.0), index.notices()
    write_notes(live.folder, {"c.md": "Heard again: poplars.\n"})
    assert live.finds("poplars", "c.md")
    live.rest()
    assert eventually(lambda: _taken_out(disk), 30.0)
    disk(True)  # too soon for anybody to have seen it away
    assert eventually(lambda: _is_heard(live), 60.0)
    live.rest()
    assert set(before) <= set(live.vectors())
    assert len(live.vectors()) == len(before) + 2
    index.remove_folder(live.folder)


def _is_heard(live: Live) -> bool:
    write_notes(live.folder, {"d.md": "And again: rowans.\n"})
    return eventually(lambda: live.names("rowans") == ["d.md"], 2.0)


def _taken_out(disk: Callable[[bool], None]) -> bool:
    try:
        disk(False)
    except pytest.skip.Exception:  # busy: a file of it is being read just now
        return False
    return True
