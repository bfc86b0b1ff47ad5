"""Real file events, and what is done where the system does not tell."""

import errno
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer import watch
from indexer.loop import Notices
from indexer.watch import OVERFLOW_LOGGER, Watcher
from tests.indexer.conftest import eventually, write_notes


class Told:
    """What a watcher told."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.rescans = 0
        self.notices = Notices(lambda: None)
        self.watcher = Watcher(self.paths.extend, self._rescan, self.notices)

    def _rescan(self) -> None:
        self.rescans += 1

    def hears(self, path: Path) -> bool:
        return eventually(lambda: str(path) in self.paths, 10.0)


@pytest.fixture
def told(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    monkeypatch.setattr(watch, "SUPERVISE", 0.1)
    made = Told()
    made.watcher.start()
    made.watcher.set_roots([str(root)])
    assert made.hears(root)  # the watch is set
    made.paths.clear()
    yield made
    made.watcher.stop()


def test_a_new_a_changed_and_a_deleted_file_are_told(told: Told, root: Path) -> None:
    for act in (
        lambda: (root / "a.md").write_text("one"),
        lambda: (root / "a.md").write_text("two"),
        (root / "a.md").unlink,
    ):
        told.paths.clear()
        act()
        assert told.hears(root / "a.md")


def test_a_full_temporary_folder_is_not_taken_for_a_limit_of_the_system(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    more = tmp_path / "more"
    more.mkdir()
    told.watcher.set_roots([str(more)])
    assert told.hears(more)
    (more / "a.md").write_text("one")
    assert told.hears(more / "a.md")
    assert not told.watcher.deaf
    assert told.notices.all() == []


def test_a_saved_file_is_told_once_it_is_at_rest(told: Told, root: Path) -> None:
    with (root / "a.md").open("w") as file:
        for _ in range(5):
            file.write("more ")
            file.flush()
    assert told.hears(root / "a.md")
    assert told.paths.count(str(root / "a.md")) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only inotify tells when a file is closed")
def test_a_file_that_is_still_open_is_waited_for(told: Told, root: Path) -> None:
    with (root / "a.md").open("w") as file:
        file.write("half")
        file.flush()
        assert eventually(lambda: told.watcher.is_written(str(root / "a.md")))
        (root / "b.md").write_text("another one, all of it")
        assert told.hears(root / "b.md")
        assert str(root / "a.md") not in told.paths[told.paths.index(str(root / "b.md")) :]
        assert told.watcher.is_written(str(root / "a.md"))
    assert told.hears(root / "a.md")
    assert not told.watcher.is_written(str(root / "a.md"))


@pytest.mark.skipif(sys.platform != "linux", reason="only inotify tells when a file is closed")
def test_a_file_that_is_never_closed_is_told_once_it_is_quiet(
    told: Told, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "QUIET_OPEN", 0.3)
    with (root / "log.md").open("w") as file:
        file.write("a line")
        file.flush()
        assert told.hears(root / "log.md")
        told.paths.clear()
        file.write("another line")
        file.flush()
        assert told.hears(root / "log.md")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_permission_that_is_given_is_told(told: Told, root: Path) -> None:
    (root / "a.md").write_text("one")
    assert told.hears(root / "a.md")
    told.paths.clear()
    (root / "a.md").chmod(0o600)
    assert told.hears(root / "a.md")


def test_an_editors_way_of_saving_is_told(told: Told, root: Path, tmp_path: Path) -> None:
    (root / "a.md").write_text("one")
    assert told.hears(root / "a.md")
    told.paths.clear()
    (tmp_path / "outside.tmp").write_text("two")
    (tmp_path / "outside.tmp").rename(root / "a.md")
    assert told.hears(root / "a.md")


def test_both_ends_of_a_move_are_told(told: Told, root: Path) -> None:
    (root / "a.md").write_text("one")
    assert told.hears(root / "a.md")
    told.paths.clear()
    (root / "a.md").rename(root / "b.md")
    assert told.hears(root / "a.md")
    assert told.hears(root / "b.md")


def test_directories_are_told_as_a_whole(told: Told, root: Path, tmp_path: Path) -> None:
    write_notes(tmp_path / "outside", {"deep/a.md": "one"})
    (tmp_path / "outside").rename(root / "inside")
    assert told.hears(root / "inside")
    told.paths.clear()
    (root / "inside" / "deep" / "new.md").write_text("in a directory that came later")
    assert told.hears(root / "inside" / "deep" / "new.md")
    shutil.rmtree(root / "inside")
    assert told.hears(root / "inside")


def test_new_ignore_rules_concern_their_directory(told: Told, root: Path) -> None:
    write_notes(root, {"sub/.gitignore": "*.md"})
    assert told.hears(root / "sub")
    assert str(root / "sub" / ".gitignore") not in told.paths


def test_reading_a_file_is_no_news(told: Told, root: Path) -> None:
    (root / "a.md").write_text("one")
    assert told.hears(root / "a.md")
    told.paths.clear()
    (root / "a.md").read_text()
    (root / "b.md").write_text("later")
    assert told.hears(root / "b.md")
    assert str(root / "a.md") not in told.paths


@pytest.mark.parametrize("way", ["deleted", "renamed"])
def test_a_folder_that_goes_and_comes_back_is_heard_again(told: Told, root: Path, way: str) -> None:
    shutil.rmtree(root) if way == "deleted" else root.rename(root.with_name("away"))
    assert told.hears(root)
    assert eventually(lambda: told.watcher._roots[str(root)].identity is None)
    time.sleep(2 * watch.QUIET)  # until the last word about the old one is told
    told.paths.clear()
    root.mkdir()
    assert told.hears(root)
    (root / "a.md").write_text("one")
    assert told.hears(root / "a.md")


def test_a_folder_taken_off_the_list_is_silent(told: Told, root: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    told.watcher.set_roots([str(second)])
    assert told.hears(second)
    (root / "a.md").write_text("one")
    (second / "b.md").write_text("two")
    assert told.hears(second / "b.md")
    assert str(root / "a.md") not in told.paths


@pytest.mark.logs("started again")
@pytest.mark.skipif(sys.platform != "linux", reason="inotify's own thread")
def test_a_watch_that_ended_by_itself_is_set_again(told: Told, root: Path) -> None:
    told.watcher._observer._inotify_fd.stop()
    told.watcher._observer._inotify_fd.join()
    assert told.hears(root)
    (root / "a.md").write_text("one")
    assert told.hears(root / "a.md")


@pytest.mark.logs("overflowed")
def test_an_overflow_means_a_full_scan(told: Told) -> None:
    # The real thing takes 16,384 unread events; watchdog 7.1 tells of it in its log and nowhere else.
    logging.getLogger(OVERFLOW_LOGGER).warning("Inotify queue overflowed; filesystem events were lost")
    assert told.rescans == 1


@pytest.mark.skipif(sys.platform != "linux", reason="inotify's limits")
def test_a_limit_of_the_system_is_told_and_leaves_the_scan(root: Path) -> None:
    import resource

    told = Told()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    told.watcher.set_roots([str(root)])
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))  # inotify_init answers EMFILE, as at its limit
        told.watcher.start()
        assert eventually(lambda: told.watcher.deaf)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    (notice,) = told.notices.all()
    assert "limit for watching" in notice
    assert "`sudo sysctl fs.inotify.max_user_instances=1024`" in notice
    assert told.hears(root)
    told.watcher.set_roots([])
    assert not told.watcher.deaf
    assert told.notices.all() == []
    told.watcher.stop()


@pytest.mark.slow
@pytest.mark.logs("overflowed")
def test_a_burst_is_told_or_scanned(told: Told, root: Path) -> None:
    for number in range(40_000):
        (root / f"{number}.md").touch()
    assert eventually(lambda: told.rescans > 0 or len(set(told.paths)) >= 40_000, 60.0)
