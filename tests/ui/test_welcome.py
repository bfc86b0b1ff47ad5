from operator import attrgetter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from scripted_engine import NOTES, SUGGESTED, survey

from core.protocol import AddFolder, Configure, Problem, Search
from ui.hotkey import taken, works
from ui.main_window import ASK, WELCOME, MainWindow
from ui.pages.folder_choice import found_words, lasting_words, span_words


@pytest.fixture
def no_folders(scripted):
    scripted.change(folders=[])


@pytest.fixture
def window(qtbot, no_folders, link, theme, profile):
    made = MainWindow(link, theme, profile)
    qtbot.addWidget(made)
    made.present()
    link.reported.emit(link.report)
    return made


@pytest.fixture
def welcome(qtbot, window):
    made = window.welcome
    qtbot.waitUntil(lambda: len(made.folders.rows) == len(SUGGESTED) and made.folders._looking is None)
    return made


def added(scripted):
    return [call.path for call in scripted.calls if isinstance(call, AddFolder)]


def test_whoever_has_no_folder_is_greeted_once(qtbot, window, welcome, theme, profile):
    link = window._link
    assert window.page() == WELCOME
    assert not window._side.isVisible()
    welcome.folders.skip.click()
    welcome.done.click()
    assert window.page() == ASK
    assert window._side.isVisible()
    again = MainWindow(link, theme, profile)
    qtbot.addWidget(again)
    link.reported.emit(link.report)
    assert again.page() == ASK


def test_whoever_has_folders_is_not(qtbot, link, theme, profile):
    made = MainWindow(link, theme, profile)
    qtbot.addWidget(made)
    link.reported.emit(link.report)
    assert made.page() == ASK


def test_what_was_typed_before_the_engine_was_there_is_not_swept_away(qtbot, no_folders, link, theme, profile):
    made = MainWindow(link, theme, profile)
    qtbot.addWidget(made)
    made.ask.question.setText("roof")
    link.reported.emit(link.report)
    assert made.page() == ASK


def test_likely_folders_are_ticked_and_all_documents_are_not(welcome):
    assert [(one.path, one.box.isChecked()) for one in welcome.folders.rows] == [
        (str(NOTES), True), ("/home/mara/Dropbox/Journal", True), ("/home/mara/Documents", False),
    ]  # fmt: skip
    row = welcome.folders.rows[0]
    assert row.found.text() == found_words(survey(str(NOTES)))
    assert "by meaning after" in row.lasts.text()


def test_the_chosen_folders_are_read_and_can_be_asked_at_once(qtbot, welcome, scripted):
    welcome.folders.start.click()
    qtbot.waitUntil(lambda: len(added(scripted)) == 2)
    assert welcome.ask.isVisible()
    assert welcome.reading.isVisible()
    qtbot.keyClicks(welcome.ask.question, "roof")
    qtbot.waitUntil(lambda: any(isinstance(call, Search) for call in scripted.calls))
    qtbot.waitUntil(lambda: welcome.ask.body.currentWidget() is welcome.ask.results)


def test_a_folder_in_a_chosen_one_is_not_added_twice(qtbot, welcome, scripted):
    welcome.folders.offer("/home/mara/Documents/House", vault=False, wanted=True)
    welcome.folders.rows[2].box.setChecked(True)
    welcome.folders.start.click()
    qtbot.waitUntil(lambda: len(added(scripted)) == 3)
    assert "/home/mara/Documents/House" not in added(scripted)


