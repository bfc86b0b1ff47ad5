"""How a place in a file is written down for a person, and how a passage is cited. Plain text, no Qt."""

import os
from collections.abc import Sequence
from pathlib import Path

Roots = Sequence[str]

SHORT = 56  # characters; a longer path loses folders in its middle


def path_within(path: str, roots: Roots) -> str:
    """`path` from the watched folder of `roots` that holds it, its name first where there are several."""
    for root in sorted(roots, key=len, reverse=True):
        if path.startswith(root.rstrip(os.sep) + os.sep):
            inner = os.path.relpath(path, root)
            return inner if len(roots) == 1 else str(Path(Path(root).name) / inner)
    return short_path(path)


def short_path(path: str, length: int = SHORT) -> str:
    """`path` with the home folder as ~ and, where it is longer than `length` characters, without middle folders."""
    home = str(Path.home())
    if path.startswith(home + os.sep):
        path = "~" + path[len(home) :]
    parts = Path(path).parts
    kept = len(parts)
    while kept > 2 and len(path) > length:
        kept -= 1
        first = 2 if kept > 2 else 1
        path = str(Path(*parts[:first], "…", *parts[len(parts) - (kept - first) :]))
    return path


def spot(line: int, page: int | None) -> str:
    """Where in a file: its page where it has pages, else its line."""
    return f"page {page}" if page is not None else f"line {line}"


def place(path: str, line: int, page: int | None) -> str:
    """A file and the spot in it, as one copies it: `path:line`, or `path, page n`."""
    return f"{path}, page {page}" if page is not None else f"{path}:{line}"


def cite(text: str, title: str, path: str, line: int, page: int | None) -> str:
    """A passage with its citation, ready to paste: "quote" — Title, path:line."""
    words = " ".join(text.split())
    return f"“{words}” — {title or Path(path).stem}, {place(path, line, page)}"
