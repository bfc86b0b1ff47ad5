"""Child processes under supervision: started on demand, ended with their parent, restarted after a death.

A child is spawned, never forked. It learns its address and key from its standard input, which stays open: when the
parent dies, by whatever means, that pipe closes and the child ends. Three deaths in ten minutes switch a child off.
"""

import contextlib
import faulthandler
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any, Generic

import msgspec
import psutil
from msgspec import Struct

from indexer.address import forget_address, private_address
from indexer.records import Problem
from indexer.worker import (
    CallT,
    Cancellation,
    Channel,
    EventT,
    Gone,
    Hello,
    Host,
    Overdue,
    Service,
    start_thread,
)

log = logging.getLogger(__name__)

START_SECONDS = 60.0  # a cold disk and an antivirus can make the first import of a model runtime this slow
CLOSE_SECONDS = 2.5  # less than the parent waits for the end
DEATHS_ALLOWED = 3
DEATHS_WINDOW = 600.0  # seconds
BACK_OFF = (0.0, 0.0, 1.0)  # seconds to wait before a start, by the number of recent deaths


class Limits(Struct, frozen=True):
    """What the system lets a child use. Enforced where the system can (POSIX); 0 means no limit.

    `memory` and `file_size` are bytes, `nice` is added to the parent's priority value; with it, the disk
    too is used only when nobody else wants it.
    """

    nice: int = 0
    memory: int = 0
    file_size: int = 0


class Charter(Struct, frozen=True):
    """What a child is told at birth: where to listen, with which key, under which limits, and its own settings."""

    address: str
    key: bytes
    build: str
    limits: Limits
    config: dict[str, Any]


class ChildOff(Problem):
    """The child died too often and stays off for a while."""

    kind = "off"


class NotRunning(Problem):
    """The process has ended before it was given the call: whatever ended it, the call did not."""

    kind = "asleep"


