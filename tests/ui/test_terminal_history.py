"""`offhand history` and `ask --fresh`, against a scripted engine."""

import pytest
from msgspec.structs import replace
from scripted import CommandLine
from scripted_engine import PROSE, QUOTE, sources

from core.protocol import Answered, Ask, Done, EraseHistory, HistoryPage, PastAnswer, ShowHistory, Timings
from ui.state_words import remembered_words
from ui.terminal.card import Card, remarks

ANSWERED = Answered("Which tiles?", "You chose\nclay tiles.\x1b", QUOTE, sources(), PROSE, [], Timings())
PAST = [
    PastAnswer(12, "2025-03-03T09:30:00Z", ANSWERED),
    PastAnswer(7, "2025-03-02T09:30:00Z", replace(ANSWERED, question="Who came?", quote=None)),
]


@pytest.fixture
def offhand(offhand: CommandLine) -> CommandLine:
    offhand.engine.answers[ShowHistory] = lambda call, cancelled: iter([HistoryPage(PAST[:1]), HistoryPage(PAST[1:])])
    offhand.engine.answers[EraseHistory] = lambda call, cancelled: iter([Done("1 answer is erased.")])
    return offhand


def test_what_was_asked_stands_with_its_number_its_time_and_its_answer(offhand: CommandLine) -> None:
    lines = offhand("history").out.splitlines()
    assert offhand.engine.calls == [ShowHistory("", 20)]
    assert lines[0].startswith("Which tiles?  12, asked on 2025-03-03 at ")
    assert lines[1:4] == ["  You chose clay tiles.", f"  {QUOTE.path}:31", ""]
    assert lines[4].startswith("Who came?  7, asked on 2025-03-02 at ")
    assert lines[5:] == ["  You chose clay tiles."]


def test_it_is_looked_through_by_words(offhand: CommandLine) -> None:
    offhand("history", "clay", "tiles", "-n", "3")
    assert offhand.engine.calls == [ShowHistory("clay tiles", 3)]
    offhand.engine.answers[ShowHistory] = lambda call, cancelled: iter([HistoryPage([])])
    assert offhand("history", "slate").out == "No answer has “slate” in it.\n"
    assert offhand("history").out == "Nothing has been asked yet.\n"


def test_a_script_gets_the_whole_answers(offhand: CommandLine) -> None:
    first, second = offhand("history", "--json").object["answers"]
    assert (first["id"], first["at"], first["answered"]["question"]) == (12, "2025-03-03T09:30:00Z", "Which tiles?")
    assert second["answered"]["quote"] is None


def test_one_or_all_of_it_is_erased(offhand: CommandLine) -> None:
    assert offhand("history", "--erase", "12").out == "1 answer is erased.\n"
    assert offhand("history", "--erase-all", "--json").object["message"] == "1 answer is erased."
    assert offhand.engine.calls == [EraseHistory(12), EraseHistory(0)]
    assert offhand("history", "--erase", "0").status == 2
    assert len(offhand.engine.calls) == 2


def test_a_fresh_answer_is_asked_for(offhand: CommandLine) -> None:
    offhand("ask", "which tiles?", "--fresh")
    assert offhand.engine.calls == [Ask("which tiles?", fresh=True)]


def test_an_answer_of_another_time_says_when_and_how_to_get_another() -> None:
    again = replace(ANSWERED, remembered_at="2025-03-03T09:30:00Z")
    said = str(remarks(Card(answer=again)))
    assert said == f"{remembered_words(again.remembered_at)} Anew: offhand ask --fresh …"
    assert said.startswith("Answered on 3 March 2025; nothing it rests on has changed.")
    assert "Answered" not in str(remarks(Card(answer=ANSWERED)) or "")


def test_a_follow_up_names_the_last_answer_of_the_history(offhand: CommandLine) -> None:
    offhand.engine.answers[ShowHistory] = lambda call, cancelled: iter([HistoryPage(PAST[:1])])
    offhand("ask", "why", "--follow", "--shorter", "--bigger", "--json")
    assert offhand.engine.calls == [ShowHistory(most=1), Ask("why", follows=12, shorter=True, bigger=True)]


def test_a_follow_up_to_nothing_is_refused_in_a_sentence(offhand: CommandLine) -> None:
    offhand.engine.answers[ShowHistory] = lambda call, cancelled: iter([HistoryPage([])])
    assert "There is no answer yet that this could follow." in offhand("ask", "why", "--follow").err


def test_how_a_follow_up_was_read_is_said() -> None:
    said = remarks(Card(answer=replace(ANSWERED, read_as="why: clay tiles")))
    assert said is not None
    assert said.plain == "Read as: why: clay tiles"
