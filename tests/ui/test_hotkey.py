"""The shortcut's words everywhere; the real key grab, with real key presses, under Xvfb (marked `desktop`)."""

import subprocess
import sys

import pytest
from PySide6.QtCore import Qt

from core.paths import ROOT
from core.protocol import combination
from core.protocol.hotkey import KEYS
from ui.hotkey import Hotkey, NoHotkey, parse
from ui.hotkeys.x11 import _keysym, _lock_states

CONTROL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


def test_a_combination_is_read():
    wanted = parse("Ctrl+Alt+Space")
    assert wanted is not None
    assert wanted.key == Qt.Key.Key_Space
    assert wanted.modifiers == CONTROL_ALT


@pytest.mark.parametrize("words", ["", "Space", "Shift+A", "Ctrl+", "Ctrl+K, Ctrl+C", "nonsense+key", "A", "Ctrl+Alt"])
def test_what_no_program_could_live_with_is_refused(words):
    assert parse(words) is None


@pytest.mark.parametrize("key", [*sorted(set(KEYS.values())), "A", "7", "+", "F1", "F35"])
def test_whatever_the_settings_take_is_a_key_to_qt_and_to_x(key):
    named = combination(f"Ctrl+{key}")
    wanted = parse(named)
    assert wanted is not None
    assert wanted.modifiers == Qt.KeyboardModifier.ControlModifier
    assert wanted.key not in (Qt.Key.Key_unknown, Qt.Key(0))
    assert _keysym(wanted) is not None


@pytest.mark.parametrize(
    ("words", "keysym"),
    [("Ctrl+Alt+Space", 0x20), ("Ctrl+K", ord("k")), ("F9", 0xFFC6), ("Meta+Return", 0xFF0D), ("Alt+É", None)],
)
def test_keys_have_their_x_names(words, keysym):
    assert _keysym(parse(words)) == keysym


def test_every_state_of_the_lock_keys_is_covered():
    assert sorted(_lock_states({0xFF7F: 16})) == [0, 2, 16, 18]
    assert len(_lock_states({0xFF7F: 16, 0xFF14: 32})) == 8


def test_where_there_is_none_the_way_out_is_named(qapp):
    result = NoHotkey("On Wayland a shortcut belongs to the desktop.").register("Ctrl+Alt+Space")
    assert result.status == "unavailable"
    assert "offhand toggle" in result.message
    assert isinstance(NoHotkey(""), Hotkey)


GRAB = """
import sys
from PySide6.QtWidgets import QApplication
from PySide6.QtCore import QTimer
from ui.hotkeys.x11 import X11Hotkey
app = QApplication([])
key = X11Hotkey()
key.activated.connect(lambda time: print("pressed", time > 0, flush=True))
for words in sys.argv[1:]:
    print(key.register(words).status, flush=True)
QTimer.singleShot(20_000, app.quit)
app.exec()
"""


@pytest.fixture
def grabber(screen):
    """Starts programs that register shortcuts on the screen; they end with the test."""
    started = []

    def start(*combinations):
        process = subprocess.Popen(
            [sys.executable, "-c", GRAB, *combinations],
            cwd=ROOT,
            env=screen.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process, [process.stdout.readline().strip() for _ in combinations]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.desktop
def test_a_real_press_arrives_whatever_the_lock_keys_say(screen, grabber):
    process, said = grabber("Ctrl+Alt+Space")
    assert said == ["ok"]
    screen.press("ctrl+alt+space")
    assert process.stdout.readline() == "pressed True\n"
    for lock in ("Num_Lock", "Caps_Lock"):
        screen.press(lock)
        screen.press("ctrl+alt+space")
        assert process.stdout.readline() == "pressed True\n"
        screen.press(lock)


@pytest.mark.desktop
def test_a_key_held_down_counts_once(screen, grabber):
    process, _ = grabber("Ctrl+Alt+Space", "Ctrl+Alt+Space")
    screen.do("keydown", "ctrl", "keydown", "alt", "keydown", "space", "sleep", "1.2")
    screen.do("keyup", "space", "keyup", "alt", "keyup", "ctrl")
    screen.press("ctrl+alt+space")
    assert [process.stdout.readline() for _ in range(2)] == ["pressed True\n"] * 2
    process.terminate()
    assert process.stdout.read() == "", "the repeats of the held key were not presses"


@pytest.mark.desktop
def test_a_combination_of_another_program_is_taken_and_its_neighbours_stay_free(screen, grabber):
    grabber("Ctrl+Alt+Space")
    _, said = grabber("Ctrl+Alt+Space", "Ctrl+Alt+J")
    assert said == ["taken", "ok"]


@pytest.mark.desktop
def test_a_new_combination_gives_the_old_one_back(screen, grabber):
    _, said = grabber("Ctrl+Alt+Space", "Ctrl+Alt+J", "Space")
    assert said == ["ok", "ok", "invalid"]
    _, said = grabber("Ctrl+Alt+Space", "Ctrl+Alt+J")
    assert said == ["ok", "ok"]
