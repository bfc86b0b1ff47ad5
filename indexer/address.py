"""Where a process listens so that no other user of this machine can ask it: a socket's file, or a named pipe."""

import os
import secrets
import sys
import tempfile
from pathlib import Path


def private_address(runtime: Path, name: str) -> str:
    """A socket address nobody else can use: a file in `runtime`, or a named pipe on Windows.

    A Unix socket's path may have 107 bytes (`sun_path`, unix(7); 103 on macOS); a longer one moves to a directory
    of the temporary folder that only this user can enter.
    """
    if sys.platform == "win32":
        return rf"\\.\pipe\offhand-{secrets.token_hex(8)}-{name}"
    path = runtime / f"{name}.sock"
    if len(os.fsencode(path)) <= 103:
        return str(path)
    return str(Path(tempfile.mkdtemp(prefix="offhand-")) / "s")


def forget_address(address: str) -> None:
    """Remove what `private_address` made for a process that has ended."""
    if sys.platform == "win32":
        return
    path = Path(address)
    try:
        path.unlink()
        if path.name == "s":
            path.parent.rmdir()
    except OSError:
        pass  # the process itself was quicker, or the disk is read-only by now: the next engine clears them away
