"""Every control of every page has a name and a role that a screen reader can tell, and can be reached by key."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit, QSpinBox
from scripted_engine import DEPARTURE, OPINION, REPORT, SUGGESTED
from scripted_pages import info

from core.protocol import Answered, LaterInfo, Provider, Timings
from ui.main_window import HISTORY, PAGES, PRIVACY, MainWindow
from ui.pages.privacy import PARTS
from ui.palette import Palette
from ui.panel_actions import actions

CONTROLS = (QAbstractButton, QLineEdit, QPlainTextEdit, QSpinBox, QComboBox, QAbstractItemView)
ROLES = {
    QAccessible.Role.Button,
    QAccessible.Role.PushButton,
    QAccessible.Role.RadioButton,
    QAccessible.Role.CheckBox,
    QAccessible.Role.EditableText,
    QAccessible.Role.SpinBox,
    QAccessible.Role.ComboBox,
    QAccessible.Role.List,
    QAccessible.Role.ButtonMenu,
}


@pytest.fixture
def window(qtbot, link, theme, profile, scripted):
    scripted.pages.history.add(Answered("Which tiles?", "Clay.", None, [], [], [], Timings()))
    scripted.pages.infos = [
        info(Provider("groq", "openai", "https://api.example.org/v1", "big", "groq")),
        info(Provider("old", "openai", "https://old.example.org/v1", "older", "old", confirmed=False)),
    ]
    scripted.script.opinions = [OPINION]
    scripted.change(providers=scripted.pages.infos, later=LaterInfo(on=True, new=1))
    made = MainWindow(link, theme, profile)
    qtbot.addWidget(made)
    made.present()
    qtbot.waitUntil(lambda: made.preferences.settings is not None and bool(made.privacy.providers._rows))
    return made


def check(page):
    found = 0
    for kind in CONTROLS:
        for control in page.findChildren(kind):
            if not control.isVisible() or isinstance(control.parentWidget(), QSpinBox | QComboBox):
                continue  # not there now, or a part of another control
            if control.objectName() == "qt_spinbox_lineedit" or control.property("clearButton"):
                continue
            if type(control).__name__ in ("QLineEditIconButton", "QComboBoxPrivateScroller"):
                continue
            told = QAccessible.queryAccessibleInterface(control)
            name = told.text(QAccessible.Text.Name)
            assert name.strip(), f"{control} has no name"
            assert told.role() in ROLES, f"{name}: {told.role()}"
            chosen_by_arrows = told.role() == QAccessible.Role.RadioButton and not control.isChecked()
            if control.isEnabled() and not chosen_by_arrows:
                assert control.focusPolicy() & Qt.FocusPolicy.TabFocus or name in ("Passages found", "Actions"), (
                    f"{name}: no key"
                )
            found += 1
    return found


@pytest.mark.parametrize("number", range(len(PAGES)), ids=[name for name, _ in PAGES])
def test_every_control_of_a_page_is_told_and_can_be_reached(qtbot, window, number):
    window.show_page(number)
    qtbot.wait(50)
    assert check(window) > len(PAGES)


@pytest.mark.parametrize("part", PARTS)
def test_every_control_of_a_part_of_the_privacy_page_is_told(qtbot, window, scripted, part):
    window.show_page(PRIVACY)
    window.privacy.show_part(part)
    if part == "models":
        window.privacy.providers.add.click()
    elif part == "leaving":
        window.privacy.leaving.preview.question.setText("Which tiles?")
        window.privacy.leaving.preview.look()
        qtbot.waitUntil(lambda: window.privacy.leaving.preview.found.count() == 3)
    elif part == "ledger":
        qtbot.waitUntil(lambda: window.privacy.ledger.rows.lines.rowCount() == 1)
        window.privacy.ledger.rows.opened.emit(DEPARTURE.id)
    assert check(window.privacy) > 4


def test_every_control_of_an_opened_answer_is_told(qtbot, window):
    window.show_page(HISTORY)
    qtbot.waitUntil(lambda: window.history.rows.lines.rowCount() == 1)
    window.history.rows.opened.emit(window.history.rows.lines.lines[0].key)
    assert not window.history.past.card.missing.isHidden()
    assert check(window.history) >= 3
    window.present_opinions()
    assert check(window.history) >= 3


def test_a_list_reads_out_whole_rows(qtbot, window, scripted):
    scripted.change(problems=[replace(REPORT.problems[0], path="/n/scan.pdf")])
    rows = window.library.problems.rows
    qtbot.waitUntil(lambda: rows.lines.rowCount() == 1)
    index = rows.lines.index(0)
    assert "scan.pdf, /n  ·  It holds pictures of pages, no text." in index.data(Qt.ItemDataRole.AccessibleTextRole)


def test_every_control_of_the_welcome_is_told(qtbot, window):
    window.show_welcome()
    qtbot.waitUntil(lambda: [row.isVisible() for row in window.welcome.folders.rows] == [True] * len(SUGGESTED))
    assert check(window.welcome) >= len(SUGGESTED) + 3
    window.welcome.folders.skip.click()
    window.welcome.add_cloud.click()
    assert check(window.welcome) > 8


def test_every_control_of_the_palette_is_told(qtbot, link, theme):
    palette = Palette(link, theme)
    qtbot.addWidget(palette)
    palette.present()
    palette.selected.offer("A text from elsewhere.")
    assert check(palette) >= 6
    palette.panel.question.setText("roof")
    palette.panel._typed()
    qtbot.waitUntil(lambda: palette.panel.body.currentWidget() is palette.panel.results)
    palette.panel.action_list.offer("What to do", actions(palette.panel))
    assert check(palette.panel) >= 4
