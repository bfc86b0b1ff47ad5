"""Places in notes as links: `path:line`, which terminals make clickable, with the file's address behind it."""

from pathlib import Path

from rich.style import Style
from rich.text import Text

from ui.terminal.wording import place


def place_text(path: str, line: int, page: int | None, style: str = "cyan") -> Text:
    """`path:line` as a link to the file."""
    link = Path(path).as_uri() if Path(path).is_absolute() else None
    return Text(place(path, line, page), style=Style.parse(style) + Style(link=link))


def whole(*parts: Text | str | tuple[str, str]) -> Text:
    """One line of several parts that is not broken however narrow the terminal is: a torn path is no link."""
    return Text.assemble(*parts, no_wrap=True, overflow="ignore")
