"""A Wayland desktop of the test's own: sway without a monitor, and wtype, whose virtual keyboard types real keys."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from message_bus import private_bus

from core.paths import ROOT

NEEDED = ("sway", "swaymsg", "wtype", "dbus-daemon")
AS_SOMEBODY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]  # sway refuses to run as root


class Desktop:
    """One running sway; what is started in its `environment` appears on it."""

    def __init__(self, folder: Path, bus: str) -> None:
        self._config = folder / "sway.conf"
        self._config.write_text("xwayland disable\noutput HEADLESS-1 resolution 1280x900\n")
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        kept = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
        self.environment = {
            **kept,
            "XDG_RUNTIME_DIR": str(runtime),
            "SWAYSOCK": str(runtime / "sway"),
            "XDG_SESSION_TYPE": "wayland",
            "WLR_BACKENDS": "headless",
            "WLR_LIBINPUT_NO_DEVICES": "1",
            "WLR_RENDERER": "pixman",
            "QT_QPA_PLATFORM": "wayland",
            "DBUS_SESSION_BUS_ADDRESS": bus,
            "PYTHONPATH": os.pathsep.join(part for part in (str(ROOT), kept.get("PYTHONPATH")) if part),
        }
        command = [*(AS_SOMEBODY if os.geteuid() == 0 else []), "sway", "-c", str(self._config)]
        self._process = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        self.wait(lambda: any(runtime.glob("wayland-*.lock")) and self._tell("-t", "get_version") != "")
        self.environment["WAYLAND_DISPLAY"] = next(runtime.glob("wayland-*.lock")).stem
        # A keyboard that stays: else the seat loses its only one after each press, and windows their focus.
        self._keyboard = subprocess.Popen(["wtype", "-s", "3600000"], env=self.environment)

    def bind(self, keys: str, *command: str) -> None:
        """Have keys start a program, as in the desktop's own settings."""
        self._tell("bindsym", keys, "exec", *command)

    def press(self, *words: str) -> None:
        """Type on the virtual keyboard, in wtype's words."""
        subprocess.run(["wtype", *words], env=self.environment, check=True, timeout=10)

    def focused(self) -> str:
        """The title of the window that has the keyboard."""
        return next((str(one["name"]) for one in self._windows() if one["focused"]), "")

    def bottom(self, title: str) -> int:
        """How far down a window reaches, in pixels of the screen, which is 900 high; 0 for one that is not there."""
        rect = next((one["rect"] for one in self._windows() if one["name"] == title), {"y": 0, "height": 0})
        return int(rect["y"] + rect["height"])

    def _windows(self) -> Iterator[dict[str, Any]]:
        below = [json.loads(self._tell("-t", "get_tree"))]
        while below:
            node = below.pop()
            below += node["nodes"] + node["floating_nodes"]
            yield node

    def wait(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until it holds; fails when it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            assert self._process.poll() is None, "sway has ended"
            time.sleep(0.05)

    def end(self) -> None:
        """Stop it."""
        self._keyboard.kill()
        self._keyboard.wait()
        self._process.terminate()
        self._process.wait(10)

    def _tell(self, *words: str) -> str:
        command = ["swaymsg", *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def wayland(tmp_path, profile) -> Iterator[Desktop]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if os.geteuid() == 0 and subprocess.run([*AS_SOMEBODY, "true"], capture_output=True, check=False).returncode:
        pytest.skip("sway refuses to run as root, and a user namespace cannot be had here")
    with private_bus(tmp_path) as bus:
        made = Desktop(tmp_path, bus)
        yield made
        made.end()
