"""The small phrases, the answer card and the progress bar of the terminal, without any engine."""

import io
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text
from scripted import progress
from scripted_engine import PROSE, QUOTE, hits, sources

from core.protocol import Answered, Found, Piece, Quoted, RouteStep, Sentence, Step, Timings
from ui.terminal.card import Card, Tail, drawn, marked
from ui.terminal.progress import follow, summary
from ui.terminal.wording import counted, duration, place, printable, trail


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.9, "59 s"), (60, "1 min"), (185, "3 min 5 s"), (7800, "2 h 10 min"),
     (273_600, "3 d 4 h")],
)  # fmt: skip
def test_durations_have_their_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_amounts_agree_with_their_noun() -> None:
    assert [counted(n, "passage") for n in (0, 1, 2500)] == ["0 passages", "1 passage", "2,500 passages"]


def test_control_characters_are_taken_out_and_line_breaks_kept() -> None:
    assert printable("a\x1b[31mb\x07\x00c\x9b\n\td\x7f") == "a[31mbc\n\td"


def test_a_place_is_path_and_line_or_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inside = str(tmp_path / "a" / "b.md")
    assert place(inside, 3) == f"a{os.sep}b.md:3"
    assert place("/elsewhere/b.md", 3) == "/elsewhere/b.md:3"
    assert place("/elsewhere/b.pdf", 3, 7) == "/elsewhere/b.pdf, page 7"
    assert place("/else\nwhere.md", 1) == "/else where.md:1"


def test_a_trail_does_not_repeat_the_title() -> None:
    assert trail("Roof", "Roof › Decision") == "Roof › Decision"
    assert trail("Roof", "Decision") == "Roof › Decision"
    assert trail("Roof", "") == "Roof"
    assert trail("Roof", "Roof") == "Roof"
    assert trail("Car", "Cars and vans › Tyres") == "Car › Cars and vans › Tyres"
    assert trail("", "Roof") == "Roof"


def test_marking_keeps_the_paragraphs_of_the_prose() -> None:
    answer = "One.  Two.\n\nThree."
    text = marked(answer, [Sentence("One.", 1), Sentence("Two.", None), Sentence("Three.", 2)]).plain
    assert text == "One. [1]  Two. (not from your notes)\n\nThree. [2]"


def test_marking_survives_sentences_that_are_not_verbatim() -> None:
    text = marked("One. Two.", [Sentence("One.", 1), Sentence("2.", None)]).plain
    assert text.startswith("One. [1] 2. (not from your notes)")


def shown(card: Card) -> str:
    console = Console(file=io.StringIO(), width=100)
    for part in drawn(card):
        console.print(part, crop=False)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_card_grows_with_its_events() -> None:
    card = Card()
    assert shown(card) == ""
    card.take(Found(hits(), "fused", 1.0))
    assert shown(card).count("\n") == 3
    card.take(Quoted(QUOTE, 2.0))
    assert "│ We decided on clay tiles" in shown(card)
    card.take(Piece("You chose "))
    card.take(Piece("clay"))
    assert "You chose clay" in shown(card)
    card.take(RouteStep(Step("local", "small.gguf", "ended in mid-sentence")))
    assert "local small: ended in mid-sentence" in shown(card)


def test_a_finished_card_gives_its_room_to_the_sources() -> None:
    card = Card()
    card.take(Found(hits(), "fused", 1.0))
    assert " 1  /home" in shown(card)
    text = " ".join(sentence.text for sentence in PROSE)
    card.take(Answered("why", text, QUOTE, sources(), PROSE, [Step("quote", "", "ok")], Timings(total_ms=1200)))
    assert " 1  /home" not in shown(card)
    assert "[1] /home" in shown(card)
    assert "quote: ok · in all 1.2 s" in shown(card)


def test_paths_are_never_torn_however_narrow_the_terminal() -> None:
    card = Card()
    card.take(Quoted(QUOTE, 2.0))
    console = Console(file=io.StringIO(), width=20)
    for part in drawn(card):
        console.print(part, crop=False)
    assert f"{QUOTE.path}:{QUOTE.line}" in console.file.getvalue()  # type: ignore[attr-defined]


def test_what_streams_stays_in_sight() -> None:
    console = Console(file=io.StringIO(), width=40, height=6, force_terminal=True, no_color=True)
    console.print(Tail(Text("\n").join(Text(f"line {n}") for n in range(50))))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines == [f"line {n}" for n in range(45, 50)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_bar_shows_rates_and_time_left_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    last = follow(progress(), quiet=False)
    assert last.done
    assert "12 files/s" in screen.getvalue()
    assert "25 passages/s  4.8 s left" in screen.getvalue()
    assert "40/41" not in screen.getvalue().splitlines()[-1]
    assert capsys.readouterr().out == ""


def test_a_quiet_progress_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    follow(progress(), quiet=True)
    assert screen.getvalue() == ""


def test_the_summary_names_what_is_still_owed() -> None:
    said = [summary(step) for step in progress()]
    assert said[0] == "0 files indexed, 0 passages, 40 files waiting, 1 failed (`offhand status` says why)."
    assert "120 passages not yet searchable by meaning" in said[2]
