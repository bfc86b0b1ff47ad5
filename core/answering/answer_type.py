"""What kind of thing a question asks for, and whether a text has one: a person, a time, a number.

Shallow on purpose: the question's first interrogative decides, and a text is looked through for the kind's own signs.
"""

import re
from itertools import zip_longest
from typing import Literal

from core.answering.words import FUNCTION_WORDS, stems

Kind = Literal["person", "time", "number"]

_ASKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "number",
        re.compile(
            r"how (?:much|many|long|old|often|far|tall|high|deep|big|large|heavy|fast|wide)|what (?:percentage|number)"
            r"|wie ?viele?|wie (?:lang|lange|oft|alt|weit|hoch|tief|groß|schwer)|combien|cu[aá]nt[oa]s?",
        ),
    ),
    (
        "time",
        re.compile(
            r"when|(?:what|which) (?:year|date|day|month|time|century|decade)"
            r"|wann|(?:an )?welche[mrs]? (?:jahr|tag|datum)|quand|cu[aá]ndo",
        ),
    ),
    ("person", re.compile(r"whose|whom?|we[rmn]|wessen|(?:à |de |avec )?qui|(?:a |de |con )?qui[eé]n(?:es)?")),
)
_OTHER = re.compile(r"what|which|where|why|how|was|welche\w*|wo|warum|wie|quel\w*|où|pourquoi|qué|cuál\w*|dónde|cómo")
_ATTRIBUTE = re.compile(r"\b(?:what|which|welche\w*|quel(?:le)?s?|qué)\s+([^\W\d_]+)")
_NAME = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
_CALENDAR = (
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday"
).split()
_TIME = re.compile(
    r"\b(?:1\d|20)\d\ds?\b|\d\s?(?:BP|BCE?|AD|CE|v\. ?Chr)\b|\b(?:years?|months?|weeks?|days?) ago\b"
    r"|\b\d{1,2}[./-]\d{1,2}\b|\b\d{1,2}:\d\d\b|\b\d{1,2}(?:st|nd|rd|th)\b|\bcentur(?:y|ies)\b"
    r"|\b(?:to(?:day|morrow)|yesterday|weekly|monthly|yearly|daily)\b"
    r"|\b(?:januar|februar|märz|mai|juni|juli|oktober|dezember|montag|dienstag|mittwoch|donnerstag|freitag|samstag"
    r"|sonntag|" + "|".join(_CALENDAR) + r")s?\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety|hundred|thousand|million|billion|dozen|half|third|quarter|once|twice|none|every|zwei|drei"
    r"|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|hundert|tausend)\b",
    re.IGNORECASE,
)


def asked_for(question: str) -> Kind | None:
    """The kind of thing that answers a question, by its first interrogative; None where that tells no kind."""
    words = question.casefold()
    found: list[tuple[int, int, Kind | None]] = []
    for kind, pattern in (*_ASKS, (None, _OTHER)):
        match = re.search(rf"\b(?:{pattern.pattern})\b", words)
        if match:
            found.append((match.start(), -len(match.group()), kind))
    return min(found, key=lambda one: one[:2])[2] if found else None


def attribute(question: str) -> str:
    """The word that names what is asked for, "colour" in "What colour is the boat": answers seldom have it. Or ""."""
    match = _ATTRIBUTE.search(question.casefold())
    return match.group(1) if match else ""


def has_one(kind: Kind, text: str, question: str) -> bool:
    """Whether there is one in `text`; a name that the question has already does not count."""
    if kind == "time":
        return bool(_TIME.search(text))
    if kind == "number":
        return bool(_NUMBER.search(text))
    return bool(_names(text) - stems(question))


def _names(text: str) -> frozenset[str]:
    """The stems of what may be names: capitalised, no function word, and no mere beginning of a sentence."""
    found = list(_NAME.finditer(text))
    names = []
    for name, following in zip_longest(found, found[1:]):
        word = name.group()
        if not word[0].isupper() or word.casefold() in FUNCTION_WORDS or word.casefold() in _CALENDAR:
            continue
        if not _begins(text, name.start()) or (following and _goes_on(text, name, following)):
            names.append(word)
    return stems(" ".join(names))


def _begins(text: str, start: int) -> bool:
    before = text[:start].rstrip()
    return not before or before[-1] in ".!?:"


def _goes_on(text: str, name: re.Match[str], following: re.Match[str]) -> bool:
    """Whether another capitalised word stands right behind: "Dave Metcalfe came"."""
    return following.group()[0].isupper() and not text[name.end() : following.start()].strip(". ")
