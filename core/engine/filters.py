"""What a person typed to narrow a search or a question down, as the index takes it, or what is wrong with it."""

import os
from datetime import date, datetime, time, timedelta
from pathlib import Path

from core.errors import BadInput
from core.protocol import Ask, ListTasks, Search
from indexer.query import parse, period
from indexer.records import CatalogQuery, Days, Filter, PartKind

SECOND = 1_000_000_000  # nanoseconds
LATEST = 2**63 - 1  # what SQLite can hold: the year 2262
MOST_TASKS = 10_000  # in one answer


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
    return Filter(
        _folder(call.folder),
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


def tasks(call: ListTasks) -> CatalogQuery:
    """The tasks that are asked for.

    Raises:
        BadInput: the folder is not an absolute path, or a date is none, or a number is out of its range.
    """
    if not 0 <= call.limit <= MOST_TASKS or call.skip < 0:
        raise BadInput(f"The number of tasks must be between 0 and {MOST_TASKS:,}.")
    first, last = _day("due from", call.due_from), _day("due to", call.due_to)
    due = Days(first.isoformat() if first else "", last.isoformat() if last else "") if first or last else None
    within = Filter(_folder(call.folder))
    return CatalogQuery("tasks", within, call.state, due=due, order="due", limit=call.limit, skip=call.skip)


def _folder(typed: str) -> str:
    if typed and not Path(typed).is_absolute():
        raise BadInput(f"{typed!r} does not say where the folder is.", "Give its whole path.")
    return os.path.realpath(typed) if typed else ""


def _day(name: str, typed: str) -> date | None:
    if not typed.strip():
        return None
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise BadInput(f"{typed!r} is no date ({name}).", "Write it as year-month-day: 2026-03-31.") from None


def _midnight(day: date) -> int:
    """The beginning of a day here, in nanoseconds since 1970."""
    moment = datetime.combine(day, time.min)
    try:
        nanoseconds = int(moment.astimezone().timestamp()) * SECOND
    except (OverflowError, OSError, ValueError):  # a year no clock of this system knows; files of then do not exist
        nanoseconds = (day - date(1970, 1, 1)).days * 86_400 * SECOND
    return max(-LATEST, min(nanoseconds, LATEST))
