"""Small disks for tests: they can be filled, and made read-only. Only root can mount one."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class Disk:
    """A mounted tmpfs."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Write until at most `leave` bytes are free."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while (free := self.free()) > leave:
                file.write(b"\0" * max(1, min(free - leave, 1 << 20)))

    def free(self) -> int:
        """Free bytes."""
        return shutil.disk_usage(self.place).free

    def clear(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)

    def read_only(self, yes: bool) -> None:
        """Remount it; nothing on it may be open for writing."""
        _run("mount", "-o", f"remount,{'ro' if yes else 'rw'}", str(self.place))


@contextlib.contextmanager
def small(place: Path, megabytes: int) -> Iterator[Disk]:
    """A disk of so many megabytes at `place`; the test is skipped where nobody may mount one."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a disk that can be filled needs root to mount it")
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "offhand-test", str(place)]
    if subprocess.run(mounting, check=False).returncode:
        pytest.skip("this system does not let root mount a tmpfs")
    try:
        yield Disk(place)
    finally:
        _run("umount", "-l", str(place))


@contextlib.contextmanager
def sealed(directory: Path) -> Iterator[None]:
    """Nothing can be opened for writing below a directory, while what is open already goes on."""
    _run("mount", "--bind", str(directory), str(directory))
    try:
        _run("mount", "-o", "remount,bind,ro", str(directory))
        yield
    finally:
        _run("umount", "-l", str(directory))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
