"""One window per profile, and the bell that calls it: `offhand toggle` rings it from a key bound in the desktop.

Plain sockets and no Qt: whoever rings must be done before the finger leaves the key. The side that listens is
`ui.bell`.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.paths import Profile, command
from core.protocol import Problem

PATIENCE = 2.0  # seconds for a busy window to answer
TOKENS = ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID")


def toggle(profile: Profile) -> int:
    """Show or hide the palette of the running app, or start the app with its palette open; returns an exit status.

    Raises:
        Problem: the running window does not answer, or the app cannot be started.
    """
    if not ring(profile, "toggle"):
        _start()
    return 0


def ring(profile: Profile, word: str) -> bool:
    """Tell the running app `word` ("toggle" or "show"); False when none runs.

    The activation token the desktop gave to this process goes along: Wayland gives the focus to who holds it.

    Raises:
        Problem: the app is there but does not answer.
    """
    token = next((os.environ[name] for name in TOKENS if os.environ.get(name)), "")
    line = f"{word} {token}".strip().replace("\n", "") + "\n"
    try:
        return _ask(profile.app_address, line.encode()) == b"ok\n"
    except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
        return False  # nobody there; a socket file may be left from one that was killed
    except TimeoutError:
        raise Problem("Offhand's window does not answer.", "Close it, if need be from the system monitor.") from None


def _ask(address: str, line: bytes) -> bytes:
    if sys.platform == "win32":
        with Path(address).open("r+b", buffering=0) as pipe:
            pipe.write(line)
            return pipe.read(3)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line_in:
        line_in.settimeout(PATIENCE)
        line_in.connect(address)
        line_in.sendall(line)
        return line_in.recv(3)


def _start() -> None:
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    nowhere = subprocess.DEVNULL
    try:
        subprocess.Popen(command("open", "--palette"), stdin=nowhere, stdout=nowhere, stderr=nowhere, **detached)
    except OSError as error:
        raise Problem(
            f"Offhand's window could not be started: {error.strerror}.", "`offhand doctor` may help."
        ) from error
