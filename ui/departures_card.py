"""The latest requests that left this machine; the whole ledger is `offhand ledger`."""

from PySide6.QtWidgets import QFrame, QVBoxLayout

from core.protocol import Departure, Event, LedgerPage, ProviderInfo, ShowLedger, StatusReport
from ui.engine_link import EngineLink
from ui.state_words import departure_words
from ui.widgets import clear, label

SHOWN = 5


class DeparturesCard(QFrame):
    """What left last. It asks anew only when a report says that something may have."""

    def __init__(self, link: EngineLink) -> None:
        super().__init__()
        self.setObjectName("card")
        self._link = link
        self._seen: object = None
        self.rows = QVBoxLayout()
        self.rows.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(4)
        layout.addWidget(label("What left this machine", "heading"))
        layout.addLayout(self.rows)
        self._show([])

    def refresh(self, report: StatusReport) -> None:
        """The state may have changed."""
        seen = [(info.provider, info.state, _answered_at(report, info)) for info in report.providers]
        if seen != self._seen:
            self._seen = seen
            if report.providers:
                self._link.call(ShowLedger(most=SHOWN), self._heard, lambda _: None)

    def _heard(self, event: Event) -> None:
        if isinstance(event, LedgerPage):
            self._show(event.entries)

    def _show(self, entries: list[Departure]) -> None:
        clear(self.rows)
        for entry in entries:
            self.rows.addWidget(label(departure_words(entry), "muted", wrap=True))
        if not entries:
            words = "Nothing has left. Every request to a cloud model would be listed here."
            self.rows.addWidget(label(words, "muted", wrap=True))


def _answered_at(report: StatusReport, info: ProviderInfo) -> int | None:
    """The same second of the engine's life in every report until there is a newer answer, or almost."""
    return None if info.answered_s is None else round((report.uptime_s - info.answered_s) / 2)
