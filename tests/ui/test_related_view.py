"""What is close to a passage: from the list, from the quote, back again; and the same in the terminal."""

from PySide6.QtCore import Qt
from scripted_engine import QUOTE, hits

from core.protocol import Event, Found, Piece, Problem, Related
from indexer.worker import Cancellation


def press(qtbot, panel, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(panel.question, key, modifier)


def searched(qtbot, panel):
    qtbot.keyClicks(panel.question, "roof")
    qtbot.waitUntil(lambda: panel.body.currentWidget() is panel.results)


def related(qtbot, panel):
    press(qtbot, panel, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.close_by.chosen() is not None)
    assert panel.body.currentWidget() is panel.close_by


def test_what_is_close_to_the_chosen_passage_is_listed_and_esc_goes_back(qtbot, panel, scripted):
    searched(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Down)
    chosen = panel.results.chosen()
    related(qtbot, panel)
    assert scripted.calls[-1] == Related(chosen.path, chosen.line, 8)
    assert panel.close_by.title.text() == "Close to 2026-03-02-roofer"
    assert chosen.path not in {panel.close_by.results.results.row(n).hit.path for n in range(7)}
    press(qtbot, panel, Qt.Key.Key_Escape)
    assert panel.body.currentWidget() is panel.results
    assert panel.results.chosen() == chosen


def test_it_goes_on_from_one_note_to_the_next_and_opens_at_its_place(qtbot, panel, scripted):
    searched(qtbot, panel)
    related(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Down)
    second = panel.close_by.chosen()
    press(qtbot, panel, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: scripted.calls[-1] == Related(second.path, second.line, 8))
    qtbot.waitUntil(lambda: panel.close_by.chosen() is not None)
    with qtbot.waitSignal(panel.open_requested) as opened:
        press(qtbot, panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    first = panel.close_by.chosen()
    assert opened.args == [first.path, first.line, first.page]
    panel.close_by.back.click()
    assert panel.body.currentWidget() is panel.results


def test_the_quote_has_a_button_for_it_and_typing_leaves_it(qtbot, panel, scripted):
    qtbot.keyClicks(panel.question, "roof")
    press(qtbot, panel, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel._asking is None and panel.body.currentWidget() is panel.card)
    panel.card.quote_block.related.click()
    qtbot.waitUntil(lambda: panel.close_by.chosen() is not None)
    assert scripted.calls[-1] == Related(QUOTE.path, QUOTE.line, 8)
    qtbot.keyClicks(panel.question, "s")
    qtbot.waitUntil(lambda: panel.body.currentWidget() is panel.results)


def test_words_of_the_answer_that_come_meanwhile_do_not_take_its_place(qtbot, panel, scripted):
    panel.card.clear()
    panel._show(panel.close_by)
    panel._answering(Piece("The roof"))
    assert panel.body.currentWidget() is panel.close_by
    press(qtbot, panel, Qt.Key.Key_Escape)
    assert panel.body.currentWidget() is panel.card


def test_with_nothing_chosen_nothing_happens(qtbot, panel, scripted):
    press(qtbot, panel, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert not [call for call in scripted.calls if isinstance(call, Related)]


def test_that_it_cannot_be_found_is_said_where_the_list_would_be(qtbot, panel, scripted):
    searched(qtbot, panel)
    scripted.script.problem = Problem("The note is gone.", "Look at the library.")
    press(qtbot, panel, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.close_by.said.text() == "The note is gone. Look at the library.")
    assert panel.close_by.chosen() is None


def test_the_terminal_lists_them_with_what_there_is_to_know(offhand, tmp_path, monkeypatch):
    def answer(_call: object, _cancelled: Cancellation):
        found: list[Event] = [Found(hits()[:1], "words", 2.0, "These share its rarest words.", "slate tiles")]
        yield from found

    offhand.engine.answers[Related] = answer
    monkeypatch.chdir(tmp_path)
    ran = offhand("related", "roof.md", "--line", "3", "-n", "4")
    assert offhand.engine.calls == [Related(str(tmp_path / "roof.md"), 3, 4)]
    assert ran.out.startswith(" 1  /home/mara/Notes/house/roof.md:31\n    Roof › Decision\n")
    assert "These share its rarest words." in ran.err
    told = offhand("related", "roof.md", "--json").object
    assert [hit["line"] for hit in told["hits"]] == [31]
    assert told["note"] == "These share its rarest words."


def test_a_note_that_is_close_to_nothing_says_only_that(offhand):
    def answer(_call: object, _cancelled: Cancellation):
        yield Found([], "fused", 2.0, "Nothing in your other files is close to this one.")

    offhand.engine.answers[Related] = answer
    ran = offhand("related", "roof.md")
    assert (ran.out, ran.err) == ("", "Nothing in your other files is close to this one.\n")
