"""`offhand later`, against a scripted engine."""

import pytest
from msgspec.structs import replace
from scripted import CommandLine
from scripted_engine import OPINION, REPORT

from core.protocol import Difference, EraseLater, LaterInfo, SecondOpinion, ShowLater
from ui.terminal.opinions import opinion_lines
from ui.terminal.report import status_lines


def lines(opinion: SecondOpinion) -> list[str]:
    return [line.plain for line in opinion_lines(opinion)]


@pytest.fixture
def offhand(offhand: CommandLine) -> CommandLine:
    offhand.engine.script.opinions = [OPINION]
    return offhand


def test_what_came_is_shown_with_its_difference_and_counts_as_seen(offhand: CommandLine) -> None:
    offhand.engine.script.report = replace(REPORT, later=LaterInfo(on=True, new=1))
    out = offhand("later").out.splitlines()
    assert offhand.engine.calls == [ShowLater(seen=True)]
    assert out[0].startswith("Clay or slate?  asked on 2026-03-14")
    assert out[1:] == [
        "  Then:      You chose clay tiles.",
        "  Now:       You chose clay tiles. Slate is dearer. (big)",
        "  The cloud model says the same and more.",
        "  Only now:  Slate is dearer.",
        "  1 sentence of it is not from your notes.",
    ]


def test_a_script_gets_all_of_it_and_leaves_it_unseen(offhand: CommandLine) -> None:
    told = offhand("later", "--json").object
    assert offhand.engine.calls == [ShowLater(seen=False)]
    (opinion,) = told["opinions"]
    assert (opinion["state"], opinion["difference"]["verdict"], told["on"]) == ("arrived", "adds", False)


def test_they_are_erased(offhand: CommandLine) -> None:
    assert "erased" in offhand("later", "--erase").out
    assert offhand("later", "--erase", "--json").object["message"]
    assert offhand.engine.calls == [EraseLater()] * 2


def test_with_nothing_to_show_it_says_what_it_is_for_or_how_to_switch_it_on(offhand: CommandLine) -> None:
    offhand.engine.script.opinions = []
    assert offhand("later").out == ("Second opinions are switched off: `offhand settings second_opinions on`.\n")
    offhand.engine.script.report = replace(REPORT, later=LaterInfo(on=True))
    out = offhand("later").out
    assert out.startswith("Nothing waits.")
    assert "`offhand settings prefer cloud`" in out
    offhand.engine.script.opinions = [replace(OPINION, state="waiting")]
    assert "look again in a minute" in offhand("later").out


def test_what_waits_and_what_was_dropped_say_so() -> None:
    assert lines(replace(OPINION, state="waiting"))[1:] == ["  Waits for the cloud model."]
    assert lines(replace(OPINION, state="dropped", note="It stays here."))[1:] == [
        "  No second opinion: It stays here."
    ]


def test_two_answers_with_nothing_in_common_are_not_said_twice() -> None:
    other = replace(OPINION, difference=Difference("differs", [], ["Slate."], ["Clay."]), note="One file stayed.\x1b")
    assert lines(other)[3:] == [
        "  The cloud model says it in other words, or something else.",
        "  1 sentence of it is not from your notes.",
        "  One file stayed.",
    ]


def test_the_status_tells_what_waits_and_what_is_new() -> None:
    said = "\n".join(line.plain for line in status_lines(replace(REPORT, later=LaterInfo(True, 2, 1))))
    assert "2 questions waiting for a second opinion, 1 second opinion to read: `offhand later`" in said
    assert "offhand later" not in "\n".join(line.plain for line in status_lines(REPORT))
