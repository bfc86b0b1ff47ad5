"""A screen of the test's own: Xvfb with a window manager on it, and xdotool for real key presses."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from message_bus import private_bus

from core.paths import ROOT

WINDOW_MANAGERS = {
    "openbox": ["openbox", "--sm-disable"],
    "metacity": ["metacity", "--sm-disable", "--no-composite"],
    "xfwm4": ["xfwm4", "--compositor=off"],
}
NEEDED = ("Xvfb", "xdotool", "dbus-daemon")


class Screen:
    """One X display."""

    def __init__(self, number: int) -> None:
        self._number = number

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to appear on it."""
        kept = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
        ours = os.pathsep.join(part for part in (str(ROOT), kept.get("PYTHONPATH")) if part)
        return {
            **kept,
            "DISPLAY": f":{self._number}",
            "QT_QPA_PLATFORM": "xcb",
            "XDG_SESSION_TYPE": "x11",
            "PYTHONPATH": ours,
        }

    def do(self, *words: str) -> str:
        """Run xdotool."""
        ran = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False)
        return ran.stdout.strip()

    def press(self, keys: str) -> None:
        """Press and release keys, as on a keyboard."""
        self.do("key", keys)

    def focused(self) -> str:
        """The title of the window that has the keyboard."""
        return self.do("getactivewindow", "getwindowname")

    def wait(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until it holds; fails when it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.05)


@pytest.fixture
def window_manager() -> str:
    """Which one; a test may be parametrised with others."""
    return "openbox"


@pytest.fixture
def screen(tmp_path, window_manager) -> Iterator[Screen]:
    missing = [name for name in (*NEEDED, window_manager) if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    with ExitStack() as stack:
        made = Screen(stack.enter_context(_server()))
        own = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"), str(tmp_path))
        config = {**made.environment, **own, "GSETTINGS_BACKEND": "memory", "NO_AT_BRIDGE": "1"}
        if window_manager == "xfwm4":  # it asks a bus for its settings
            bus = private_bus(tmp_path, "org.xfce.Xfconf", environment=config)
            config["DBUS_SESSION_BUS_ADDRESS"] = stack.enter_context(bus)
        stack.enter_context(_running(WINDOW_MANAGERS[window_manager], env=config, stdout=subprocess.DEVNULL))
        made.wait(lambda: made.do("get_desktop") != "")
        yield made


@contextmanager
def _server() -> Iterator[int]:
    """The X server; yields the number of its display."""
    read, write = os.pipe()
    # -noreset: by default the server starts anew when its last client leaves, and whoever connects just then is lost.
    options = ["-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"]
    with _running(["Xvfb", "-displayfd", str(write), *options], pass_fds=[write]), os.fdopen(read) as said:
        os.close(write)
        yield int(said.readline())


@contextmanager
def _running(command: list[str], **how: Any) -> Iterator[None]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **how)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)
