"""Starting with the person's session: one small entry where each system looks for such, ours alone, and nothing else.

The entry is the only record of it, so that what a person does to it in the desktop's own settings holds here too.
"""

import os
import plistlib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from core.paths import Profile, command
from core.protocol import Problem

NAME = "offhand"
LABEL = "org.offhand.Offhand"
MARK = "X-Offhand=true"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
LONGEST = 260  # characters that Windows takes in its Run key
RESERVED = re.compile(r"[\s\"'\\><~|&;$*?#()`]")  # Desktop Entry Specification 1.5, "The Exec key"


class Autostart(Protocol):
    """Whether Offhand starts, hidden in the tray, when the person logs in."""

    def on(self) -> bool:
        """Whether it does."""
        ...

    def switch(self, *, on: bool) -> None:
        """Have it so from the next login on.

        Raises:
            Problem: it stays as it was, and why.
        """
        ...


def of(profile: Profile) -> Autostart:
    """The entry of this system for an app of this profile."""
    words = command("open", "--hidden")
    environment = {"OFFHAND_HOME": str(profile.home)} if profile.home is not None else {}
    if sys.platform == "win32":
        return RunKey(run_line(words))
    if sys.platform == "darwin":
        folder = Path.home() / "Library" / "LaunchAgents"
        return Entry(folder / f"{LABEL}.plist", launch_agent(words, environment), LABEL)
    config = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(config) if os.path.isabs(config) else Path.home() / ".config"  # noqa: PTH117  # as the standard says
    return Entry(folder / "autostart" / f"{NAME}.desktop", desktop_entry(words, environment), MARK)


class Entry:
    """An entry that is a file.

    Args:
        path: where the system looks for it.
        content: what stands in it.
        mark: what stands in every one of ours; a file without it is somebody else's, and is left alone.
    """

    def __init__(self, path: Path, content: str, mark: str) -> None:
        self._path = path
        self._content = content
        self._mark = mark

    def on(self) -> bool:
        """See `Autostart.on`. An entry that was changed, or starts another Offhand, does not count."""
        try:
            return self._path.read_text("utf-8") == self._content
        except (OSError, UnicodeDecodeError):
            return False

    def switch(self, *, on: bool) -> None:
        """See `Autostart.switch`."""
        try:
            self._refuse_foreign()
            if on:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.write_text(self._content, "utf-8")
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise Problem(
                f"Start at login stays as it was: {error.strerror or error}.",
                f"See that {self._path.parent} can be written.",
                kind="autostart",
            ) from error

    def _refuse_foreign(self) -> None:
        try:
            foreign = self._mark not in self._path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return
        if foreign:
            raise Problem(
                f"{self._path} is not of Offhand's making, and is left as it is.",
                "Rename it, or start Offhand by it.",
                kind="autostart",
            )


class RunKey:
    """An entry in the registry of Windows.

    Args:
        line: the command line.
    """

    def __init__(self, line: str) -> None:
        self._line = line

    def on(self) -> bool:
        """See `Autostart.on`."""
        if sys.platform != "win32":
            return False
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
                return bool(winreg.QueryValueEx(key, NAME)[0] == self._line)
        except OSError:
            return False

    def switch(self, *, on: bool) -> None:
        """See `Autostart.switch`."""
        if len(self._line) > LONGEST:
            raise Problem(
                f"Windows starts nothing at login whose path is longer than {LONGEST} characters.",
                "Move Offhand to a shorter path.",
                kind="autostart",
            )
        if sys.platform != "win32":
            return
        import winreg

        try:
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
                if on:
                    winreg.SetValueEx(key, NAME, 0, winreg.REG_SZ, self._line)
                elif self.on():
                    winreg.DeleteValue(key, NAME)
        except OSError as error:
            raise Problem(
                f"Start at login stays as it was: {error.strerror or error}.", "", kind="autostart"
            ) from error


def desktop_entry(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """The entry for XDG autostart (Desktop Application Autostart Specification 0.5).

    Args:
        words: the command.
        environment: variables that it needs.
    """
    given = ["env", *(f"{name}={value}" for name, value in environment.items())] if environment else []
    line = " ".join(map(_exec_word, [*given, *words]))
    escaped = line.replace("\\", "\\\\").replace("\n", "\\n")  # a string of the file, on top of the command's own
    return "\n".join(
        (
            "[Desktop Entry]",
            "Type=Application",
            "Name=Offhand",
            "Comment=Answers from your own notes",
            f"Exec={escaped}",
            "Icon=offhand",
            "Terminal=false",
            "X-GNOME-Autostart-enabled=true",
            MARK,
            "",
        )
    )


def launch_agent(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """The property list of a LaunchAgent (launchd.plist(5)); the arguments as in `desktop_entry`."""
    job = {
        "Label": LABEL,
        "ProgramArguments": list(words),
        "RunAtLoad": True,
        "ProcessType": "Interactive",
        **({"EnvironmentVariables": dict(environment)} if environment else {}),
    }
    return plistlib.dumps(job).decode()


def run_line(words: Sequence[str]) -> str:
    """The command line for the Run key of Windows, without a console where Python has a program for that."""
    program, *rest = words
    silent = re.sub(r"(?i)python\.exe$", "pythonw.exe", program)
    return " ".join(f'"{word}"' if " " in word else word for word in (silent, *rest))  # a path there holds no quote


def _exec_word(word: str) -> str:
    word = word.replace("%", "%%")
    if word and not RESERVED.search(word):
        return word
    return '"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"'
