import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.paths import ROOT
from core.protocol import Problem
from ui import instance, terminal
from ui.bell import Bell

RING = """
import sys
from core.paths import Profile
from ui import instance, terminal
sys.exit(not instance.ring(Profile(), "toggle"))
"""


@pytest.fixture
def bell(qtbot, profile):
    made = Bell(profile)
    assert made.hang()
    yield made
    made.take_down()


def ring_from_outside(**environment):
    return subprocess.Popen(
        [sys.executable, "-c", RING], cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.PIPE
    )


def test_the_running_app_hears_the_bell_and_the_desktops_token(qtbot, bell):
    with qtbot.waitSignal(bell.rung) as told:
        ringing = ring_from_outside(XDG_ACTIVATION_TOKEN="token-1")
    assert told.args == ["toggle", "token-1"]
    assert ringing.wait(5) == 0
    ringing.stderr.close()


def test_only_one_app_of_a_profile_hears_it(bell, profile):
    assert not Bell(profile).hang()


def test_nobody_there_is_no_failure(profile):
    assert instance.ring(profile, "toggle") is False


def test_a_socket_left_by_a_killed_app_is_replaced(qtbot, profile):
    left = socket.socket(socket.AF_UNIX)
    left.bind(profile.app_address)
    left.close()
    assert Path(profile.app_address).exists()
    assert instance.ring(profile, "toggle") is False
    bell = Bell(profile)
    assert bell.hang()
    with qtbot.waitSignal(bell.rung):
        ringing = ring_from_outside()
    assert ringing.wait(5) == 0
    ringing.stderr.close()
    bell.take_down()


def test_the_lock_of_a_killed_app_is_taken_over(profile):
    code = (
        "import os; from core.paths import Profile; from ui.bell import Bell;"
        "from PySide6.QtCore import QCoreApplication; a = QCoreApplication([]);"
        "b = Bell(Profile()); print(b.hang(), flush=True); os.kill(os.getpid(), 9)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "True"
    bell = Bell(profile)
    assert bell.hang()
    bell.take_down()


def test_strange_words_are_not_obeyed(qtbot, bell, profile):
    with qtbot.assertNotEmitted(bell.rung, wait=150), socket.socket(socket.AF_UNIX) as line:
        line.connect(profile.app_address)
        line.sendall(b"format c:\n" + b"x" * 10_000)


def test_an_app_that_does_not_answer_is_said(profile, monkeypatch):
    monkeypatch.setattr(instance, "PATIENCE", 0.1)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(profile.app_address)
        stuck.listen()
        with pytest.raises(Problem, match="does not answer"):
            instance.ring(profile, "toggle")


def test_toggle_starts_the_app_with_its_palette_where_none_runs(profile, monkeypatch, tmp_path):
    # The app itself needs a screen: what is looked at here is only what would be started.
    seen = tmp_path / "seen"
    program = [sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))", str(seen)]
    monkeypatch.setattr(instance, "command", lambda *arguments: [*program, *arguments])
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)))
    assert instance.toggle(profile) == 0
    assert started[0].wait(10) == 0
    assert seen.read_text() == "open --palette"


def test_ringing_needs_no_qt():
    code = "import sys, ui.instance; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "PySide6" not in out.split()


def test_offhand_toggle_loads_nothing_that_only_its_failure_needs(qtbot, bell):
    code = "import sys; from ui import terminal; print(terminal.run(['toggle']), *sys.modules)"
    with qtbot.waitSignal(bell.rung):
        ringing = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    status, *loaded = ringing.communicate(timeout=10)[0].split()
    assert status == "0"
    assert not {"PySide6", "msgspec", "typer", "core.protocol"} & set(loaded)


def test_offhand_toggle_knocks_once_at_a_window_that_does_not_answer(profile, monkeypatch, capsys):
    monkeypatch.setattr(instance, "PATIENCE", 0.1)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(profile.app_address)
        stuck.listen()
        assert terminal.run(["toggle"], profile) == 4
        stuck.accept()[0].close()
        stuck.setblocking(False)
        with pytest.raises(BlockingIOError):
            stuck.accept()
    assert "does not answer" in capsys.readouterr().err
