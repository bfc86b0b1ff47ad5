"""For every test: a home of its own, no way out to any network, no warning in the log that was not announced,
and at the end no process that is left."""

import contextlib
import gc
import ipaddress
import logging
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

# Before anything of ours is imported: no test can ever touch a real profile or a real keyring.
os.environ["OFFHAND_HOME"] = tempfile.mkdtemp(prefix="offhand-tests-")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from core.paths import ROOT, Profile  # after the home is set

GRACE_SECONDS = 10.0  # for processes that are ending


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["OFFHAND_HOME"], ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "logs(pattern): warnings that match this are part of the behaviour under test")


def _left_behind(places: tuple[str, ...]) -> list[psutil.Process]:
    """Processes whose profile or command line lies in one of the places of this test run, itself left out."""
    found = []
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        try:
            words = [process.environ().get("OFFHAND_HOME", ""), *process.cmdline()]
            alive = process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue  # it is just ending, or somebody else's
        if alive and process.pid not in ours and any(word.startswith(places) for word in words):
            found.append(process)
    return found


@pytest.fixture(scope="session", autouse=True)
def _no_process_outlives_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    places = str(tmp_path_factory.getbasetemp()) + os.sep, os.environ["OFFHAND_HOME"]
    yield
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := _left_behind(places)) and time.monotonic() < deadline:
        time.sleep(0.1)
    said = []
    for process in left:
        with contextlib.suppress(psutil.Error):  # it ended just now
            said.append(f"{process.pid}: {' '.join(process.cmdline())[:200]}")
            process.kill()
    assert not said, "processes that a test started outlive it: end them in its fixture"


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


A_WATCH_THAT_ENDS = r"queue_events\(\) called when the thread is inactive"  # watchdog's, of an event in that moment


@pytest.fixture(autouse=True)
def _no_unexpected_log_records(request: pytest.FixtureRequest) -> Iterator[None]:
    collector = _Collector()
    logging.getLogger().addHandler(collector)
    yield
    logging.getLogger().removeHandler(collector)
    allowed = [A_WATCH_THAT_ENDS, *(str(mark.args[0]) for mark in request.node.iter_markers("logs"))]
    lines = [f"{record.name}: {record.getMessage()}" for record in collector.records]
    unexpected = [line for line in lines if not any(re.search(pattern, line) for pattern in allowed)]
    assert not unexpected, "unannounced warnings in the log (mark the test with logs(pattern) if they belong)"


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    """A file or connection that a test left open is told of (as an error) in its own module, not in any later one."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            assert host == "localhost" or ipaddress.ip_address(host).is_loopback, f"a test tried to reach {host}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A fresh profile that processes started by the test use too."""
    home = tmp_path / "home"
    monkeypatch.setenv("OFFHAND_HOME", str(home))
    made = Profile()
    made.create()
    return made


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder with the starter models."""
    folder = Path(os.environ.get("OFFHAND_MODELS", ROOT / ".models"))
    if not (folder / "all-MiniLM-L6-v2" / "model.safetensors").exists():
        pytest.skip("the starter models are not installed: run `make setup`")
    return folder
