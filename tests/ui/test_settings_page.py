import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from core.protocol import Configure, Problem, Settings
from ui.autostart import Entry
from ui.pages.settings import SettingsPage
from ui.preferences import Preferences


@pytest.fixture
def page(qtbot, link, theme):
    preferences = Preferences(link)
    made = SettingsPage(theme, preferences)
    qtbot.addWidget(made)
    made.resize(800, 900)
    made.show()
    qtbot.waitUntil(lambda: preferences.settings is not None)
    return made


def test_the_page_shows_what_is(qtbot, page, scripted):
    assert page.theme.value == "system"
    assert page.hotkey.keySequence() == QKeySequence("Ctrl+Alt+Space")
    assert page.switches["ocr"].isChecked()
    assert page.numbers["threads"].text() == "all"
    scripted.script.settings = Settings(theme="dark", ocr=False, threads=3)
    page.hide()
    page.show()
    qtbot.waitUntil(lambda: page.theme.value == "dark" and page.numbers["threads"].value() == 3)
    assert not page.switches["ocr"].isChecked()


def test_each_change_goes_to_the_engine(qtbot, page, scripted):
    page.theme.segment("dark").click()
    page.switches["pause_on_battery"].click()
    page.numbers["threads"].setValue(2)
    page.numbers["threads"].editingFinished.emit()
    wanted = [Configure("theme", "dark"), Configure("pause_on_battery", "false"), Configure("threads", "2")]
    qtbot.waitUntil(lambda: all(call in scripted.calls for call in wanted))


def test_leaving_a_field_as_it_was_changes_nothing(qtbot, page, scripted):
    page.numbers["threads"].editingFinished.emit()
    page.vectors.editingFinished.emit()
    page.theme.segment("system").click()
    assert not any(isinstance(call, Configure) for call in scripted.calls)


def test_the_shortcut_is_taken_by_pressing_it(qtbot, page, scripted):
    page.hotkey.setFocus()
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(page.hotkey, Qt.Key.Key_F9, held)
    qtbot.waitUntil(lambda: Configure("hotkey", "Ctrl+Shift+F9") in scripted.calls)


def test_a_key_that_would_be_taken_from_everybody_is_refused_beside_the_field(qtbot, page, scripted):
    page.hotkey.setFocus()
    qtbot.keyClick(page.hotkey, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: "not a key combination" in page.lines["hotkey"].trouble.text())
    assert page.hotkey.keySequence() == QKeySequence("Ctrl+Alt+Space"), "it shows what is"


def test_esc_leaves_the_shortcut_as_it_was(qtbot, page, scripted):
    page.hotkey.setFocus()
    qtbot.keyClick(page.hotkey, Qt.Key.Key_Escape)
    page.hotkey.clearFocus()
    qtbot.wait(30)
    assert not any(isinstance(call, Configure) for call in scripted.calls)


@pytest.mark.parametrize("typed", ["http://", "ftp://host", "nowhere", "x" * 3000, "http://[::1"])
def test_a_wrong_address_is_refused_beside_the_field(qtbot, page, typed):
    page.vectors.setText(typed)
    page.vectors.editingFinished.emit()
    qtbot.waitUntil(lambda: page.lines["vectors"].trouble.text() != "")
    assert page.vectors.text() == "embedded"


def test_settings_that_cannot_be_saved_are_said_and_stay(qtbot, page, scripted):
    scripted.script.problem = Problem("The settings could not be saved.", "See that the disk has room.", kind="profile")
    page.switches["ocr"].click()
    words = "The settings could not be saved. See that the disk has room."
    qtbot.waitUntil(lambda: page.lines["ocr"].trouble.text() == words)
    assert page.switches["ocr"].isChecked()


class NoLogin:
    """An entry that cannot be written."""

    def on(self):
        return False

    def switch(self, *, on):
        raise Problem("Start at login stays as it was: no room.", "Free some.", kind="autostart")


def test_start_at_login_is_off_switched_on_and_off(qtbot, link, theme, tmp_path):
    file = tmp_path / "autostart" / "offhand.desktop"
    made = SettingsPage(theme, Preferences(link), Entry(file, "ours", "ours"))
    qtbot.addWidget(made)
    made.show()
    assert not made.login.isChecked()
    made.login.click()
    assert file.read_text() == "ours"
    made.login.click()
    assert not file.exists()


def test_a_start_at_login_that_cannot_be_had_says_why(qtbot, link, theme):
    made = SettingsPage(theme, Preferences(link), NoLogin())
    qtbot.addWidget(made)
    made.show()
    made.login.click()
    assert not made.login.isChecked()
    assert made.lines["login"].trouble.text() == "Start at login stays as it was: no room. Free some."
