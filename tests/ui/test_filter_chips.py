"""Chips: what was read as a filter is shown, and goes out of the text when its chip is removed."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from core.protocol import Ask, Search
from indexer.query import parse
from ui.filter_chips import LONGEST, MOST, FilterChips, without, words


def chips(panel):
    return [chip for chip in panel.chips.findChildren(QPushButton) if not chip.isHidden()]


def typed(qtbot, panel, text):
    qtbot.keyClicks(panel.question, text)
    qtbot.waitUntil(lambda: panel._painted == text.strip())


def test_there_are_chips_only_while_there_are_filters(qtbot, panel):
    typed(qtbot, panel, "roof")
    assert not panel.chips.isVisible()
    typed_more = " folder:house -slate"
    qtbot.keyClicks(panel.question, typed_more)
    qtbot.waitUntil(lambda: [chip.text() for chip in chips(panel)] == ["folder: house  ×", "without “slate”  ×"])
    assert panel.chips.isVisible()
    panel.question.clear()
    panel._typed()
    assert not panel.chips.isVisible()


def test_a_click_takes_the_filter_out_of_the_text_and_searches_again(qtbot, panel, scripted):
    typed(qtbot, panel, "roof tag:work tiles -slate")
    qtbot.mouseClick(chips(panel)[0], Qt.MouseButton.LeftButton)
    assert panel.question.text() == "roof tiles -slate"
    assert panel.question.hasFocus() or panel.focusProxy() is panel.question
    qtbot.waitUntil(lambda: [chip.text() for chip in chips(panel)] == ["without “slate”  ×"])
    assert any(isinstance(call, Search) and call.words == "roof tiles -slate" for call in scripted.calls)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_chips_are_removed_by_keyboard_too(qtbot, panel, scripted, key):
    typed(qtbot, panel, "roof tag:work")
    chip = chips(panel)[0]
    assert chip.focusPolicy() & Qt.FocusPolicy.TabFocus
    qtbot.keyClick(chip, key)
    assert panel.question.text() == "roof"
    assert not any(isinstance(call, Ask) for call in scripted.calls), "Enter on a chip asks nothing"


def test_an_answer_keeps_the_chips_of_its_question(qtbot, panel):
    typed(qtbot, panel, "roof tag:work")
    qtbot.keyClick(panel.question, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.body.currentWidget() is panel.card and panel._asking is None)
    assert [chip.text() for chip in chips(panel)] == ["tag: work  ×"]


def test_every_chip_has_a_name_for_screen_readers(qtbot):
    row = FilterChips()
    qtbot.addWidget(row)
    row.show_parts(parse('"clay tiles" after:2026 before:2026-03 file:a&b').parts)
    names = [chip.accessibleName() for chip in row.findChildren(QPushButton)]
    assert names == [
        f"Remove the filter {said}" for said in ("exactly “clay tiles”", "from 2026 on", "until 2026-03", "file: a&b")
    ]


def test_many_and_long_filters_do_not_widen_the_window(qtbot, panel):
    text = "roof " + " ".join(f"tag:{number}" + "x" * 200 for number in range(10))
    width = panel.window().width()
    panel.question.setText(text)
    panel._typed()
    qtbot.waitUntil(lambda: len(chips(panel)) == MOST)
    assert panel.window().width() == width
    assert len(words(parse(text).parts[0])) <= LONGEST + len("tag: ")


@pytest.mark.parametrize(
    ("text", "number", "left"),
    [("roof tag:work tiles", 0, "roof tiles"), ("tag:work", 0, ""), ('a  -b  "c d"', 1, "a  -b"), ("-b a", 0, "a")],
)
def test_a_text_without_one_of_its_filters(text, number, left):
    assert without(text, parse(text).parts[number]) == left
