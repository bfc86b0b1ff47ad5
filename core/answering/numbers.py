"""The numbers of a text in one writing, so that "1,200" meets "1200", "three" meets 3, and 3 May meets 2026-05-03."""

import re

MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan,february feb,march mar,april apr,may,june jun,july jul,august aug,september sep sept,october oct,"
        "november nov,december dec".split(","),
        start=1,
    )
    for name in names.split()
}
SMALL_NUMBERS = {
    name: number
    for number, name in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split(),
        start=2,  # "one" is rarely a number
    )
}
_NUMBER = re.compile(r"\d+(?:[.,]\d{3})*(?:[.,]\d+)?")
_DAY = re.compile(
    r"\b(?P<day>\d{1,2})(?:st|nd|rd|th|\.)? (?:of )?(?P<month>[A-Z][a-z]+)"
    r"|(?P<month2>[A-Z][a-z]+)\.? (?P<day2>\d{1,2})(?:st|nd|rd|th)?\b(?![.,]?\d)"
    r"|\b\d{4}-(?P<month3>\d{2})-(?P<day3>\d{2})\b"
)
_WORD = re.compile(r"[^\W\d_]+")


def numbers(text: str) -> frozenset[str]:
    """Numbers in one writing: 1,200 as 1200, "three" as 3, March as 3, 07 as 7."""
    found = {re.sub(r"[.,](?=\d{3}\b)", "", number).replace(",", ".") for number in _NUMBER.findall(text)}
    for word in _WORD.findall(text):
        month = MONTHS.get(word.lower()) if word[0].isupper() else None
        value = month or SMALL_NUMBERS.get(word.lower())
        if value is not None:
            found.add(str(value))
    return frozenset(number.lstrip("0") or "0" for number in found)


def days(text: str) -> frozenset[tuple[int, int]]:
    """Days of the year as (month, day): of "3 May", "May 3rd" and "2026-05-03"."""
    found = set()
    for match in _DAY.finditer(text):
        name = match["month"] or match["month2"]
        month = MONTHS.get(name.lower()) if name else int(match["month3"])
        if month is not None:
            found.add((month, int(match["day"] or match["day2"] or match["day3"])))
    return frozenset(found)
