"""One window per profile, and the bell that calls it: `offhand toggle` rings it from a key bound in the desktop.

Plain sockets and no Qt: whoever rings must be done before the finger leaves the key, so what only a failure needs is
imported there. The side that listens is `ui.bell`.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any, Literal

from core.paths import Profile, command

Answer = Literal["heard", "nobody", "silence"]

PATIENCE = 2.0  # seconds for a busy window to answer
TOKENS = ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID")


def toggle(profile: Profile, answer: Answer | None = None) -> int:
    """Show or hide the palette of the running app, or start the app with its palette open; returns an exit status.

    Args:
        answer: what became of a knock just now, where there was one.

    Raises:
        Problem: the running window does not answer, or the app cannot be started.
    """
    if not _heard(answer or knock(profile, "toggle")):
        _start()
    return 0


def ring(profile: Profile, word: str) -> bool:
    """Tell the running app `word` ("toggle" or "show"); False when none runs.

    Raises:
        Problem: the app is there but does not answer.
    """
    return _heard(knock(profile, word))


def knock(profile: Profile, word: str) -> Answer:
    """Tell the running app `word`; what became of it.

    The activation token the desktop gave to this process goes along: Wayland gives the focus to who holds it.
    """
    token = next((os.environ[name] for name in TOKENS if os.environ.get(name)), "")
    line = f"{word} {token}".strip().replace("\n", "") + "\n"
    try:
        return "heard" if _ask(profile.app_address, line.encode()) == b"ok\n" else "nobody"
    except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
        return "nobody"  # a socket file may be left from one that was killed
    except TimeoutError:
        return "silence"


def _heard(answer: Answer) -> bool:
    if answer == "silence":
        from core.protocol import Problem

        raise Problem("Offhand's window does not answer.", "Close it, if need be from the system monitor.")
    return answer == "heard"


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
    import subprocess

    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    nowhere = subprocess.DEVNULL
    try:
        subprocess.Popen(command("open", "--palette"), stdin=nowhere, stdout=nowhere, stderr=nowhere, **detached)
    except OSError as error:
        from core.protocol import Problem

        raise Problem(
            f"Offhand's window could not be started: {error.strerror}.", "`offhand doctor` may help."
        ) from error
