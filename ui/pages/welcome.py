"""The first minute: choose folders, ask while they are read, press the key once, and perhaps add a cloud model.

Shown once, to whoever has no folder yet; every step may be left out, and Esc leaves it altogether.
"""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QProgressBar

from core.protocol import AddFolder, Problem, StatusReport
from ui.ask_panel import AskPanel
from ui.engine_link import EngineLink
from ui.pages.provider_form import ProviderForm
from ui.pages.welcome_folders import WelcomeFolders
from ui.pages.welcome_key import WelcomeKey
from ui.preferences import Preferences
from ui.state_words import state_words
from ui.theme import Theme
from ui.widgets import Note, Page, button, card, label, row

FIRST = "Answers from your own notes, on your own machine."
SECOND = "All of this can wait, and is found again in the settings."
CLOUD = "Offhand answers without one. With one, you decide for each folder what may go to it."
PANEL_HEIGHT = 300  # px


class WelcomePage(Page):
    """The page.

    Signals:
        left: the person is done with it.
    """

    left = Signal()

    def __init__(self, link: EngineLink, theme: Theme, preferences: Preferences) -> None:
        super().__init__("Welcome to Offhand")
        self._link = link
        self.folders = WelcomeFolders(link)
        self.trouble = Note("trouble")
        self.progress = QProgressBar(textVisible=False)
        self.progress.setAccessibleName("Progress of reading")
        self.state = label("", "muted", wrap=True)
        self.ask = AskPanel(link, theme, embedded=True)
        self.ask.setFixedHeight(PANEL_HEIGHT)
        self.reading = card(label("Your folders", "heading"), self.state, self.progress)
        self.asking = card(self.ask)
        self.asking.layout().setContentsMargins(1, 1, 1, 1)  # type: ignore[union-attr]
        self.key = WelcomeKey(theme, preferences)
        self.form = ProviderForm(link)
        self.add_cloud = button("Add a cloud model…", "", self._add_cloud)
        self.cloud_said = label(CLOUD, "muted", wrap=True)
        self.cloud = card(row(label("A cloud model, if you like", "heading"), None, self.add_cloud), self.cloud_said)
        self.done = button("Done", "primary", self.left.emit, "Leave the welcome")
        self.back = button("Back to the folders", "quiet", self.begin)
        self.foot = row(self.back, None, self.done)
        self._second = (self.trouble, self.reading, self.asking, self.key, self.cloud, self.foot)
        self._build()

    def _build(self) -> None:
        self.parts.addLayout(self.folders)
        for part in (self.trouble, self.reading, self.asking, self.key, self.cloud, self.form, self.foot):
            self.parts.addWidget(part)
        self.parts.addStretch(1)
        self.folders.chosen.connect(self._start)
        self.folders.skipped.connect(self._go_on)
        self.form.closed.connect(self._cloud_added)
        self.ask.close_requested.connect(self._escape)
        self.ask.add_folder_requested.connect(self.begin)
        self._link.reported.connect(self._show)

    def begin(self) -> None:
        """From the first step on."""
        for part in self._second:
            part.setVisible(False)
        self.form.setVisible(False)
        self.key.put_out()
        self.trouble.say("")
        self.subtitle.setText(FIRST)
        self.folders.set_visible(on=True)
        self.folders.begin()
        self.setFocus()  # so that Esc is heard here, and Tab goes on to the folders

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves. Not a shortcut: that would take the key from the parts that go back by it themselves."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _start(self, paths: list[str]) -> None:
        refusals: list[str] = []
        for path in paths:
            self._link.call(AddFolder(path), lambda _: None, partial(self._refused, refusals, len(paths)))
        self._go_on(reading=True)

    def _go_on(self, *, reading: bool = False) -> None:
        """The second step: everything else, on one page."""
        self.folders.set_visible(on=False)
        self.subtitle.setText(SECOND)
        has_folders = reading or bool(self._link.roots)
        for part in (self.key, self.cloud, self.foot):
            part.setVisible(True)
        for part in (self.reading, self.asking):
            part.setVisible(has_folders)
        self.verticalScrollBar().setValue(0)
        (self.ask.question if has_folders else self.done).setFocus()
        if self._link.report is not None:
            self._show(self._link.report)

    def _refused(self, refusals: list[str], wanted: int, problem: Problem) -> None:
        refusals.append(str(problem))
        self.trouble.say("\n".join(refusals))
        if len(refusals) == wanted and not self._link.roots:  # nothing will ever be read, nor found
            for part in (self.reading, self.asking):
                part.setVisible(False)
            self.back.setFocus()

    def _show(self, report: StatusReport) -> None:
        counts = report.counts
        self.state.setText(state_words(self._link.state, report) if report.folders else "Looking at your folders…")
        known = counts.files > 0
        self.progress.setRange(0, max(1, counts.files) if known else 0)
        self.progress.setValue(counts.files - counts.waiting)

    def _add_cloud(self) -> None:
        self.add_cloud.setVisible(False)
        self.form.add()
        self.ensureWidgetVisible(self.form)

    def _cloud_added(self, words: str) -> None:
        self.form.setVisible(False)
        self.add_cloud.setVisible(True)
        self.cloud_said.setText(words or CLOUD)
        self.add_cloud.setFocus()

    def _escape(self) -> None:
        if not self.ask.back():
            self.left.emit()
