"""The Debian packages that Qt's libraries, and the tests on a screen, need; installed when that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess

WINDOW = (
    "libglib2.0-0 libegl1 libgl1 libdbus-1-3 libfontconfig1 libxkbcommon0 libbrotli1 libxcb-cursor0 libxcb-icccm4 "
    "libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 libxkbcommon-x11-0 "
    "libgomp1 fonts-dejavu-core"
).split()
TESTS = (
    "xvfb openbox metacity xfwm4 xdotool x11-utils tint2 sway wtype dbus xdg-desktop-portal gnome-keyring "
    "tesseract-ocr e2fsprogs"
).split()

_QUERY = ["dpkg-query", "--show", "--showformat", "${binary:Package} ${Status}\n"]


def missing(*, tests: bool) -> list[str]:
    """Packages that are not installed; nothing on systems without dpkg."""
    if shutil.which("dpkg-query") is None:
        return []
    wanted = WINDOW + (TESTS if tests else [])
    done = subprocess.run([*_QUERY, *wanted], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.endswith(" installed")]
    installed = {line.split(" ")[0].split(":")[0] for line in lines}
    return [name for name in wanted if not {name, f"{name}t64"} & installed]


def line_to_paste(names: list[str]) -> str:
    """The command that installs them, for a person with an administrator's password."""
    return f"sudo apt-get install --no-install-recommends {' '.join(names)}"


def install(names: list[str]) -> bool:
    """Install them as root or through sudo without a password; False when neither is possible or it fails."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    prefix = [] if root else ["sudo", "-n"]
    if not root and not _sudo_asks_nothing():
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *names]):
        done = subprocess.run([*prefix, "apt-get", *command], capture_output=True, text=True, env=env, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            print(f"  apt-get {command[0]} failed: {said[-1]}", flush=True)
            return False
    return True


def _sudo_asks_nothing() -> bool:
    if not shutil.which("sudo"):
        return False
    return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
