"""Small phrases of the terminal, as pure functions: what is safe to print, places, amounts, lengths of time."""

import os
import re
from pathlib import Path

from ui import citation

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """`text` without control characters: a note must not be able to steer the terminal. Tab and newline stay."""
    return _CONTROL.sub("", text)


def place(path: str, line: int, page: int | None = None) -> str:
    """Where a passage stands, as `path:line`, which terminals make clickable, or with its page where it has one.

    The path is shown relative to the working directory when it lies inside.
    """
    shown = os.path.relpath(path) if path.startswith(str(Path.cwd()) + os.sep) else path
    return one_line(citation.place(shown, line, page))


def trail(title: str, heading: str) -> str:
    """A passage's title and heading trail on one line; a trail that begins with the title does not repeat it."""
    rest = "" if heading == title else heading.removeprefix(f"{title} › ")
    return one_line(" › ".join(part for part in (title, rest) if part))


def one_line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join(printable(text).split())


def counted(number: int, noun: str) -> str:
    """`3 passages`, `1 passage`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def duration(seconds: float) -> str:
    """A length of time in the two largest units that matter: `0.4 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for size, name, smaller, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole} s"
