"""What a person typed to narrow a search or a question down, as the index takes it, or what is wrong with it."""

import os
from datetime import date, datetime, time, timedelta
from pathlib import Path

from core.errors import BadInput
from core.protocol import Ask, Search
from indexer.query import parse, period
from indexer.records import Filter, PartKind

SECOND = 1_000_000_000  # nanoseconds
LATEST = 2**63 - 1  # what SQLite can hold: the year 2262


def chosen(call: Search | Ask) -> Filter:
    """The filter of a search or question: what its fields say, and what stands in its text (`indexer.query`).

    Days begin and end at this machine's midnight, the named ones included.

    Raises:
        BadInput: the folder is not an absolute path, or a date is none, or no day is left.
    """
    if isinstance(call, Search):
        query = parse(call.words, unfinished=call.unfinished)
    else:
        query = parse(call.question, exact=False)

    def named(kind: PartKind) -> list[str]:
        return [part.value for part in query.parts if part.kind == kind]

    days = [_period("after", typed)[0] for typed in (call.after, *named("after")) if typed.strip()]
    after = max(days, default=None)
    days = [_period("before", typed)[1] for typed in (call.before, *named("before")) if typed.strip()]
    before = min(days, default=None)
    if after and before and after > before:
        raise BadInput(f"No day is both after {after} and before {before}.", "Exchange the two dates.")
    if call.folder and not Path(call.folder).is_absolute():
        raise BadInput(f"{call.folder!r} does not say where the folder is.", "Give its whole path.")
    return Filter(
        os.path.realpath(call.folder) if call.folder else "",
        None if after is None else _midnight(after),
        None if before is None or before == date.max else _midnight(before + timedelta(days=1)),
        within=tuple(os.path.expanduser(name) for name in named("folder")),  # noqa: PTH111  # a part of a path
        tags=tuple(named("tag")),
        names=tuple(named("file")),
        having=tuple(query.having),
        lacking=tuple(query.lacking),
    )


def _period(name: str, typed: str) -> tuple[date, date]:
    """The first and last day that are meant.

    Raises:
        BadInput: it is no date.
    """
    found = period(typed.strip())
    if found is None:
        raise BadInput(f"{typed!r} is no date ({name}).", "Write it as year-month-day: 2026-03-31, 2026-03 or 2026.")
    return found


def _midnight(day: date) -> int:
    """The beginning of a day here, in nanoseconds since 1970."""
    moment = datetime.combine(day, time.min)
    try:
        nanoseconds = int(moment.astimezone().timestamp()) * SECOND
    except (OverflowError, OSError, ValueError):  # a year no clock of this system knows; files of then do not exist
        nanoseconds = (day - date(1970, 1, 1)).days * 86_400 * SECOND
    return max(-LATEST, min(nanoseconds, LATEST))
