"""The shortcut of Wayland desktops: the real client on a private message bus, against a portal that plays."""

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from message_bus import private_bus
from portal_stand_in import Backend, Portal
from PySide6.QtCore import QObject

from ui import hotkeys
from ui.hotkey import parse
from ui.hotkeys.portal import PortalHotkey, trigger
from ui.hotkeys.session_bus import SessionBus


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("Ctrl+Alt+Space", "CTRL+ALT+space"),
        ("Shift+Meta+K", "SHIFT+LOGO+k"),
        ("F12", "F12"),
        ("Ctrl+PgUp", "CTRL+Prior"),
        ("Ctrl++", "CTRL+U002B"),
        ("Alt+É", "ALT+U00E9"),
    ],
)
def test_a_combination_is_written_as_the_shortcuts_specification_has_it(words, written):
    assert trigger(parse(words)) == written


def test_without_a_message_bus_that_is_said(monkeypatch):
    for address in ("", "disabled:", "unix:path=/nowhere/bus", "autolaunch:"):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with pytest.raises(OSError, match="message bus cannot be reached"):
            SessionBus()
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    with pytest.raises(OSError, match="message bus cannot be reached"):
        SessionBus()


@pytest.fixture
def bus(tmp_path, monkeypatch):
    if shutil.which("dbus-daemon") is None:
        pytest.skip("not installed: dbus")
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.fixture
def portal(bus):
    """Makes portals; they end with the test."""
    made = []

    def start(**words):
        made.append(Portal(bus, **words))
        return made[-1]

    yield start
    for one in made:
        one.vanish()


@pytest.fixture
def hotkey(qtbot, bus):
    made = PortalHotkey(SessionBus())
    made.said = []
    made.changed.connect(made.said.append)
    yield made
    made.close()


@pytest.mark.parametrize("platform", ["wayland", "wayland-egl", "xcb"])
def test_on_a_wayland_desktop_the_portal_is_asked_under_xwayland_too(qapp, bus, monkeypatch, platform):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr(hotkeys, "QGuiApplication", SimpleNamespace(platformName=lambda: platform))
    parent = QObject()
    made, composited = hotkeys.of_this_screen(parent)
    assert isinstance(made, PortalHotkey)
    assert composited
    made.close()
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    said = hotkeys.of_this_screen(parent)[0].register("Ctrl+J").message
    assert said.startswith("No global shortcut: the desktop's message bus cannot be reached.")
    assert "offhand toggle" in said


def registered(qtbot, hotkey, combination="Ctrl+Alt+Space"):
    """Ask for it; what the desktop says."""
    hotkey.said.clear()
    assert hotkey.register(combination).status == "asked"
    qtbot.waitUntil(lambda: hotkey.said != [])
    return hotkey.said[-1]


def test_the_desktop_gives_the_key_and_tells_of_its_presses(qtbot, portal, hotkey):
    desktop = portal()
    assert registered(qtbot, hotkey).message == "Ctrl+Alt+Space opens Offhand from anywhere."
    assert desktop.asked == ["CreateSession", "BindShortcuts"]
    assert desktop.wishes[0][1]["preferred_trigger"] == ("s", "CTRL+ALT+space")
    for token in ("", "token-7"):
        with qtbot.waitSignal(hotkey.activated) as pressed:
            desktop.press(token)
        assert pressed.args == [0, token]


def test_another_key_than_was_wished_is_named(qtbot, portal, hotkey):
    desktop = portal(key="Meta+F5")
    result = registered(qtbot, hotkey)
    assert result.status == "ok"
    assert "this shortcut: Meta+F5." in result.message
    desktop.change("Ctrl+Alt+Space")
    qtbot.waitUntil(lambda: len(hotkey.said) == 2)
    assert hotkey.said[-1].message == "Ctrl+Alt+Space opens Offhand from anywhere."


def test_a_new_wish_ends_the_old_session(qtbot, portal, hotkey):
    desktop = portal(key="")
    registered(qtbot, hotkey)
    registered(qtbot, hotkey, "Ctrl+J")
    assert desktop.asked == ["CreateSession", "BindShortcuts", "Close", "CreateSession", "BindShortcuts"]
    assert desktop.wishes[-1][1]["preferred_trigger"] == ("s", "CTRL+j")
    with qtbot.waitSignal(hotkey.activated):
        desktop.press()


def test_two_wishes_at_once_leave_the_later_one(qtbot, portal, hotkey):
    portal(key="Ctrl+J")
    hotkey.register("Ctrl+Alt+Space")
    result = registered(qtbot, hotkey, "Ctrl+J")
    assert result.message == "Ctrl+J opens Offhand from anywhere."
    qtbot.wait(50)
    assert hotkey.said == [result], "the earlier wish is answered no more"


