import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from scripted_engine import NOTES, REPORT

from core.protocol import (
    AddFolder,
    Configure,
    Coverage,
    FileProblem,
    Index,
    ListFiles,
    Problem,
    RemoveFolder,
    Retry,
    SetRule,
)
from ui.pages.library import LibraryPage
from ui.pages.problems_card import ROWS


@pytest.fixture
def page(qtbot, link, theme):
    made = LibraryPage(link, theme)
    qtbot.addWidget(made)
    made.resize(800, 900)
    made.show()
    return made


def press_in_box(text):
    def press():
        box = QApplication.activeModalWidget()
        press.said = box.informativeText()
        next(button for button in box.buttons() if button.text().replace("&", "") == text).click()

    QTimer.singleShot(50, press)
    return press


def test_each_folder_shows_its_counts_and_while_it_is_read_its_progress(page, scripted, qtbot):
    card = page._cards[str(NOTES)]
    assert card.counts.text() == "196 files  ·  2 not readable"
    assert not card.bar.isVisible()
    busy = msgspec.structs.replace(REPORT.folders[0], indexed=100, waiting=96)
    scripted.change(folders=[busy, REPORT.folders[1]])
    qtbot.waitUntil(card.bar.isVisible)
    assert card.counts.text() == "100 of 198 files  ·  2 not readable"
    assert (card.bar.value(), card.bar.maximum()) == (102, 198)
    assert page._cards[str(NOTES)] is card, "cards are changed in place"


def test_a_folder_whose_disk_is_away_is_said_to_be_kept(page, scripted, qtbot):
    scripted.change(folders=[msgspec.structs.replace(REPORT.folders[0], reachable=False)])
    qtbot.waitUntil(lambda: len(page._cards) == 1)
    assert page._cards[str(NOTES)].counts.text() == "away; its passages are kept"


def test_each_folder_shows_its_rule_and_takes_another(page, scripted, qtbot):
    card = page._cards[str(NOTES)]
    assert card.rule.currentText() == "Goes to the cloud only if you say so"
    card.rule.setCurrentIndex(card.rule.findData("local"))
    card.rule.activated.emit(card.rule.currentIndex())
    qtbot.waitUntil(lambda: SetRule(str(NOTES), "local") in scripted.calls)
    qtbot.waitUntil(lambda: card.rule.currentText() == "Stays here")


