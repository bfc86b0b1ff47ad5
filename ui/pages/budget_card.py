"""What the cloud may cost: tokens a day and a month, and what has been spent of them."""

from PySide6.QtWidgets import QFrame, QSpinBox, QVBoxLayout

from core.protocol import Event, LedgerPage, Problem, ProviderInfo, Settings, ShowLedger, StatusReport
from ui.engine_link import EngineLink
from ui.preferences import Preferences
from ui.widgets import Setting, hairline, label, number_field

MOST = 1_000_000_000  # tokens
WORDS = {"budget_day": "Tokens a day", "budget_month": "Tokens a month"}


class BudgetCard(QFrame):
    """The two budgets. A request that would go beyond one of them is not sent."""

    def __init__(self, link: EngineLink, preferences: Preferences) -> None:
        super().__init__()
        self.setObjectName("card")
        self._link = link
        self._preferences = preferences
        self._seen: object = None
        self.fields: dict[str, QSpinBox] = {}
        self.lines: dict[str, Setting] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.setSpacing(2)
        layout.addWidget(label("Budget", "heading"))
        for name, words in WORDS.items():
            field = self.fields[name] = number_field(words, 0, MOST, 140)
            field.setGroupSeparatorShown(True)
            field.setSpecialValueText("no limit")
            field.editingFinished.connect(lambda name=name: self._changed(name))
            if self.lines:
                layout.addWidget(hairline())
            line = self.lines[name] = Setting(words, "0 means no limit.", field)
            layout.addWidget(line)
        preferences.changed.connect(self._set_up)

    def refresh(self, report: StatusReport) -> None:
        """A report says whether anything may have left since."""
        seen = [(info.provider, info.state, answered_at(report, info)) for info in report.providers]
        if seen != self._seen:
            self._seen = seen
            self._link.call(ShowLedger(most=1), self._heard, lambda _: None)

    def _heard(self, event: Event) -> None:
        if isinstance(event, LedgerPage):
            spent = {"budget_day": (event.spent_day, "today"), "budget_month": (event.spent_month, "this month")}
            for name, (tokens, when) in spent.items():
                said = f"{tokens:,} spent {when}" if tokens else f"Nothing spent {when}"
                self.lines[name].remark.setText(f"{said}. 0 means no limit.")

    def _set_up(self, settings: Settings) -> None:
        for name, field in self.fields.items():
            if not field.hasFocus():
                field.setValue(getattr(settings, name))

    def _changed(self, name: str) -> None:
        settings, value = self._preferences.settings, self.fields[name].value()
        self.lines[name].refuse("")
        if settings is not None and value != getattr(settings, name):

            def refused(problem: Problem) -> None:
                self.lines[name].refuse(str(problem))

            self._preferences.set(name, str(value), refused)


def answered_at(report: StatusReport, info: ProviderInfo) -> int | None:
    """The same second of the engine's life in every report until there is a newer answer, or almost."""
    return None if info.answered_s is None else round((report.uptime_s - info.answered_s) / 2)
