"""The pictures of the main window's pages, each in a state worth seeing; part of `draw_screenshots.py`."""

from collections.abc import Callable

import msgspec
from PySide6.QtWidgets import QDialog, QWidget
from scripted_engine import DEPARTURE, OPINION, PROSE, QUOTE, REPORT, ScriptedEngine, sources
from scripted_pages import TODAY, info

from core.paths import Profile
from core.protocol import Answered, LaterInfo, Problem, Provider, Step, Timings
from ui.engine_link import EngineLink
from ui.main_window import HISTORY, LIBRARY, MODELS, PRIVACY, SETTINGS, STATUS, TASKS, MainWindow

Save = Callable[[QWidget, str], None]
Wait = Callable[[int], None]

LOCAL = [Step("quote", "", "ok"), Step("local", "SmolLM2-135M-Instruct.Q4_1.gguf", "ok")]
CLOUD = [Step("quote", "", "ok"), Step("cloud", "claude-sonnet", "ok")]
PAST = (
    ("Which tiles did we choose for the roof?", LOCAL, "2026-03-14T09:30:00Z"),
    ("When do Lindqvist & Sons begin?", LOCAL, "2026-03-13T18:04:00Z"),
    ("What does the survey say about the loft?", CLOUD, "2026-03-12T07:40:00Z"),
    ("Who has to agree to the roof window?", LOCAL[:1], "2026-03-09T20:11:00Z"),
    ("How much are two new rafters?", LOCAL, "2026-03-04T10:00:00Z"),
    ("What did Brand write about leaks?", CLOUD, "2026-02-27T16:20:00Z"),
    ("When is the deposit due?", LOCAL[:1], "2026-02-20T08:15:00Z"),
)
PROVIDERS = [
    info(
        Provider("anthropic", "anthropic", "https://api.anthropic.com", "claude-sonnet", "anthropic"),
        words="It answers.", answered_s=190.0,
    ),
    info(
        Provider("groq", "openai", "https://api.groq.com/openai/v1", "llama-3.3-70b", "groq"), state="resting",
        words="groq answered with an error (503). It is left alone for another 18 s.",
    ),
    info(
        Provider("old", "openai", "https://gateway.example.org/v1", "mixtral", "old", confirmed=False),
        words="old at https://gateway.example.org/v1 came with an import and is not asked until you say so: "
        "offhand providers confirm old.",
    ),
]  # fmt: skip
WHY = ("the folder's rule: may go to the cloud", "you agreed, for this question", "second opinion")


def fill(engine: ScriptedEngine, profile: Profile) -> None:
    """Give the engine a past: questions, providers, requests that left."""
    pages = engine.pages
    text = " ".join(sentence.text for sentence in PROSE)
    for question, route, _ in reversed(PAST):
        pages.history.add(Answered(question, text, QUOTE, sources(), list(PROSE), route, Timings(12, 34, 410, 1870)))
    with pages.history.opened("", "") as file:
        for number, (_, _, at) in enumerate(PAST):
            file.execute("UPDATE answers SET at = ? WHERE id = ?", (at, len(PAST) - number))
    pages.infos = PROVIDERS
    engine.script.departures = [
        msgspec.structs.replace(
            DEPARTURE, id=20 - number, at=f"2026-03-{14 - number:02}T09:{10 + 5 * number:02}:00Z",
            host="api.anthropic.com" if number % 3 else "api.groq.com",
            model="claude-sonnet" if number % 3 else "llama-3.3-70b",
            bytes=2180 + 317 * number, hidden={"name": 2} if number % 2 else {}, why=WHY[number % 3],
            outcome="ok" if number != 3 else "It did not answer within 10 s.",
        )
        for number in range(9)
    ]  # fmt: skip
    engine.script.opinions = [OPINION]
    folders = [msgspec.structs.replace(REPORT.folders[0], rule="cloud"), REPORT.folders[1]]
    engine.change(
        providers=PROVIDERS, embedder="all-MiniLM-L6-v2", vectors="embedded, 3,168 vectors", tokens_per_s=63.4,
        later=LaterInfo(on=True, new=1), folders=folders,
    )  # fmt: skip


def draw(window: MainWindow, link: EngineLink, engine: ScriptedEngine, save: Save, wait: Wait) -> None:
    """Draw every page once."""
    window.resize(1000, 780)
    window.tasks._today = lambda: TODAY
    window.show_page(TASKS)
    save(window, "window-tasks")
    window.show_page(HISTORY)
    wait(200)
    window.history.rows.setFocus()
    save(window, "window-history")
    window.history.rows.opened.emit(window.history.rows.lines.lines[0].key)
    save(window, "window-past-answer")
    window.history.show_opinions()
    save(window, "window-opinions")
    window.history.part.segment("answers").click()
    window.show_page(MODELS)
    save(window, "window-models")
    _privacy(window, save, wait)
    window.show_page(SETTINGS)
    window.settings.show_shortcut("Ctrl+Alt+Space opens Offhand from anywhere.", well=True)
    save(window, "window-settings")
    window.show_page(STATUS)
    window.status.doctor.click()
    save(window, "window-status")
    _states(window, link, engine, save, wait)


def _privacy(window: MainWindow, save: Save, wait: Wait) -> None:
    page = window.privacy
    window.show_page(PRIVACY)
    page.show_part("models")
    save(window, "window-providers")
    page.providers.add.click()
    page.providers.form.model.setText("gpt-5-mini")
    page.providers.form.key.setText("not a real key")
    save(window, "window-add-provider")
    page.providers.form.cancel.click()
    page.show_part("leaving")
    page.leaving.names.setPlainText("Lindqvist\nMara")
    wait(200)
    page.leaving.preview.consent.setChecked(True)
    page.leaving.preview.look()
    wait(300)
    page.verticalScrollBar().setValue(page.verticalScrollBar().maximum())
    save(window, "window-what-may-leave")
    page.show_part("ledger")
    save(window, "window-what-left")
    page.show_part("drill")
    page.drill.begin.click()
    save(window, "window-drill")


def _welcome(window: MainWindow, engine: ScriptedEngine, save: Save, wait: Wait) -> None:
    window.show_welcome()
    wait(300)
    save(window, "window-welcome")
    window.welcome.folders.start.click()
    wait(200)
    coverage = msgspec.structs.replace(REPORT.coverage, waiting=76, indexed=135)
    engine.change(counts=msgspec.structs.replace(REPORT.counts, waiting=76, indexed=135), coverage=coverage)
    window.welcome.key.show_shortcut("")
    window.welcome.key.light()
    window.welcome.ask.question.setText("roof tiles")
    window.welcome.ask._typed()
    save(window, "window-welcome-reading")
    engine.change(counts=REPORT.counts)


def _states(window: MainWindow, link: EngineLink, engine: ScriptedEngine, save: Save, wait: Wait) -> None:
    window.show_page(LIBRARY)
    link._set_state("gone", Problem("The engine ended unexpectedly.", "It is started again."))
    save(window, "window-engine-gone")
    link._set_state("ready", None)
    folders = engine.script.report.folders
    engine.change(
        folders=[],
        problems=[],
        coverage=msgspec.structs.replace(REPORT.coverage, files=0, indexed=0, skipped=0, failed=0),
    )
    save(window, "window-no-folder")
    _welcome(window, engine, save, wait)
    engine.change(folders=folders, problems=REPORT.problems, coverage=REPORT.coverage)
    window.show_keys()
    sheet = window.findChild(QDialog)
    save(sheet, "keys")
    sheet.accept()
