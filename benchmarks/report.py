"""The tables that benchmarks print, and the page that keeps them: each benchmark has a section and leaves the rest."""

import os
import platform
import re
from pathlib import Path

Row = tuple[str, str]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "BENCHMARKS.md"
_HEAD = "# Benchmarks\n\nFigures depend on the machine; read the ratios first. Nothing here is a test.\n"
_TABLE = re.compile(r"^Machine: .*\n\n(?:\|.*\n)+", re.MULTILINE)


def table(rows: list[Row], command: str) -> str:
    """The rows as a Markdown table under a line that names the machine and the command that repeats it."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {platform.system()}"
    body = "\n".join(f"| {what} | {figure} |" for what, figure in rows)
    return f"Machine: {machine}. Command: `{command}`.\n\n| what | figure |\n|---|---|\n{body}\n"


def keep(heading: str, text: str, page: Path = PAGE) -> None:
    """Put a table under a heading of level 2: in the place of the table that stands there, or at the end.

    All else on the page stays, also what people wrote around the table.
    """
    parts = re.split(r"^(?=## )", page.read_text("utf-8") if page.exists() else _HEAD, flags=re.MULTILINE)
    for number, part in enumerate(parts):
        if part.startswith(f"## {heading}\n"):
            with_new, found = _TABLE.subn(lambda _: text, part, count=1)
            end = "\n" if number + 1 < len(parts) else ""
            parts[number] = with_new if found else f"{part.rstrip()}\n\n{text}{end}"
            break
    else:
        parts[-1] = f"{parts[-1].rstrip()}\n\n"
        parts.append(f"## {heading}\n\n{text}")
    page.write_text("".join(parts), "utf-8")
