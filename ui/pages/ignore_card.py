"""What is left out of the library, shown and changeable: patterns, hidden files, large files."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout

from core.protocol import Configure, CurrentSettings, Event, GetSettings, Problem, Settings
from ui.engine_link import EngineLink
from ui.theme import Theme
from ui.widgets import Switch, button, label, number_field, row

LARGEST_MB = 100_000


class IgnoreCard(QFrame):
    """The ignore rules. `trouble` is told in a sentence when a change was refused."""

    def __init__(self, link: EngineLink, theme: Theme, trouble: Callable[[str], None]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._link = link
        self._trouble = trouble
        self._saved: list[str] = []
        self.patterns = QPlainTextEdit()
        self.patterns.setAccessibleName("Patterns of files and folders that are left out, one a line")
        self.patterns.setTabChangesFocus(True)
        self.patterns.setFixedHeight(112)
        self.save = button("Save patterns", "", self._save)
        self.hidden_files = Switch("Read hidden files too", theme)
        self.largest = number_field("Largest file that is read, in MB", 1, LARGEST_MB, 96)
        self.largest.setSuffix(" MB")
        self._build()
        self.patterns.textChanged.connect(self._typed)
        self.hidden_files.clicked.connect(lambda on: self._configure("hidden_files", "true" if on else "false"))
        self.largest.editingFinished.connect(self._largest_changed)
        link.call(GetSettings(), self._show)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(label("What is left out", "heading"))
        words = "Patterns as in .gitignore, one a line. Each folder's own .gitignore counts too."
        layout.addWidget(label(words, "muted", wrap=True))
        layout.addWidget(self.patterns)
        layout.addWidget(row(None, self.save))
        layout.addWidget(row(label("Leave out files above"), self.largest, None, self.hidden_files))

    def _show(self, event: Event) -> None:
        if not isinstance(event, CurrentSettings):
            return
        settings: Settings = event.settings
        self._saved = list(settings.ignore)
        self.patterns.setPlainText("\n".join(settings.ignore))
        self.hidden_files.setChecked(settings.hidden_files)
        self.largest.setValue(settings.largest_file_mb)
        self._typed()

    def _lines(self) -> list[str]:
        return [line.strip() for line in self.patterns.toPlainText().splitlines() if line.strip()]

    def _typed(self) -> None:
        self.save.setVisible(self._lines() != self._saved)

    def _save(self) -> None:
        self._configure("ignore", ", ".join(self._lines()))

    def _largest_changed(self) -> None:
        self._configure("largest_file_mb", str(self.largest.value()))

    def _configure(self, name: str, value: str) -> None:
        self._trouble("")
        self._link.call(Configure(name, value), self._show, self._refused)

    def _refused(self, problem: Problem) -> None:
        self._trouble(str(problem))
        self._link.call(GetSettings(), self._show)  # the page shows what is, not what was wished
