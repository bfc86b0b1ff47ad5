"""The assembled app on the real engine with the real models: a person's first question, and an engine that dies."""

import os
import shutil
import signal
import sys

import pytest
from PySide6.QtCore import Qt

from core import launch
from core.paths import ROOT
from core.protocol import AddFolder
from ui.app import App
from ui.bell import Bell
from ui.main_window import HISTORY, MODELS, PRIVACY, TASKS

LONG = 90_000  # ms; two busy cores

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.usefixtures("models")]


@pytest.fixture
def app(qtbot, qapp, profile, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back what start() replaces
    notes = tmp_path / "notes"
    shutil.copytree(ROOT / "examples" / "notes", notes)
    bell = Bell(profile)
    assert bell.hang()
    made = App(qapp, profile, bell)
    made.start(palette=True)
    qtbot.waitUntil(lambda: made.link.state == "ready", timeout=LONG)
    made.link.call(AddFolder(str(notes)), lambda _: None)
    qtbot.waitUntil(lambda: indexed(made), timeout=LONG)
    yield made
    made.close()
    launch.stop(profile)
    for window in (made.palette, made.window):
        window.close()
        window.deleteLater()


def test_a_stop_is_respected_until_the_person_wants_it_back(qtbot, app, profile):
    before = app.link.report.pid
    assert launch.stop(profile)
    qtbot.waitUntil(lambda: app.link.state == "stopped", timeout=LONG)
    qtbot.wait(3_000)
    assert launch.find(profile) is None
    assert app.link.state == "stopped"
    app.window.start.click()
    qtbot.waitUntil(lambda: app.link.state == "ready" and app.link.report.pid != before, timeout=LONG)
    assert launch.stop(profile)
    qtbot.waitUntil(lambda: app.link.state == "stopped", timeout=LONG)
    launch.find_or_start(profile).close()  # a command does so
    qtbot.waitUntil(lambda: app.link.state == "ready", timeout=LONG)


def indexed(app):
    report = app.link.report
    counts = report.counts
    return bool(report.folders) and counts.indexed > 30 and not counts.waiting and not counts.vectors_owed


def ask(qtbot, panel, question):
    panel.question.clear()
    qtbot.keyClicks(panel.question, question)
    qtbot.keyClick(panel.question, Qt.Key.Key_Return)


def pages_know_it(qtbot, window, question):
    """The pages show what the real engine has: the question and its card, the tasks of the notes, the model's speed."""
    window.present()
    window.show_page(HISTORY)
    rows = window.history.rows
    qtbot.waitUntil(lambda: rows.lines.rowCount() == 1 and rows.lines.lines[0].title == question, timeout=LONG)
    rows.opened.emit(rows.lines.lines[0].key)
    qtbot.waitUntil(lambda: window.history.past.card.quote is not None, timeout=LONG)
    window.show_page(TASKS)
    qtbot.waitUntil(lambda: window.tasks.rows.lines.rowCount() > 0, timeout=LONG)
    window.show_page(MODELS)
    qtbot.waitUntil(lambda: "tokens/s" in window.models.local.facts["Speed"].text(), timeout=LONG)
    assert window.models.meaning.name.text() == "all-MiniLM-L6-v2"
    window.show_page(PRIVACY)
    window.privacy.show_part("ledger")
    qtbot.waitUntil(lambda: window.privacy.ledger.pane.headline.text() == "Nothing has left this machine", timeout=LONG)
    window.hide()


def test_a_question_is_answered_from_the_notes_and_survives_the_death_of_the_engine(qtbot, app):
    panel = app.palette.panel
    qtbot.keyClicks(panel.question, "boiler pressure")
    qtbot.waitUntil(lambda: panel.body.currentWidget() is panel.results, timeout=LONG)
    assert "boiler" in panel.results.chosen().path

    ask(qtbot, panel, "What pressure should the boiler have?")
    qtbot.waitUntil(lambda: panel._asking is None, timeout=LONG)
    assert panel.card.quote is not None
    assert panel.card.foot.text(), panel.card.trouble.words

    pages_know_it(qtbot, app.window, "What pressure should the boiler have?")
    app.palette.present()
    ask(qtbot, panel, "Where did we go in Slovenia?")
    before = app.link.report.pid
    os.kill(before, signal.SIGKILL)
    qtbot.waitUntil(lambda: app.link.state == "ready" and app.link.report.pid != before, timeout=LONG)
    qtbot.waitUntil(lambda: panel._asking is None, timeout=LONG)
    assert panel.question.text() == "Where did we go in Slovenia?"
    assert panel.card.place() is not None
    assert not panel.card.trouble.words
