"""The days that a question names: "last week", "in March", "since Monday", "Q2 2025".

dateparser knows the calendar's words. Here they are only found in the question, and what it recognises as a week, a
month or a year becomes the days from its first to its last.
"""

import re
from calendar import monthrange
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, NamedTuple

from core.answering.numbers import SMALL_NUMBERS
from indexer.records import Days

Prefer = Literal["past", "future"]

_UNITS = {
    "tag": "day",
    "woche": "week",
    "monat": "month",
    "quartal": "quarter",
    "jahr": "year",
    "wochenende": "weekend",
}
_UNIT = "day|week|month|year"
_UNIT_DE = "tage?n?|wochen?|monate?n?|jahre?n?"
_NUMBERS = {"a": 1, "an": 1, "one": 1, "ein": 1, "einem": 1, "einer": 1, **SMALL_NUMBERS}
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(_NUMBERS)})"
_MONTH = (
    "january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|apr|jun|jul|aug|sept?"
    "|oct|nov|dec|januar|februar|märz|mai|juni|juli|oktober|dezember"
)
_WEEKDAY = (
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|montag|dienstag|mittwoch|donnerstag|freitag|samstag"
    "|sonntag"
)
_YEAR = r"(?:19|20)\d\d"
_THIS = {
    **dict.fromkeys(("this", "current", "dies"), "this"),
    **dict.fromkeys(("last", "previous", "letzt", "vorig"), "last"),
    **dict.fromkeys(("next", "coming", "nächst", "kommend"), "next"),
}
_THIS_UNIT = (
    r"(?:this|current|last|previous|next|coming) (?:week(?:end)?|month|quarter|year)"
    r"|(?:dies|letzt|vorig|nächst|kommend)e[nmrs]? (?:woche|monat|quartal|jahr|wochenende)"
)
_QUARTER = rf"q[1-4](?:[ /,-]*{_YEAR})?|{_YEAR}[ /-]?q[1-4]|(?:first|second|third|fourth) quarter(?: of)? {_YEAR}"
_POINT = "|".join(
    (
        r"\d{4}-\d\d-\d\d",
        _QUARTER,
        r"\d{4}-(?:0\d|1[0-2])(?!\d)",
        rf"(?:the )?\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?(?:{_MONTH})(?:,? {_YEAR})?",
        rf"(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?(?!\d)(?:,? {_YEAR})?",
        rf"(?:{_MONTH})(?:,? (?:of )?{_YEAR})?",
        r"(?:the )?day before yesterday|(?:the )?day after tomorrow|today|yesterday|tomorrow",
        r"heute|gestern|morgen|vorgestern|übermorgen",
        _THIS_UNIT,
        rf"{_NUMBER} (?:{_UNIT})s? ago|in {_NUMBER} (?:{_UNIT})s?|vor {_NUMBER} (?:{_UNIT_DE})",
        rf"(?:(?:this|last|next|coming|(?:letzt|nächst|kommend|dies)e[nmrs]?) )?(?:{_WEEKDAY})",
        _YEAR,
    )
)
_ROLLING = re.compile(
    r"\b(?:(?:in|within|over|during|for) )?(?:(?:the )?(?P<back>last|past)"
    rf"|(?:the )?(?P<ahead>next|coming|following)|within) (?:(?P<n>{_NUMBER}) )(?P<unit>{_UNIT})s?\b"
    rf"|\b(?:in|within|over|during) the (?:(?P<back1>last|past)|(?P<ahead1>next|coming|following)) (?P<unit1>{_UNIT})\b"
    rf"|\b(?:in den )?(?:(?P<back2>letzten)|(?P<ahead2>nächsten)) (?P<n2>{_NUMBER}) (?P<unit2>{_UNIT_DE})\b",
    re.IGNORECASE,
)
_POINTS = re.compile(rf"\b(?:{_POINT})(?:['’]s)?(?![\w/-])", re.IGNORECASE)
_BEFORE = re.compile(
    r"\b(?:(?P<since>since|seit(?: dem)?|starting)|(?P<after>(?<!day )after|later than|nach dem)"
    r"|(?P<before>(?<!day )before|earlier than|prior to|vor dem)"
    r"|(?P<by>by|until|till|up to|no later than|bis(?: zum)?)"
    r"|(?P<between>between|zwischen)|(?P<from>from|vom|von)"
    r"|(?P<at>(?:in|(?<!work )(?<!worked )(?<!working )on|during|for|of|at|am|im|in der|in den|für)(?: the)?)) $",
    re.IGNORECASE,
)
_AND = re.compile(r" (?:and|to|until|till|through|und|bis(?: zum)?|–|-) ", re.IGNORECASE)
_ON = re.compile(r" on(?:wards?)?\b", re.IGNORECASE)
_OPENING = re.compile(r"(?:for|of|from|at|für|vom|von) ", re.IGNORECASE)