class Child(Generic[CallT, EventT]):
    """One supervised process that hosts one service.

    Args:
        name: for logs and messages ("semantics").
        command: the argv that starts it.
        runtime: a directory only this user can enter, for its socket.
        event_type: the union of events its service yields.
        config: plain values for the service's builder.
        limits: what the system lets it use.
        off_message: what a person is told when it is switched off.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        runtime: Path,
        event_type: Any,
        config: dict[str, Any],
        *,
        limits: Limits = Limits(),  # noqa: B008  # frozen value
        off_message: str = "",
    ) -> None:
        self.name = name
        self._command = list(command)
        self._runtime = runtime
        self._event_type = event_type
        self._config = config
        self._limits = limits
        self._off_message = off_message or f"The {name} process failed repeatedly and is switched off for ten minutes."
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel[CallT, EventT] | None = None
        self._address = ""
        self._guard = threading.Lock()
        self._deaths: deque[float] = deque(maxlen=DEATHS_ALLOWED)
        self._stopped = False

    def call(
        self,
        call: CallT,
        *,
        deadline: float | None = None,
        patience: float | None = None,
        started: bool = False,
        cancelled: Cancellation | None = None,
    ) -> Generator[EventT, None, None]:
        """Send a call, starting the process first where needed, and yield its events.

        Args:
            deadline: seconds the child is given; it sees the call as cancelled afterwards.
            patience: seconds to wait for each event; a child silent for longer is killed.
            started: it was started by `start`, and is not to be started here: a death is then the call's fault.
            cancelled: ends the call at once, also while the child is silent.

        Raises:
            NotRunning: it was to be running, and is not any more.
            Gone: it died in the middle of the call.
            ChildOff: it died too often.
            Overdue: it was silent for longer than `patience` and was killed.
        """
        channel = self._running() if started else self._ready()
        try:
            yield from channel.call(call, deadline=deadline, patience=patience, cancelled=cancelled)
        except Overdue:
            log.warning("%s did not answer within %g s and is ended", self.name, patience or 0)
            self.kill()
            raise
        except Gone:
            self._bury(channel)
            raise

    def start(self) -> None:
        """Start the process now instead of with its next call, where it does not run.

        Raises:
            Problem: there is no place for its socket.
            Gone, Overdue: it could not start.
            ChildOff: it died too often.
        """
        self._ready()

    def ask(self, call: CallT, *, patience: float | None = None, started: bool = False) -> EventT:
        """Send a call that has exactly one event and return it; see `call`."""
        events = list(self.call(call, patience=patience, started=started))
        if len(events) != 1:
            raise Problem(f"The {self.name} process gave {len(events)} answers to one call.", kind="bug")
        return events[0]

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def state(self) -> str:
        """In one word: "off" (died too often), "ready", or "asleep" (starts with the next call)."""
        if self._is_off():
            return "off"
        return "ready" if self.pid is not None and self._channel is not None else "asleep"

    def configure(self, **config: Any) -> None:
        """Change the settings it is born with; a running process is ended and the next call starts a new one."""
        changed = {**self._config, **config}
        if changed != self._config:
            self._config = changed
            self.rest()

    def rest(self, *, forget: bool = True) -> None:
        """End the process in good order; the next call starts another. With `forget` its deaths are forgotten."""
        with self._guard:
            self._end(grace=3.0)
            if forget:
                self._deaths.clear()

    def kill(self) -> None:
        """End the process at once. Counts as a death."""
        process, channel = self._process, self._channel
        if process is not None:
            process.kill()
        self._bury(channel)

    def stop(self) -> None:
        """End the process for good."""
        with self._guard:
            self._stopped = True
            self._end(grace=3.0)

    def _is_off(self) -> bool:
        return len(self._deaths) == DEATHS_ALLOWED and time.monotonic() - self._deaths[0] < DEATHS_WINDOW

    def _running(self) -> Channel[CallT, EventT]:
        with self._guard:
            channel = self._channel
            if channel is None or not channel.open or self.pid is None:
                raise NotRunning(f"The {self.name} process has ended.", "It is started again.")
            return channel

    def _ready(self) -> Channel[CallT, EventT]:
        with self._guard:
            channel = self._channel
            if channel is not None and channel.open and self.pid is not None:
                return channel
            if self._stopped:
                raise Gone(f"The {self.name} process is stopped.")
            if self._process is not None:
                self._record_death()
            if self._is_off():
                raise ChildOff(self._off_message, "It is tried again later; `offhand doctor` looks into it.")
            recent = [death for death in self._deaths if time.monotonic() - death < DEATHS_WINDOW]
            time.sleep(BACK_OFF[min(len(recent), len(BACK_OFF) - 1)] if recent else 0.0)
            return self._start()

    def _start(self) -> Channel[CallT, EventT]:
        started = time.monotonic()
        self._check_place()
        address = self._address = private_address(self._runtime, f"{self.name}-{secrets.token_hex(4)}")
        key = secrets.token_bytes(32)
        charter = Charter(address, key, "", self._limits, self._config)
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, cwd=self._runtime)
        self._process = process
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(charter) + b"\n")
            process.stdin.flush()
        except OSError:
            pass  # it died at once: the loop below says so
        while True:
            try:
                self._channel = Channel(address, key, self._event_type)
                log.debug("%s ready after %.2f s", self.name, time.monotonic() - started)
                return self._channel
            except (OSError, EOFError):
                status = process.poll()
                if status is not None:
                    self._record_death()
                    raise Gone(f"The {self.name} process could not start (exit status {status}).") from None
                if time.monotonic() - started > START_SECONDS:
                    process.kill()
                    self._record_death()
                    raise Overdue(f"The {self.name} process did not start within {START_SECONDS:.0f} s.") from None
                time.sleep(0.01)

    def _check_place(self) -> None:
        # A child that could not make its socket would die, and dying three times it would stay off for ten minutes.
        try:
            with tempfile.TemporaryFile(dir=self._runtime):
                pass
        except OSError as error:
            raise Problem(
                f"Offhand cannot write in {self._runtime} ({error.strerror or error}); word search goes on.",
                "Make that folder writable again.",
                kind="profile",
            ) from error

    def _bury(self, channel: Channel[CallT, EventT] | None) -> None:
        with self._guard:
            process = self._process
            if process is None or self._channel is not channel:
                return  # another thread has done it, and perhaps started the next one
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1.0)  # its socket closes a moment before it is gone
            if process.poll() is not None:
                self._record_death()

    def _record_death(self) -> None:
        process, self._process, self._channel = self._process, None, None
        if process is None:
            return
        if process.poll() is None:
            process.kill()
        status = process.wait()
        _close(process)
        forget_address(self._address)
        self._deaths.append(time.monotonic())
        log.info("%s ended unexpectedly (exit status %s)", self.name, status)

    def _end(self, grace: float) -> None:
        process, self._process = self._process, None
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
        if process is None:
            return
        _close(process)  # its standard input closes: it ends by itself
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        forget_address(self._address)


def _close(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def run(build: Callable[[dict[str, Any]], Service[Any, Any]], call_type: Any, *, serial: bool) -> None:
    """A child's main: read the charter, build the service, serve the parent until it goes. Never returns."""
    told = sys.stdin.buffer.readline()
    if not told.endswith(b"\n"):
        os._exit(0)  # the parent died before it had said everything
    charter = msgspec.json.decode(told, type=Charter)
    faulthandler.enable()
    _apply(charter.limits)
    listener = Listener(charter.address)
    service = build(charter.config)
    host = Host(service, call_type, Hello(charter.build, os.getpid()), serial=serial)
    start_thread("serve", host.serve, listener, charter.key)
    sys.stdin.buffer.read()  # returns when the parent closes the pipe or dies
    close = getattr(service, "close", None)  # a service with a process of its own ends that first
    if close is not None:
        start_thread("close", close).join(CLOSE_SECONDS)
    forget_address(charter.address)
    logging.shutdown()
    os._exit(0)  # native threads (ggml, onnxruntime, Chroma) must not delay or crash the end


def limit_file_size(size: int) -> None:
    """From now on no file of this process grows beyond `size` bytes; a write beyond fails. POSIX only."""
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def _apply(limits: Limits) -> None:
    if sys.platform == "win32":
        if limits.nice:
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
            psutil.Process().ionice(psutil.IOPRIO_VERYLOW)
        return
    import resource  # POSIX only

    if limits.nice:
        os.nice(limits.nice)
        if sys.platform == "linux":  # others have no priority for the disk
            with contextlib.suppress(psutil.Error, OSError):
                psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    for which, value in ((resource.RLIMIT_AS, limits.memory), (resource.RLIMIT_FSIZE, limits.file_size)):
        if value:
            with contextlib.suppress(ValueError, OSError):  # macOS refuses some; the supervisor's watch remains
                resource.setrlimit(which, (value, value))
