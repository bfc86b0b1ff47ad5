"""The passages of other notes that are close to one: a line that says to which, the way back, and the list."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.protocol import Event, Found, Hit, Problem, Related
from ui.engine_link import EngineLink, Ticket
from ui.results_list import ResultsView
from ui.theme import Theme
from ui.widgets import Elided, button, label, row

LIMIT = 8


class RelatedView(QWidget):
    """It asks the engine by itself. The keyboard stays with the question; arrows are forwarded by its owner.

    Signals:
        open_requested(Hit): a passage was double-clicked.
        back_requested: the person wants to see what was there before.
    """

    open_requested = Signal(object)
    back_requested = Signal()

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self.setMinimumHeight(1)  # it is not seen where room is scarce, and must take none from the question line there
        self._link = link
        self._ticket: Ticket | None = None
        self.title = Elided("", "heading")
        self.back = button("Back", "quiet", self.back_requested.emit, "Back to what was there before")
        self.said = label("", "muted", wrap=True)
        self.results = ResultsView(theme)
        self.results.setAccessibleName("Related passages")
        self.results.open_requested.connect(self.open_requested)
        head = row(self.title, self.back)
        head.layout().setStretch(0, 1)  # type: ignore[union-attr]
        head.layout().setContentsMargins(20, 8, 14, 0)  # type: ignore[union-attr]
        self.said.setContentsMargins(20, 4, 20, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (head, self.said):
            layout.addWidget(part)
        layout.addWidget(self.results, 1)

    def look(self, path: str, line: int) -> None:
        """Find what is close to what stands at this line of a file."""
        if self._ticket is not None:
            self._ticket.cancel()
        self.title.say(f"Close to {Path(path).stem}", f"{path}:{line}")
        self._say("Looking…")
        self.results.show_hits([], "", follow=False)
        self._ticket = self._link.call(Related(path, line, LIMIT), self._found, self._failed)

    def chosen(self) -> Hit | None:
        """The passage that is chosen."""
        return self.results.chosen() if self.results.results.rowCount() else None

    def step(self, rows: int) -> None:
        """Move the choice by `rows`."""
        self.results.step(rows)

    def _found(self, event: Event) -> None:
        if isinstance(event, Found):
            self.results.show_hits(event.hits, event.words, self._link.roots, follow=False)
            self._say(event.note)

    def _failed(self, problem: Problem) -> None:
        self._say(str(problem))

    def _say(self, words: str) -> None:
        self.said.setText(words)
        self.said.setVisible(bool(words))