class Phrase(NamedTuple):
    """Words of a question that name days.

    form: what kind of phrase.  points: the one or two expressions in it that name days, or "last", "2" and
    "weeks".  words: all of it, without a "from" or "for" before it.  start, end: where it stands (characters).
    """

    form: str
    points: tuple[str, ...]
    words: str
    start: int
    end: int

    def days(self, today: date, prefer: Prefer) -> Days | None:
        """The days that are named; None where the calendar has no such day, or a stretch ends before it begins.

        Args:
            today: the day the question is asked.
            prefer: where a day without a year, or of the week, lies when it could be either.
        """
        try:
            return _rolled(self.points, today) if self.form == "rolling" else _days(self, today, prefer)
        except (ValueError, OverflowError):  # the 31st of February; the year 10000
            return None


def phrase(question: str) -> Phrase | None:
    """The first words of a question (on one line) that name days, None where there are none. It asks no calendar."""
    if rolling := _ROLLING.search(question):
        named = {group.rstrip("12"): text for group, text in rolling.groupdict().items() if text}
        points = "last" if "back" in named else "next", named.get("n", "1"), named["unit"]
        return _phrase("rolling", points, question, *rolling.span())
    point = next((found for found in _POINTS.finditer(question) if not _is_modal(found, question)), None)
    if point is None:
        return None
    before = _BEFORE.search(question[: point.start()])
    start, form = (before.start(), before.lastgroup or "at") if before is not None else (point.start(), "at")
    second = None
    if form in ("between", "from") and (joined := _AND.match(question, point.end())):
        second = _POINTS.match(question, joined.end())
    if second is not None:
        return _phrase("range", (_name(point), _name(second)), question, start, second.end())
    if form == "between":
        form, start = "at", point.start()  # what it begins is not understood, and is left over
    end = point.end()
    if form in ("since", "from") and (onwards := _ON.match(question, end)):
        form, end = "since", onwards.end()
    return _phrase(form, (_name(point),), question, start, end)


def _phrase(form: str, points: tuple[str, ...], question: str, start: int, end: int) -> Phrase:
    said = re.sub(r"['’]s$", "", question[start:end])
    return Phrase(form, points, _OPENING.sub("", said, count=1) if form != "since" else said, start, end)


def _name(found: re.Match[str]) -> str:
    return re.sub(r"['’]s$", "", found.group())


def _is_modal(found: re.Match[str], question: str) -> bool:
    """Whether what looks like a month is the verb of "may I": no capital, or the first word."""
    return found.group().lower() == "may" and (found.group() != "May" or not question[: found.start()].strip())


def _rolled(points: tuple[str, ...], today: date) -> Days | None:
    way, number, unit = points[0], _number(points[1]), _singular(points[2])
    there = _point(f"{number} {unit} ago" if way == "last" else f"in {number} {unit}", today, "past")
    if there is None:
        return None
    # "in the last 2 weeks" ends today, and begins on the day two weeks ago, not with that day's week.
    moment = there.moment.isoformat()
    return Days(moment, today.isoformat()) if way == "last" else Days(today.isoformat(), moment)


def _days(said: Phrase, today: date, prefer: Prefer) -> Days | None:
    first = _point(said.points[0], today, prefer)
    if first is None:
        return None
    match said.form:
        case "range":
            return _between(first, said.points, today, prefer)
        case "since":
            return Days(first.first.isoformat())
        case "after":
            return Days((first.last + timedelta(days=1)).isoformat())
        case "before":
            return Days("", (first.first - timedelta(days=1)).isoformat())
        case "by":
            return Days("", first.last.isoformat())
    return Days(first.first.isoformat(), first.last.isoformat())


def _between(first: "_Point", points: tuple[str, ...], today: date, prefer: Prefer) -> Days | None:
    last = _point(points[1], today, prefer)
    if last is not None and not re.search(_YEAR, points[0]) and re.search(_YEAR, points[1]):
        first = _point(f"{points[0]} {last.last.year}", today, prefer) or first
    if last is None or last.last < first.first:
        return None
    return Days(first.first.isoformat(), last.last.isoformat())


class _Point(NamedTuple):
    """What one expression names: its first and last day, and the day it means where it counts from today."""

    first: date
    last: date
    moment: date


