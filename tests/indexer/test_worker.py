"""The hosting mechanism over a real socket: events, cancelling, deadlines, several clients, strangers."""

import os
import secrets
import threading
import time
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path

import pytest
from msgspec import Struct

from indexer.address import private_address
from indexer.records import Problem
from indexer.worker import Cancellation, Channel, Gone, Hello, Host, Overdue, start_thread


class Count(Struct, tag=True):
    to: int
    pause: float = 0.0


class Refuse(Struct, tag=True):
    pass


class Break(Struct, tag=True):
    pass


class Number(Struct, tag=True):
    n: int
    blob: bytes = b""


Call = Count | Refuse | Break
KEY = secrets.token_bytes(32)


class Counter:
    """Counts slowly; remembers whether it was stopped early and how many counted at the same time."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.at_once = 0
        self.most_at_once = 0
        self._guard = threading.Lock()

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Number]:
        if isinstance(call, Refuse):
            raise Problem("No.", "Ask again.", kind="input")
        if isinstance(call, Break):
            raise ZeroDivisionError
        with self._guard:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for n in range(call.to):
                if cancelled.wait(call.pause):
                    self.stopped.set()
                    return
                yield Number(n, b"\x00\xff")
        finally:
            with self._guard:
                self.at_once -= 1


class Served:
    def __init__(self, folder: Path, *, serial: bool = False) -> None:
        self.service = Counter()
        self.address = private_address(folder, "count")
        self.listener = Listener(self.address)
        self.host = Host(self.service, Call, Hello("build 1", os.getpid()), serial=serial)
        start_thread("serve", self.host.serve, self.listener, KEY)

    def channel(self) -> Channel[Call, Number]:
        return Channel(self.address, KEY, Number)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def test_a_call_yields_its_events_in_order(served: Served) -> None:
    channel = served.channel()
    assert channel.hello == Hello("build 1", os.getpid())
    assert list(channel.call(Count(3))) == [Number(n, b"\x00\xff") for n in range(3)]


def test_calls_of_one_channel_run_side_by_side(served: Served) -> None:
    channel = served.channel()
    slow = channel.call(Count(100, 0.05))
    assert next(slow).n == 0
    assert len(list(channel.call(Count(50)))) == 50
    slow.close()


def test_a_serial_service_runs_one_call_at_a_time(tmp_path: Path) -> None:
    served = Served(tmp_path, serial=True)
    channels = [served.channel() for _ in range(3)]
    threads = [start_thread("client", lambda c=c: list(c.call(Count(5, 0.01)))) for c in channels]
    for thread in threads:
        thread.join(10)
    assert served.service.most_at_once == 1


def test_a_call_is_taken_back_while_nothing_comes_of_it(served: Served) -> None:
    channel, cancelled = served.channel(), Cancellation()
    events = channel.call(Count(10_000, 60.0), cancelled=cancelled)
    start_thread("enough", lambda: (time.sleep(0.1), cancelled.cancel()))
    assert list(events) == []
    assert served.service.stopped.wait(5)
    assert list(channel.call(Count(1), cancelled=cancelled)) == [], "what is taken back already is not begun"
    assert len(list(channel.call(Count(2)))) == 2, "the line is as good as before"


def test_whoever_wants_to_know_of_a_cancellation_is_told_then_or_at_once() -> None:
    cancelled = Cancellation()
    told: list[str] = []
    cancelled.on_cancel(lambda: told.append("then"))
    assert not told
    cancelled.cancel()
    cancelled.on_cancel(lambda: told.append("at once"))
    assert told == ["then", "at once"]


def test_closing_the_iterator_cancels_the_call(served: Served) -> None:
    events = served.channel().call(Count(10_000, 0.01))
    next(events)
    events.close()
    assert served.service.stopped.wait(5)


def test_hanging_up_cancels_the_call(served: Served) -> None:
    channel = served.channel()
    next(channel.call(Count(10_000, 0.01)))
    channel.close()
    assert served.service.stopped.wait(5)


def test_a_deadline_cancels_the_call(served: Served) -> None:
    assert len(list(served.channel().call(Count(10_000, 0.01), deadline=0.2))) < 100
    assert served.service.stopped.wait(5)


def test_patience_ends_the_wait_but_not_the_channel(served: Served) -> None:
    channel = served.channel()
    with pytest.raises(Overdue):
        list(channel.call(Count(1, 30.0), patience=0.1))
    assert [e.n for e in channel.call(Count(1))] == [0]


def test_a_problem_travels_whole(served: Served) -> None:
    with pytest.raises(Problem) as raised:
        list(served.channel().call(Refuse()))
    assert (raised.value.kind, raised.value.what, raised.value.next_step) == ("input", "No.", "Ask again.")


@pytest.mark.logs("a call failed")
def test_a_bug_becomes_one_sentence_and_the_service_goes_on(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    channel = served.channel()
    with pytest.raises(Problem) as raised:
        list(channel.call(Break()))
    assert raised.value.kind == "bug"
    assert "ZeroDivisionError" in raised.value.what
    assert "Traceback" in caplog.text
    assert [e.n for e in channel.call(Count(1))] == [0]


def test_a_stranger_with_another_key_is_refused_and_others_are_served(served: Served) -> None:
    with pytest.raises((AuthenticationError, EOFError, OSError)):
        Channel(served.address, b"wrong", Number)
    assert [e.n for e in served.channel().call(Count(1))] == [0]


def test_a_stranger_who_says_nothing_does_not_block_the_door(served: Served) -> None:
    mute = Client(served.address)
    assert [e.n for e in served.channel().call(Count(1))] == [0]
    mute.close()


@pytest.mark.parametrize("junk", [b"", b"{}", b"\xff\xfe", b'{"type":"call","id":"x"}'])
def test_junk_ends_one_connection_only(served: Served, junk: bytes) -> None:
    channel = served.channel()
    channel._connection.send_bytes(junk)
    time.sleep(0.05)
    with pytest.raises(Gone):
        list(channel.call(Count(1)))
    assert [e.n for e in served.channel().call(Count(1))] == [0]


def test_an_unknown_call_is_refused_in_words(served: Served) -> None:
    with pytest.raises(Problem) as raised:
        list(served.channel().call(Number(1)))  # type: ignore[arg-type]
    assert raised.value.kind == "protocol"


def test_the_host_knows_how_long_it_has_been_idle(served: Served) -> None:
    channel = served.channel()
    list(channel.call(Count(1)))
    assert served.host.idle_seconds() == 0.0
    channel.close()
    time.sleep(0.2)
    assert served.host.idle_seconds() > 0.0


def test_an_address_too_long_for_a_socket_moves_to_a_private_folder(tmp_path: Path) -> None:
    address = Path(private_address(tmp_path / ("x" * 120), "engine"))
    assert len(str(address)) < 104
    assert address.parent.stat().st_mode & 0o077 == 0
