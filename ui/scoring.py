"""How well questions were answered whose answers are known: what counts as right, and the figures over many."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from core.protocol import Answered, Event, Found, Listed, Piece, Quoted
from ui.question_list import Wanted

FIVE = 5  # files; a person looks at no more of them


class Given(Struct, frozen=True):
    """What came of a question.

    files: those of the passages, best first, each once.  quote: what was given as the answer word for word, or the list
    where the catalog has the answer; "" where nothing was.  models: whose words came.
    quote_ms, first_token_ms, total_ms: milliseconds since it was asked; None where it did not come so far.
    """

    files: list[str]
    quote: str
    models: list[str]
    quote_ms: float | None
    first_token_ms: float | None
    total_ms: float | None


class Share(Struct, frozen=True):
    """`count` of `of`."""

    count: int
    of: int


class Spread(Struct, frozen=True):
    """How milliseconds are spread; `p50` and `p95` are None where there were none."""

    count: int
    p50: float | None
    p95: float | None


class Figures(Struct, frozen=True):
    """The figures over many questions.

    hit_at_1, hit_at_5: the file that holds the answer is the first one, or among the first five; of those whose file is
    known.
    quoted, held: a quote was given, of those that the notes answer; it holds a right answer, of those that name some.
    declined: nothing was quoted, of those that the notes do not answer.
    quote_ms, first_token_ms, total_ms: as in `Given`.
    """

    questions: int
    hit_at_1: Share
    hit_at_5: Share
    quoted: Share
    held: Share
    declined: Share
    quote_ms: Spread
    first_token_ms: Spread
    total_ms: Spread


def follow(events: Iterable[Event], clock: Callable[[], float] = time.perf_counter) -> Given:
    """Listen to an answer to its end. The time runs from this call on, so the question is to be sent by it.

    Args:
        events: what an `Ask` yields.
        clock: the time in seconds.
    """
    started = clock()
    files: list[str] = []
    models: list[str] = []
    quote = ""
    quoted: float | None = None
    first: float | None = None
    total: float | None = None
    for event in events:
        passed = round((clock() - started) * 1000, 1)
        match event:
            case Found(hits=hits):  # comes again where the engine was started again
                files, quoted, first = list(dict.fromkeys(hit.path for hit in hits)), None, None
            case Listed(title=title, items=items) if items:
                files, quoted = list(dict.fromkeys(item.path for item in items)), passed
                quote = "\n".join([title, *(item.text for item in items)])
            case Quoted(quote=found):
                quote, quoted = found.text if found is not None else "", passed
            case Piece() if first is None:
                first = passed
            case Answered(route=route):
                total = passed
                models = [step.model for step in route if step.model and step.start is not None]
            case _:
                pass
    return Given(files, quote, models, quoted, first, total)


def place(wanted: Wanted, given: Given) -> int | None:
    """At which place among the files, from 1, the one that holds the answer is; None: not among them, or not known."""
    parts = Path(wanted.file).expanduser().parts
    places = (number for number, path in enumerate(given.files, 1) if Path(path).parts[-len(parts) :] == parts)
    return next(places, None) if parts else None


def holds(wanted: Wanted, given: Given) -> bool:
    """Whether the quote holds one of the right answers; case and line breaks do not matter."""
    quote = _plain(given.quote)
    return any(_plain(answer) in quote for answer in wanted.answers or ())


def figures(results: Sequence[tuple[Wanted, Given]]) -> Figures:
    """The figures over what was asked and what came."""
    with_file = [place(wanted, given) for wanted, given in results if wanted.file and wanted.answerable]
    answerable = [given for wanted, given in results if wanted.answerable]
    with_answers = [(wanted, given) for wanted, given in results if wanted.answers]
    unanswerable = [given for wanted, given in results if wanted.unanswerable]
    return Figures(
        questions=len(results),
        hit_at_1=Share(sum(number == 1 for number in with_file), len(with_file)),
        hit_at_5=Share(sum(number is not None and number <= FIVE for number in with_file), len(with_file)),
        quoted=Share(sum(bool(given.quote) for given in answerable), len(answerable)),
        held=Share(sum(holds(wanted, given) for wanted, given in with_answers), len(with_answers)),
        declined=Share(sum(not given.quote for given in unanswerable), len(unanswerable)),
        quote_ms=_spread([given.quote_ms for _, given in results]),
        first_token_ms=_spread([given.first_token_ms for _, given in results]),
        total_ms=_spread([given.total_ms for _, given in results]),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _spread(times: Sequence[float | None]) -> Spread:
    known = [one for one in times if one is not None]
    if not known:
        return Spread(0, None, None)
    return Spread(len(known), percentile(known, 0.5), percentile(known, 0.95))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
