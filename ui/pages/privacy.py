"""Cloud models and what may leave for them: who is asked, what may leave, what left, and how it goes without them."""

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QApplication, QWidget

from core.protocol import StatusReport
from ui.engine_link import EngineLink
from ui.pages.drill_section import DrillSection
from ui.pages.leaving_section import LeavingSection
from ui.pages.ledger_section import LedgerSection
from ui.pages.providers_section import ProvidersSection
from ui.preferences import Preferences
from ui.segments import Segments
from ui.theme import Theme
from ui.widgets import Page, label

PARTS = {"models": "Models", "leaving": "What may leave", "ledger": "What left", "drill": "Outage drill"}


class PrivacyPage(Page):
    """The page; `part` says which of its sections is in view."""

    def __init__(self, link: EngineLink, theme: Theme, preferences: Preferences) -> None:
        self.chip = label("Offline", "chip")
        self.chip.setToolTip("Offline: nothing leaves this machine")
        super().__init__("Cloud and privacy", self.chip)
        self._preferences = preferences
        self.part = Segments("Part of the page", PARTS)
        self.providers = ProvidersSection(link, theme, preferences)
        self.leaving = LeavingSection(link, theme, preferences)
        self.ledger = LedgerSection(link, theme)
        self.drill = DrillSection(link, theme)
        self._sections: dict[str, QWidget] = {
            "models": self.providers,
            "leaving": self.leaving,
            "ledger": self.ledger,
            "drill": self.drill,
        }
        self.parts.addWidget(self.part)
        for section in self._sections.values():
            self.parts.addWidget(section, 1)
        self.part.chosen.connect(self.show_part)
        self.show_part("models")
        self.subtitle.setText("What leaves this machine is decided here.")
        self.chip.setVisible(False)
        link.reported.connect(self._reported)
        if link.report is not None:
            self._reported(link.report)

    def show_part(self, part: str) -> None:
        """Turn to a section: one of `PARTS`."""
        self.part.show_value(part)
        focused = QApplication.focusWidget()
        if focused is not None and any(section.isAncestorOf(focused) for section in self._sections.values()):
            self.setFocus()  # or it would go to whatever comes next in the window
        for name, section in self._sections.items():
            section.setVisible(name == part)
        self.verticalScrollBar().setValue(0)

    def showEvent(self, event: QShowEvent) -> None:
        """A command may have changed something since it was last in view."""
        super().showEvent(event)
        self._preferences.refresh()

    def _reported(self, report: StatusReport) -> None:
        self.chip.setVisible(report.offline)
        away = "Offline: nothing leaves this machine." if report.offline else ""
        none = "" if report.providers else "No cloud model is set up: nothing leaves this machine."
        self.subtitle.setText(away or none or "Cloud models are asked under the rules that you set here.")
        self.providers.refresh(report)
        self.leaving.refresh(report)
        self.ledger.refresh(report)
