"""A question answered: passages, the quote, prose if it may be, each sentence bound to its source; then kept.

The quote needs no model. Where the notes do not say it, no model is asked to fill the gap.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from core.answering import grounding, prompt, question, quote
from core.answering.history import History
from core.answering.library import Library
from core.models.model import ChatModel, Message
from core.models.route import Route, Spoken
from core.protocol import Answered, Ask, Event, Found, Quote, Quoted, RouteStep, Source, Step, Timings
from indexer.records import Hit, Problem
from indexer.worker import Cancellation

log = logging.getLogger(__name__)

MOST_TOKENS = 120  # of prose: it stands under the quote and adds to it
SILENT = "Your notes do not seem to say this. The closest passages are below."


class Answering:
    """Answers questions.

    Args:
        library: the person's notes.
        route: makes the route for one question; its argument says whether the network is closed for it.
        history: where answers are kept.
    """

    def __init__(self, library: Library, route: Callable[[bool], Route], history: History) -> None:
        self._library = library
        self._route = route
        self._history = history

    def answer(self, call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one question; see `core.protocol.Ask` for the events.

        Raises:
            BadInput: it is no question.
        """
        clock = _Clock()
        asked = question.clean(call.question)
        hits, note = self._passages(asked, call.limit)
        passages_ms = clock.ms()
        yield Found(hits, "fused", passages_ms, note)
        evidence = quote.weigh(asked, hits, self._library)
        quote_ms = clock.ms()
        yield Quoted(evidence.quote, quote_ms)
        steps = [Step("quote", "", "ok" if evidence.quote else "the notes do not seem to say it")]
        first_ms = None
        spoken = Spoken("", [], "")
        if evidence.quote is not None and call.model and not cancelled.requested:

            def ask(model: ChatModel) -> list[Message]:
                return prompt.messages(asked, hits, evidence, model.notes_tokens)

            for event in self._route(call.offline).speak(ask, MOST_TOKENS, cancelled):
                if isinstance(event, Spoken):
                    spoken = event
                    continue
                if first_ms is None and not isinstance(event, RouteStep):
                    first_ms = clock.ms()
                yield event
        answered = Answered(
            question=asked,
            answer=spoken.text.strip() or _without_prose(evidence.quote),
            quote=evidence.quote,
            sources=_sources(hits),
            sentences=grounding.bind(spoken.text, asked, hits),
            route=[*steps, *spoken.steps],
            timings=Timings(passages_ms, quote_ms, first_ms, clock.ms()),
            note=" ".join(part for part in (note, spoken.note) if part),
        )
        self._keep(answered)
        yield answered

    def _passages(self, asked: str, limit: int) -> tuple[list[Hit], str]:
        hits: list[Hit] = []
        note = ""
        for _, hits, note in self._library.search(asked, limit, True):  # noqa: B007  # the last ranking counts
            pass
        return hits, note

    def _keep(self, answered: Answered) -> None:
        try:
            self._history.add(answered)
        except Problem as problem:
            log.info("%s", problem)  # the answer stands; that it is not kept is no reason to spoil it


class _Clock:
    def __init__(self) -> None:
        self._started = time.perf_counter()

    def ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)


def _without_prose(found: Quote | None) -> str:
    return found.text if found is not None else SILENT


def _sources(hits: Sequence[Hit]) -> list[Source]:
    return [
        Source(number, hit.path, hit.title, hit.heading, hit.line, hit.page, round(hit.score, 4), hit.text)
        for number, hit in enumerate(hits, 1)
    ]
