"""`offhand ask` over the real wire: what is printed in which order, how it is stopped, what an engine's death costs."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from scripted import CommandLine, ScriptedForTerminal, interrupt
from scripted_engine import NOTES, PROSE, QUOTE, hits, sources, wait_for

from core.paths import ROOT, Profile
from core.protocol import (
    Answered,
    Ask,
    CatalogItem,
    Event,
    Found,
    Listed,
    Piece,
    Problem,
    Quoted,
    Restart,
    RouteStep,
    Sentence,
    Step,
    Timings,
)
from indexer.worker import Cancellation
from ui.terminal.card import marked


def test_a_question_in_a_folder_and_between_days(
    offhand: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    offhand("ask", "why", "--folder", "house", "--after", "2026-03-01", "--before", "2026-03-31", "--json")
    (call,) = offhand.engine.calls
    assert call == Ask("why", folder=str(tmp_path / "house"), after="2026-03-01", before="2026-03-31")


def test_quote_prose_sources_and_timings_come_in_this_order_and_each_once(offhand: CommandLine) -> None:
    ran = offhand("ask", "why", "tiles?")
    assert ran.status == 0
    assert offhand.engine.calls == [Ask("why tiles?", model=True, offline=False, limit=6)]
    marks = [
        f"> {QUOTE.text}",
        f"\n  {NOTES}/house/roof.md:31\n",
        f"{PROSE[0].text} [1]",
        f"[4] {NOTES}/house/survey-2025.pdf",
        "in all 1.9 s",
    ]
    positions = [ran.out.index(mark) for mark in marks]
    assert positions == sorted(positions)
    assert f" 1  {NOTES}/house/roof.md:31" not in ran.out, "a passage that is a source is not listed twice"
    for source in sources():
        assert ran.out.count(f"[{source.n}] {source.path}") == 1


def test_a_quote_that_is_the_answer_is_said_once(offhand: CommandLine) -> None:
    def quoted(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        yield Found(hits()[:1], "fused", 1.0)
        yield Quoted(QUOTE, 2.0)
        yield Answered("why", QUOTE.text, QUOTE, sources()[:1], [Sentence(QUOTE.text, 1)], [], Timings())

    offhand.engine.answers[Ask] = quoted
    out = offhand("ask", "why", "--no-model").out
    assert out.count(QUOTE.text) == 1
    assert f"[1] {sources()[0].path}" in out


def test_a_sentence_that_the_notes_do_not_support_is_marked(offhand: CommandLine) -> None:
    out = offhand("ask", "why").out
    assert f"{PROSE[2].text} (not from your notes)" in out
    assert out.count("(not from your notes)") == 1


def test_the_options_reach_the_engine(offhand: CommandLine) -> None:
    offhand("ask", "why", "--no-model", "--offline", "-n", "3", "--json")
    assert offhand.engine.calls == [Ask("why", model=False, offline=True, limit=3)]


def test_json_has_exactly_the_documented_keys(offhand: CommandLine) -> None:
    ran = offhand("ask", "why", "--json")
    answer = ran.object
    assert list(answer) == [
        "question", "answer", "quote", "sources", "sentences", "route", "timings", "note", "coverage", "offer",
        "remembered_at",
        "listed", "number", "follows", "read_as", "given",
    ]  # fmt: skip
    assert list(answer["quote"]) == ["text", "path", "line", "page", "start", "end"]
    assert list(answer["sources"][0]) == ["n", "path", "title", "heading", "line", "page", "score", "text"]
    assert answer["sentences"][2] == {"text": PROSE[2].text, "source": None, "foreign": []}
    assert answer["route"][0] == {"kind": "quote", "model": "", "outcome": "ok", "start": None}
    assert list(answer["timings"]) == ["passages_ms", "quote_ms", "first_token_ms", "total_ms"]
    assert ran.err == ""


LISTED = Listed(
    "2 open tasks due this week (23–29 November 2026)",
    "tasks",
    3,
    [
        CatalogItem("Pay \x1b[31mthe deposit", f"{NOTES}/house/roof.md", "Roof", "Decision", 33, "2026-11-26", "open"),
        CatalogItem("Call Lindqvist", f"{NOTES}/inbox.txt", "inbox", "", 27, "", "done"),
    ],
)


def listing(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
    yield LISTED
    yield Answered("due?", LISTED.title, None, [], [], [Step("catalog", "", "ok")], Timings(), listed=LISTED)


def test_a_list_is_printed_with_a_place_for_each_line(offhand: CommandLine) -> None:
    offhand.engine.answers[Ask] = listing
    out = offhand("ask", "what is due this week?").out
    assert out.count(LISTED.title) == 1
    assert f"[ ] Pay [31mthe deposit  {NOTES}/house/roof.md:33  due 26 Nov 2026, Decision" in out
    assert f"[x] Call Lindqvist  {NOTES}/inbox.txt:27" in out
    assert "and 1 more" in out
    assert "Your notes do not seem to say this." not in out
    assert "catalog: ok" in out


def test_an_empty_list_is_said_above_the_passages(offhand: CommandLine) -> None:
    nothing = Listed("No open task is due today (24 November 2026).", "tasks", 0, [])

    def empty(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        yield nothing
        yield Found(hits()[:1], "fused", 1.0)
        yield Quoted(None, 2.0)
        yield Answered("due?", nothing.title, None, sources()[:1], [], [], Timings(), listed=nothing)

    offhand.engine.answers[Ask] = empty
    out = offhand("ask", "what is due today?").out
    assert out.count(nothing.title) == 1
    assert "Your notes do not seem to say this." not in out
    assert f"[1] {sources()[0].path}" in out


def test_the_json_of_a_list_has_exactly_the_documented_keys(offhand: CommandLine) -> None:
    offhand.engine.answers[Ask] = listing
    listed = offhand("ask", "what is due this week?", "--json").object["listed"]
    assert list(listed) == ["type", "title", "kind", "total", "items", "counted", "ms"]
    assert list(listed["items"][0]) == ["text", "path", "title", "heading", "line", "date", "state", "count"]


def test_not_in_your_notes_is_an_answer(offhand: CommandLine) -> None:
    offhand.engine.script.quote = None
    offhand.engine.script.sentences = []
    ran = offhand("ask", "who is the king")
    assert ran.status == 0
    assert "Your notes do not seem to say this." in ran.out
    assert offhand("ask", "who is the king", "--json").object["quote"] is None


def test_a_question_from_standard_input(offhand: CommandLine) -> None:
    offhand("ask", "-", stdin="why “tiles”?\n".encode())
    assert offhand.engine.calls == [Ask("why “tiles”?")]


def test_standard_input_that_is_not_utf8_is_refused(offhand: CommandLine) -> None:
    ran = offhand("ask", "-", "--json", stdin=b"\xff\xfe\x00")
    assert ran.status == 3
    assert ran.object["error"]["kind"] == "input"
    assert offhand.engine.calls == []


def test_a_hundred_thousand_characters_reach_the_engine_whose_refusal_is_one_sentence(offhand: CommandLine) -> None:
    def refuse(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        raise Problem(f"The question has {len(call.question):,} characters.", "Ask in a few sentences.", kind="input")

    offhand.engine.answers[Ask] = refuse
    ran = offhand("ask", "x" * 100_000)
    assert ran.status == 3
    assert ran.err == "offhand: The question has 100,000 characters. Ask in a few sentences.\n"


def broken_off(call: Ask, cancelled: Cancellation, *, json: bool = False) -> Iterator[Event]:
    yield Found(hits()[:4], "fused", 12.0)
    yield RouteStep(Step("local", "small", "asked"))
    yield Piece("The tiles are ")
    yield Quoted(QUOTE, 34.0)
    wait_for(lambda: json or QUOTE.text.encode() in sys.stdout.buffer.getvalue())
    interrupt()
    cancelled.wait(10)
    stopped.append(cancelled.requested)


stopped: list[bool] = []


def test_ctrl_c_keeps_what_is_there_and_stops_the_engine(offhand: CommandLine) -> None:
    stopped.clear()
    offhand.engine.answers[Ask] = broken_off
    ran = offhand("ask", "why")
    assert ran.status == 130
    assert QUOTE.text in ran.out
    assert "The tiles are" in ran.out
    assert ran.out.endswith("Stopped.\n")
    wait_for(lambda: stopped == [True])


def test_ctrl_c_with_json_still_gives_one_object(offhand: CommandLine) -> None:
    offhand.engine.answers[Ask] = partial(broken_off, json=True)
    ran = offhand("ask", "why", "--json")
    assert ran.status == 130
    assert ran.object["error"]["kind"] == "interrupted"


def dies_once(engine: ScriptedForTerminal) -> None:
    """Let the engine die in the middle of the first answer; the next one is whole."""

    def answer(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        del engine.answers[Ask]
        yield Found(hits()[:4], "fused", 12.0)
        yield Piece("Half a sen")
        engine.cut()

    engine.answers[Ask] = answer


def test_the_engine_dies_in_mid_answer_and_the_question_is_asked_again(offhand: CommandLine) -> None:
    dies_once(offhand.engine)
    ran = offhand("ask", "why")
    assert ran.status == 0
    assert ran.err.count("The engine ended and was started again.") == 1
    assert "Half a sen" not in ran.out
    assert PROSE[0].text in ran.out
    assert offhand.engine.calls == [Ask("why"), Ask("why")]


def test_the_engine_dies_twice_and_that_is_said(offhand: CommandLine) -> None:
    def answer(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        yield Quoted(QUOTE, 34.0)
        offhand.engine.cut()
        cancelled.wait(5)

    offhand.engine.answers[Ask] = answer
    ran = offhand("ask", "why", "--json")
    assert ran.status == 4
    assert ran.object["error"]["kind"] == "gone"


def test_the_models_turns_and_the_note_are_told(offhand: CommandLine) -> None:
    route = [Step("quote", "", "ok"), Step("local", "small", "stopped answering"), Step("cloud", "large", "ok")]

    def answer(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        yield Quoted(QUOTE, 34.0)
        timings = Timings(None, 34.0, None, 90.0)
        yield Answered(call.question, "One. Two.", QUOTE, sources(1), [], route, timings, "The local model ended.")

    offhand.engine.answers[Ask] = answer
    out = offhand("ask", "why").out
    assert "local small: stopped answering · cloud large: ok · quote 34 ms · in all 90 ms" in out
    assert "The local model ended." in out


def test_the_seam_is_in_the_printed_answer_and_in_the_json_route(offhand: CommandLine) -> None:
    route = [Step("cloud", "large", "stopped: it broke off", 0), Step("local", "small", "ok", 5)]

    def answer(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        yield Quoted(QUOTE, 34.0)
        sentences = [Sentence("One two.", 1), Sentence("Three.", None)]
        yield Answered(call.question, "One two. Three.", QUOTE, sources(1), sentences, route, Timings())

    offhand.engine.answers[Ask] = answer
    out = offhand("ask", "why").out
    assert "One t[small goes on]wo. [1] Three. (not from your notes)" in out
    assert [step["start"] for step in offhand("ask", "why", "--json").object["route"]] == [0, 5]


def test_words_that_a_new_version_is_replacing_are_still_there_when_it_stops(offhand: CommandLine) -> None:
    def answer(call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        yield RouteStep(Step("local", "small", "asked"))
        yield Piece("The tiles are made of clay")
        yield RouteStep(Step("local", "small", "stopped: it broke off"))
        yield RouteStep(Step("cloud", "large", "asked"))
        yield Restart()
        yield Piece("Clay, ")
        yield Quoted(QUOTE, 34.0)
        wait_for(lambda: QUOTE.text.encode() in sys.stdout.buffer.getvalue())
        interrupt()
        cancelled.wait(10)

    offhand.engine.answers[Ask] = answer
    out = offhand("ask", "why").out
    assert "The tiles are made of clay\n\nClay," in out


def on_a_terminal(profile: Profile, *arguments: str, **environment: str) -> tuple["subprocess.Popen[bytes]", int]:
    """Start the real program with a terminal of 24 lines as its standard output; returns it and the other end."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "24", **environment},
    )
    os.close(theirs)
    return process, ours


