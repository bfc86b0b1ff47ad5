"""What a person types into the search line, read: words, and the filters among them.

    "boiler pressure"               these words, one directly after the other
    -slate  -"clay tiles"           passages without them
    folder:house  tag:roof  file:offer    files in such a folder, with such a tag, of such a name
    after:2026-03  before:2026-03-31      files changed in that day, month or year or later, or earlier

A name with spaces stands in quotes. Whatever is none of these is words, an unknown prefix (`http:`) included, so any
text can be read.
"""

import re
from calendar import monthrange
from datetime import date
from typing import NamedTuple, cast

from indexer.records import PartKind, QueryPart
from indexer.terms import LONGEST_TEXT, phrase

MOST_PARTS = 16
OPENING, CLOSING = '"“„«', '"”“»'

_TOKEN = re.compile(
    rf"(?<!\S)(?P<minus>-)?(?:(?P<kind>folder|tag|file|after|before):)?"
    rf"(?:[{OPENING}](?P<quoted>[^{OPENING}{CLOSING}]*)(?P<closed>[{CLOSING}])?|(?P<bare>[^\s{OPENING}-]\S*))",
    re.IGNORECASE,
)
_BESIDE_NAMES = ",;"  # what may stand behind a filter in a sentence
_DATE_BEGUN = re.compile(r"[\d-]+")


class Query(NamedTuple):
    """A text as it was read.

    words: what is looked for: the text without its filters.
    parts: the filters, in their order.
    having: FTS5 expressions, each of which a passage must match.
    lacking: FTS5 expressions, none of which it may match.
    """

    words: str
    parts: list[QueryPart]
    having: list[str]
    lacking: list[str]


def parse(text: str, *, unfinished: bool = False, exact: bool = True) -> Query:
    """Read what was typed. Never fails: what makes no sense as a filter is words.

    Args:
        text: as typed; filters are looked for in its first `LONGEST_TEXT` characters.
        unfinished: the person is still typing: a quotation mark may still be closed, a date completed.
        exact: quotation marks ask for exactly these words; in a question they are prose.
    """
    parts: list[QueryPart] = []
    having: list[str] = []
    lacking: list[str] = []
    words, done, position = "", 0, 0
    while len(parts) < MOST_PARTS and (token := _TOKEN.search(text, position, LONGEST_TEXT)):
        is_open = token["bare"] is None and not token["closed"]
        if is_open and (not unfinished or token.end() < len(text)):
            position = token.start() + 1  # a quotation mark without another one
            continue
        position = token.end()
        if unfinished and _is_date_begun(token, len(text)):
            words, done = words + text[done : token.start()], token.end()
            continue
        part, wanted = _part(token), ""
        if part is not None and part.kind in ("phrase", "without"):
            wanted = phrase(token["quoted"] or part.value, unfinished=is_open)
        if part is None or (part.kind in ("phrase", "without") and not wanted) or (part.kind == "phrase" and not exact):
            continue
        parts.append(part)
        if part.kind == "phrase":
            having.append(wanted)
            continue  # its words are looked for too
        if part.kind == "without":
            lacking.append(wanted)
        words, done = words + text[done : part.start], part.end
    return Query(words + text[done:], parts, having, lacking)


def period(text: str) -> tuple[date, date] | None:
    """The first and last day of a day, month or year as ISO 8601 writes it; None for anything else."""
    try:
        if re.fullmatch(r"[0-9]{4}", text):
            return date(int(text), 1, 1), date(int(text), 12, 31)
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
            year, month = int(text[:4]), int(text[5:])
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        day = date.fromisoformat(text)
    except ValueError:  # a month that there is not is one too (calendar.IllegalMonthError)
        return None
    return day, day


def _part(token: re.Match[str]) -> QueryPart | None:
    """The filter that a token is, or None: it is words."""
    bare, kind = token["bare"], (token["kind"] or "").lower()
    value = bare.rstrip(_BESIDE_NAMES) if bare is not None else token["quoted"].strip()
    end = token.end() - (len(bare) - len(value) if bare is not None else 0)
    if kind == "tag":
        value = value.lstrip("#")
    if kind and (token["minus"] or (kind in ("after", "before") and period(value) is None)):
        return None
    if not kind:
        if bare is not None and not token["minus"]:
            return None
        kind = "without" if token["minus"] else "phrase"
    value = value.encode("utf-8", "replace").decode()  # no halves of characters: it is shown, and put to the catalog
    return QueryPart(cast(PartKind, kind), value, token.start(), end) if value else None


def _is_date_begun(token: re.Match[str], end: int) -> bool:
    """Whether the last thing typed may become a date: `after:2026-0`."""
    dated, typed = (token["kind"] or "").lower() in ("after", "before"), token["bare"] or ""
    return dated and token.end() == end and bool(_DATE_BEGUN.fullmatch(typed)) and period(typed) is None
