"""The engine's life: one per profile, started on demand, replaced after an update, ended without leaving orphans."""

import contextlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from core import launch
from core.client import Engine
from core.paths import ROOT, Profile, command
from core.protocol import Configure, ListFolders, Watch
from indexer.records import Problem
from tests.processes.conftest import eventually, family, status


def engines(profile: Profile) -> list[psutil.Process]:
    found = []
    for process in family(profile):
        with contextlib.suppress(psutil.NoSuchProcess):  # one that found another engine there and ended
            if process.cmdline()[-1:] == ["engine"]:  # empty for one that is just ending
                found.append(process)
    return found


def test_it_starts_on_demand_and_survives_its_clients(profile: Profile, engine: Engine) -> None:
    assert launch.find(profile) is None
    pid = status(engine).pid
    engine.close()
    other = Engine(profile)
    assert status(other).pid == pid
    other.close()


def test_clients_starting_at_once_get_one_engine(profile: Profile, engine: Engine) -> None:
    clients = [Engine(profile) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        pids = set(pool.map(lambda client: status(client).pid, clients))
    assert len(pids) == 1
    assert eventually(lambda: len(engines(profile)) == 1)
    for client in clients:
        client.close()


def test_a_second_engine_says_that_there_is_one(profile: Profile, engine: Engine) -> None:
    status(engine)
    second = subprocess.run(command("--process", "engine"), capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == launch.EXIT_ANOTHER
    assert "another engine already serves this profile" in second.stderr
    assert "Traceback" not in second.stderr


def test_stop_ends_it_and_all_its_children(profile: Profile, engine: Engine) -> None:
    status(engine)
    assert launch.stop(profile)
    assert not family(profile)
    assert not profile.token.exists()
    assert not launch.stop(profile)


SLOW = """
import os, sys, threading, time
sys.path.insert(0, {root!r})
from multiprocessing.connection import Listener
from pathlib import Path
from core.paths import Profile
from core.protocol import Call, Done
from indexer.worker import Hello, Host

class Slow:
    def handle(self, call, cancelled):
        if {answers}:
            yield Done("The engine ends.")
        threading.Thread(target=end).start()
        time.sleep(60)

def end():
    time.sleep(6.0)  # storing the last batch
    (profile.data / "stored").touch()
    os._exit(0)

profile = Profile()
listener = Listener(profile.engine_address)
profile.token.write_text("00" * 32)
Host(Slow(), Call, Hello("", os.getpid())).serve(listener, bytes(32))
"""


@pytest.mark.slow
@pytest.mark.parametrize("answers", [True, False])
def test_one_that_ends_in_good_order_is_waited_for_and_one_that_hangs_is_killed(
    profile: Profile, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "ANSWER_SECONDS", 0.5)
    profile.create()
    slow = subprocess.Popen([sys.executable, "-c", SLOW.format(root=str(ROOT), answers=answers)])
    try:
        assert eventually(lambda: (channel := launch.find(profile)) is not None and channel.close() is None)
        said: list[str] = []
        assert launch.stop(profile, said.append)
        assert slow.wait(5) == (0 if answers else -9)
        assert (profile.data / "stored").exists() is answers
        assert [words[:17] for words in said] == ["The engine stores"] * answers
    finally:
        slow.kill()
        slow.wait()


def test_killed_it_leaves_no_orphans_and_the_next_call_starts_another(profile: Profile, engine: Engine) -> None:
    pid = status(engine).pid
    assert eventually(lambda: len(family(profile)) > 1)
    os.kill(pid, 9)
    assert eventually(lambda: not family(profile))
    assert status(engine).pid != pid


@pytest.mark.parametrize("token", ["", "nonsense", "00" * 32])
def test_a_stale_lock_token_and_socket_do_not_matter(profile: Profile, engine: Engine, token: str) -> None:
    profile.token.write_text(token)
    profile.lock.write_text("")
    Path(profile.engine_address).touch()
    assert status(engine).pid


def test_an_engine_of_another_build_is_replaced(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Engine(profile)
    pid = status(old).pid
    monkeypatch.setattr(launch, "build_id", lambda: "a newer build")
    monkeypatch.setattr(launch, "START_SECONDS", 3.0)
    with pytest.raises(Problem, match="did not answer"):  # the engine that starts is still of this build, not of that
        status(Engine(profile))
    assert not psutil.pid_exists(pid)
    monkeypatch.undo()
    os.environ["OFFHAND_HOME"] = str(profile.data.parent)
    launch.stop(profile)
    assert eventually(lambda: not family(profile))


def test_it_ends_when_nobody_needs_it(profile: Profile, engine: Engine) -> None:
    list(engine.call(Configure("idle_minutes", "0")))
    watching = engine.call(Watch())
    next(watching)
    time.sleep(2.5)
    assert engines(profile), "a connected window keeps it awake"
    watching.close()
    engine.close()
    assert eventually(lambda: not family(profile))


def test_an_unwritable_profile_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("in the way")
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path / "home"))
    with pytest.raises(Problem, match="cannot write its profile") as raised:
        list(Engine(Profile()).call(ListFolders()))
    assert raised.value.kind == "profile"
    direct = subprocess.run(
        [sys.executable, *command("--process", "engine")[1:]], capture_output=True, text=True, timeout=30, check=False
    )
    assert direct.returncode == 4
    assert "cannot write its profile" in direct.stderr
    assert "Traceback" not in direct.stderr