def test_scrolling_over_a_rule_does_not_change_it(page, qtbot):
    rule = page._cards[str(NOTES)].rule
    middle = QPointF(rule.rect().center())
    wheel = QWheelEvent(
        middle, rule.mapToGlobal(middle), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(rule, wheel)
    assert rule.currentData() == "ask"


def test_adding_a_folder(page, scripted, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    page.add_button.click()
    qtbot.waitUntil(lambda: str(tmp_path) in page._cards)
    assert AddFolder(str(tmp_path)) in scripted.calls


def test_a_dialog_that_is_cancelled_changes_nothing(page, scripted, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    page.add_button.click()
    assert not any(isinstance(call, AddFolder) for call in scripted.calls)


def test_a_folder_that_is_refused_is_told_in_a_sentence(page, scripted, qtbot, monkeypatch, tmp_path):
    scripted.script.problem = Problem("This folder is inside Notes, which is read already.", kind="folder")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    page.add_button.click()
    qtbot.waitUntil(lambda: page.trouble.words == "This folder is inside Notes, which is read already.")


def test_removing_says_that_the_folder_is_not_touched_and_asks_first(page, scripted, qtbot):
    press = press_in_box("Cancel")
    page.remove(str(NOTES))
    assert "not touched" in press.said
    assert not any(isinstance(call, RemoveFolder) for call in scripted.calls)
    press_in_box("Remove")
    page.remove(str(NOTES))
    qtbot.waitUntil(lambda: str(NOTES) not in page._cards)


def test_the_page_says_how_much_is_covered_and_pauses_reading(page, scripted, qtbot):
    assert page.subtitle.text().startswith("211 of 214 files, 1 skipped, 2 failed  ·  3,168 passages")
    page.pause_button.click()
    qtbot.waitUntil(lambda: Configure("paused", "true") in scripted.calls)
    scripted.change(paused="paused while the machine runs on battery")
    qtbot.waitUntil(lambda: page.pause_button.text() == "Resume")
    assert page.subtitle.text().endswith("paused while the machine runs on battery")
    page.pause_button.click()
    qtbot.waitUntil(lambda: Configure("paused", "false") in scripted.calls)
    scripted.change(paused="", resumed="goes on although the machine runs on battery")
    qtbot.waitUntil(lambda: page.pause_button.text() == "Pause")
    assert page.subtitle.text().endswith("reading goes on although the machine runs on battery")


def test_the_ignore_rules_are_shown_and_changed(page, scripted, qtbot):
    card = page.ignore
    qtbot.waitUntil(lambda: ".git/" in card.patterns.toPlainText())
    assert card.save.isHidden()
    card.patterns.setPlainText(".git/\n\n*.log\n")
    assert not card.save.isHidden()
    card.save.click()
    qtbot.waitUntil(lambda: scripted.script.settings.ignore == [".git/", "*.log"])
    qtbot.waitUntil(card.save.isHidden)
    card.hidden_files.click()
    card.largest.setValue(20)
    card.largest.editingFinished.emit()
    qtbot.waitUntil(lambda: Configure("largest_file_mb", "20") in scripted.calls)
    assert Configure("hidden_files", "true") in scripted.calls


def test_a_refused_rule_is_told_and_the_page_shows_what_is(page, scripted, qtbot):
    qtbot.waitUntil(lambda: ".git/" in page.ignore.patterns.toPlainText())
    scripted.script.problem = Problem("“[” is not a pattern.", "Write it as in .gitignore.", kind="input")
    page.ignore.patterns.setPlainText("[")
    page.ignore.save.click()
    qtbot.waitUntil(lambda: "not a pattern" in page.trouble.words)


def test_files_that_could_not_be_read_show_the_reason_and_can_be_tried_again(page, scripted, qtbot):
    card = page.problems
    assert card.title.text() == "3 files are not in the index"
    assert [line.title for line in card.rows.lines.lines] == ["offer-scan.pdf", "old.docx", "plans.iso"]
    assert card.retry.isHidden(), "nothing is chosen yet"
    card.rows.setFocus()
    qtbot.keyClick(card.rows, Qt.Key.Key_Down)
    assert card.path.text() == REPORT.problems[1].path
    assert card.reason.text() == "The file is damaged: it ends in the middle."
    card.retry.click()
    qtbot.waitUntil(lambda: Retry(REPORT.problems[1].path) in scripted.calls)
    qtbot.keyClick(card.rows, Qt.Key.Key_Down)
    assert card.retry.isHidden(), "a file skipped on purpose is not tried again"
    card.again.click()
    qtbot.waitUntil(lambda: Retry("") in scripted.calls)


def test_thousands_of_problems_stay_a_short_list_and_all_can_be_seen(page, scripted, qtbot):
    some = [FileProblem(f"/n/{n}.pdf", "failed", "Damaged.") for n in range(100)]
    scripted.change(problems=some, coverage=Coverage(12_000, 2_000, 0, 4_000, 6_000))
    card = page.problems
    qtbot.waitUntil(lambda: card.title.text() == "10,000 files are not in the index")
    assert card.rows.height() == ROWS * card.rows.row_height()
    assert card.rows.lines.rowCount() == 100
    assert card.all.text() == "Show all 10,000"
    card.all.click()
    qtbot.waitUntil(lambda: ListFiles("skipped") in scripted.calls)
    qtbot.waitUntil(lambda: card.rows.lines.rowCount() == 1)  # what the script lists
    assert card.all.isHidden()


def test_a_file_that_is_tried_again_by_itself_says_when(page, scripted, qtbot):
    scripted.change(problems=[FileProblem("/n/locked.md", "failed", "Permission denied.", 1_900_000_000)])
    qtbot.waitUntil(lambda: page.problems.rows.lines.rowCount() == 1)
    line = page.problems.rows.lines.lines[0]
    assert "Permission denied." in line.detail
    assert line.aside.startswith("again on 2030-03-1")


def test_a_name_of_three_hundred_letters_ends_in_dots(page, scripted, qtbot):
    long = "/home/mara/" + "a" * 300
    folders = [msgspec.structs.replace(REPORT.folders[0], path=long)]
    scripted.change(folders=folders, problems=[FileProblem(f"{long}/{'b' * 300}.md", "failed", "Damaged.")])
    qtbot.waitUntil(lambda: list(page._cards) == [long])
    qtbot.waitUntil(lambda: page.problems.rows.lines.rowCount() == 1)
    page.problems.rows.setFocus()
    column = page.parts.parentWidget()
    qtbot.waitUntil(lambda: column.width() <= page.viewport().width())
    assert page._cards[long].path.toolTip() == long
    assert page._cards[long].width() <= page.viewport().width()


def test_all_folders_can_be_looked_at_again(page, scripted, qtbot):
    page.look_button.click()
    qtbot.waitUntil(lambda: Index() in scripted.calls)


def test_a_rule_that_is_refused_is_still_the_old_one(page, scripted, qtbot):
    card = page._cards[str(NOTES)]
    scripted.script.problem = Problem("The profile cannot be written.", kind="profile")
    card.rule.setCurrentIndex(card.rule.findData("cloud"))
    card.rule.activated.emit(card.rule.currentIndex())
    qtbot.waitUntil(lambda: page.trouble.words == "The profile cannot be written.")
    assert card.rule.currentData() == "ask"


def test_how_much_is_covered_is_a_bar_with_words(page):
    assert page.coverage.accessibleName() == "Coverage: 211 of 214 files, 1 skipped, 2 failed"
