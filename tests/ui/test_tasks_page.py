from datetime import date

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from scripted_engine import REPORT
from scripted_pages import TODAY, task

from core.protocol import ListTasks, Problem
from ui.pages.tasks import AT_ONCE, TasksPage
from ui.state_words import due_words


@pytest.fixture
def page(qtbot, link, theme):
    made = TasksPage(link, theme, lambda: TODAY)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    qtbot.waitUntil(lambda: made.rows.lines.rowCount() > 0)
    return made


def rows(page):
    return [(line.title, line.aside, line.tone) for line in page.rows.lines.lines]


def test_open_tasks_come_by_their_due_days_with_those_that_are_late_marked(page):
    assert rows(page) == [
        ("Pay the deposit", "2 days overdue", "bad"),
        ("Call Lindqvist about the skip", "Today", "busy"),
        ("Ask the council about the window", "Monday", "off"),
        ("Roof first, then insulation", "", "off"),
    ]
    assert page.rows.lines.lines[0].detail == "Roof  ·  Decision  ·  Notes/house/roof.md:34"


def test_each_part_has_its_number_and_its_tasks(qtbot, page, scripted):
    qtbot.waitUntil(lambda: page.part.segment("done").text() == "Done  1")
    assert [page.part.segment(part).text() for part in ("open", "overdue", "due")] == [
        "Open  4",
        "Overdue  1",
        "Due  2",
    ]
    page.part.segment("overdue").click()
    qtbot.waitUntil(lambda: [row[0] for row in rows(page)] == ["Pay the deposit"])
    assert ListTasks(due_to="2026-03-13", limit=AT_ONCE) in scripted.calls
    page.part.segment("done").click()
    qtbot.waitUntil(lambda: rows(page) == [("Order the tiles", "2026-03-01", "good")])


def test_a_task_opens_at_its_line(qtbot, page):
    page.rows.setFocus()
    with qtbot.waitSignal(page.open_requested) as opened:
        qtbot.keyClick(page.rows, Qt.Key.Key_Return)
    path, line, _ = opened.args
    assert path.endswith("house/roof.md")
    assert line == 34


def test_without_tasks_the_page_says_what_would_be_here(qtbot, page, scripted):
    scripted.pages.tasks = []
    page.refresh()
    qtbot.waitUntil(lambda: page.pane.headline.text() == "No open task")
    assert "- [ ]" in page.pane.sentence.text()
    page.part.segment("overdue").click()
    qtbot.waitUntil(lambda: page.pane.headline.text() == "Nothing is overdue")


def test_a_changed_note_is_seen_without_a_press(qtbot, page, scripted):
    scripted.pages.tasks = [*scripted.pages.tasks, task("Sweep the chimney", 90, "2026-03-20")]
    scripted.change(coverage=replace(REPORT.coverage, newest=1_800_000_000))
    qtbot.waitUntil(lambda: page.rows.lines.rowCount() == 5)


def test_thousands_of_tasks_come_as_they_are_scrolled_to(qtbot, page, scripted):
    scripted.pages.tasks = [task(f"Task {number}", number, "") for number in range(1, AT_ONCE + 51)]
    page.refresh()
    qtbot.waitUntil(lambda: page.rows.lines.rowCount() == AT_ONCE)
    page.rows.scrollToBottom()
    qtbot.waitUntil(lambda: page.rows.lines.rowCount() == AT_ONCE + 50)


def test_tasks_that_cannot_be_listed_are_said_with_a_way_to_try_again(qtbot, page, scripted):
    scripted.script.problem = Problem("The catalog cannot be read.", kind="damaged")
    page.refresh()
    qtbot.waitUntil(lambda: page.pane.headline.text() == "The tasks cannot be shown")
    scripted.script.problem = None
    page.pane.action.click()
    qtbot.waitUntil(lambda: page.rows.lines.rowCount() == 4)


def test_days_are_said_as_a_person_says_them():
    today = date(2026, 3, 14)
    said = [due_words(day, today) for day in ("2026-03-13", "2026-02-14", "2026-03-15", "2026-03-21", "2027-01-02")]
    assert said == ["1 day overdue", "28 days overdue", "Tomorrow", "21 March", "2 January 2027"]
