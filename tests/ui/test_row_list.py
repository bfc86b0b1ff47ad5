import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap

from ui.row_list import Line, RowList

MANY = 10_000


@pytest.fixture
def rows(qtbot, theme):
    made = RowList(theme, "Things")
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show()
    return made


def lines(count, start=0):
    return [Line(number, f"Row {number}", "More of it", "today") for number in range(start, start + count)]


def test_arrows_move_enter_opens_and_delete_asks_to_take_away(qtbot, rows):
    rows.lines.replace(lines(3))
    rows.setFocus()
    qtbot.waitUntil(lambda: rows.key() == 0)
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    with qtbot.waitSignal(rows.opened) as opened:
        qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert opened.args == [1]
    with qtbot.waitSignal(rows.deleted) as deleted:
        qtbot.keyClick(rows, Qt.Key.Key_Delete)
    assert deleted.args == [1]
    rows.lines.remove(1)
    assert [line.key for line in rows.lines.lines] == [0, 2]


def test_a_click_opens_once(qtbot, rows):
    rows.lines.replace(lines(3))
    opened = []
    rows.opened.connect(opened.append)
    middle = rows.visualRect(rows.lines.index(2)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert opened == [2]


def test_ten_thousand_rows_make_no_widget_and_no_wait(qtbot, rows):
    before = len(rows.children())
    started = time.perf_counter()
    rows.lines.replace(lines(MANY))
    rows.scrollToBottom()
    rows.grab()
    print(f"{MANY} rows shown and scrolled through in {(time.perf_counter() - started) * 1000:.0f} ms")
    assert len(rows.children()) == before
    assert rows.lines.rowCount() == MANY


def test_more_is_asked_for_once_when_the_end_comes_into_view(qtbot, rows):
    asked = []
    rows.more_wanted.connect(lambda: asked.append(rows.lines.rowCount()))
    rows.lines.replace(lines(50), has_more=True)
    rows.scrollToBottom()
    qtbot.waitUntil(lambda: asked == [50])
    rows.lines.append(lines(50, 50))
    rows.scrollToBottom()
    qtbot.wait(50)
    assert asked == [50]
    assert rows.lines.rowCount() == 100


def test_the_same_rows_again_keep_the_choice(rows):
    rows.lines.replace(lines(3))
    rows.choose(2)
    rows.lines.replace(lines(3))
    assert rows.key() == 2


def test_endless_words_and_line_breaks_are_drawn_on_one_line(rows):
    rows.lines.replace([Line(1, "x" * 100_000, "first\nsecond", "y" * 5_000, "bad")])
    picture = QPixmap(rows.size())
    rows.render(picture)
    assert rows.visualRect(rows.lines.index(0)).height() == rows.row_height()
    assert rows.lines.index(0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("xxx")
