"""The shortcut's words everywhere; the real key grab, with real key presses, under Xvfb (marked `desktop`).

The portal of Wayland desktops: test_portal.py. A key bound to `offhand toggle` there: test_wayland.py.
"""

import subprocess
import sys
from ctypes import addressof, wintypes

import pytest
from desktop import WINDOW_MANAGERS
from PySide6.QtCore import Qt

from core.paths import ROOT
from core.protocol import combination
from core.protocol.hotkey import KEYS
from ui.hotkey import Hotkey, NoHotkey, parse
from ui.hotkeys import macos, windows
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


def test_a_machine_that_has_been_up_for_a_month_can_tell_the_time_of_a_press(qtbot, qapp):
    hotkey = Hotkey()
    with qtbot.waitSignal(hotkey.activated) as pressed:
        hotkey.activated.emit(30 * 24 * 3600 * 1000, "")  # ms; more than a signed int of 32 bits holds
    assert pressed.args == [2_592_000_000, ""]


# Windows and macOS cannot be run here: what follows covers the pure parts of their files, not the systems' own calls.


@pytest.mark.parametrize(
    ("words", "key", "held"),
    [
        ("Ctrl+Alt+Space", 0x20, 0b0011),
        ("Ctrl+Shift+K", 0x4B, 0b0110),
        ("Meta+7", 0x37, 0b1000),
        ("F9", 0x78, 0),
        ("Alt+Ins", 0x2D, 0b0001),
        ("Ctrl++", 0, 0b0010),  # which key makes a plus depends on the layout: asked for at run time
        ("F25", 0, 0),
    ],
)
def test_keys_have_their_windows_names(words, key, held):
    wanted = parse(words)
    assert (windows.virtual_key(wanted.key), windows.modifiers(wanted)) == (key, held)


def test_of_windows_messages_only_our_own_hotkey_counts(qtbot, qapp):
    hotkey = Hotkey()
    ours = windows._Filter(hotkey)
    pressed = []
    hotkey.activated.connect(lambda *told: pressed.append(told))
    for message, number, taken in ((0x0312, 1, True), (0x0312, 2, False), (0x0100, 1, False)):
        made = wintypes.MSG(message=message, wParam=number)
        assert ours.nativeEventFilter(b"windows_generic_MSG", addressof(made)) == (taken, 0)
    assert pressed == [(0, "")]


@pytest.mark.parametrize(
    ("words", "key", "held"),
    [
        ("Meta+Alt+Space", 49, 0x1800),  # Control and Option, as their keys are labelled
        ("Ctrl+Shift+K", 40, 0x0300),  # Command and Shift
        ("Alt+7", 26, 0x0800),
        ("F12", 111, 0),
        ("Ctrl+Left", 123, 0x0100),
        ("Ctrl+Print", None, 0x0100),
        ("Ctrl+É", None, 0x0100),
        ("F21", None, 0),
    ],
)
def test_keys_have_their_places_on_a_mac(words, key, held):
    wanted = parse(words)
    assert (macos.key_code(wanted.key), macos.modifiers(wanted)) == (key, held)


def test_every_letter_and_digit_has_a_place_of_its_own_on_a_mac():
    keys = [macos.key_code(parse(f"Ctrl+{sign}").key) for sign in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"]
    assert None not in keys
    assert len(set(keys)) == 36


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
@pytest.mark.parametrize("window_manager", WINDOW_MANAGERS)
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
