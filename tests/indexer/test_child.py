"""Supervised children: real processes that are killed, hang, fail to start, and lose their parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from msgspec import Struct

from indexer import memory
from indexer.child import Child, ChildOff, Limits, run
from indexer.records import Problem
from indexer.worker import Cancellation, Gone, Overdue

ROOT = Path(__file__).resolve().parents[2]
PATH = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
COMMAND = [sys.executable, "-c", PATH + "from tests.indexer.test_child import serve; serve()"]


class Echo(Struct, tag=True):
    text: str


class Sleep(Struct, tag=True):
    seconds: float


class Die(Struct, tag=True):
    signal: int


class Eat(Struct, tag=True):
    megabytes: int


class Said(Struct, tag=True):
    text: str
    pid: int
    nice: int


Call = Echo | Sleep | Die | Eat


class Parrot:
    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Said]:
        if isinstance(call, Sleep):
            time.sleep(call.seconds)
        if isinstance(call, Die):
            os.kill(os.getpid(), call.signal)
            time.sleep(10)
        text = call.text if isinstance(call, Echo) else ""
        if isinstance(call, Eat):
            text = str(len(bytearray(call.megabytes << 20)))
        yield Said(self.prefix + text, os.getpid(), os.nice(0))


def parrot(tmp_path: Path, **limits: int) -> Child[Call, Said]:
    return Child("parrot", COMMAND, tmp_path, Said, {"prefix": "> "}, limits=Limits(**limits), off_message="Off.")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child[Call, Said]]:
    made = parrot(tmp_path)
    yield made
    made.stop()


def test_it_starts_with_the_first_call_and_is_kept(child: Child[Call, Said]) -> None:
    assert child.state == "asleep"
    first, second = child.ask(Echo("a")), child.ask(Echo("b"))
    assert (first.text, second.text) == ("> a", "> b")
    assert first.pid == second.pid == child.pid
    assert child.state == "ready"
    assert child.pid is not None
    assert memory.resident([child.pid])[child.pid] > 1_000_000


def test_limits_hold_inside_it(tmp_path: Path) -> None:
    child = parrot(tmp_path, nice=5, memory=600 << 20)
    try:
        assert child.ask(Echo("")).nice == os.nice(0) + 5
        if sys.platform == "linux":
            assert psutil.Process(child.pid).ionice().ioclass == psutil.IOPRIO_CLASS_IDLE
        with pytest.raises(Problem) as raised:
            child.ask(Eat(2000))
        assert "MemoryError" in raised.value.what
        assert child.ask(Echo("still here")).text == "> still here"
    finally:
        child.stop()


def test_killed_in_the_middle_of_a_call_the_next_call_works(child: Child[Call, Said]) -> None:
    before = child.ask(Echo("")).pid
    with pytest.raises(Gone):
        child.ask(Die(signal.SIGKILL))
    assert child.ask(Echo("again")).text == "> again"
    assert child.pid != before


def test_killed_while_idle_nobody_notices(child: Child[Call, Said]) -> None:
    os.kill(child.ask(Echo("")).pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(child._process.pid)] if child._process else [], timeout=5)
    assert child.ask(Echo("again")).text == "> again"


@pytest.mark.logs("did not answer")
def test_one_that_hangs_is_killed(child: Child[Call, Said]) -> None:
    pid = child.ask(Echo("")).pid
    with pytest.raises(Overdue):
        child.ask(Sleep(60), patience=0.2)
    assert not psutil.pid_exists(pid)


def test_three_deaths_switch_it_off_and_rest_forgives(child: Child[Call, Said]) -> None:
    for _ in range(3):
        with pytest.raises(Gone):
            child.ask(Die(signal.SIGKILL))
    with pytest.raises(ChildOff, match=r"Off\."):
        child.ask(Echo(""))
    assert child.state == "off"
    child.rest()
    assert child.ask(Echo("fine")).text == "> fine"


def test_one_that_cannot_start_says_so(tmp_path: Path) -> None:
    child: Child[Call, Said] = Child("stillborn", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path, Said, {})
    with pytest.raises(Gone, match="exit status 3"):
        child.ask(Echo(""))
    child.stop()


def test_new_settings_start_a_new_process(child: Child[Call, Said]) -> None:
    child.ask(Echo(""))
    child.configure(prefix="# ")
    assert child.ask(Echo("a")).text == "# a"


def test_it_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tests.indexer.test_child import *;"
        "c = parrot(Path(sys.argv[1])); print(c.ask(Echo('')).pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    orphan = psutil.Process(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs([orphan], timeout=5)[0]


def serve() -> None:
    run(lambda config: Parrot(config["prefix"]), Call, serial=False)
