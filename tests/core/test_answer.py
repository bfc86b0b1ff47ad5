"""A question's whole way. The library is a shelf in memory with the real embedding model, the route and the history
are real. The model at the end of the route is scripted: no real one can be made to say, or to fail at, a given word.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from shelf import Shelf

from core.answering.answer import NOT_SAID, NOTHING_FOUND, Answering
from core.answering.history import History
from core.errors import BadInput
from core.models.model import Finished, Message, ModelFailed, Token, Turn
from core.models.route import Route
from core.protocol import Answered, Ask, Event, Found, Piece, Quoted, RouteKind, RouteStep, Sentence
from indexer.records import Problem
from indexer.worker import Cancellation

VALVE = "Heinz replaced the pressure valve on 3 May. It cost 118 euros."
PASSAGES = [VALVE, "Anna booked the cabin by the lake for June.", "The chimney sweep comes every October."]
QUESTION = "When was the pressure valve replaced?"


class Script:
    """A model that says what it is told to and keeps the prompts it was given."""

    kind: RouteKind = "local"
    name = "scripted"

    def __init__(self, *script: str | Problem | Cancellation, notes_tokens: int = 400) -> None:
        self.prompts: list[list[Message]] = []
        self._script = script
        self._notes_tokens = notes_tokens

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        pass

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Token | Finished]:
        self.prompts.append(list(turn.prompt(self._notes_tokens)))
        for line in self._script:
            match line:
                case Problem():
                    raise line
                case Cancellation():
                    line.cancel()
                    return
                case str():
                    yield Token(line)
        yield Finished("stop")


Asking = Callable[..., list[Event]]


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history.sqlite3")


@pytest.fixture
def asking(embedder: Any, history: History) -> Asking:
    def events(ask: Ask, *models: Script, cancelled: Cancellation | None = None) -> list[Event]:
        answering = Answering(Shelf(PASSAGES, embed=embedder), lambda _offline: Route(models), history)
        return list(answering.answer(ask, cancelled or Cancellation()))

    return events


def last(events: list[Event]) -> Answered:
    assert isinstance(events[-1], Answered)
    return events[-1]


def test_each_stage_is_told_in_its_order(asking: Asking):
    events = asking(Ask(QUESTION), Script("Heinz replaced the pressure valve ", "on 3 May."))
    kinds = [type(event) for event in events]
    assert kinds == [Found, Quoted, RouteStep, Piece, Piece, RouteStep, Answered]
    answered = last(events)
    assert answered.answer == "Heinz replaced the pressure valve on 3 May."
    assert answered.sentences == [Sentence(answered.answer, 1)]
    assert [(step.kind, step.outcome) for step in answered.route] == [("quote", "ok"), ("local", "ok")]


def test_the_quote_is_in_the_first_source_and_the_sources_are_numbered_from_one(asking: Asking):
    answered = last(asking(Ask(QUESTION), Script("On 3 May.")))
    assert answered.quote is not None
    assert answered.quote.text in answered.sources[0].text
    assert [source.n for source in answered.sources] == list(range(1, len(answered.sources) + 1))


def test_what_the_model_makes_up_is_bound_to_no_source(asking: Asking):
    answered = last(asking(Ask(QUESTION), Script("Heinz replaced the pressure valve. Gustav paid 900 euros.")))
    assert [sentence.source for sentence in answered.sentences] == [1, None]


def test_filters_in_a_question_are_told_and_are_no_part_of_it(asking: Asking):
    model = Script("On 3 May.")
    events = asking(Ask(f"{QUESTION} tag:house -cabin"), model)
    found = events[0]
    assert isinstance(found, Found)
    assert [(part.kind, part.value) for part in found.parts] == [("tag", "house"), ("without", "cabin")]
    assert found.words == last(events).question == QUESTION
    assert model.prompts[0][-1].content.endswith(QUESTION)


def test_the_model_gets_the_question_last(asking: Asking):
    model = Script("On 3 May.")
    asking(Ask(f"  {QUESTION}\n"), model)
    ((system, *_, user),) = model.prompts
    assert (system.role, user.role) == ("system", "user")
    assert "Heinz replaced the pressure valve on 3 May" in user.content
    assert user.content.endswith(QUESTION)


@pytest.mark.parametrize(
    ("question", "answer"),
    [("Who won the chess tournament by the lake in Vienna?", NOT_SAID), ("Quantum chromodynamics?", NOTHING_FOUND)],
)
def test_where_the_notes_do_not_say_it_no_model_is_asked_and_the_answer_says_so(
    question: str, answer: str, asking: Asking
):
    model = Script("I know everything.")
    events = asking(Ask(question), model)
    assert [type(event) for event in events] == [Found, Quoted, Answered]
    answered = last(events)
    assert answered.answer == answer
    assert answered.quote is None
    assert answered.sentences == []
    assert answered.route[0].outcome == "the notes do not say"
    assert not model.prompts


@pytest.mark.parametrize("wanted", [True, False])
def test_without_a_model_the_quote_is_the_answer(wanted: bool, asking: Asking):
    answered = last(asking(Ask(QUESTION, model=wanted)))
    assert answered.quote is not None
    assert answered.answer == answered.quote.text
    assert answered.sentences == [Sentence(answered.quote.text, 1)]
    assert ("no model to write with" in answered.note) == wanted


def test_a_model_that_is_not_wanted_is_not_asked(asking: Asking):
    model = Script("No.")
    events = asking(Ask(QUESTION, model=False), model)
    assert [type(event) for event in events] == [Found, Quoted, Answered]
    assert not model.prompts


def test_a_model_that_fails_at_once_leaves_the_quote_and_a_note(asking: Asking):
    answered = last(asking(Ask(QUESTION), Script(ModelFailed("The local model ended.", "Ask again."))))
    assert answered.quote is not None
    assert answered.answer == answered.quote.text
    assert "The local model ended. Ask again." in answered.note


def test_words_before_a_failure_are_kept(asking: Asking):
    answered = last(asking(Ask(QUESTION), Script("Heinz replaced the", ModelFailed("The local model ended."))))
    assert answered.answer == "Heinz replaced the"
    assert answered.route[-1].outcome.startswith("stopped")
    assert "the quote stands" in answered.note


def test_search_without_meaning_still_answers_and_says_what_was_missing(history: History):
    answering = Answering(Shelf(PASSAGES), lambda _offline: Route([]), history)
    answered = last(list(answering.answer(Ask(QUESTION, model=False), Cancellation())))
    assert answered.quote is not None
    assert "3 May" in answered.quote.text
    assert "Search by meaning is switched off." in answered.note


def test_the_route_is_told_whether_the_door_is_closed_for_this_question(embedder: Any, history: History):
    told: list[bool] = []

    def route(ask: Ask) -> Route:
        told.append(ask.offline)
        return Route([])

    answering = Answering(Shelf(PASSAGES, embed=embedder), route, history)
    for offline in (True, False):
        list(answering.answer(Ask(QUESTION, offline=offline), Cancellation()))
    assert told == [True, False]


def test_every_answer_is_kept_a_declined_one_too(asking: Asking, history: History):
    said = last(asking(Ask(QUESTION), Script("On 3 May.")))
    declined = last(asking(Ask("Who won the chess tournament in Vienna?")))
    assert (said.number, declined.number) == (1, 2)
    assert history.recent(5) == [structs.replace(one, number=0) for one in (declined, said)]


def test_an_answer_that_is_not_to_be_kept_is_not(asking: Asking, history: History):
    assert last(asking(Ask(QUESTION, keep=False), Script("On 3 May."))).answer == "On 3 May."
    assert not history.exists


def test_a_history_that_cannot_be_written_costs_a_note_and_not_the_answer(tmp_path: Path, embedder: Any):
    path = tmp_path / "history.sqlite3"
    path.write_bytes(b"no database " * 500)
    answering = Answering(Shelf(PASSAGES, embed=embedder), lambda _offline: Route([]), History(path))
    answered = last(list(answering.answer(Ask(QUESTION, model=False), Cancellation())))
    assert answered.quote is not None
    assert "could not be kept" in answered.note


def test_a_cancelled_question_just_ends_and_is_not_kept(asking: Asking, history: History):
    cancelled = Cancellation()
    events = asking(Ask(QUESTION), Script("Heinz ", cancelled, "never said"), cancelled=cancelled)
    assert not any(isinstance(event, Answered) for event in events)
    assert [event.text for event in events if isinstance(event, Piece)] == ["Heinz "]
    assert history.recent(1) == []


def test_the_stages_times_never_go_backwards(asking: Asking):
    times = last(asking(Ask(QUESTION), Script("On ", "3 May."))).timings
    stages = [times.passages_ms, times.quote_ms, times.first_token_ms, times.total_ms]
    assert None not in stages
    assert all(earlier <= later for earlier, later in pairwise(stages))


def test_a_stage_that_was_not_reached_has_no_time(asking: Asking):
    assert last(asking(Ask(QUESTION, model=False), Script("No."))).timings.first_token_ms is None


@pytest.mark.parametrize(
    "ask", [Ask(""), Ask("?!"), Ask("x" * 100_000), Ask(QUESTION, limit=0), Ask(QUESTION, limit=51)]
)
def test_what_cannot_be_asked_is_refused_before_anything_is_searched(ask: Ask, history: History):
    shelf = Shelf(PASSAGES)
    with pytest.raises(BadInput):
        list(Answering(shelf, lambda _offline: Route([]), history).answer(ask, Cancellation()))
    assert shelf.searches == []
