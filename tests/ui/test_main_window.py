import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel
from scripted_engine import REPORT

from core.protocol import ChildInfo, Doctor, Problem
from ui.main_window import ASK, LIBRARY, PAGES, STATUS, MainWindow


@pytest.fixture
def window(qtbot, link, theme, profile):
    made = MainWindow(link, theme, profile)
    qtbot.addWidget(made)
    made.present()
    qtbot.waitUntil(lambda: bool(made._words.text()))
    return made


def test_the_pages_are_reached_by_key_and_by_button(qtbot, window):
    assert window.page() == ASK
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.page() == LIBRARY
    window._buttons.button(STATUS).click()
    assert window.page() == STATUS
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert window.page() == ASK


def test_each_page_has_its_number(qtbot, window):
    for number in range(len(PAGES)):
        qtbot.keyClick(window, Qt.Key(Qt.Key.Key_1 + number), Qt.KeyboardModifier.ControlModifier)
        assert window.page() == number
        assert window._buttons.button(number).isChecked()


def test_f1_shows_all_keys_and_takes_them_away(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: window.findChild(QDialog) is not None and window.findChild(QDialog).isVisible())
    sheet = window.findChild(QDialog)
    words = [said.text() for said in sheet.findChildren(QLabel)]
    assert {"Ctrl+1", "Library", "Ctrl+Alt+Space", "F1"} <= set(words)
    qtbot.keyClick(sheet, Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: window.findChild(QDialog) is None)


def test_a_page_says_that_the_engine_is_gone_and_how_to_get_it_back(qtbot, window, link):
    window.show_page(LIBRARY)
    assert window.banner.isHidden()
    link._set_state("gone", Problem("The engine could not be started.", "See the log."))
    assert window.banner.isVisible()
    assert window.banner.words == "The engine is not running. The engine could not be started. See the log."
    window.show_page(ASK)
    assert window.banner.isHidden(), "the ask page says it itself"
    window.show_page(LIBRARY)
    link._set_state("stopped", None)
    assert window.banner.action.text() == "Start"
    link._set_state("ready", None)
    assert window.banner.isHidden()


def test_the_foot_of_the_side_bar_tells_the_state(qtbot, window, scripted):
    qtbot.waitUntil(lambda: window._words.text() == "211 of 214 files, 1 skipped, 2 failed")
    scripted.change(offline=True)
    qtbot.waitUntil(lambda: window._words.text() == "211 of 214 files, 1 skipped, 2 failed\nOffline")


def test_the_ask_page_is_the_palettes_own_panel_and_esc_goes_back_to_the_passages(qtbot, window):
    panel = window.ask
    qtbot.keyClicks(panel.question, "roof")
    qtbot.waitUntil(lambda: panel.body.currentWidget() is panel.results)
    panel.ask()
    qtbot.waitUntil(lambda: panel._asking is None and panel.body.currentWidget() is panel.card)
    qtbot.keyClick(panel.question, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.body.currentWidget() is panel.results)
    assert window.isVisible()


def test_the_window_comes_back_where_it_was(qtbot, window, link, theme, profile):
    window.resize(760, 555)
    window.close()
    again = MainWindow(link, theme, profile)
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (760, 555)


def test_closing_and_quitting_are_told(qtbot, window):
    with qtbot.waitSignal(window.quit_requested):
        qtbot.keyClick(window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(window.closed):
        window.close()


def test_the_status_page_shows_processes_and_memory(qtbot, window, scripted):
    page = window.status
    scripted.change(children=[*REPORT.children[:2], ChildInfo("extractor-1", "asleep", None, 0)])
    qtbot.waitUntil(lambda: page._grid.itemAtPosition(3, 1).widget().text() == "Reader 1")
    names = [page._grid.itemAtPosition(line, 1).widget().text() for line in range(4)]
    assert names == ["Engine", "Meaning", "Language model", "Reader 1"]
    assert page._grid.itemAtPosition(2, 3).widget().text() == "348 MB"


def test_the_check_up_lists_findings_and_offers_a_repair_only_where_needed(qtbot, window, scripted):
    page = window.status
    page.doctor.click()
    qtbot.waitUntil(page.doctor.isEnabled)
    assert len(page._findings) == 4
    assert not page.repair.isHidden()
    page.repair.click()
    qtbot.waitUntil(page.doctor.isEnabled)
    assert page.repair.isHidden()
    assert [call.fix for call in scripted.calls if isinstance(call, Doctor)] == [False, True]


def test_a_change_of_colours_keeps_the_findings(qtbot, window, theme):
    page = window.status
    page.doctor.click()
    qtbot.waitUntil(page.doctor.isEnabled)
    theme.prefer("dark")
    assert page._rows.count() == 4
    theme.prefer("light")


def test_a_stopped_engine_is_said_with_a_button_that_starts_it(qtbot, window, link):
    link._set_state("stopped", None)
    assert window.start.isVisibleTo(window)
    assert window.ask.pane.headline.text() == "Offhand is stopped"
    assert window.ask.pane.action.text() == "Start"
    link._set_state("ready", None)
    assert not window.start.isVisibleTo(window)


def test_arrows_walk_through_the_pages_and_tab_goes_into_one(qtbot, window):
    window._buttons.button(ASK).setFocus()
    qtbot.keyClick(window._buttons.button(ASK), Qt.Key.Key_Down)
    assert window.page() == LIBRARY
    assert window._buttons.button(LIBRARY).hasFocus()
    qtbot.keyClick(window._buttons.button(LIBRARY), Qt.Key.Key_Tab)
    assert window.library.isAncestorOf(window.focusWidget())
