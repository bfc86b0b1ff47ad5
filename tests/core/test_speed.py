"""How fast a model reads and writes is taken from its calls, kept, and scaled by size for others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models import llama
from core.models.llama import Reading
from core.models.local import LocalModel
from core.models.model import Finished, Message, Token, Turn
from core.models.speed import Meter, Speed, Speeds
from indexer.child import Child
from indexer.worker import Cancellation


def clock(*seconds: float) -> Iterator[float]:
    return iter(seconds)


def test_reading_counts_between_two_events_and_writing_from_the_first_word_to_the_last() -> None:
    ticks = clock(1.0, 1.5, 2.0, 3.0, 3.1, 3.8)
    meter = Meter(lambda: next(ticks))
    for event in (Reading(40, 200), Reading(120, 200), Reading(200, 200), Token("a"), Token("b"), Token("c")):
        meter.take(event)
    assert meter.speed == Speed(160.0, 0.0), "what is not finished says nothing of the writing"
    meter.take(Finished("stop", 200, 9))
    assert meter.speed == Speed(160.0, pytest.approx(8 / 0.8))


def test_a_few_tokens_say_nothing() -> None:
    meter = Meter()
    for event in (Reading(8, 20), Reading(20, 20), Token("a"), Token("b"), Finished("stop", 20, 3)):
        meter.take(event)
    assert meter.speed == Speed()


def test_what_was_measured_is_kept_and_moves_with_each_answer(tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    speeds = Speeds(tmp_path / "speeds.json")
    speeds.add(model, Speed(300.0, 0.0))
    speeds.add(model, Speed(0.0, 60.0))
    speeds.add(model, Speed())
    assert Speeds(tmp_path / "speeds.json").of(model) == Speed(300.0, 60.0)
    speeds.add(model, Speed(200.0, 30.0))
    assert speeds.of(model) == Speed(270.0, 51.0)
    model.write_bytes(b"another file")
    assert speeds.of(model) == Speed()
    assert speeds.of(None) == Speed()


@pytest.mark.parametrize("content", [b"", b"[", b'{"m": 3}'])
def test_a_file_of_figures_that_makes_no_sense_costs_the_figures(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "speeds.json").write_bytes(content)
    assert Speeds(tmp_path / "speeds.json").of(tmp_path) == Speed()


def test_a_model_of_ten_times_the_size_is_estimated_at_a_tenth() -> None:
    speed = Speed(300.0, 60.0)
    assert speed.scaled(100, 1000) == Speed(30.0, 6.0)
    assert speed.wait(98_000_000) == pytest.approx(60 / 300 + 20 / 60)
    assert Speed(300.0, 0.0).wait(1) is None


def test_a_real_answer_is_measured(child: Child[llama.Call, llama.Event]) -> None:
    measured: list[Speed] = []
    model = LocalModel(child, "starter", measured.append)
    story = [Message("user", "The boat is blue. " * 60 + "Write a long story about it.")]
    for event in model.stream(Turn(lambda _: story, 30), Cancellation()):
        if isinstance(event, Finished):
            break  # as the route does
    assert measured[0].reading > 20
    assert measured[0].writing > 2
