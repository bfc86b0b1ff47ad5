import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from scripted_engine import TRANSFORMED

from core.protocol import Problem, Transform
from ui.selected_text import MARK, SelectedText, language

TEXT = "We decided on clay tiles, not slate."


@pytest.fixture
def selected(palette):
    palette.selected.offer(TEXT)
    return palette.selected


def asked(scripted):
    return [call for call in scripted.calls if isinstance(call, Transform)]


def done(qtbot, selected):
    qtbot.waitUntil(lambda: selected._ticket is None and bool(selected.result))


def test_without_a_selection_nothing_is_offered(palette):
    assert palette.selected.isHidden()
    palette.selected.offer("  a ")
    assert palette.selected.isHidden(), "less than three signs are a slip of the mouse"


@pytest.mark.parametrize("action", ["explain", "summarise", "translate", "rewrite", "tasks"])
def test_each_button_asks_for_its_thing_and_the_result_can_be_pasted_back(qtbot, palette, selected, scripted, action):
    low = palette.height()
    selected.buttons[action].click()
    done(qtbot, selected)
    assert asked(scripted) == [Transform(TEXT, action, language())]
    assert palette.panel.body.currentWidget() is selected.card
    assert selected.card.prose.text.strip() == TRANSFORMED
    assert selected.card.note.words == MARK
    assert not selected.card.legend.isVisible(), "nothing is said about what supports it"
    assert palette.height() > low
    selected.copy_button.click()
    assert QGuiApplication.clipboard().text() == TRANSFORMED


def test_control_c_copies_the_result(qtbot, palette, selected):
    selected.buttons["explain"].click()
    done(qtbot, selected)
    QGuiApplication.clipboard().clear()
    qtbot.keyClick(palette.panel.question, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == TRANSFORMED


def test_only_a_click_on_the_button_that_names_it_lets_it_go_to_the_cloud(qtbot, selected, scripted):
    selected.buttons["explain"].click()
    done(qtbot, selected)
    assert not asked(scripted)[0].consent
    assert selected.card.ask_cloud.toolTip() == "Sends the selected text to api.example.org, this once"
    selected.card.ask_cloud.click()
    qtbot.waitUntil(lambda: len(asked(scripted)) == 2)
    assert asked(scripted)[1].consent
    done(qtbot, selected)
    selected.card.try_again.click()
    qtbot.waitUntil(lambda: len(asked(scripted)) == 3)
    assert not asked(scripted)[2].consent, "once was agreed to"
    done(qtbot, selected)


def test_esc_stops_it_first_and_then_closes(qtbot, palette, selected, scripted):
    scripted.script.silent = True
    selected.buttons["explain"].click()
    qtbot.waitUntil(lambda: len(asked(scripted)) == 1)
    qtbot.keyClick(palette.panel.question, Qt.Key.Key_Escape)
    assert palette.isVisible()
    assert selected.card.foot.text() == "Stopped."
    qtbot.waitUntil(lambda: len(scripted.cancelled) == 1)
    qtbot.keyClick(palette.panel.question, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_a_refusal_is_a_sentence(qtbot, selected, scripted):
    scripted.script.problem = Problem("The selected text is too long.", "Select less of it.", kind="input")
    selected.buttons["explain"].click()
    qtbot.waitUntil(lambda: selected.card.trouble.words == "The selected text is too long. Select less of it.")


def test_the_clipboard_is_looked_at_only_when_a_key_asks_for_it(qtbot, palette):
    QGuiApplication.clipboard().setText("from another program")
    palette.hide()
    palette.present()
    assert palette.selected.isHidden()
    qtbot.keyClick(palette, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert palette.selected.text == "from another program"
    QGuiApplication.clipboard().clear()
    palette.selected.look_at_clipboard()
    assert palette.panel._foot.text() == "There is no text on the clipboard."


def test_what_offhand_copied_itself_is_not_offered(palette, monkeypatch):
    monkeypatch.setattr("ui.selected_text.copied_here", lambda: True)  # without a screen Qt never says so
    QGuiApplication.clipboard().setText("a note's words")
    palette.selected.look_at_clipboard()
    assert palette.selected.isHidden()
    assert palette.panel._foot.text() == "Offhand copied that itself."


def test_a_selection_is_offered_once(qtbot, link, theme, monkeypatch):
    monkeypatch.setattr("ui.selected_text._text", lambda _mode: TEXT)
    made = SelectedText(link, theme)
    qtbot.addWidget(made)
    made._is_new = True
    made.look()
    qtbot.waitUntil(lambda: made.text == TEXT)
    made.look()
    assert made.text == "", "it has not changed since"


def test_typing_leaves_the_card_for_the_passages(qtbot, palette, selected):
    selected.buttons["explain"].click()
    done(qtbot, selected)
    qtbot.keyClicks(palette.panel.question, "roof")
    qtbot.waitUntil(lambda: palette.panel.body.currentWidget() is palette.panel.results)
