"""Looking in the background: a catalog that follows the disk through bursts, lost events and system limits."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.paths import ROOT
from indexer import scan, scanner
from indexer.ignore import IgnoreRules
from indexer.loop import Notices
from indexer.records import Folder
from indexer.scanner import Scanner
from indexer.store import files, folders
from indexer.store.database import Database
from indexer.watch import Watcher
from tests.indexer.conftest import eventually, files_of, write_notes


class Mirror:
    """A watcher and a scanner that keep the catalog's rows like the disk; nothing is read."""

    def __init__(self, database: Database, folder: Folder) -> None:
        self.database = database
        self.folder = folder
        self.looks = 0
        self.notices = Notices(lambda: None)
        self.scanner = Scanner(
            database,
            IgnoreRules(),
            deaf=lambda: self.watcher.deaf,
            writing=lambda path: self.watcher.is_written(path),  # noqa: PLW0108  # there is no watcher yet
            on_looked=self._looked,
            on_change=lambda: None,
            notices=self.notices,
        )
        self.watcher = Watcher(self.scanner.look, self.scanner.rescan, self.notices)

    def _looked(self) -> None:
        self.looks += 1

    def start(self) -> None:
        self.watcher.set_roots([self.folder.path])
        self.watcher.start()
        self.scanner.start()

    def stop(self) -> None:
        self.watcher.stop()
        self.scanner.stop()
        self.scanner.join(10.0)

    def catalog(self) -> dict[str, tuple[int, int, int]]:
        with self.database.read() as connection:
            return {row.path: (row.size, row.mtime_ns, row.inode) for row in files_of(connection, self.folder.id)}

    def disk(self) -> dict[str, tuple[int, int, int]]:
        found = {}
        for directory, directories, names in os.walk(self.folder.path):
            directories[:] = [name for name in directories if not name.startswith(".")]
            for name in names:
                if name.endswith(".md"):
                    status = Path(directory, name).lstat()
                    found[str(Path(directory, name))] = (status.st_size, status.st_mtime_ns, status.st_ino)
        return found

    def agrees(self, seconds: float = 60.0) -> bool:
        deadline = time.monotonic() + seconds
        while not (eventually(lambda: not self.scanner.looking, seconds) and self.catalog() == self.disk()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.3)  # comparing thousands of files is work too
        return True


@pytest.fixture
def mirror(database: Database, folder: Folder) -> Iterator[Mirror]:
    made = Mirror(database, folder)
    yield made
    made.stop()


