"""`offhand eval` over the real wire, against a scripted engine; `tests/core` has the real one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from scripted import CommandLine, interrupt
from scripted_engine import COUNTS, QUOTE, REPORT, hits

from core.protocol import Answered, Ask, Event, Found, Piece, Problem, Quoted, Step, Timings
from indexer.worker import Cancellation

ROOF = {"id": "a", "question": "Which tiles?", "answers": ["clay tiles"], "file": "house/roof.md"}
OTHER = {"question": "Who came?", "answers": ["nobody"], "file": "meetings/2026-03-02-roofer.md"}
ABSENT = {"question": "Whose boat is it?", "answers": []}
ONLY_TIMES = {"question": "Why?"}


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in (ROOF, OTHER, ABSENT, ONLY_TIMES)))
    return path


@pytest.fixture
def offhand(offhand: CommandLine) -> CommandLine:
    def answer(call: Ask, _cancelled: Cancellation) -> Iterator[Event]:
        quote = None if call.question == ABSENT["question"] else QUOTE
        yield Found(hits()[:3], "fused", 1.0)
        yield Quoted(quote, 2.0)
        route = []
        if call.model and quote is not None:
            yield Piece("Clay.")
            route = [Step("local", "Small.Q4_1.gguf", "ok", 0)]
        yield Answered(call.question, "Clay.", quote, [], [], route, Timings())

    offhand.engine.answers[Ask] = answer
    return offhand


def asked(offhand: CommandLine) -> list[Ask]:
    return [call for call in offhand.engine.calls if isinstance(call, Ask)]


def test_the_figures_stand_in_a_table(offhand: CommandLine, questions: Path) -> None:
    ran = offhand("eval", str(questions))
    assert (ran.status, ran.err) == (0, "")
    table = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert "4 questions, Small" in table
    for line in (
        "the right file is first (hit@1) 50 % 2",
        "the right file is in the first five (hit@5) 100 % 2",
        "answerable, and a quote is given 100 % 2",
        "the quote holds a right answer 50 % 2",
        "unanswerable, and nothing is quoted 100 % 1",
    ):
        assert line in table
    (first,) = [line for line in table if line.startswith("to the first word of prose (p50 / p95)")]
    assert first.endswith(" 3")


def test_what_it_asks_leaves_nothing_behind_and_goes_to_no_cloud_model(offhand: CommandLine, questions: Path) -> None:
    offhand("eval", str(questions), "-n", "9")
    assert asked(offhand)[0] == Ask("Which tiles?", limit=9, cloud=False, keep=False, fresh=True)
    offhand("eval", str(questions), "--cloud", "--no-model")
    assert asked(offhand)[-1] == Ask("Why?", model=False, consent=True, keep=False, fresh=True)


def test_a_script_gets_the_figures_and_each_question(offhand: CommandLine, questions: Path) -> None:
    told = offhand("eval", str(questions), "--json").object
    assert told["figures"]["hit_at_1"] == {"count": 1, "of": 2}
    assert told["figures"]["first_token_ms"]["count"] == 3
    assert (told["refused"], told["stopped"]) == ([], False)
    first, second, third, fourth = told["questions"]
    assert (first["line"], first["id"], first["place"], first["held"]) == (1, "a", 1, True)
    assert (second["place"], second["held"]) == (2, False)
    assert (third["quoted"], third["held"], third["first_token_ms"]) == (False, None, None)
    assert (fourth["place"], fourth["models"]) == (None, ["Small.Q4_1.gguf"])


def test_bad_lines_and_refused_questions_are_told_and_the_others_go_on(offhand: CommandLine, questions: Path) -> None:
    answer = offhand.engine.answers[Ask]

    def refuse(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        if call.question == OTHER["question"]:
            raise Problem("The question has no words in it.", "Type what you want to know.", kind="input")
        yield from answer(call, cancelled)

    offhand.engine.answers[Ask] = refuse
    questions.write_text(questions.read_text() + "\n{broken")
    ran = offhand("eval", str(questions))
    assert ran.status == 0
    assert "3 questions, Small" in ran.out
    bad, refused = ran.err.splitlines()
    assert bad.startswith("Line 5 is left out: it is not valid JSON")
    assert refused == "Line 2 cannot be asked: The question has no words in it. Type what you want to know."
    told = offhand("eval", str(questions), "--json").object
    assert [sentence[:6] for sentence in told["refused"]] == ["Line 5", "Line 2"]


def test_a_failure_that_is_not_the_questions_ends_it_after_the_figures_so_far(
    offhand: CommandLine, questions: Path
) -> None:
    answer = offhand.engine.answers[Ask]

    def fail(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        if call.question == ABSENT["question"]:
            raise Problem("The catalog cannot be read.", "See `offhand doctor`.", kind="profile")
        yield from answer(call, cancelled)

    offhand.engine.answers[Ask] = fail
    ran = offhand("eval", str(questions))
    assert ran.status == 4
    assert "2 questions, Small" in ran.out
    assert "The catalog cannot be read." in ran.err
    assert offhand("eval", str(questions), "--json").object["error"]["kind"] == "profile"


@pytest.mark.parametrize("json", [False, True])
def test_ctrl_c_gives_the_figures_so_far(offhand: CommandLine, questions: Path, json: bool) -> None:
    answer = offhand.engine.answers[Ask]

    def stop(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        if call.question == ABSENT["question"]:
            interrupt()
            while not cancelled.wait(0.02):
                pass
        yield from answer(call, cancelled)

    offhand.engine.answers[Ask] = stop
    ran = offhand("eval", str(questions), *(["--json"] if json else []))
    assert ran.status == 130
    if json:
        assert (ran.object["figures"]["questions"], ran.object["stopped"]) == (2, True)
    else:
        assert "2 questions, Small" in ran.out
        assert "Stopped; 2 of 4 questions were not asked." in ran.out


def test_a_library_that_is_not_read_yet_is_said(offhand: CommandLine, questions: Path) -> None:
    offhand.engine.script.report = replace(REPORT, counts=replace(COUNTS, waiting=3))
    assert "Not everything is read yet" in offhand("eval", str(questions)).err


def test_a_list_that_is_not_there_is_refused_before_the_engine_hears_of_it(offhand: CommandLine) -> None:
    ran = offhand("eval", "nowhere.jsonl", "--json")
    assert ran.status == 3
    assert "nowhere.jsonl cannot be read" in ran.object["error"]["what"]
    assert offhand.engine.calls == []
