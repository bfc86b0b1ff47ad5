"""Every file and folder Offhand owns, per system, and how to start its own processes. Nothing here touches the disk
except `Profile.create`.

Quick to import, because `offhand toggle` waits for it with a finger on the key: what is rarely needed is imported
where it is.
"""

import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from core.errors import ProfileUnusable

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds `main.py`."""


class Profile:
    """Where one person's Offhand lives: settings, data and runtime files.

    Args:
        home: one folder for everything; by default `$OFFHAND_HOME`, and without it the system's usual places.
    """

    def __init__(self, home: Path | None = None) -> None:
        chosen = home or (Path(os.environ["OFFHAND_HOME"]) if os.environ.get("OFFHAND_HOME") else None)
        self.home = chosen
        if chosen is not None:
            top = chosen.expanduser().absolute()
            self.config, self.data, self.runtime = top / "config", top / "data", top / "run"
        else:
            self.config = platformdirs.user_config_path("offhand", appauthor=False)
            self.data = platformdirs.user_data_path("offhand", appauthor=False)
            self.runtime = platformdirs.user_cache_path("offhand", appauthor=False) / "run"
        self.settings = self.config / "settings.toml"
        self.catalog = self.data / "catalog.sqlite3"
        self.vectors = self.data / "vectors"
        self.history = self.data / "history.sqlite3"
        self.ledger = self.data / "outgoing.sqlite3"
        self.logs = self.data / "logs"
        self.importing = self.data / "importing"
        self.lock = self.runtime / "engine.lock"
        self.token = self.runtime / "engine.token"

    @property
    def engine_address(self) -> str:
        """The engine's socket: a file in `runtime`, or where that path is too long for a socket, in a private
        temporary folder; a named pipe on Windows."""
        return self._address("engine")

    @property
    def app_address(self) -> str:
        """The socket on which a running window hears `offhand toggle`."""
        return self._address("app")

    @property
    def directories(self) -> tuple[Path, ...]:
        """The folders that must never be indexed."""
        return (self.config, self.data, self.runtime)

    def create(self) -> None:
        """Make the folders, readable by this user alone.

        Raises:
            ProfileUnusable: one cannot be made or written.
        """
        import tempfile

        for folder in (self.config, self.data, self.runtime, self.logs):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
            except OSError as error:
                raise unwritable(folder, error) from error

    def _address(self, name: str) -> str:
        if sys.platform == "win32":
            return rf"\\.\pipe\offhand-{self._fingerprint()}-{name}"
        path = self.runtime / f"{name}.sock"
        if len(os.fsencode(path)) <= 103:  # sun_path holds 104 bytes on macOS, 108 on Linux, the last one a zero
            return str(path)
        import tempfile

        folder = Path(tempfile.gettempdir()) / f"offhand-{os.getuid()}-{self._fingerprint()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            from core.errors import ProfileUnusable

            raise ProfileUnusable(f"{folder} belongs to somebody else.", "Choose a shorter path for OFFHAND_HOME.")
        return str(folder / name)

    def _fingerprint(self) -> str:
        import hashlib

        return hashlib.blake2b(os.fsencode(self.runtime), digest_size=8).hexdigest()


def unwritable(folder: Path, error: OSError) -> "ProfileUnusable":
    """What a person is told when the system refuses a folder of the profile."""
    from core.errors import ProfileUnusable

    what = f"Offhand cannot write its profile in {folder}: {error.strerror or error}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ProfileUnusable(what, "Free some space on that disk; nothing is lost, and the next try goes on.")
    return ProfileUnusable(what, "Make that folder writable, or point OFFHAND_HOME at another one.")


def model_directories(profile: Profile) -> tuple[Path, ...]:
    """Where model files are looked for: `$OFFHAND_MODELS`, the person's own, and those the set-up installed."""
    named = os.environ.get("OFFHAND_MODELS")
    return (*((Path(named),) if named else ()), profile.data / "models", ROOT / ".models")


def command(*arguments: str) -> list[str]:
    """The argv that starts Offhand itself again with `arguments`."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *arguments]
    return [sys.executable, str(ROOT / "main.py"), *arguments]


@cache
def build_id() -> str:
    """Changes whenever the program's files change, so that a newer client can tell an older engine."""
    import hashlib

    digest = hashlib.blake2b(digest_size=8)
    for room in ("core", "indexer"):
        for path in sorted((ROOT / room).rglob("*.py")):
            status = path.stat()
            digest.update(f"{path.name}:{status.st_size}:{status.st_mtime_ns};".encode())
    return digest.hexdigest()
