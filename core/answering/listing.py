"""What the catalog answers, said in a sentence that shows how the question was understood."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from core.protocol import Listed
from indexer.records import LISTED, CatalogItem, CatalogQuery, Days

_NOUNS = {
    "tasks": ("task", "tasks"),
    "files": ("file", "files"),
    "headings": ("heading", "headings"),
    "tags": ("tag", "tags"),
    "links": ("link", "links"),
}
_SUFFIXES = {
    ".pdf": "PDF",
    ".md": "Markdown",
    ".docx": "Word",
    ".xlsx": "spreadsheet",
    ".pptx": "presentation",
    ".txt": "text",
}
_FIRST = {"newest": "that changed last", "oldest": "that changed longest ago"}
_PREPOSITIONS = frozenset("in on during since after before until till by between from up within over".split())


def listing(
    query: CatalogQuery,
    listed: Callable[[CatalogQuery], tuple[int, list[CatalogItem]]],
    when: str = "",
    *,
    counted: bool = False,
    narrowed: bool = False,
) -> Listed:
    """The answer to a query.

    Args:
        query: what is asked.
        listed: asks the catalog.
        when: the person's own words for the days in the query, "last week".
        counted: the number is what was asked for.
        narrowed: the person has kept the question to some files besides.

    Raises:
        FolderRefused: the folder that the query is kept to has no files in the index.
    """
    total, items = listed(query)
    said = title(query, total, when)
    if narrowed:
        said = f"{said.removesuffix('.')}, in the chosen files{'' if total else '.'}"
    return Listed(said, query.kind, total, items, counted)


def title(query: CatalogQuery, total: int, when: str = "") -> str:
    """How a query was understood, with its number; `when` as in `listing`."""
    adjectives = f"{query.state} " if query.kind == "tasks" and query.state != "all" else ""
    adjectives += f"{_SUFFIXES.get(query.suffixes[0], query.suffixes[0])} " if query.suffixes else ""
    one, many = (f"{adjectives}{noun}{_kept_to(query)}" for noun in _NOUNS[query.kind])
    follows, denied = _said(query, when)
    if not total:
        return f"No {one} {denied}." if denied else f"There is no {one}."
    if query.limit < min(total, LISTED) and (query.kind == "tasks" or query.order in _FIRST):
        some = one if query.limit == 1 else f"{query.limit:,} {many}"
        some = f"The next {some}" if query.kind == "tasks" else f"The {some} {_FIRST[query.order]}"
        return f"{some}, of {total:,} {follows}".rstrip()
    return f"{total:,} {one if total == 1 else many} {follows}".rstrip()


def _kept_to(query: CatalogQuery) -> str:
    parts = []
    if query.name:
        parts.append(f"{'called' if query.kind == 'files' else 'in'} “{query.name}”")
    if query.links_to:
        parts.append(f"with a link to “{query.links_to}”")
    if query.within.folder:
        parts.append(f"in {Path(query.within.folder).name}")
    if query.tag:
        parts.append(f"tagged #{query.tag}")
    if query.untagged:
        parts.append("without a tag")
    if query.words:
        parts.append(f"with the word{'s' if ' ' in query.words else ''} “{query.words}”")
    return "".join(f" {part}" for part in parts)


def _said(query: CatalogQuery, when: str) -> tuple[str, str]:
    """What is said of the days, behind "3 tasks" and behind "No task"."""
    if query.undated:
        return "without a due day", "is without a due day"
    if query.due == Days():
        return "with a due day", "has a due day"
    if query.due is not None:
        words = when if when == "overdue" else f"due {_when(query.due, when)}"
        return words, f"is {words}"
    if query.changed is not None:
        words = f"changed {_when(query.changed, when)}"
        return words, f"was {words}"
    if query.dated is not None:
        first = when.split(" ", 1)[0] if when else spelt(query.dated).split(" ", 1)[0]
        words = _when(query.dated, when)
        words = f"dated {words}" if first in _PREPOSITIONS else f"from {words}"
        return words, f"is {words}"
    return "", ""


def _when(days: Days, when: str) -> str:
    return f"{when} ({spelt(days)})" if when else spelt(days)


def spelt(days: Days) -> str:
    """A stretch of days as a person writes it: "16–22 November 2026"."""
    if not days.first or not days.last:
        return f"from {_day(days.first)} on" if days.first else f"up to {_day(days.last)}"
    first, last = date.fromisoformat(days.first), date.fromisoformat(days.last)
    if first == last:
        return _day(days.first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{_day(days.last)}"
    return (
        f"{first.day} {first:%B} – {_day(days.last)}"
        if first.year == last.year
        else f"{_day(days.first)} – {_day(days.last)}"
    )


def _day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B %Y}"
