"""The models: what runs on this machine, how fast and with how much memory, and which others can take its place."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout

from core.protocol import ChildInfo, Models, Settings, StatusReport
from ui.citation import short_path
from ui.engine_link import EngineLink
from ui.pages.models_card import ModelsCard
from ui.pages.provider_row import STATES
from ui.preferences import Preferences
from ui.state_words import MODEL_STATES, model_name, size, speed_words, wait_words
from ui.theme import Theme
from ui.widgets import Elided, Page, button, label, row

STATE_TONES = {"ready": "good", "asleep": "off", "off": "bad", "missing": "bad", "unusable": "bad"}
STARTER = "The starter model that came with Offhand"
NO_MODEL = "No model on this machine"
NO_FILE = "none; answers are quotes"
UNMEASURED = "not measured yet; the next long answer does"
LABELS = 120  # px


class ModelCard(QFrame):
    """One model: its name, how it stands, and facts about it in two columns."""

    def __init__(self, purpose: str, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self._tone = "off"
        self.name = Elided("", "heading")
        self.state = label("", "muted", wrap=True)
        self._dot = QLabel()
        self._dot.setFixedWidth(14)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, LABELS)
        self._grid.setColumnStretch(1, 1)
        self.facts: dict[str, Elided] = {}
        head = row(self._dot, self.name)
        head.layout().setSpacing(2)  # type: ignore[union-attr]
        head.layout().setStretch(1, 1)  # type: ignore[union-attr]
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 12, 16, 14)
        self.body.setSpacing(6)
        self.body.addWidget(label(purpose, "section"))
        self.body.addWidget(head)
        self.body.addWidget(self.state)
        self.body.addLayout(self._grid)
        theme.changed.connect(self._paint)

    def show_model(self, name: str, tone: str, state: str) -> None:
        """Which model, and how it stands."""
        self._tone = tone
        self.name.say(name)
        self.state.setText(state)
        self._paint()

    def show_fact(self, title: str, words: str) -> None:
        """A fact in its line; a line that is not there yet is added."""
        if title not in self.facts:
            number = self._grid.rowCount()
            self.facts[title] = Elided("", "", Qt.TextElideMode.ElideMiddle)
            self._grid.addWidget(label(title, "muted"), number, 0)
            self._grid.addWidget(self.facts[title], number, 1)
        self.facts[title].say(words)

    def _paint(self) -> None:
        self._dot.setPixmap(self._theme.dot(self._tone))


class ModelsPage(Page):
    """The page.

    Signals:
        cloud_requested: the person wants to see the cloud models.
    """

    cloud_requested = Signal()

    def __init__(self, link: EngineLink, theme: Theme, preferences: Preferences) -> None:
        super().__init__("Models")
        self._link = link
        self._preferences = preferences
        self.models = ModelsCard(link, theme)
        self.local = ModelCard("Writes answers on this machine", theme)
        self.starter = button("Back to the starter model", "quiet", lambda: self.models.use(""))
        self.meaning = ModelCard("Searches by meaning", theme)
        self.cloud = label("", "muted", wrap=True)
        self.set_up = button("Cloud and privacy", "", self.cloud_requested.emit, "Show the cloud models")
        self.local.body.addWidget(row(None, self.starter))
        cloud = QFrame()
        cloud.setObjectName("card")
        layout = QVBoxLayout(cloud)
        layout.setContentsMargins(16, 12, 16, 14)
        layout.addWidget(label("In the cloud", "section"))
        inner = row(self.cloud, self.set_up)
        inner.layout().setStretch(0, 1)  # type: ignore[union-attr]
        layout.addWidget(inner)
        for part in (self.local, self.models, self.meaning, cloud):
            self.parts.addWidget(part)
        self.parts.addStretch(1)
        self.starter.setVisible(False)
        for model, titles in (
            (self.local, ("File", "Speed", "Usual answer", "Memory")),
            (self.meaning, ("Memory", "Passages", "Vectors")),
        ):
            for title in titles:
                model.show_fact(title, "…")
        self.subtitle.setText("They run on this machine, and nowhere else unless you set up a cloud model.")
        preferences.changed.connect(self._set_up)
        self.models.changed.connect(self._measured)
        self.models.used.connect(preferences.refresh)
        link.reported.connect(self._show)
        if link.report is not None:
            self._show(link.report)
        else:
            self.local.show_model("…", "off", "Waiting for the engine")
            self.meaning.show_model("…", "off", "Waiting for the engine")

    def showEvent(self, event: QShowEvent) -> None:
        """A command may have changed something since it was last in view."""
        super().showEvent(event)
        self._preferences.refresh()

    def _show(self, report: StatusReport) -> None:
        state = MODEL_STATES.get(report.model_state, report.model_state)
        name = model_name(report.model) if report.model else NO_MODEL
        self.local.show_model(name, STATE_TONES.get(report.model_state, "off"), f"{state[:1].upper()}{state[1:]}.")
        self.local.show_fact("Memory", _memory(report, "llm"))
        self._show_file()
        child = _child(report, "semantics")
        words = {"ready": "Ready.", "off": "Switched off after it failed repeatedly; word search goes on."}
        tones = {"ready": "good", "off": "bad"}
        asleep = "Loads when it is needed."
        kind = child.state if child is not None else "asleep"
        self.meaning.show_model(report.embedder or "Embedding model", tones.get(kind, "off"), words.get(kind, asleep))
        self.meaning.show_fact("Memory", _memory(report, "semantics"))
        counts = report.counts
        done = (
            f"{counts.chunks - counts.vectors_owed:,} of {counts.chunks:,}"
            if counts.vectors_owed
            else f"{counts.chunks:,}"
        )
        self.meaning.show_fact("Passages", done)
        self.meaning.show_fact("Vectors", report.vectors or "not looked at yet")
        clouds = [f"{one.provider.name}, {one.provider.model}: {STATES[one.state]}" for one in report.providers]
        self.cloud.setText("\n".join(clouds) or "None is set up.")

    def _set_up(self, settings: Settings) -> None:
        self.starter.setVisible(bool(settings.local_model))
        self._show_file()

    def _show_file(self) -> None:
        """By the settings, which name a file of one's own, and by the report, which knows whether the starter is here.

        Each may be heard of first.
        """
        settings, report = self._preferences.settings, self._link.report
        if settings is None or report is None:
            return
        starter = STARTER if report.model else NO_FILE
        self.local.show_fact("File", short_path(settings.local_model, 300) if settings.local_model else starter)

    def _measured(self, models: Models) -> None:
        used = next((info for info in models.models if info.state == "in use"), None)
        known = used is not None and used.measured
        self.local.show_fact("Speed", speed_words(used) if used is not None and known else UNMEASURED)
        self.local.show_fact("Usual answer", wait_words(used) if used is not None and known else "not known yet")


def _child(report: StatusReport, name: str) -> ChildInfo | None:
    return next((child for child in report.children if child.name == name), None)


def _memory(report: StatusReport, name: str) -> str:
    child = _child(report, name)
    return size(child.memory) if child is not None and child.memory else "none; it is asleep"
