"""The one hosting mechanism: an object with `handle(call, cancelled)` served to other processes over a local socket.

Messages are JSON made and read by msgspec against declared types, never pickle. Each connection proves a shared key
(HMAC), is told the server's build, and may run several calls at once; a call can be cancelled and has a deadline.
No TCP port is ever opened. The engine and all of its children are hosted by this file alone.
"""

import logging
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from multiprocessing.context import AuthenticationError
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Raw, Struct

from indexer.records import Problem

log = logging.getLogger(__name__)

MAX_MESSAGE = 64 * 1024 * 1024  # bytes; a peer that sends more is cut off instead of filling the memory

CallT = TypeVar("CallT")
EventT = TypeVar("EventT")


class Cancellation:
    """Tells a running call that nobody wants its answer any more."""

    def __init__(self, deadline: float | None = None) -> None:
        self._asked = threading.Event()
        self._deadline = None if deadline is None else time.monotonic() + deadline
        self._told: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Ask the call to end. It ends at its next event, or sooner where it looks at `requested`."""
        self._asked.set()
        for tell in tuple(self._told):
            tell()

    def on_cancel(self, tell: Callable[[], None]) -> None:
        """Call `tell` when it is cancelled, now if it has been: once or, in that very moment, twice.

        A deadline tells nobody.
        """
        self._told.append(tell)
        if self._asked.is_set():
            tell()

    @property
    def requested(self) -> bool:
        """True once the caller cancelled, hung up, or the call's deadline (seconds from its start) has passed."""
        return self._asked.is_set() or (self._deadline is not None and time.monotonic() > self._deadline)

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`, less when cancelled; returns `requested`."""
        self._asked.wait(seconds)
        return self.requested


class Service(Protocol[CallT, EventT]):  # type: ignore[misc]  # calls and events are closed unions, variance is moot
    """What can be hosted: one method that answers a call with a stream of events."""

    def handle(self, call: CallT, cancelled: Cancellation) -> Iterator[EventT]:
        """Answer `call`; raise `Problem` for what a person should hear."""
        ...


class Hello(Struct, frozen=True):
    """The server's first words: which build it is and which process."""

    build: str
    pid: int


class _Request(Struct, frozen=True, tag="call"):
    id: int
    body: Raw
    deadline: float | None = None


class _Cancel(Struct, frozen=True, tag="cancel"):
    id: int


class _Event(Struct, frozen=True, tag="event"):
    id: int
    body: Raw


class _End(Struct, frozen=True, tag="end"):
    id: int


class _Error(Struct, frozen=True, tag="error"):
    id: int
    kind: str
    what: str
    next_step: str


_Frame = _Event | _End | _Error | _Cancel | None
"""What a waiting call finds in its inbox: None when the other side is gone, `_Cancel` when this side has had enough."""

_encode = msgspec.json.Encoder().encode
_from_client = msgspec.json.Decoder(_Request | _Cancel)
_from_server = msgspec.json.Decoder(_Event | _End | _Error)
_hello = msgspec.json.Decoder(Hello)


class Gone(Problem):
    """The other process ended or hung up in the middle of a call."""

    kind = "gone"


class Overdue(Problem):
    """A call was not answered within its deadline."""

    kind = "overdue"


class Host(Generic[CallT, EventT]):
    """Serves one service to any number of connections.

    Args:
        service: the object whose `handle` answers.
        call_type: the union of calls it understands, for decoding.
        hello: what each client is told first.
        serial: run one call at a time, in order of arrival (for code that is not thread-safe).
    """

    def __init__(self, service: Service[CallT, EventT], call_type: Any, hello: Hello, *, serial: bool = False) -> None:
        self._service = service
        self._decode = msgspec.json.Decoder(call_type).decode
        self._hello = hello
        self._turn: Any = threading.Lock() if serial else None
        self._open: set[Connection[Any, Any]] = set()
        self._guard = threading.Lock()
        self._last_busy = time.monotonic()
        self._answering = 0

    def serve(self, listener: Listener, key: bytes) -> None:
        """Accept connections until the listener is closed. Runs in the caller's thread."""
        while True:
            try:
                connection = listener.accept()
            except OSError:
                return  # closed: that is how serving ends
            start_thread("connection", self._attend, connection, key)

    def idle_seconds(self) -> float:
        """Seconds since the last client left; 0 while one is connected."""
        with self._guard:
            return 0.0 if self._open else time.monotonic() - self._last_busy

    def finish(self, seconds: float) -> None:
        """Wait until the calls under way have had their last word, up to `seconds`."""
        deadline = time.monotonic() + seconds
        while self._answering and time.monotonic() < deadline:
            time.sleep(0.01)

    def _attend(self, connection: "Connection[Any, Any]", key: bytes) -> None:
        running: dict[int, Cancellation] = {}
        sending = threading.Lock()
        try:
            # The challenge runs here and not in accept(), so that a stuck stranger cannot block the door.
            deliver_challenge(connection, key)
            answer_challenge(connection, key)
            connection.send_bytes(_encode(self._hello))
            with self._guard:
                self._open.add(connection)
            while True:
                frame = _from_client.decode(connection.recv_bytes(MAX_MESSAGE))
                if isinstance(frame, _Cancel):
                    if frame.id in running:
                        running[frame.id].cancel()
                    continue
                running[frame.id] = Cancellation(frame.deadline)
                with self._guard:
                    self._answering += 1
                start_thread("call", self._run, connection, sending, frame, running)
        except (EOFError, OSError, AuthenticationError):
            pass  # the client left, or was never one of ours
        except msgspec.DecodeError:
            log.info("a client spoke another protocol and was cut off")
        finally:
            with self._guard:
                self._open.discard(connection)
                self._last_busy = time.monotonic()
            for cancelled in list(running.values()):
                cancelled.cancel()
            connection.close()  # only here, in the thread that reads it: see _hang_up

    def _run(
        self,
        connection: "Connection[Any, Any]",
        sending: threading.Lock,
        frame: _Request,
        running: dict[int, Cancellation],
    ) -> None:
        cancelled = running[frame.id]

        def send(message: object) -> None:
            try:
                with sending:
                    connection.send_bytes(_encode(message))
            except OSError:
                cancelled.cancel()  # the client left: nobody wants the rest

        last: object = _End(frame.id)
        try:
            if self._turn is not None:
                with self._turn:
                    self._answer(frame, cancelled, send)
            else:
                self._answer(frame, cancelled, send)
        except Problem as problem:
            last = _Error(frame.id, problem.kind, problem.what, problem.next_step)
        except OSError as error:
            log.exception("a call failed")
            last = _Error(frame.id, "failed", f"The system refused: {error.strerror or error}.", "The log has more.")
        except BaseException as error:  # the barrier of this process; a panic in a Rust library is no Exception
            log.exception("a call failed")
            last = _Error(frame.id, "bug", f"Something went wrong inside Offhand ({type(error).__name__}).", _BUG_STEP)
        finally:
            running.pop(frame.id, None)
        send(last)
        with self._guard:
            self._answering -= 1

    def _answer(self, frame: _Request, cancelled: Cancellation, send: Callable[[object], None]) -> None:
        try:
            call = self._decode(frame.body)
        except msgspec.ValidationError as error:
            raise Problem(f"This call is not understood: {error}.", "Restart Offhand.", kind="protocol") from None
        events = self._service.handle(call, cancelled)
        try:
            for event in events:
                if cancelled.requested:
                    break
                send(_Event(frame.id, Raw(_encode(event))))
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()


_BUG_STEP = "The rest goes on; the log has the details."


class Channel(Generic[CallT, EventT]):
    """A client's end: connects, sends calls, yields their events.

    Raises:
        OSError: nobody listens at the address.
        AuthenticationError: the key is not the server's.
    """

    def __init__(self, address: str, key: bytes, event_type: Any) -> None:
        self._connection: Connection[Any, Any] = Client(address, authkey=None)
        answer_challenge(self._connection, key)
        deliver_challenge(self._connection, key)
        self.hello = _hello.decode(self._connection.recv_bytes(MAX_MESSAGE))
        self._decode = msgspec.json.Decoder(event_type).decode
        self._sending = threading.Lock()
        self._waiting: dict[int, queue.SimpleQueue[_Frame]] = {}
        self._next_id = 0
        self.open = True
        start_thread("channel", self._receive)

    def call(
        self,
        call: CallT,
        *,
        deadline: float | None = None,
        patience: float | None = None,
        cancelled: Cancellation | None = None,
    ) -> Iterator[EventT]:
        """Send `call` and yield its events. Closing the iterator cancels the call.

        Args:
            deadline: seconds the server may work on it.
            patience: seconds to wait for the first and for each further event; None waits for ever.
            cancelled: ends it at once, also while nothing comes.

        Raises:
            Gone: the server ended.
            Overdue: nothing came within `patience`.
            Problem: the server says why it cannot.
        """
        inbox: queue.SimpleQueue[_Frame] = queue.SimpleQueue()
        with self._sending:
            self._next_id += 1
            number = self._next_id
            self._waiting[number] = inbox
        ended = False
        try:
            self._send(_Request(number, Raw(_encode(call)), deadline))
            if cancelled is not None:
                cancelled.on_cancel(lambda: inbox.put(_Cancel(number)))
            while True:
                try:
                    frame = inbox.get(timeout=patience)
                except queue.Empty:
                    raise Overdue("There was no answer in time.", "Try again.") from None
                if frame is None:
                    ended = True
                    raise _gone()
                if isinstance(frame, _Cancel):
                    return
                if isinstance(frame, _Event):
                    yield self._decode(frame.body)
                    continue
                ended = True
                if isinstance(frame, _Error):
                    raise Problem(frame.what, frame.next_step, kind=frame.kind)
                return
        finally:
            self._waiting.pop(number, None)
            if not ended and self.open:
                try:
                    self._send(_Cancel(number))
                except Gone:
                    pass

    def close(self) -> None:
        """Hang up. Calls in progress are cancelled by the server."""
        self.open = False
        _hang_up(self._connection)

    def _send(self, message: object) -> None:
        try:
            with self._sending:
                self._connection.send_bytes(_encode(message))
        except (OSError, ValueError):
            self.open = False  # whoever asks again needs another channel, and must not wait for the reader to find out
            raise _gone() from None

    def _receive(self) -> None:
        try:
            while True:
                frame = _from_server.decode(self._connection.recv_bytes(MAX_MESSAGE))
                inbox = self._waiting.get(frame.id)
                if inbox is not None:
                    inbox.put(frame)
        except (OSError, EOFError, TypeError, msgspec.DecodeError):
            pass  # hung up, by either side; TypeError is what a connection closed under recv raises on some systems
        finally:
            self.open = False
            self._connection.close()
            for inbox in list(self._waiting.values()):
                inbox.put(None)


def _hang_up(connection: "Connection[Any, Any]") -> None:
    """End a connection that another thread is reading. Closing it there would not wake that thread on POSIX."""
    if sys.platform == "win32":
        connection.close()
        return
    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # already down


def _gone() -> Gone:
    return Gone("The other process of Offhand ended.", "It is started again by the next call.")


def start_thread(name: str, target: Callable[..., object], *arguments: Any) -> threading.Thread:
    """Start a daemon thread; the process may end without waiting for it."""
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    thread.start()
    return thread
