"""A screen of the test's own: Xvfb with openbox on it, and xdotool for real key presses."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from core.paths import ROOT

NEEDED = ("Xvfb", "openbox", "xdotool")


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
def screen(tmp_path) -> Iterator[Screen]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    read, write = os.pipe()
    # -noreset: by default the server starts anew when its last client leaves, and whoever connects just then is lost.
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    started = [server]
    os.close(write)
    try:
        with os.fdopen(read) as said:
            made = Screen(int(said.readline()))
        config = {**made.environment, "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
        quiet = subprocess.DEVNULL
        started.append(subprocess.Popen(["openbox", "--sm-disable"], env=config, stdout=quiet, stderr=quiet))
        made.wait(lambda: made.do("get_desktop") != "")
        yield made
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(10)
