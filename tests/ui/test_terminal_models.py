"""`offhand models`, over the real wire to an engine that plays a list of models."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted import CommandLine, interrupt
from scripted_models import FETCHED, MODELS, models

from core.protocol import Event, GetModel, ListModels, PauseModel, Problem, RemoveModel, UseModel
from indexer.worker import Cancellation


@pytest.fixture
def played(offhand: CommandLine) -> CommandLine:
    def answer(call: object, _cancelled: Cancellation) -> Iterator[Event]:
        yield models(f"{type(call).__name__} is done.")

    for call in (ListModels, GetModel, PauseModel, UseModel, RemoveModel):
        offhand.engine.answers[call] = answer
    return offhand


def test_the_list_says_what_runs_what_can_be_had_and_what_is_too_large(played: CommandLine) -> None:
    assert played("models").out == (
        "On this machine\n"
        "  SmolLM2-135M-Instruct  in use, 98 MB, Apache-2.0, needs 1.0 GB\n"
        "    Rephrasing a quote on any machine. Reads 312 and writes 63 tokens/s. "
        "A usual answer takes under a second.\n"
        "  Qwen2.5-0.5B-Instruct  being fetched 45 % at 4.2 MB/s, 1 min 4 s left, 491 MB, Apache-2.0, needs 2.0 GB\n"
        "    Short answers in many languages. A usual answer should take about 10 s (an estimate).\n"
        "  mine  paused 50 %, 100 MB, needs 700 MB\n"
        "    The connection to example.org broke. It goes on from there when you get it again.\n"
        "Can be had, and fits into this machine's 8.0 GB of memory\n"
        "  Qwen2.5-1.5B-Instruct  1.1 GB, Apache-2.0, needs 3.0 GB\n"
        "    Answers from several passages. A usual answer should take about 22 s (an estimate).\n"
        "Needs more memory than this machine has\n"
        "  Llama-3.1-8B-Instruct  4.9 GB, Llama 3.1 Community, needs 9.0 GB\n"
        "    The best answers of this list. A usual answer should take about 2 min (an estimate).\n"
    )
    ran = played("models", "--json")
    assert [one["name"] for one in ran.object["models"]] == [info.name for info in MODELS]
    assert (ran.object["memory"], ran.object["free"]) == (8_000_000_000, 20_000_000_000)


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (("get", "Qwen2.5-1.5B-Instruct"), GetModel("Qwen2.5-1.5B-Instruct", wait=True)),
        (("get", "https://example.org/a.gguf"), GetModel("https://example.org/a.gguf", wait=True)),
        (("get", "mine.gguf"), GetModel(str(Path.cwd() / "mine.gguf"), wait=True)),
        (("use", "mine"), UseModel("mine")),
        (("use", "./mine.gguf"), UseModel(str(Path.cwd() / "mine.gguf"))),
        (("remove", "mine"), RemoveModel("mine")),
    ],
)
def test_each_command_is_one_call(words: tuple[str, ...], call: object, played: CommandLine) -> None:
    ran = played("models", *words)
    assert played.engine.calls == [call]
    assert (ran.status, ran.out) == (0, f"{type(call).__name__} is done.\n")
    assert played("models", *words, "--json").object["note"] == f"{type(call).__name__} is done."


def test_a_pause_says_how_it_goes_on(played: CommandLine) -> None:
    assert played("models", "pause", "mine").out == "mine rests. `offhand models get mine` goes on with it.\n"
    assert played.engine.calls == [PauseModel("mine")]


def test_a_download_that_fails_is_one_sentence(offhand: CommandLine) -> None:
    def answer(_call: object, _cancelled: Cancellation) -> Iterator[Event]:
        yield models()
        raise Problem("example.org does not have it.", "Choose another model.", kind="download")

    offhand.engine.answers[GetModel] = answer
    ran = offhand("models", "get", "mine")
    assert (ran.status, ran.out, ran.err) == (4, "", "offhand: example.org does not have it. Choose another model.\n")


def test_ctrl_c_leaves_it_to_the_engine(offhand: CommandLine) -> None:
    def answer(_call: object, cancelled: Cancellation) -> Iterator[Event]:
        yield models()
        interrupt()
        cancelled.wait(5)

    offhand.engine.answers[GetModel] = answer
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ran = offhand("models", "get", "mine")
    assert ran.status == 130
    assert "It is fetched in the background." in ran.err
    assert FETCHED not in ran.out