def test_nonsense_is_not_asked_for(qtbot, portal, hotkey):
    desktop = portal()
    assert hotkey.register("Space").status == "invalid"
    assert desktop.asked == []


@pytest.mark.parametrize(
    ("desktop", "words"),
    [
        ({"code": 1}, "declined"),
        ({"code": 2}, "refused"),
        ({"key": None}, "declined"),
        ({"shortcuts": False}, "gives programs no global shortcuts"),
    ],
)
def test_whoever_says_no_is_named_and_the_way_out_too(qtbot, portal, hotkey, desktop, words):
    portal(**desktop)
    result = registered(qtbot, hotkey)
    assert result.status == "unavailable"
    assert words in result.message
    assert "offhand toggle" in result.message


def test_no_portal_at_all_is_said_and_one_that_comes_is_asked(qtbot, portal, hotkey):
    assert "gives programs no global shortcuts" in registered(qtbot, hotkey).message
    portal()
    qtbot.waitUntil(lambda: hotkey.said[-1].status == "ok")


def test_a_portal_that_vanishes_is_said_and_asked_again_when_it_is_back(qtbot, portal, hotkey):
    first = portal()
    registered(qtbot, hotkey)
    first.vanish()
    qtbot.waitUntil(lambda: hotkey.said[-1].status == "unavailable")
    assert "has ended" in hotkey.said[-1].message
    second = portal()
    qtbot.waitUntil(lambda: hotkey.said[-1].status == "ok")
    with qtbot.waitSignal(hotkey.activated):
        second.press()


def test_a_shortcut_that_the_desktop_takes_back_is_said_and_can_be_asked_for_again(qtbot, portal, hotkey):
    desktop = portal()
    registered(qtbot, hotkey)
    desktop.withdraw()
    qtbot.waitUntil(lambda: "took the shortcut back" in hotkey.said[-1].message)
    assert registered(qtbot, hotkey).status == "ok"


def test_a_bus_that_ends_is_said(qtbot, tmp_path, monkeypatch):
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        hotkey = PortalHotkey(SessionBus())
        said = []
        hotkey.changed.connect(said.append)
        hotkey.register("Ctrl+J")
    qtbot.waitUntil(lambda: said != [] and "line to the desktop was lost" in said[-1].message)
    assert hotkey.register("Ctrl+K").status == "unavailable"
    hotkey.close()


FRONT_END = Path("/usr/libexec/xdg-desktop-portal")


@pytest.fixture
def real_portal(tmp_path, bus, qtbot):
    """Makes a desktop's part and starts the portal that most desktops have, before it."""
    if not FRONT_END.exists():
        pytest.skip("not installed: xdg-desktop-portal")
    (tmp_path / "portals").mkdir()
    (tmp_path / "portals" / "test.portal").write_text(
        f"[portal]\nDBusName={Backend.NAME}\nInterfaces={Backend.INTERFACE};\nUseIn=test\n"
    )
    own = {"XDG_DESKTOP_PORTAL_DIR": str(tmp_path / "portals"), "XDG_CURRENT_DESKTOP": "test"}
    own |= dict.fromkeys(("HOME", "XDG_RUNTIME_DIR"), str(tmp_path))
    started = []

    def start(**words):
        made = Backend(bus, **words)
        portal = subprocess.Popen([FRONT_END], env={**os.environ, **own}, stderr=subprocess.DEVNULL)
        started.append((made, portal))
        return made

    yield start
    for made, portal in started:
        portal.terminate()
        portal.wait()
        made.vanish()


@pytest.mark.desktop
def test_the_real_portal_understands_what_is_asked_and_passes_the_press_on(qtbot, hotkey, real_portal):
    assert hotkey.register("Ctrl+Alt+Space").status == "asked"  # before it has started: asked again when it is there
    desktop = real_portal()
    qtbot.waitUntil(lambda: bool(hotkey.said) and hotkey.said[-1].status == "ok", timeout=10_000)
    assert desktop.wish == {"description": ("s", "Ask Offhand"), "preferred_trigger": ("s", "CTRL+ALT+space")}
    with qtbot.waitSignal(hotkey.activated):
        desktop.press()
    hotkey.said.clear()
    hotkey.register("Ctrl+J")
    qtbot.waitUntil(lambda: bool(hotkey.said) and hotkey.said[-1].status == "ok")
    assert desktop.wish["preferred_trigger"] == ("s", "CTRL+j")
    assert "Close" in desktop.asked


@pytest.mark.desktop
def test_a_no_by_way_of_the_real_portal_is_a_no(qtbot, hotkey, real_portal):
    hotkey.register("Ctrl+Alt+Space")
    real_portal(code=1)
    qtbot.waitUntil(lambda: bool(hotkey.said) and "declined" in hotkey.said[-1].message, timeout=10_000)
