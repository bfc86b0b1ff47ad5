"""The verbatim answer: the quote itself behind an accent bar, where it stands, and how to take it along."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from core.protocol import Quote
from ui.citation import place, spot
from ui.widgets import button, label


class QuoteBlock(QFrame):
    """One quote.

    Signals:
        open_requested: the person wants the file at the quote's place.
        copy_requested: the person wants the quote with its citation.
        related_requested: the person wants what is close to it in other notes.
    """

    open_requested = Signal()
    copy_requested = Signal()
    related_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("quote")
        self._text = label("", "quote", wrap=True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setAccessibleName("Quote from your notes")
        self._title = label("", "heading")
        self._where = label("", "muted")
        self._open = button("Open", "quiet", self.open_requested.emit, "Open the file at this place")
        self._copy = button("Copy with citation", "quiet", self.copy_requested.emit)
        self.related = button(
            "Related", "quiet", self.related_requested.emit, "Show what is close to it in other notes"
        )
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._title)
        foot.addWidget(self._where, 1)
        foot.addWidget(self._open)
        foot.addWidget(self._copy)
        foot.addWidget(self.related)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self._text)
        layout.addLayout(foot)

    @property
    def text(self) -> QLabel:
        """The label with the verbatim words."""
        return self._text

    @property
    def buttons(self) -> tuple[QPushButton, QPushButton]:
        """Open, and copy."""
        return self._open, self._copy

    def show_quote(self, quote: Quote, title: str, where: str) -> None:
        """Show `quote` from the note called `title` in the file shown as `where`."""
        self._text.setText(quote.text.strip())
        self._title.setText(title)
        self._where.setText(f"{where}  ·  {spot(quote.line, quote.page)}")
        self._where.setToolTip(place(quote.path, quote.line, quote.page))
