"""On a Wayland desktop: `offhand toggle` bound to a key there, with real key presses, and the portal's shortcut.

wlroots desktops such as this one have no shortcut portal of their own; here it is one that plays.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from portal_stand_in import Portal

from core.paths import ROOT

APP = str(Path(__file__).parent / "desktop_app.py")

OTHER = (
    "from PySide6.QtWidgets import QApplication, QLineEdit; a = QApplication([]); w = QLineEdit();"
    "w.setWindowTitle('another program'); w.show(); a.exec()"
)


@pytest.fixture
def started(wayland):
    """Starts Python programs on the desktop; they end with the test."""
    running = []

    def start(*arguments):
        process = subprocess.Popen([sys.executable, *arguments], env=wayland.environment, stderr=subprocess.PIPE)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.desktop
def test_a_key_bound_in_the_desktop_brings_the_palette_with_the_keyboard(wayland, started, profile):
    wayland.bind("Ctrl+Alt+space", sys.executable, str(ROOT / "main.py"), "toggle")
    app = started(APP)
    wayland.wait(lambda: wayland.focused() == "Offhand")
    log = profile.logs / "app.log"
    wayland.wait(lambda: "Bind the command `offhand toggle`" in log.read_text())
    started("-c", OTHER)
    wayland.wait(lambda: wayland.focused() == "another program")
    for _ in range(3):
        wayland.press("-M", "ctrl", "-M", "alt", "-k", "space", "-m", "alt", "-m", "ctrl")
        wayland.wait(lambda: wayland.focused() == "Offhand palette")
        wayland.press("roof")
        wayland.wait(lambda: 450 < wayland.bottom("Offhand palette") <= 900)
        assert wayland.focused() == "Offhand palette"
        wayland.press("-k", "Escape")
        wayland.wait(lambda: wayland.focused() == "another program")
    assert app.poll() is None


@pytest.mark.desktop
def test_the_shortcut_of_the_portal_brings_the_palette_and_hides_it(wayland, started, profile):
    portal = Portal(wayland.environment["DBUS_SESSION_BUS_ADDRESS"])
    try:
        started(APP)
        wayland.wait(lambda: wayland.focused() == "Offhand")
        log = profile.logs / "app.log"
        wayland.wait(lambda: "Ctrl+Alt+Space opens Offhand from anywhere" in log.read_text())
        for window in ("Offhand palette", "Offhand"):
            portal.press("token-1")
            wayland.wait(lambda window=window: wayland.focused() == window)
    finally:
        portal.vanish()