def _point(words: str, today: date, prefer: Prefer) -> _Point | None:
    words = re.sub(r"^the ", "", words.lower())
    if re.fullmatch(r"\d{4}-\d\d-\d\d", words):
        return _whole("day", date.fromisoformat(words))
    if re.fullmatch(r"\d{4}-\d\d", words):
        return _whole("month", date.fromisoformat(f"{words}-01"))
    if re.fullmatch(_QUARTER, words):
        return _quarter(words, today, prefer)
    if found := re.fullmatch(r"(\w+?)(?:e[nmrs]?)? (\w+)", words):
        this, unit = _THIS.get(found[1]), _UNITS.get(found[2], found[2])
        if this is not None and unit in ("quarter", "weekend"):
            return _quarter_or_weekend(this, unit, today)
        if this is not None and unit in _UNIT.split("|"):
            words = f"{this} {unit}"
    return _read(words, today, prefer)


def _read(words: str, today: date, prefer: Prefer) -> _Point | None:
    from dateparser.date import DateDataParser  # takes a tenth of a second, which no ordinary question should pay

    said = words.split(" ", 1)[0]
    this = _THIS.get(said) or _THIS.get(re.sub(r"e[nmrs]?$", "", said))
    on_weekday = re.search(rf"(?:{_WEEKDAY})$", words)
    if on_weekday:
        words = on_weekday.group()
        prefer = "past" if this == "last" else "future" if this == "next" else prefer
    words = re.sub(rf"\b({'|'.join(_NUMBERS)})\b", lambda found: str(_number(found[1])), words)
    settings: dict[str, Any] = {
        "RELATIVE_BASE": datetime.combine(today, time.min),
        "PREFER_DATES_FROM": prefer if on_weekday else "current_period",
        "PREFER_DAY_OF_MONTH": "first",
        "PREFER_MONTH_OF_YEAR": "first",
        "TIMEZONE": "UTC",
    }
    read = DateDataParser(languages=["en", "de"], settings=settings).get_date_data(words)
    if read.date_obj is None:
        return None
    day = read.date_obj.date()
    if on_weekday and this not in ("last", "next") and abs(day - today).days == 7:
        day = today  # asked on that very weekday
    found = _whole(read.period, day)
    if re.search(rf"\b(?:{_MONTH})\b", words) and not re.search(_YEAR, words):
        if prefer == "past" and found.first > today:
            found = _whole(read.period, day.replace(year=day.year - 1))
        elif prefer == "future" and found.last < today:
            found = _whole(read.period, day.replace(year=day.year + 1))
    return found


def _whole(unit: str, day: date) -> _Point:
    """The whole day, week (from Monday), month or year that a day is in."""
    if unit == "week":
        first = day - timedelta(days=day.weekday())
        return _Point(first, first + timedelta(days=6), day)
    if unit == "month":
        return _Point(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]), day)
    if unit == "year":
        return _Point(date(day.year, 1, 1), date(day.year, 12, 31), day)
    return _Point(day, day, day)


def _quarter(words: str, today: date, prefer: Prefer) -> _Point:
    year = re.search(_YEAR, words)
    ordinal = next((n for n, name in enumerate(("first", "second", "third", "fourth"), 1) if name in words), 0)
    number = ordinal or int(words[words.index("q") + 1])
    if year is not None:
        return _months(int(year.group()), 3 * number - 2)
    found = _months(today.year, 3 * number - 2)
    if prefer == "past" and found.first > today:
        return _months(today.year - 1, 3 * number - 2)
    return _months(today.year + 1, 3 * number - 2) if prefer == "future" and found.last < today else found


def _quarter_or_weekend(this: str, unit: str, today: date) -> _Point:
    step = {"last": -1, "this": 0, "next": 1}[this]
    if unit == "weekend":
        saturday = today + timedelta(days=5 - today.weekday() + 7 * step)
        return _Point(saturday, saturday + timedelta(days=1), saturday)
    quarters = 4 * today.year + (today.month - 1) // 3 + step
    return _months(quarters // 4, 3 * (quarters % 4) + 1)


def _months(year: int, month: int) -> _Point:
    """The quarter that begins with a month."""
    first = date(year, month, 1)
    return _Point(first, date(year, month + 2, monthrange(year, month + 2)[1]), first)


def _singular(unit: str) -> str:
    lower = unit.lower()
    return next((english for german, english in _UNITS.items() if lower.startswith(german)), lower)


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS.get(word.casefold(), 1)
