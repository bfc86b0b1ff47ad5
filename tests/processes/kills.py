"""SIGKILL at chosen moments: a real engine, a folder that changes, and triggers that see the moment come."""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Set
from pathlib import Path

import apsw
import psutil

from core import launch
from core.paths import Profile, command
from core.protocol import AddFolder, Checked, Doctor, Found, Index, Progress, Search
from indexer.records import Problem
from tests.processes.conftest import eventually, family

PATIENCE = 120.0  # seconds on a loaded machine; a condition that comes true sooner ends the wait

CHILDREN = 2  # a third death within ten minutes switches a child off, and says so: that has tests of its own

AUDIT = """
CREATE TABLE audit (hash BLOB NOT NULL);
CREATE TRIGGER audited AFTER INSERT ON embeddings BEGIN INSERT INTO audit VALUES (new.hash); END;
"""
"""Put into the catalog under test: it remembers every vector that was ever stored, whatever became of it."""


def spoil(file: Path) -> None:
    """Change a file a little, so that it is not as it was left."""
    with file.open("ab") as opened:
        opened.write(b"x")


class Lives:
    """The lives of one profile's engine, one after the other.

    Args:
        profile: its home is in the environment already.
        folder: the person's.
    """

    def __init__(self, profile: Profile, folder: Path) -> None:
        self.profile = profile
        self.kills = 0
        self.answered_after: list[float] = []
        self._folder = folder
        self._children = 0  # killed in this life
        self._engine: subprocess.Popen[bytes] | None = None
        self._channel: launch.EngineChannel | None = None

    def start(self) -> None:
        """Start an engine, without waiting for it."""
        assert self._engine is None
        self._children = 0
        self.profile.create()
        with (self.profile.logs / "engine.stderr").open("ab") as words:
            self._engine = subprocess.Popen(
                command("--process", "engine"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
                cwd=self.profile.data,
                env={**os.environ, "OFFHAND_STARTED": "1"},
                start_new_session=True,  # the family is one process group, so that it can be killed in one call
            )

    @property
    def running(self) -> bool:
        return self._engine is not None

    @property
    def channel(self) -> launch.EngineChannel:
        """A line to the engine, once it answers."""
        if self._channel is None:
            started = time.monotonic()
            assert eventually(self._connect, PATIENCE), f"the engine does not serve: {self._last_words()}"
            assert self._channel is not None
            assert isinstance(list(self._channel.call(Search("boiler", meaning=False), patience=PATIENCE))[-1], Found)
            self.answered_after.append(time.monotonic() - started)
        return self._channel

    def add_folder(self) -> None:
        list(self.channel.call(AddFolder(str(self._folder)), patience=PATIENCE))

    def pid_of(self, name: str) -> int | None:
        """The process id of a child, None while it does not run."""
        return next((process.pid for process in family(self.profile) if process.cmdline()[-1] == name), None)

    def kill(self, whom: str, pid: int | None = None, orphans: Set[int] = frozenset()) -> None:
        """SIGKILL "family" or "engine" and see that nobody stays behind, or a child of that name.

        Args:
            whom: the process.
            pid: of the child, where it was looked up before: looking takes longer than some moments last.
            orphans: processes that cannot end.
        """
        assert self._engine is not None
        self.kills += 1
        if whom not in {"family", "engine"}:
            self._children += 1
            if self._children > CHILDREN:
                whom = "engine"
        if whom in {"family", "engine"}:
            if whom == "family":
                os.killpg(self._engine.pid, signal.SIGKILL)
            else:
                self._engine.kill()
            self._engine.wait()
            self._engine = None
            if self._channel is not None:
                self._channel.close()
                self._channel = None
            left = lambda: [process for process in family(self.profile) if process.pid not in orphans]  # noqa: E731
            assert eventually(lambda: not left(), PATIENCE), f"orphans: {left()}"
            return
        pid = pid or self.pid_of(whom)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def settle(self, owed: Callable[[], int]) -> None:
        """Wait until everything is read, embedded and given to Chroma, and the catalog points to what is there."""
        deadline = time.monotonic() + PATIENCE
        while True:
            last = list(self.channel.call(Index(wait=True), patience=PATIENCE))[-1]
            assert isinstance(last, Progress)
            if eventually(lambda: owed() == 0, 5.0):
                return
            assert time.monotonic() < deadline, f"it does not come to rest: {owed()} owed"

    def doctor(self) -> list[str]:
        """What the engine itself finds wrong with catalog, folder and vectors."""
        events = self.channel.call(Doctor(), patience=PATIENCE)
        found = [event.finding for event in events if isinstance(event, Checked)]
        return [finding.what for finding in found if not finding.ok and finding.name != "local model"]

    def stop(self) -> None:
        """End in good order."""
        if self._engine is None:
            return
        with contextlib.suppress(Problem, AssertionError):
            self.channel.close()
        self._channel = None
        self._engine.send_signal(signal.SIGTERM)
        try:
            self._engine.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._engine.pid, signal.SIGKILL)
            self._engine = None

    def _connect(self) -> bool:
        assert self._engine is not None
        assert self._engine.poll() is None, f"the engine ended by itself: {self._last_words()}"
        self._channel = launch.find(self.profile)
        return self._channel is not None

    def _last_words(self) -> str:
        return (self.profile.logs / "engine.stderr").read_text("utf-8", "replace")[-2000:]


# ---- moments --------------------------------------------------------------------------------------------------------

Moment = Callable[[], object]
"""Looked at as fast as possible; the kill comes when its value changes."""


def _status(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116  # called thousands of times a second
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def commit(profile: Profile) -> Moment:
    """The WAL is written: a transaction is being committed."""
    wal = Path(f"{profile.catalog}-wal")
    return lambda: _status(wal)


def checkpoint(profile: Profile) -> Moment:
    """The catalog's main file is written: the WAL is being brought into it, or its space is given back."""
    return lambda: _status(profile.catalog)


def segments(profile: Profile) -> Moment:
    """Chroma writes its graph, in place."""
    seen: list[Path] = []

    def look() -> object:
        if not seen or not seen[0].exists():
            seen[:] = sorted(profile.vectors.glob("gen-*/*/*.bin"))
        return [_status(path) for path in seen]

    return look


def switch(profile: Profile) -> Moment:
    """The pointer to the valid generation, or the directories of the generations, change."""
    connection = apsw.Connection(str(profile.catalog), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(5000)
    query = "SELECT value FROM meta WHERE name = 'vectors.generation'"

    def look() -> object:
        return connection.execute(query).fetchall(), sorted(os.listdir(profile.vectors))  # noqa: PTH208

    return look


def backup(profile: Profile) -> Moment:
    """A migration makes its copy of the catalog, or finishes it."""
    return lambda: [_status(path) for path in sorted(profile.data.glob("catalog.sqlite3.version-*"))]


def birth(profile: Profile) -> Moment:
    """One more file in the profile."""
    return lambda: sum(len(names) + len(folders) for _, folders, names in os.walk(profile.data.parent))


def wait_for(moment: Moment, seconds: float, changes: int = 1) -> bool:
    """Look without a pause until the moment has changed so often; False when it did not in time."""
    deadline = time.monotonic() + seconds
    before = moment()
    while time.monotonic() < deadline:
        now = moment()
        if now != before:
            before = now
            changes -= 1
            if not changes:
                return True
    return False


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[random.Random]:
    """Chance that can be repeated; a failure names the seed."""
    try:
        yield random.Random(seed)
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise


def alive(pid: int | None) -> bool:
    return pid is not None and psutil.pid_exists(pid)