def git(place: str, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e", "-c", "gc.auto=0"]
    subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.logs("overflowed")
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_checkout_of_5000_files_is_followed(mirror: Mirror, root: Path) -> None:
    git(str(root), "init", "-q", "-b", "one")
    for number in range(5_000):
        write_notes(root, {f"{number // 100}/{number}.md": f"note {number} of one"})
    git(str(root), "add", ".")
    git(str(root), "commit", "-q", "-m", "one")
    git(str(root), "checkout", "-q", "-b", "two")
    shutil.rmtree(root / "7")
    for number in range(0, 5_000, 2):
        write_notes(root, {f"{number // 100}/{number}.md": f"note {number} of the other one", f"new/{number}.md": "x"})
    git(str(root), "add", ".")
    git(str(root), "commit", "-q", "-m", "two")
    mirror.start()
    assert mirror.agrees()
    for branch in ("one", "two", "one"):
        git(str(root), "checkout", "-q", branch)
        assert mirror.agrees()
    assert len(mirror.catalog()) == 5_000


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.logs("overflowed")
def test_a_burst_larger_than_the_systems_queue_is_followed(mirror: Mirror, root: Path) -> None:
    mirror.start()
    assert mirror.agrees()
    for number in range(400):
        (root / str(number)).mkdir()
        for name in range(100):
            (root / str(number) / f"{name}.md").touch()
    assert mirror.agrees(120.0)
    assert len(mirror.catalog()) == 40_000


def test_a_saved_note_does_not_wait_for_a_look_at_everything(
    mirror: Mirror, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_notes(root, {f"{number}/a.md": "x" for number in range(40)})
    mirror.start()
    assert mirror.agrees()
    monkeypatch.setattr(scanner, "WORK", 0.0)
    monkeypatch.setattr(scanner, "REST", 0.5)  # the look takes twenty seconds now
    mirror.scanner.rescan()
    write_notes(root, {"7/now.md": "saved in the middle of it"})
    assert eventually(lambda: str(root / "7" / "now.md") in mirror.catalog(), 15.0)
    assert mirror.scanner.looking
    monkeypatch.setattr(scanner, "REST", 0.0)


def test_a_failed_file_is_read_again_when_its_time_has_come(mirror: Mirror, root: Path, database: Database) -> None:
    write_notes(root, {"a.md": "x", "damaged.md": "x"})
    mirror.start()
    assert mirror.agrees()

    def state(name: str) -> str:
        with database.read() as connection:
            row = files.at(connection, str(root / name))
        assert row is not None
        return row.state

    with database.write() as connection:
        for row, _ in files.waiting(connection, 10):
            files.finish(connection, row, "failed", "a reason", again=row.path.endswith("a.md"))
        assert files.next_retry(connection) == pytest.approx(files.FIRST_PAUSE, abs=1.5)
        connection.execute("UPDATE files SET retry_at = unixepoch() + 1 WHERE retry_at IS NOT NULL")
    assert eventually(lambda: state("a.md") == "waiting")
    assert state("damaged.md") == "failed"


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("unshare") is None, reason="namespaces of Linux")
@pytest.mark.slow
def test_a_folder_with_more_directories_than_the_system_watches(tmp_path: Path) -> None:
    # In a user namespace of its own the limit can be lowered without touching anybody else's.
    script = Path(__file__).with_name("few_watches.py")
    probe = subprocess.run(
        ["unshare", "--user", "--map-root-user", "test", "-w", "/proc/sys/user/max_inotify_watches"], check=False
    )
    if probe.returncode:
        pytest.skip("this machine lets nobody lower the limit in a namespace")
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, str(script), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["heard", "deaf", "scanned", "well", "heard"]


def test_what_a_long_look_found_does_not_undo_what_was_learnt_meanwhile(
    database: Database, folder: Folder, root: Path
) -> None:
    write_notes(root, {"kept.md": "x", "moved/a.md": "x", "edited.md": "x"})
    look: Callable[[], scan.Changes] = lambda: scan.compare(database, folder, IgnoreRules())  # noqa: E731
    scan.apply(database, [look()])
    (root / "moved").rename(root / "away")
    (root / "edited.md").write_text("longer")
    (root / "kept.md").rename(root / "hidden")
    stale = look()
    assert (len(stale.gone), len(stale.changed)) == (2, 1)
    (root / "hidden").rename(root / "kept.md")
    (root / "edited.md").write_text("longer still")
    with database.write() as connection:  # as another look at the two paths would have it
        connection.execute("UPDATE files SET path = ? WHERE path = ?", (f"{root}/away/a.md", f"{root}/moved/a.md"))
    scan.apply(
        database, [scan.compare(database, folder, IgnoreRules(), str(root / name)) for name in ("kept.md", "edited.md")]
    )
    scan.apply(database, [stale])
    with database.read() as connection:
        rows = {Path(row.path).name: row for row in files_of(connection, folder.id)}
    assert set(rows) == {"kept.md", "edited.md", "a.md"}
    assert rows["edited.md"].size == len("longer still")


def test_reach_is_not_told_of_a_folder_that_was_removed(mirror: Mirror, root: Path, database: Database) -> None:
    with database.write() as connection:
        folders.mark_removed(connection, mirror.folder.id)
    look = scan.compare(database, mirror.folder, IgnoreRules())
    assert look.identity is None
    mirror.scanner._apply([look], set())
    assert mirror.notices.all() == []


def test_it_ends_in_the_middle_of_a_look(mirror: Mirror, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_notes(root, {f"{number}/a.md": "x" for number in range(200)})
    monkeypatch.setattr(scanner, "WORK", 0.0)
    monkeypatch.setattr(scanner, "REST", 0.2)
    others = set(threading.enumerate())  # of tests before this one, which may still be ending
    mirror.start()
    mirror.stop()
    assert eventually(lambda: not any(one.name == "rounds" for one in set(threading.enumerate()) - others), 10.0)
