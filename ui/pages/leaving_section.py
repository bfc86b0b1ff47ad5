"""What may leave: the closed door, the folders' rules, what is hidden, and a rehearsal that sends nothing."""

from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from core.protocol import Problem, Settings, StatusReport
from ui.engine_link import EngineLink
from ui.pages.preview_card import PreviewCard
from ui.preferences import Preferences
from ui.state_words import RULES
from ui.theme import Theme
from ui.widgets import Setting, Switch, button, card, hairline, label, row

NAMES_HEIGHT = 84  # px
DOOR = "Nothing leaves this machine: no cloud model is asked and nothing is downloaded."
HIDDEN = (
    "E-mail addresses, phone, card and account numbers, keys and the names below become placeholders before anything "
    "is sent, and are put back in the answer. It is text recognition: it finds nearly all of them, not all."
)


class LeavingSection(QWidget):
    """The section."""

    def __init__(self, link: EngineLink, theme: Theme, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self._saved: list[str] = []
        self.offline = Switch("", theme)
        self.door = Setting("Offline", DOOR, self.offline)
        self.rules = label("", "muted", wrap=True)
        self.redact = Switch("", theme)
        self.hiding = Setting("Hide personal details", HIDDEN, self.redact)
        self.names = QPlainTextEdit()
        self.names.setAccessibleName("Names that are hidden from cloud models, one a line")
        self.names.setPlaceholderText("Names of people and places, one a line")
        self.names.setTabChangesFocus(True)
        self.names.setFixedHeight(NAMES_HEIGHT)
        self.save = button("Save names", "", self._save)
        self.save.setVisible(False)
        self.trouble = label("", "bad", wrap=True)
        self.trouble.setVisible(False)
        self.preview = PreviewCard(link, theme)
        self._build()
        self.offline.clicked.connect(lambda on: self._set("offline", on=on, line=self.door))
        self.redact.clicked.connect(lambda on: self._set("redact", on=on, line=self.hiding))
        self.names.textChanged.connect(self._typed)
        preferences.changed.connect(self._set_up)

    def _build(self) -> None:
        hidden = QFrame()
        hidden.setObjectName("card")
        inner = QVBoxLayout(hidden)
        inner.setContentsMargins(16, 8, 16, 12)
        inner.setSpacing(8)
        for part in (self.hiding, hairline(), label("Names that are hidden too"), self.names, self.trouble):
            inner.addWidget(part)
        inner.addWidget(row(None, self.save))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        rules = card(label("Rules of your folders", "heading"), self.rules, spacing=4)
        for made in (card(self.door, spacing=0), rules, hidden, self.preview):
            layout.addWidget(made)
        layout.addStretch(1)

    def refresh(self, report: StatusReport) -> None:
        """What a report says of the door and the folders."""
        self.offline.setChecked(report.offline)
        counts = {rule: sum(folder.rule == rule for folder in report.folders) for rule in RULES}
        said = [
            f"{count} {'folder' if count == 1 else 'folders'}: {RULES[rule]}" for rule, count in counts.items() if count
        ]
        words = "\n".join(said) or "There is no folder yet."
        self.rules.setText(f"{words}\nEach folder's rule is set on the Library page.")

    def _set(self, name: str, *, on: bool, line: Setting) -> None:
        line.refuse("")
        self._preferences.set(name, "true" if on else "false", lambda problem: line.refuse(str(problem)))

    def _set_up(self, settings: Settings) -> None:
        self.offline.setChecked(settings.offline)
        self.redact.setChecked(settings.redact)
        if settings.private_names != self._saved:
            self._saved = list(settings.private_names)
            self.names.setPlainText("\n".join(self._saved))
        self._typed()

    def _lines(self) -> list[str]:
        return [line.strip() for line in self.names.toPlainText().splitlines() if line.strip()]

    def _typed(self) -> None:
        self.save.setVisible(self._lines() != self._saved)

    def _save(self) -> None:
        comma = next((line for line in self._lines() if "," in line), "")
        if comma:
            self._refuse(f"“{comma[:60]}” has a comma in it. One name a line, please.")
            return
        self._refuse("")
        self._preferences.set("private_names", ", ".join(self._lines()), self._refused)

    def _refused(self, problem: Problem) -> None:
        self._refuse(str(problem))

    def _refuse(self, words: str) -> None:
        self.trouble.setText(words)
        self.trouble.setVisible(bool(words))
