"""On a Wayland desktop without the shortcut portal: `offhand toggle` bound to a key there, with real key presses."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.paths import ROOT

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
    app = started(str(Path(__file__).parent / "desktop_app.py"))
    wayland.wait(lambda: wayland.focused() == "Offhand")
    log = profile.logs / "app.log"
    wayland.wait(lambda: "Bind the command `offhand toggle`" in log.read_text())
    started("-c", OTHER)
    wayland.wait(lambda: wayland.focused() == "another program")
    for _ in range(3):
        wayland.press("-M", "ctrl", "-M", "alt", "-k", "space", "-m", "alt", "-m", "ctrl")
        wayland.wait(lambda: wayland.focused() == "Offhand palette")
        wayland.press("roof")
        wayland.press("-k", "Escape")
        wayland.wait(lambda: wayland.focused() == "another program")
    assert app.poll() is None
