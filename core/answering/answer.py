"""A question's way from the passages to the quote and on to the prose. Each stage is told as soon as it is known.

The quote is the answer; prose only says it again. Where the notes do not say it, no model is asked.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from msgspec import structs

from core.answering import followup
from core.answering import question as questions
from core.answering.grounding import ground
from core.answering.history import History
from core.answering.library import Library
from core.answering.listing import listing
from core.answering.memory import Memory, Standing, worth_it
from core.answering.pace import Pace
from core.answering.prompt import Earlier, messages
from core.answering.quote import Evidence, weigh
from core.answering.sentences import sentences as spans_of
from core.answering.typed import Reading, read
from core.errors import BadInput, ProfileUnusable
from core.models.model import NO_FILE, Prompt, Turn
from core.models.route import Route, Spoken
from core.privacy.rules import ASK_FIRST
from core.protocol import (
    Answered,
    Ask,
    Event,
    Found,
    Listed,
    Piece,
    Quoted,
    Sentence,
    Source,
    Step,
    Timings,
)
from indexer.query import parse
from indexer.records import Coverage, Hit
from indexer.worker import Cancellation

ANSWER_TOKENS = 160
SHORT_TOKENS, SHORT_SENTENCES = 64, 2
RELEVANT = 0.6  # a passage is a source when its best sentence scores this share of the best of all
CLOSEST = 3  # passages shown when the notes do not say it
MOST_HITS = 50

NOT_SAID = "Your notes do not seem to say. The closest passages are below."
NOTHING_FOUND = "Nothing in your notes is about this."
LATER = "A cloud model is asked again when it is back; `offhand later` shows what it says."
QUOTE_STEP = Step("quote", "", "ok")
LISTED_STEP, LISTED_NONE = Step("catalog", "", "ok"), Step("catalog", "", "nothing found")


class Reply(NamedTuple):
    """An answer, how the models came to it, and the key under which it is to be remembered, "" for none.

    before: what the question followed.
    """

    answered: Answered
    spoken: Spoken
    key: str = ""
    before: Earlier | None = None


class Answering:
    """Answers questions from a library.

    Args:
        library: the person's notes.
        route: the models of one question, in order.
        history: where answers are kept; None keeps none.
        offer: the service that could be asked about text of these files if the person agrees, "" for none.
        coverage: how much of the person's folders can be found now.
        owes: whether a question that rests on these files is to be put to a cloud model later, which an outage kept
            from it; then the files whose answers have lent it words.
        standing: see `core.answering.memory`; it has to tell everything that decides who is asked, and about what.
        today: the day, in this machine's zone.
    """

    def __init__(
        self,
        library: Library,
        route: Callable[[Ask], Route],
        history: History | None,
        offer: Callable[[Sequence[str]], str] = lambda _paths: "",
        coverage: Callable[[], Coverage | None] = lambda: None,
        *,
        owes: Callable[[Ask, Sequence[str], Sequence[str]], bool] = lambda _ask, _paths, _lent: False,
        standing: Standing | None = None,
        today: Callable[[], date] = lambda: datetime.now().astimezone().date(),
    ) -> None:
        self.pace = Pace()
        self._coverage = coverage
        self._library = library
        self._route = route
        self._history = history
        self._offer = offer
        self._owes = owes
        self._memory = Memory(history, standing) if history is not None and standing is not None else None
        self._today = today

    def answer(self, ask: Ask, cancelled: Cancellation) -> Iterator[Event]:
        """Answer → [Listed], [Found], [Quoted, [RouteStep, Piece*]*], Answered; it just ends when cancelled.

        Raises:
            BadInput: the question cannot be asked.
            Problem: the library cannot be searched.
        """
        reply = yield from self._stages(ask, cancelled)
        if reply is not None:
            yield self._kept(ask, reply)

    def reply(self, ask: Ask, cancelled: Cancellation) -> Reply | None:
        """The answer alone, which is not kept; None when cancelled.

        Raises:
            BadInput, Problem: as `answer`.
        """
        stages = self._stages(ask, cancelled)
        while True:
            try:
                next(stages)
            except StopIteration as end:
                reply: Reply | None = end.value
                return reply

    def _stages(self, ask: Ask, cancelled: Cancellation) -> Generator[Event, None, Reply | None]:
        started = time.perf_counter()
        asked = _asked(ask.question, ask.limit)
        question, before = self._understood(asked, ask.follows)
        reply = yield from self._answered(ask, question, before, started, cancelled)
        if reply is None:
            return None
        given = dict.fromkeys([*followup.files(reply.answered), *(before.paths if before is not None else ())])
        told = structs.replace(
            reply.answered,
            question=asked,
            read_as=question if question != asked else "",
            follows=ask.follows if before is not None else 0,
            given=[path for path in given if path != NO_FILE],
        )
        return reply._replace(answered=told, before=before)

    def _understood(self, asked: str, follows: int) -> tuple[str, Earlier | None]:
        """The question, completed by the answer of this number where it needs that, and what a model is told of it.

        Raises:
            BadInput: that answer is in the history no more.
        """
        if not follows or self._history is None:
            return asked, None
        before = followup.earlier(followup.followed(self._history, follows))
        question = followup.completed(asked, before.question)
        return question, before._replace(asked=asked) if question != asked else before

    def _answered(
        self, ask: Ask, question: str, before: Earlier | None, started: float, cancelled: Cancellation
    ) -> Generator[Event, None, Reply | None]:
        listed = self._listed(question, started)
        if listed is not None:
            yield listed
            if listed.total:
                return Reply(self._answered_by(listed, question, started), Spoken("", [], ""))
        hits, note = self._passages(question, ask.limit, before if listed is None else None)
        timings = Timings(passages_ms=_since(started))
        yield Found(hits, "fused", timings.passages_ms or 0.0, note, question, parse(ask.question, exact=False).parts)
        if listed is not None:  # what comes nearest is no answer: the list is, and it is empty
            return Reply(self._answered_by(listed, question, started, hits, note), Spoken("", [], ""))
        evidence = weigh(question, hits, self._library)
        timings = structs.replace(timings, quote_ms=_since(started))
        yield Quoted(evidence.quote, timings.quote_ms or 0.0)

        order = _order(hits, evidence)
        sources = _sources(hits, order)
        spoken, at, number, key = Spoken("", [], ""), "", 0, ""
        first: float | None = None
        if evidence.quote is not None and ask.model:
            as_ever = self._memory if not (ask.shorter or ask.bigger) else None
            known = f"{question}\n{before}" if before is not None else question
            lent = before.paths if before is not None else ()
            key = as_ever.key(ask, known, evidence.quote, sources, lent) if as_ever is not None else ""
            earlier = as_ever.recall(key) if as_ever is not None and not ask.fresh else None
            if earlier is not None:
                (spoken, at, number), first = earlier, _since(started)
            else:
                prompt = partial(messages, question, hits, evidence, order, earlier=before, shorter=ask.shorter)
                spoken, first = yield from self._spoken(ask, prompt, started, cancelled)
        timings = structs.replace(timings, first_token_ms=first)
        if cancelled.requested:
            return None
        answer, sentences = self._conclusion(evidence, spoken, sources)
        declined = Step("quote", "", "the notes do not say")
        answered = Answered(
            question=question,
            answer=answer,
            quote=evidence.quote,
            sources=sources,
            sentences=sentences,
            route=[QUOTE_STEP if evidence.quote else declined, *spoken.steps],
            timings=structs.replace(timings, total_ms=_since(started)),
            note=" ".join(part for part in (note, spoken.note) if part),
            coverage=self._coverage(),
            offer=self._offered(ask, evidence, spoken, sources),
            remembered_at=at,
            number=number,
        )
        return Reply(answered, spoken, key if worth_it(spoken) else "")

    def _spoken(
        self, ask: Ask, prompt: Prompt, started: float, cancelled: Cancellation
    ) -> Generator[Event, None, tuple[Spoken, float | None]]:
        """Let the models write; returns what came of it, and after how many milliseconds the first word."""
        spoken = Spoken("", [], "")
        first: float | None = None
        measure = self.pace.watch()
        for event in self._route(ask).speak(prompt, SHORT_TOKENS if ask.shorter else ANSWER_TOKENS, cancelled):
            if isinstance(event, Spoken):
                spoken = _shortened(event) if ask.shorter else event
                continue
            measure(event)
            if isinstance(event, Piece) and first is None:
                first = _since(started)
            yield event
        return spoken, first

    def draft(self, typed: str, limit: int, follows: int = 0) -> Prompt | None:
        """The prompt that a question would be put to the models with, or None: the notes do not say it.

        Raises:
            BadInput, Problem: as `answer`.
        """
        question, before = self._understood(_asked(typed, limit), follows)
        hits, evidence = self._weighed(question, limit, before)
        if evidence.quote is None:
            return None
        return partial(messages, question, hits, evidence, _order(hits, evidence), earlier=before)

    def ahead(self, ask: Ask) -> Turn | None:
        """What the first model would be asked; None: none would be, or its earlier answer holds.

        Raises:
            BadInput, Problem: as `answer`.
        """
        question = _asked(ask.question, ask.limit)
        if self._reading(question) is not None:
            return None
        hits, evidence = self._weighed(question, ask.limit)
        if evidence.quote is None:
            return None
        order = _order(hits, evidence)
        sources = _sources(hits, order)
        if self._memory is not None and self._memory.recall(self._memory.key(ask, question, evidence.quote, sources)):
            return None
        return Turn(partial(messages, question, hits, evidence, order), ANSWER_TOKENS)

    def _passages(self, question: str, limit: int, before: Earlier | None = None) -> tuple[list[Hit], str]:
        hits: list[Hit] = []
        note = ""
        for _, hits, note in self._library.search(question, limit, True):  # noqa: B007  # the last stage is the best
            pass
        if before is not None:
            hits = followup.joined(hits, self._passages(before.question, limit)[0], before.sources)
        return hits, note

    def _weighed(self, question: str, limit: int, before: Earlier | None = None) -> tuple[list[Hit], Evidence]:
        hits, _ = self._passages(question, limit, before)
        return hits, weigh(question, hits, self._library)

    def is_listed(self, typed: str, follows: int = 0) -> bool:
        """Whether a question is about the catalog itself, which answers it without any model.

        Raises:
            BadInput: the question cannot be asked.
        """
        question, _ = self._understood(_asked(typed, MOST_HITS), follows)
        return self._reading(question) is not None

    def _reading(self, question: str) -> Reading | None:
        return read(question, self._today(), self._library)

    def _listed(self, question: str, started: float) -> Listed | None:
        reading = self._reading(question)
        if reading is None:
            return None
        listed = listing(
            reading.query,
            self._library.listed,
            reading.when,
            counted=reading.counted,
            narrowed=self._library.narrowed,
        )
        return structs.replace(listed, ms=_since(started))

    def _answered_by(
        self, listed: Listed, question: str, started: float, hits: Sequence[Hit] = (), note: str = ""
    ) -> Answered:
        return Answered(
            question=question,
            answer=listed.title,
            quote=None,
            sources=_sources(hits, range(min(len(hits), CLOSEST))),
            sentences=[],
            route=[LISTED_STEP if listed.total else LISTED_NONE],
            timings=Timings(total_ms=_since(started)),
            note=note,
            coverage=self._coverage(),
            listed=listed,
        )

    def _offered(self, ask: Ask, evidence: Evidence, spoken: Spoken, sources: list[Source]) -> str:
        outcomes = {step.outcome for step in spoken.steps if step.kind == "cloud"}
        if outcomes - {ASK_FIRST.rstrip(".")} or ask.consent or ask.offline or not ask.model or evidence.quote is None:
            return ""
        return self._offer([source.path for source in sources])

    def _conclusion(self, evidence: Evidence, spoken: Spoken, sources: list[Source]) -> tuple[str, list[Sentence]]:
        if evidence.quote is None:
            return (NOT_SAID if sources else NOTHING_FOUND), []
        if not spoken.text.strip():
            return evidence.quote.text, [Sentence(evidence.quote.text, 1)]
        prose = spoken.text.strip()
        return prose, ground(prose, sources)

    def _kept(self, ask: Ask, reply: Reply) -> Answered:
        answered = reply.answered
        if self._history is None or not ask.keep or answered.remembered_at:
            return answered
        owed = None
        lent = (*answered.given, *reply.before.paths) if reply.before is not None and answered.read_as else ()
        paths = [source.path for source in answered.sources]
        if reply.spoken.outage and not ask.offline and self._owes(ask, paths, lent):
            whole = answered.read_as or questions.clean(ask.question)
            owed = structs.replace(
                ask, question=whole, consent=False, fresh=False, follows=0, shorter=False, bigger=False
            )
            answered = _with_note(answered, LATER)
        try:
            number = self._history.add(answered, owed, reply.key)
        except ProfileUnusable as problem:
            return _with_note(reply.answered, str(problem))
        return structs.replace(answered, number=number)


def _asked(typed: str, limit: int) -> str:
    question = questions.clean(parse(questions.clean(typed), exact=False).words)
    if not 1 <= limit <= MOST_HITS:
        raise BadInput(f"The number of passages must be between 1 and {MOST_HITS}.")
    return question


def _shortened(spoken: Spoken) -> Spoken:
    """The first two sentences alone; of one that the limit has cut off nothing, where there is a whole one before."""
    spans = spans_of(spoken.text)
    if len(spans) > 1 and spoken.text.rstrip()[-1] not in ".!?。！？":
        spans = spans[:-1]
    if not spans:
        return spoken
    end = spans[:SHORT_SENTENCES][-1][1]
    steps = [step if (step.start or 0) < end else structs.replace(step, start=None) for step in spoken.steps]
    return structs.replace(spoken, text=spoken.text[:end], steps=steps)


def _order(hits: list[Hit], evidence: Evidence) -> list[int]:
    """The passages the answer rests on, as places among the hits: the quoted one first, then by their best sentence."""
    if evidence.quote is None:
        return list(range(min(len(hits), CLOSEST)))
    limit = RELEVANT * evidence.candidates[0].score
    return list(dict.fromkeys(candidate.hit for candidate in evidence.candidates if candidate.score >= limit))


def _with_note(answered: Answered, words: str) -> Answered:
    return structs.replace(answered, note=f"{answered.note} {words}".strip())


def _sources(hits: Sequence[Hit], order: Iterable[int]) -> list[Source]:
    """The passages at these places among the hits, numbered from 1."""
    return [
        Source(number, hit.path, hit.title, hit.heading, hit.line, hit.page, hit.score, hit.text)
        for number, hit in enumerate((hits[place] for place in order), start=1)
    ]


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
