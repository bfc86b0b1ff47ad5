"""The filters that were read out of what is typed, one chip each; a chip that is removed is taken out of the text."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from core.protocol import PartKind, QueryPart

MOST = 6  # chips; more would not fit, and all filters stand in the text
LONGEST = 32  # characters of a value
REMOVED_BY = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete, Qt.Key.Key_Backspace)

SAID: dict[PartKind, str] = {
    "phrase": "exactly “{}”",
    "without": "without “{}”",
    "folder": "folder: {}",
    "tag": "tag: {}",
    "file": "file: {}",
    "after": "from {} on",
    "before": "until {}",
}


class FilterChips(QWidget):
    """The row under the line; there only while there are filters.

    Signals:
        removed(QueryPart): the person wants to be without this one.
    """

    removed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[QueryPart] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(20, 0, 20, 10)
        self._row.setSpacing(6)
        self._row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # many chips do not widen the window
        self.setAccessibleName("Filters")
        self.setVisible(False)

    def show_parts(self, parts: Sequence[QueryPart]) -> None:
        """Show these in place of those that are shown; the focus stays where it is as long as chips stay the same."""
        filters = [part for part in parts if part.kind in SAID]
        same = [(part.kind, part.value) for part in filters] == [(part.kind, part.value) for part in self._parts]
        self._parts = filters
        if not same:
            self._draw()
        self.setVisible(bool(filters))

    def _draw(self) -> None:
        while self._row.count() > 1:
            item = self._row.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for number, part in enumerate(self._parts[:MOST]):
            chip = Chip(words(part))
            chip.clicked.connect(lambda *_, number=number: self.removed.emit(self._parts[number]))
            self._row.insertWidget(number, chip)


class Chip(QPushButton):
    """One filter: a click, Enter, Delete or Backspace removes it."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{said}  ×".replace("&", "&&"))  # an ampersand by itself would underline a letter
        self.setProperty("kind", "chip")
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"Remove the filter {said}")
        self.setToolTip(f"Remove the filter {said}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and the keys that delete do what a click does."""
        if event.key() in REMOVED_BY:
            self.click()
        else:
            super().keyPressEvent(event)


def words(part: QueryPart) -> str:
    """A filter as a person reads it."""
    value = part.value if len(part.value) <= LONGEST else f"{part.value[: LONGEST - 1]}…"
    return SAID[part.kind].format(value)


def without(text: str, part: QueryPart) -> str:
    """What was typed, without one of its filters."""
    before, behind = text[: part.start].rstrip(), text[part.end :].lstrip()
    return f"{before} {behind}".strip()