def read_until(end: int, wanted: str | None = None) -> str:
    """What the terminal showed until `wanted` came, or until its end."""
    seen = b""
    while wanted is None or wanted.encode() not in seen:
        try:
            piece = os.read(end, 65536)
        except OSError:  # Linux's word for a terminal that nobody holds open any more
            break
        if not piece:
            break
        seen += piece
    return seen.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
def test_on_a_terminal_the_answer_streams_and_ctrl_c_leaves_it_standing(offhand: CommandLine) -> None:
    offhand.engine.script.pause = 0.02
    offhand.engine.script.sentences = [Sentence(" ".join(f"word{n}" for n in range(5000)), 1)]
    process, end = on_a_terminal(offhand.profile, "ask", "why")
    try:
        before = read_until(end, "word40 ")
        process.send_signal(signal.SIGINT)
        after = read_until(end)
    finally:
        assert process.wait(20) == 130
        os.close(end)
    assert "╭" in before  # the quote in its frame
    assert "\x1b]8;" in before  # the place is a link
    assert "Stopped." in after
    assert "Traceback" not in before + after
    wait_for(lambda: offhand.engine.cancelled == [Ask("why")])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
def test_no_color_is_honoured(offhand: CommandLine) -> None:
    process, end = on_a_terminal(offhand.profile, "search", "roof", NO_COLOR="1")
    seen = read_until(end)
    os.close(end)
    assert process.wait(20) == 0
    assert "roof.md:31" in seen
    assert "\x1b[3" not in seen.replace("\x1b[3m", "")  # no foreground colour; italics are not one


def test_a_reader_that_leaves_early_is_no_failure(offhand: CommandLine, tmp_path: Path) -> None:
    offhand.engine.script.hits = [msgspec.structs.replace(hits()[0], text="roof " * 1000) for _ in range(1000)]
    command = f"{sys.executable} {ROOT / 'main.py'} search roof -n 1000 | head -c 1; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0
    assert "Traceback" not in ran.stderr
    assert "Broken" not in ran.stderr


def test_the_words_that_stand_in_no_note_are_named_behind_their_sentence() -> None:
    said = marked("Gustav paid 900 euros.", [Sentence("Gustav paid 900 euros.", None, ["Gustav", "900"])])
    assert said.plain == "Gustav paid 900 euros. (not from your notes: Gustav, 900)"
