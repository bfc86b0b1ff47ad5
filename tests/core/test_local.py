"""The local model in its own process, as the engine has it."""

import time
from pathlib import Path

import psutil
import pytest

from core.models import llama
from core.models.llama import Generate, Reading, Warm
from core.models.local import LocalModel, fitting
from core.models.model import Event, Finished, Message, ModelFailed, Token, Turn
from indexer.child import Child
from indexer.worker import Cancellation, start_thread
from tests.core.conftest import language_child

QUESTION = [Message("user", "Say hello to Anna in one short sentence.")]
SHEEP = "Sheep graze. " * 120


def turn(max_tokens: int, question: str = "", so_far: str = "") -> Turn:
    return Turn(lambda _: [Message("user", question)] if question else QUESTION, max_tokens, so_far)


def written(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def test_the_model_answers_from_its_own_process(child: Child[llama.Call, llama.Event]):
    events = list(LocalModel(child, "starter").stream(turn(30), Cancellation()))
    assert "Anna" in written(events)
    assert isinstance(events[-1], Finished)


def test_a_small_model_is_given_the_quote_alone(child: Child[llama.Call, llama.Event]):
    asked = []
    list(LocalModel(child, "starter").stream(Turn(lambda notes: (asked.append(notes), QUESTION)[1], 2), Cancellation()))
    assert asked == [0]


def test_the_death_of_the_process_is_one_sentence_and_the_next_question_works(child: Child[llama.Call, llama.Event]):
    model = LocalModel(child, "starter")
    events = model.stream(turn(200, "Write a long story about boats."), Cancellation())
    assert isinstance(next(events), Token)
    assert child.pid is not None
    psutil.Process(child.pid).kill()
    with pytest.raises(ModelFailed, match="ended unexpectedly"):
        list(events)
    assert list(model.stream(turn(3), Cancellation()))


def test_a_process_that_died_too_often_is_off_and_says_so(child: Child[llama.Call, llama.Event], monkeypatch):
    monkeypatch.setattr("indexer.child.BACK_OFF", (0.0,))
    for _ in range(3):
        child.ask(Warm())
        child.kill()
    with pytest.raises(ModelFailed, match="It is off"):
        list(LocalModel(child, "starter").stream(turn(3), Cancellation()))


def test_a_stop_while_the_prompt_is_read_ends_the_stream_without_words(child: Child[llama.Call, llama.Event]):
    cancelled = Cancellation()
    model = LocalModel(child, "starter")
    child.ask(Warm())
    start_thread("stop", lambda: (time.sleep(0.1), cancelled.cancel()))
    assert list(model.stream(turn(20, SHEEP), cancelled)) == []
    assert list(model.stream(turn(2), Cancellation()))


def test_a_missing_model_is_told_by_the_process(tmp_path: Path):
    child = language_child(tmp_path / "gone.gguf", tmp_path)
    try:
        with pytest.raises(Exception, match=r"gone\.gguf cannot be read") as problem:
            list(LocalModel(child, "gone").stream(turn(3), Cancellation()))
        assert problem.value.kind == "model"
    finally:
        child.stop()


def test_what_was_made_ready_is_not_read_again(child: Child[llama.Call, llama.Event]):
    model = LocalModel(child, "starter")
    model.prepare(turn(20, SHEEP, "The sheep gra"), Cancellation())
    call = Generate([Message("user", SHEEP)], 20, "The sheep gra")
    events = list(child.call(call))
    assert not [event for event in events if isinstance(event, Reading)]
    assert isinstance(events[-1], Finished)


def test_making_ready_stops_when_it_is_not_wanted_any_more(child: Child[llama.Call, llama.Event]):
    cancelled = Cancellation()
    child.ask(Warm())
    start_thread("stop", lambda: (time.sleep(0.1), cancelled.cancel()))
    LocalModel(child, "starter").prepare(turn(20, SHEEP), cancelled)
    read = [event for event in child.call(Generate([Message("user", SHEEP)], 1)) if isinstance(event, Reading)]
    assert read[-1].done == read[-1].total


SIZED = [(0, 1.5, 380), (340, 1.5, 380), (340, 3.0, 820), (30, 1.5, 100), (1e6, 9, 820)]


@pytest.mark.parametrize(("rate", "seconds", "tokens"), SIZED)
def test_a_prompt_is_as_long_as_the_wait_allows(rate: float, seconds: float, tokens: int):
    assert fitting(rate, seconds) == tokens


def test_rates_that_differ_a_little_make_the_same_prompt():
    assert len({fitting(rate, 2.0) for rate in (150, 153, 156, 160, 165)}) == 1
