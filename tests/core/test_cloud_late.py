"""A name server that takes long: what a person decides meanwhile counts, and a request that was given up never leaves.
The server, its sockets and the SDKs are real; one name is looked up here."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic  # noqa: F401  # here, so that no short limit pays for the import
import openai  # noqa: F401
import pytest
from fault_server import FaultServer
from test_cloud_remains import readers
from test_cloud_way_out import BOAT

from core.errors import CloudFailed
from core.models.breaker import Breaker
from core.models.cloud import CloudModel, Patience
from core.models.model import Turn, composed
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import Provider, Settings
from indexer.records import FolderRule, Problem
from indexer.worker import Cancellation

NAME = "late.localhost"
SECRET = composed("user", BOAT, "\nQuestion: What colour is the boat?")


class NameServer:
    """Finds `NAME` only when `answers` is set; `asked` is set once somebody looks for it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()
        self._lookup = socket.getaddrinfo

    def lookup(self, host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in (NAME, NAME.encode()):
            return self._lookup(host, *arguments, **named)
        self.asked.set()
        self.answers.wait(30)
        return self._lookup("127.0.0.1", *arguments, **named)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    made = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", made.lookup)
    return made


class House:
    """A note in a folder that may go to the cloud, and a model at the end of a slow way."""

    def __init__(self, home: Path, server: FaultServer, kind: str, patience: Patience) -> None:
        self.rules: dict[str, FolderRule] = dict.fromkeys(BOAT.paths, "cloud")
        self.offline = False
        self.ledger = Ledger(home / "outgoing.sqlite3")
        self.listed = True
        outgoing = Outgoing(lambda paths: {p: self.rules[p] for p in paths if p in self.rules}, Settings, self.ledger)
        url = server.url.replace("127.0.0.1", NAME)
        provider = Provider("test", kind, url, "starter")  # type: ignore[arg-type]
        gate = Gate(lambda: self.offline)
        card, listed = outgoing.card(), lambda: self.listed
        self.model = CloudModel(provider, lambda _: None, gate, Breaker(), card, listed=listed, patience=patience)

    def go_offline(self) -> None:
        self.offline = True

    def keep_here(self) -> None:
        self.rules = dict.fromkeys(self.rules, "local")

    def ask_first(self) -> None:
        self.rules = dict.fromkeys(self.rules, "ask")

    def remove(self) -> None:
        self.rules = {}

    def remove_provider(self) -> None:
        self.listed = False

    def ask(self, names: NameServer, change: Callable[["House"], None]) -> None:
        for _ in self.model.stream(TURN, Cancellation()):
            if names.asked.is_set():
                change(self)
                names.answers.set()


TURN = Turn(lambda _: [SECRET], 100)


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (House.go_offline, "offline"),
        (House.keep_here, "rules"),
        (House.ask_first, "rules"),
        (House.remove, "rules"),
        (House.remove_provider, "input"),
    ],
)
def test_what_is_decided_before_the_connection_stands_keeps_all_of_it_here(
    tmp_path: Path, faults: FaultServer, names: NameServer, *, kind: str, change: Callable[[House], None], refusal: str
) -> None:
    house = House(tmp_path, faults, kind, Patience(connect=20))
    with pytest.raises(Problem) as caught:
        house.ask(names, change)
    assert caught.value.kind == refusal
    assert not faults.requests
    (entry,) = house.ledger.page()
    assert entry.outcome == f"not sent: {caught.value.what}"


def test_with_nothing_decided_it_leaves_however_late(tmp_path: Path, faults: FaultServer, names: NameServer) -> None:
    house = House(tmp_path, faults, "openai", Patience(connect=20))
    house.ask(names, lambda _: None)
    assert len(faults.requests) == 1
    assert house.ledger.page()[0].outcome == "ok"


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
@pytest.mark.parametrize("stopped", [False, True])
def test_a_request_that_was_given_up_never_leaves(
    tmp_path: Path, faults: FaultServer, names: NameServer, kind: str, stopped: bool
) -> None:
    house = House(tmp_path, faults, kind, Patience(connect=20 if stopped else 0.3))
    before, cancelled = readers(), Cancellation()
    with contextlib.suppress(CloudFailed):
        for _ in house.model.stream(TURN, cancelled):
            if stopped and names.asked.is_set():
                cancelled.cancel()
    assert names.asked.is_set()
    names.answers.set()
    deadline = time.monotonic() + 10
    while readers() - before:
        assert time.monotonic() < deadline, "it is still under way"
        time.sleep(0.01)
    assert not faults.requests
    (entry,) = house.ledger.page()
    assert entry.outcome == ("stopped" if stopped else f"{NAME} could not be reached in time.")