def test_another_folder_can_be_chosen(qtbot, welcome, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/n/elsewhere")
    welcome.folders.another.click()
    assert [one.path for one in welcome.folders.rows][-1] == "/n/elsewhere"
    assert welcome.folders.rows[-1].box.isChecked()
    welcome.folders.another.click()
    assert len(welcome.folders.rows) == len(SUGGESTED) + 1, "the same one is not listed twice"


def test_a_folder_that_may_not_be_added_says_why_and_cannot_be_ticked(qtbot, welcome, scripted):
    scripted.script.problem = Problem("There is no folder /n/gone.", "Check the spelling.", kind="folder")
    welcome.folders.offer("/n/gone", vault=False, wanted=True)
    row = welcome.folders.rows[-1]
    qtbot.waitUntil(lambda: row.refused)
    assert row.found.text() == "There is no folder /n/gone. Check the spelling."
    assert not row.box.isEnabled()


def test_a_folder_that_is_refused_after_all_is_said(qtbot, welcome, scripted):
    welcome._start([str(NOTES)])
    qtbot.waitUntil(lambda: bool(welcome._link.roots))
    scripted.script.problem = Problem("It cannot be read.", "Give permission.", kind="folder")
    welcome._start(["/n/locked"])
    qtbot.waitUntil(lambda: "It cannot be read." in welcome.trouble.words)
    assert welcome.ask.isVisible(), "the other one can be asked"


def test_where_every_folder_is_refused_nothing_is_waited_for_and_others_can_be_chosen(qtbot, welcome, scripted):
    scripted.script.problem = Problem("It cannot be read.", "Give permission.", kind="folder")
    welcome.folders.start.click()
    qtbot.waitUntil(lambda: welcome.trouble.words.count("It cannot be read.") == 2)
    assert welcome.trouble.isVisible()
    assert not welcome.reading.isVisible()
    assert not welcome.ask.isVisible()
    scripted.script.problem = None
    welcome.back.click()
    assert welcome.trouble.words == ""
    qtbot.waitUntil(lambda: len(welcome.folders.rows) == len(SUGGESTED))
    welcome.folders.start.click()
    assert welcome.ask.isVisible()


def test_the_button_of_a_panel_without_folders_leads_back_to_them(qtbot, welcome):
    welcome._go_on(reading=True)
    qtbot.waitUntil(welcome.ask.pane.action.isVisible)
    welcome.ask.pane.action.click()
    assert welcome.folders.frame.isVisible()
    assert not welcome.asking.isVisible()


def test_nothing_ticked_means_nothing_to_start(welcome):
    for row in welcome.folders.rows:
        row.box.setChecked(False)
    assert not welcome.folders.start.isEnabled()
    welcome.folders.skip.click()
    assert welcome.key.isVisible()
    assert not welcome.ask.isVisible(), "there is nothing to ask yet"


def test_the_key_lights_up_when_it_is_pressed_and_says_the_way_out_where_there_is_none(qtbot, welcome):
    welcome.folders.skip.click()
    key = welcome.key
    key.show_shortcut(taken("Ctrl+Alt+Space").message)
    assert "offhand toggle" in key.said.text()
    key.show_shortcut(works("Ctrl+Alt+Space").message)
    qtbot.waitUntil(lambda: key.said.text() == "Press Ctrl+Alt+Space once, now or later.")
    key.light()
    assert "That is it" in key.said.text()
    assert key.lamp.accessibleName() == "The key was pressed"


def test_a_key_that_is_not_the_one_set_or_only_asked_for_is_not_to_be_pressed(qtbot, welcome):
    key = welcome.key
    qtbot.waitUntil(lambda: welcome._link.state == "ready" and key._preferences.settings is not None)
    for words in ("Your desktop has given Offhand this shortcut: Meta+O.", "Your desktop is asked for Ctrl+Alt+Space."):
        key.show_shortcut(words)
        assert key.said.text() == words


def test_the_lamp_goes_out_when_another_key_is_chosen(welcome):
    key = welcome.key
    key.show_shortcut(works("Ctrl+Alt+Space").message)
    key.light()
    key.show_shortcut(works("Ctrl+Alt+Space").message)
    assert key.lit, "it is the same key still"
    key.show_shortcut(taken("Ctrl+F9").message)
    assert key.said.text() == taken("Ctrl+F9").message
    assert key.lamp.accessibleName() == "The key was not pressed yet"


def test_a_combination_that_is_refused_says_so_until_the_next(qtbot, welcome, scripted):
    key, problem = welcome.key, Problem("F9 alone would be taken from every program.", "Add Ctrl or Alt.")
    qtbot.waitUntil(lambda: key._preferences.settings is not None)
    scripted.script.problem = problem
    with qtbot.waitSignal(key._preferences.changed):
        key.field.taken.emit("F9")
    assert key.said.text() == str(problem)
    assert key.said.property("role") == "bad"
    scripted.script.problem = None
    with qtbot.waitSignal(key._preferences.changed):
        key.field.taken.emit("Ctrl+F9")
    assert key.said.text() != str(problem)


def test_another_key_is_taken_by_pressing_it(qtbot, welcome, scripted):
    welcome.folders.skip.click()
    welcome.key.field.setFocus()
    qtbot.keyClick(welcome.key.field, Qt.Key.Key_F9, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: Configure("hotkey", "Ctrl+F9") in scripted.calls)


def test_a_cloud_model_may_be_added_and_need_not(qtbot, welcome):
    welcome.folders.skip.click()
    welcome.add_cloud.click()
    assert welcome.form.isVisible()
    welcome.form.cancel.click()
    assert not welcome.form.isVisible()
    assert welcome.add_cloud.isVisible()


def test_esc_leaves_it(qtbot, window, welcome):
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert window.page() == ASK


@pytest.mark.parametrize("part", ["add_cloud", "done", "back", "ask.question"])
def test_esc_leaves_the_second_step_too(qtbot, window, welcome, part):
    welcome._go_on(reading=True)
    focused = attrgetter(part)(welcome)
    focused.setFocus()
    qtbot.keyClick(focused, Qt.Key.Key_Escape)
    assert window.page() == ASK


def test_esc_in_the_form_or_on_an_answer_closes_only_that(qtbot, window, welcome):
    window.activateWindow()
    welcome._go_on(reading=True)
    welcome.ask._show(welcome.ask.card)
    qtbot.keyClick(welcome.ask.question, Qt.Key.Key_Escape)
    assert welcome.ask.body.currentWidget() is not welcome.ask.card
    welcome.add_cloud.click()
    qtbot.waitUntil(welcome.form.service.hasFocus)
    qtbot.keyClick(welcome.form.service, Qt.Key.Key_Escape)
    assert not welcome.form.isVisible()
    assert window.page() == WELCOME


def test_it_is_reached_again_from_the_settings(qtbot, window, welcome):
    window.show_page(ASK)
    window.settings.welcome.click()
    assert window.page() == WELCOME


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0, 3, "a few seconds"), (20, 80, "20 to 80 s"), (40, 600, "40 s to 10 min"), (600, 7200, "10 min to 2 h"),
     (118, 122, "about 2 min")],
)  # fmt: skip
def test_a_range_of_time_in_words(low, high, said):
    assert span_words(low, high) == said


def test_what_the_estimate_rests_on_is_said():
    assert "not measured yet" in lasting_words(survey("/n"))
