"""The YAML block at the top of a Markdown note: title, tags, dates, and whether it holds anything else worth finding.

Every value stays the text the person typed; broken YAML is read line by line instead of losing the note's title.
"""

import re
from typing import Any, NamedTuple

import yaml

from indexer.extract.plain import ISO_DATE, is_date
from indexer.records import Fact

_BLOCK = re.compile(r"---[ \t]*\n((?:.*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_FIELD = re.compile(r"([A-Za-z_][\w .-]*):(?:[ \t]+(.*))?$")
_LIMIT = 16384  # characters; a longer block is no frontmatter, and bounds what the YAML parser can be made to do

# Fields that have a place of their own, or that only programs read.
_KNOWN = frozenset(
    "title tag tags date created modified updated id uid uuid cssclass cssclasses publish published draft permalink "
    "slug layout lang".split()
)
# The same parser with every value left as text: "2026-03-14", "yes" and "007" stay what the person wrote.
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Frontmatter(NamedTuple):
    """What the block says. `text[:end]` is the block; `own` is true when it has fields of the person's own."""

    end: int = 0
    title: str = ""
    tags: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    own: bool = False


def read_frontmatter(text: str) -> Frontmatter:
    """The block at the very beginning of `text`; an empty one with `end` 0 where there is none.

    A first line of dashes alone can also be a horizontal rule: what follows must read as fields.
    """
    if not text.startswith("---") or (found := _BLOCK.match(text, 0, _LIMIT)) is None:
        return Frontmatter()
    fields = _fields(found[1])
    if fields is None:
        return Frontmatter()
    tags = _words(fields.get("tags")) + _words(fields.get("tag"))
    facts = [Fact("tag", tag, tag, _line_of("tag", found[1])) for tag in tags]
    for name, value in fields.items():
        if isinstance(value, str) and (day := ISO_DATE.match(value)) and is_date(day[0]):
            facts.append(Fact("date", f"{name}: {value}", day[0], _line_of(name, found[1])))
    title = fields.get("title")
    return Frontmatter(
        found.end(),
        " ".join(title.split()) if isinstance(title, str) else "",
        tuple(tags),
        tuple(facts),
        any(value for name, value in fields.items() if name.lower() not in _KNOWN),
    )


def _fields(block: str) -> dict[str, Any] | None:
    try:
        # BaseLoader builds text, lists and dicts only
        loaded = yaml.load(block, Loader=_Loader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError):
        return _fields_by_line(block)
    if loaded == "":
        return {}
    return loaded if isinstance(loaded, dict) else None


def _fields_by_line(block: str) -> dict[str, Any] | None:
    fields: dict[str, Any] = {}
    for line in block.split("\n"):
        found = _FIELD.match(line)
        if found:
            fields[found[1]] = (found[2] or "").strip(" \t\"'")
        elif line.strip() and not line.startswith((" ", "\t", "-", "#", "]", "}")):
            return None  # prose between two rules
    return fields or None


def _words(value: object) -> list[str]:
    """Tags written as a list, or as words between commas or spaces."""
    words = value if isinstance(value, list) else re.split(r"[,\s]+", value) if isinstance(value, str) else []
    plain = [word.strip(" \t#[]\"'").lower() for word in words if isinstance(word, str)]
    return list(dict.fromkeys(word for word in plain if word))


def _line_of(name: str, block: str) -> int:
    for number, line in enumerate(block.split("\n"), 2):  # the block begins under the first row of dashes
        if line.startswith(name):
            return number
    return 1
