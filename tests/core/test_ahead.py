"""What the local model reads while somebody types: when, for what, and how it stops."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.engine.ahead import ReadAhead
from core.engine.engine import Engine
from core.models.llama import Generate, Reading
from core.models.model import Finished, ModelFailed, Prompt, Token, Turn
from core.protocol import AddFolder, Ask, Call, Configure, Found, Index, Piece, RouteKind, RouteStep, Search
from indexer.worker import Cancellation, start_thread

TYPED = Search("when was the valve replaced", ahead=True)


class Reader:
    """A model that reads until it is stopped, or only notes what it was given."""

    kind: RouteKind = "local"
    name = "reader"

    def __init__(self, *, endless: bool = False) -> None:
        self.turns: list[Turn] = []
        self.began = threading.Event()
        self._endless = endless

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        self.turns.append(turn)
        self.began.set()
        while self._endless and not cancelled.wait(5.0):
            raise AssertionError("nobody stopped it")

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Token | Finished]:
        raise AssertionError("nobody asked")


def ahead(
    reader: Reader, *, at_leisure: bool = True, prompt: Prompt | None = lambda _: []
) -> tuple[ReadAhead, list[Ask]]:
    asks: list[Ask] = []

    def draft(ask: Ask) -> tuple[Reader, Turn] | None:
        asks.append(ask)
        return (reader, Turn(prompt, 160)) if prompt is not None else None

    return ReadAhead(draft, lambda: at_leisure), asks


def test_it_reads_what_the_question_would_be_asked_with() -> None:
    reader = Reader()
    reading, asks = ahead(reader)
    reading.read(Search("valve", folder="/notes", after="2026-01-01", before="2026-02-01"), Cancellation())
    assert asks == [Ask("valve", folder="/notes", after="2026-01-01", before="2026-02-01")]
    assert len(reader.turns) == 1


def test_a_machine_with_better_things_to_do_reads_nothing_and_looks_for_nothing() -> None:
    reader = Reader()
    reading, asks = ahead(reader, at_leisure=False)
    reading.read(TYPED, Cancellation())
    assert not asks
    assert not reader.turns


def test_where_no_local_model_would_be_asked_nothing_is_read() -> None:
    reader = Reader()
    reading, _ = ahead(reader, prompt=None)
    reading.read(TYPED, Cancellation())
    assert not reader.turns


def test_while_an_answer_is_under_way_nothing_is_read() -> None:
    reader = Reader()
    reading, _ = ahead(reader)
    with reading.held_back():
        reading.read(TYPED, Cancellation())
        with reading.held_back():
            pass
        reading.read(TYPED, Cancellation())
    assert not reader.turns
    reading.read(TYPED, Cancellation())
    assert len(reader.turns) == 1


def answered(reading: ReadAhead) -> None:
    with reading.held_back():
        pass


def typed_on(reading: ReadAhead) -> None:
    reading.stop()


@pytest.mark.parametrize("end", [answered, typed_on, "left"])
def test_a_key_a_question_and_whoever_leaves_stop_it(end: Any) -> None:
    reader = Reader(endless=True)
    reading, _ = ahead(reader)
    cancelled = Cancellation()
    thread = start_thread("read", reading.read, TYPED, cancelled)
    assert reader.began.wait(5)
    if end == "left":
        cancelled.cancel()
    else:
        end(reading)
    thread.join(5)
    assert not thread.is_alive()


def test_only_the_last_one_is_read_for() -> None:
    first, second = Reader(endless=True), Reader()
    readers = iter((first, second))
    reading = ReadAhead(lambda _ask: (next(readers), Turn(lambda _: [], 1)), lambda: True)
    thread = start_thread("read", reading.read, TYPED, Cancellation())
    assert first.began.wait(5)
    reading.read(TYPED, Cancellation())
    thread.join(5)
    assert not thread.is_alive()
    assert second.turns


def test_a_search_that_is_cancelled_already_reads_nothing() -> None:
    reader = Reader()
    reading, asks = ahead(reader)
    cancelled = Cancellation()
    cancelled.cancel()
    reading.read(TYPED, cancelled)
    assert not asks


def test_a_failure_is_nobodys_concern() -> None:
    def fails(_ask: Ask) -> None:
        raise ModelFailed("The local model ended.")

    ReadAhead(fails, lambda: True).read(TYPED, Cancellation())


# ---- in the engine ------------------------------------------------------------------

QUESTION = "When was the pressure valve replaced?"
Handle = Callable[[Call], list[Any]]


@pytest.fixture
def handle(engine: Engine, tmp_path: Path) -> Handle:
    """An engine with a note in its index, in this process."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "boiler.md").write_text("# Boiler\n\nHeinz replaced the pressure valve on 3 May. It cost 118 euros.\n")

    def handled(call: Call) -> list[Any]:
        return list(engine.handle(call, Cancellation()))

    engine.index.start()
    handled(AddFolder(str(folder)))
    handled(Index(wait=True))
    return handled


def unread(engine: Engine) -> list[Reading]:
    """What the model still has to read when the question is asked."""
    drafted = engine._answers.ahead(Ask(QUESTION))
    assert drafted is not None
    _, turn = drafted
    events = engine.children.llm.call(Generate(list(turn.prompt(0)), turn.max_tokens, only_read=True))
    return [event for event in events if isinstance(event, Reading)]


def test_after_a_pause_in_typing_the_question_is_read_but_for_its_answer(engine: Engine, handle: Handle) -> None:
    engine.children.wake_model()
    events = handle(Search(QUESTION, unfinished=True, ahead=True))
    assert [event.stage for event in events if isinstance(event, Found)] == ["words", "fused"]
    assert len(events) == 2
    assert unread(engine) == []
    asked = handle(Ask(QUESTION))
    assert {RouteStep, Piece} <= {type(event) for event in asked}
    assert engine._answers.ahead(Ask(QUESTION)) is None, "its answer is known"


@pytest.mark.parametrize("hinders", ["the model sleeps", "work is paused", "the search is an ordinary one"])
def test_it_is_not_read_where_it_should_not_be(engine: Engine, handle: Handle, hinders: str) -> None:
    if hinders != "the model sleeps":
        engine.children.wake_model()
    if hinders == "work is paused":
        handle(Configure("paused", "on"))
    handle(Search(QUESTION, unfinished=True, ahead=hinders != "the search is an ordinary one"))
    assert unread(engine)


def test_what_is_no_question_yet_is_searched_for_all_the_same(engine: Engine, handle: Handle) -> None:
    engine.children.wake_model()
    assert handle(Search("?", unfinished=True, ahead=True))


def test_the_models_own_beginning_is_read_when_it_is_loaded(engine: Engine, handle: Handle) -> None:
    engine.children.wake_model()
    whole = unread(engine)[-1].total
    engine.children.llm.rest()
    engine.children._warm()
    first = unread(engine)[0]
    assert first.total == whole
    assert first.done > whole / 3, "the instructions and the example are a good part of it"
