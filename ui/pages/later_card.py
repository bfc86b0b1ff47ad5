"""Second opinions: whether cloud models are asked again after an outage, and the latest that came."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout

from core.protocol import (
    Configure,
    Done,
    EraseLater,
    Event,
    Later,
    LaterInfo,
    Problem,
    SecondOpinion,
    ShowLater,
    StatusReport,
)
from ui.confirmation import confirmed
from ui.engine_link import EngineLink
from ui.state_words import VERDICTS, model_name
from ui.theme import Theme
from ui.widgets import Switch, button, clear, hairline, label, row

SHOWN = 50


class LaterCard(QFrame):
    """The switch and the list. The list is asked for anew only when a report says that it has changed, and what is in
    view counts as seen."""

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._link = link
        self._info: LaterInfo | None = None
        self.switch = Switch("Second opinions", theme)
        self.switch.clicked.connect(self._set)
        self.rows = QVBoxLayout()
        self.rows.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(4)
        self.erase = button("Erase all…", "quiet", self._erase, "Erase the second opinions")
        self.erase.setVisible(False)
        layout.addWidget(row(self.switch, None, self.erase))
        words = "When on, a question that an outage keeps from the cloud model is asked again when it is back. "
        words += "That takes a cloud model that is asked before the local one."
        layout.addWidget(label(words, "muted", wrap=True))
        layout.addLayout(self.rows)

    def refresh(self, report: StatusReport) -> None:
        """The state may have changed."""
        self.switch.setChecked(report.later.on)
        if report.later != self._info:
            self._info = report.later
            self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        """It comes into view: what is new is seen."""
        super().showEvent(event)
        self._look()

    def event(self, event: QEvent) -> bool:
        """Its window is turned to: what is new is seen."""
        if event.type() == QEvent.Type.WindowActivate:
            self._look()
        return super().event(event)

    def _look(self) -> None:
        if self._info is not None and self._info.new:
            self._ask()

    def _ask(self) -> None:
        seen = self.isVisible() and self.isActiveWindow()
        self._link.call(ShowLater(seen, SHOWN), self._heard, lambda _: None)

    def _heard(self, event: Event) -> None:
        if not isinstance(event, Later):
            return
        clear(self.rows)
        self.erase.setVisible(bool(event.opinions))
        for opinion in event.opinions:
            self.rows.addWidget(hairline())
            self.rows.addWidget(label(opinion_words(opinion), "muted", wrap=True))
        if event.more:
            self.rows.addWidget(label(f"{event.more:,} more: `offhand later`", "faint"))

    def _erase(self) -> None:
        consequence = "What came and what still waits is erased for good; the first answers stay in the history."
        if confirmed(self, "Erase them?", "Erase all second opinions?", consequence, "Erase"):
            self._link.call(EraseLater(), self._erased, lambda _: None)

    def _erased(self, event: Event) -> None:
        if isinstance(event, Done):
            self._ask()

    def _set(self, on: bool) -> None:
        self._link.call(Configure("second_opinions", "true" if on else "false"), lambda _: None, self._failed)

    def _failed(self, _problem: Problem) -> None:
        if self._info is not None:
            self.switch.setChecked(self._info.on)


def opinion_words(opinion: SecondOpinion) -> str:
    """A question and what became of it, in a few lines."""
    if opinion.state == "waiting":
        return f"{opinion.question}\nWaits for the cloud model."
    if opinion.state == "dropped":
        return f"{opinion.question}\nNo second opinion: {opinion.note}"
    verdict = VERDICTS[opinion.difference.verdict] if opinion.difference is not None else ""
    lines = (
        opinion.question,
        f"Then: {opinion.first}",
        f"Now: {opinion.answer} ({model_name(opinion.model)})",
        " ".join(filter(None, (verdict, opinion.note))),
    )
    return "\n".join(filter(None, lines))
