"""For every test: a home of its own, no way out to any network, and no warning in the log that was not announced."""

import ipaddress
import logging
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before anything of ours is imported: no test can ever touch a real profile or a real keyring.
os.environ["OFFHAND_HOME"] = tempfile.mkdtemp(prefix="offhand-tests-")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from core.paths import ROOT, Profile  # after the home is set


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["OFFHAND_HOME"], ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "logs(pattern): warnings that match this are part of the behaviour under test")


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
