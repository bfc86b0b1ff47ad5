"""A question that follows an answer, completed by the question before it: "and in March?", "who else?", "why?".

Code completes it, and the card says how it was read. A question that stands by itself stays as it is.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from core.answering.history import History
from core.answering.period import phrase
from core.answering.prompt import Earlier
from core.answering.words import FUNCTION_WORDS, tokens
from core.errors import BadInput
from core.models.model import NO_FILE
from core.protocol import Answered, PastAnswer
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


def followed(history: History, number: int) -> list[PastAnswer]:
    """The answer of this number, and behind it those that it follows itself, as far as they are still kept.

    Raises:
        BadInput: it is in the history no more.
        ProfileUnusable: the history cannot be read.
    """
    past = history.numbered(number)
    if past is None:
        raise BadInput("The answer that this follows is in the history no more.", "Ask the whole question.")
    chain = [past]
    while past is not None and 0 < past.answered.follows < past.id:  # it always follows an older one
        past = history.numbered(past.answered.follows)
        chain += [past] if past is not None else []
    return chain


def earlier(chain: Sequence[PastAnswer]) -> Earlier:
    """What a model is told of the first of these answers, which follows the others."""
    answered = chain[0].answered
    paths = tuple(dict.fromkeys(path for one in chain for path in files(one.answered)))
    if chain[-1].answered.follows:  # one that it goes back to was erased: nobody can tell any more what it repeats
        paths = (*paths, NO_FILE)
    context = "\n\n".join(words for one in chain for words in _context(one.answered))
    sources = frozenset(source.path for source in answered.sources)
    return Earlier(answered.read_as or answered.question, in_short(answered), sources, paths, context)


def _context(answered: Answered) -> Iterator[str]:
    """All the words that an answer was written from, and its own."""
    yield from (answered.question, answered.read_as, answered.answer)
    for source in answered.sources:
        yield f"{source.title} › {source.heading}\n{source.text}"
    for item in answered.listed.items if answered.listed is not None else ():
        yield item.text


def files(answered: Answered) -> list[str]:
    """Every file that an answer may be text of."""
    listed = answered.listed.items if answered.listed is not None else []
    own = [source.path for source in answered.sources] + [item.path for item in listed]
    return list(dict.fromkeys([*own, *answered.given]))


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


def joined(hits: list[Hit], before: list[Hit], paths: Collection[str]) -> list[Hit]:
    """The passages, and behind them those of these files that the earlier question finds today."""
    known = {(hit.path, hit.start) for hit in hits}
    return [*hits, *(hit for hit in before if hit.path in paths and (hit.path, hit.start) not in known)]


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
