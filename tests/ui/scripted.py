"""The command line against the scripted engine: what only the terminal asks for, and how a test runs a command."""

import io
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Listener
from typing import Any

import msgspec
import pytest
from scripted_engine import ScriptedEngine

from core.paths import Profile, build_id
from core.protocol import Call, Counts, Done, Event, Index, Progress, RemoveKey, SetKey, Shutdown
from indexer.worker import Cancellation, Hello, Host, start_thread
from ui import terminal

NO_PROCESS = 2**22 + 1
"""Larger than any process id of Linux: who ends the scripted engine waits for this one, and not for the test's."""

Answer = Callable[[Any, Cancellation], Iterator[Event]]


class ScriptedForTerminal(ScriptedEngine):
    """The scripted engine with keys, an end, and progress. `answers` replaces what is said to one kind of call."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.answers: dict[type, Answer] = {}

    def start(self) -> "ScriptedForTerminal":
        build_id.cache_clear()  # a command in a process of its own must find the same build
        key = secrets.token_bytes(32)
        self._profile.token.write_text(key.hex())
        self._listener = Listener(self._profile.engine_address, backlog=64)
        self._host: Host[Call, Event] = Host(self, Call, Hello(build_id(), NO_PROCESS))
        start_thread("scripted engine", self._host.serve, self._listener, key)
        return self

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Event]:
        if type(call) in self.answers:
            self.calls.append(call)
            yield from self.answers[type(call)](call, cancelled)
            return
        match call:
            case SetKey() | RemoveKey():
                self.calls.append(call)
                yield Done("The keyring has the key." if isinstance(call, SetKey) else "The key is removed.")
            case Index(wait=True):
                self.calls.append(call)
                yield from progress()
            case Shutdown():
                self.calls.append(call)
                yield Done("The engine ends.")
            case _:
                yield from super().handle(call, cancelled)


def progress() -> Iterator[Progress]:
    """Forty files: read, then given their vectors."""
    for waiting, owed in ((40, 0), (20, 60), (0, 120), (0, 40), (0, 0)):
        counts = Counts(41, 40 - waiting, waiting, 0, 1, 3 * (40 - waiting), owed)
        yield Progress(counts, 12.0, 25.0, owed / 25 if owed else None, done=not waiting and not owed)


def interrupt() -> None:
    """Press Ctrl+C: the main thread is interrupted wherever it waits."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


@dataclass
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1
        return dict(msgspec.json.decode(self.out))


class CommandLine:
    """Runs commands in this process, over the real wire, with captured streams."""

    def __init__(
        self,
        engine: ScriptedForTerminal,
        profile: Profile,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.engine = engine
        self.profile = profile
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the command line sets its own

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> Ran:
        if stdin is not None:
            self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        status = terminal.run(arguments, self.profile)
        captured = self._capsys.readouterr()
        return Ran(status, captured.out, captured.err)


@pytest.fixture
def offhand(
    profile: Profile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandLine]:
    """The command line and, as `offhand.engine`, the scripted engine it speaks to."""
    engine = ScriptedForTerminal(profile).start()
    yield CommandLine(engine, profile, capsys, monkeypatch)
    engine.stop()
