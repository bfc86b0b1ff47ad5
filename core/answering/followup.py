"""A question that follows an answer, completed by the question before it: "and in March?", "who else?", "why?".

Code completes it, and the card says how it was read. A question that stands by itself stays as it is.
"""

import re

from core.answering.period import phrase
from core.answering.words import FUNCTION_WORDS, tokens
from core.protocol import Answered
from indexer.records import Hit

FEW = 1  # telling words; a question with more of them, without a pronoun or an opener, says itself what it is about
SHORT = 240  # characters of the earlier answer that a model is given

_OPENER = re.compile(
    r"(?:(?:and|but|or|also|then|so|und|aber|oder|auch)\b[\s,]*)?(?:(?:what|how) about\b\s*|was ist mit\b\s*)?",
    re.IGNORECASE,
)
_PRONOUNS = frozenset(
    "it its he him his she her they them their theirs this that these those there then else sonst er ihn ihm sein "
    "ihr ihnen dies diese dieser dieses dort dann".split()
)
_ELSE = re.compile(r"\b(?:else|sonst)\b", re.IGNORECASE)
_END = " ?!.…"


def completed(question: str, earlier: str) -> str:
    """The question as it is to be understood behind the earlier one; the same where it needs nothing of that.

    Args:
        question: as `question.clean` gives it.
        earlier: the question before it, itself completed where it followed another.
    """
    opener = _OPENER.match(question)
    rest = question[opener.end() :].strip() if opener else question
    if not rest:
        return earlier
    when = phrase(rest)
    if when is not None and not _telling(rest[: when.start] + " " + rest[when.end :]):
        return _at_another_time(rest.strip(_END), earlier)
    depends = rest != question or len(_telling(rest)) <= FEW or bool(_PRONOUNS & set(tokens(rest)))
    if not depends:
        return question
    before = phrase(earlier) if when is not None else None
    about = f"{earlier[: before.start]} {earlier[before.end :]}" if before is not None else earlier
    own = " ".join(_ELSE.sub(" ", rest).split()).strip(_END)
    known = set(tokens(own))
    added = [word for word in _words(about) if word.casefold() not in known and _telling(word)]
    return f"{own}: {' '.join(added)}" if added else question


def joined(hits: list[Hit], earlier: list[Hit], answered: Answered) -> list[Hit]:
    """The passages, and behind them those that the earlier answer rested on, as the index has them today."""
    paths = {source.path for source in answered.sources}
    known = {(hit.path, hit.start) for hit in hits}
    return [*hits, *(hit for hit in earlier if hit.path in paths and (hit.path, hit.start) not in known)]


def in_short(answered: Answered) -> str:
    """The earlier answer on one line, its end left out where it is long."""
    words = " ".join(answered.answer.split())
    return words if len(words) <= SHORT else f"{words[: SHORT - 1].rsplit(' ', 1)[0]}…"


def _at_another_time(when: str, earlier: str) -> str:
    """The earlier question with these days in the place of its own, or at its end."""
    before = phrase(earlier)
    if before is None:
        return f"{earlier.rstrip(_END)} {when}?"
    return f"{earlier[: before.start]}{when}{earlier[before.end :]}"


def _telling(text: str) -> list[str]:
    return [word for word in tokens(text) if word not in FUNCTION_WORDS and word not in _PRONOUNS]


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'’.-]*\w", text)
