"""Opens a file of the person's at its line or page, in a program that can; else in whatever the system opens it with.

Only regular files that exist are opened, only by the `file` scheme (or Obsidian's own), and never a program.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices

Which = Callable[[str], str | None]

TEXTS = {".md", ".markdown", ".txt", ".text", ".org", ".rst", ".csv", ".ipynb", ".html", ".htm"}
RUNS = {
    ".exe",
    ".com",
    ".bat",
    ".cmd",
    ".ps1",
    ".msi",
    ".lnk",
    ".scr",
    ".vbs",
    ".js",
    ".desktop",
    ".sh",
    ".app",
    ".jar",
}

EDITORS: tuple[tuple[str, Callable[[str, int], list[str]]], ...] = (
    ("code", lambda path, line: ["--goto", f"{path}:{line}"]),
    ("codium", lambda path, line: ["--goto", f"{path}:{line}"]),
    ("kate", lambda path, line: ["--line", str(line), path]),
    ("gnome-text-editor", lambda path, line: [f"+{line}", path]),
    ("gedit", lambda path, line: [f"+{line}", path]),
    ("mousepad", lambda path, line: [f"--line={line}", path]),
)
READERS: tuple[tuple[str, Callable[[str, int], list[str]]], ...] = (
    ("okular", lambda path, page: ["--page", str(page), path]),
    ("evince", lambda path, page: [f"--page-index={page}", path]),
    ("zathura", lambda path, page: [f"--page={page}", path]),
)


def open_at(path: str, line: int, page: int | None) -> str:
    """Open `path`; returns "" or one sentence that says why not."""
    file = Path(path)
    if not file.is_file():
        return f"{file.name} is not there any more, or its disk is away."
    if file.suffix.lower() in RUNS:
        return f"{file.name} is a program; Offhand does not start programs."
    how = choose(file, line, page, shutil.which)
    if isinstance(how, QUrl):
        opened = QDesktopServices.openUrl(how)
    else:
        opened = bool(QProcess.startDetached(how[0], how[1:])[0])
    return "" if opened else f"No program was found that opens {file.name}."


def open_folder(path: str) -> str:
    """Show the folder that holds `path`; returns "" or one sentence that says why not."""
    folder = Path(path).parent
    if not folder.is_dir():
        return f"{folder.name} is not there any more, or its disk is away."
    opened = QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
    return "" if opened else "No program was found that shows folders."


def choose(file: Path, line: int, page: int | None, which: Which) -> list[str] | QUrl:
    """The program that opens `file` (absolute) at its place, as argv, or an address for the system to open."""
    if page is not None:
        chosen = _first(READERS, str(file), page, which) if file.suffix.lower() == ".pdf" else None
    elif file.suffix.lower() in {".md", ".markdown"} and vault_of(file) is not None and which("obsidian"):
        return QUrl(f"obsidian://open?path={quote(str(file), safe='')}")
    elif file.suffix.lower() in TEXTS:
        chosen = _first(EDITORS, str(file), line, which)
    else:
        chosen = None
    return chosen or QUrl.fromLocalFile(str(file))


def vault_of(file: Path) -> Path | None:
    """The Obsidian vault the file is in, or None."""
    return next((folder for folder in file.parents if (folder / ".obsidian").is_dir()), None)


def _first(
    programs: tuple[tuple[str, Callable[[str, int], list[str]]], ...], path: str, place: int, which: Which
) -> list[str] | None:
    for name, arguments in programs:
        program = which(name)
        if program is not None:
            return [program, *arguments(path, place)]
    return None
