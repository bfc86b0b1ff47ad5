"""The day a task of a note is due, in the notations that people and their programs use."""

import re
from datetime import date

_MARK = r"(?:\N{CALENDAR}|\N{TEAR-OFF CALENDAR}|\N{SPIRAL CALENDAR PAD}\ufe0f?|\b(?:due|deadline|by)\b)"
_BETWEEN = r"[:\s(\[*_]*+(?:(?:date|by|on)\b[:\s(\[*_]*+)?"
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_DUE = re.compile(
    rf"{_MARK}{_BETWEEN}(?:(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})(?!\d)"
    rf"|(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<month>{_MONTH})\.?,? (?P<year>\d{{4}})(?!\d)"
    rf"|(?P<month1>{_MONTH})\.? (?P<day1>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year1>\d{{4}})(?!\d))",
    re.IGNORECASE,
)


def due_day(task: str) -> str | None:
    """The first valid due day in a task's words as an ISO date, None where there is none.

    Understood are "due: 2026-03-14", "@due(2026-03-14)", "[due:: 2026-03-14]", the calendar signs of Obsidian's task
    plugins, "deadline 14 March 2026" and "by March 14, 2026".
    """
    for found in _DUE.finditer(task):
        try:
            if found["iso"]:
                return date.fromisoformat(found["iso"]).isoformat()
            month = _MONTHS.index((found["month"] or found["month1"]).lower()[:3]) + 1
            return date(int(found["year"] or found["year1"]), month, int(found["day"] or found["day1"])).isoformat()
        except ValueError:
            continue  # no day of the calendar
    return None
