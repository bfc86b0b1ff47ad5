"""A list from the catalog: how the question was understood with its number, and a line for each thing that opens it."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.protocol import CatalogItem, Listed
from ui.citation import Roots, path_within, place
from ui.state_words import item_words
from ui.widgets import button, clear, label, row

MOST = 60  # lines that are drawn; the title has the number of all
LONGEST = 90  # characters of a line's words
MARKS = {"open": "☐", "done": "☑"}


class ListedCard(QWidget):
    """One list.

    Signals:
        open_requested(str, int, object): path, line and page of a line the person wants to see.
    """

    open_requested = Signal(str, int, object)

    def __init__(self) -> None:
        super().__init__()
        self.listed: Listed | None = None
        self.title = label("", "heading", wrap=True)
        self.more = label("", "faint")
        self._lines = QVBoxLayout()
        self._lines.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addLayout(self._lines)
        layout.addWidget(self.more)
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self.listed = None
        clear(self._lines)
        self.setVisible(False)

    def show_listed(self, listed: Listed, roots: Roots = ()) -> None:
        """Show a list; its paths are told from the watched folders `roots` on."""
        if listed == self.listed:
            return
        self.listed = listed
        clear(self._lines)
        self.title.setText(listed.title)
        self.title.setAccessibleName(listed.title)
        for item in listed.items[:MOST]:
            self._lines.addWidget(self._line(item, roots))
        left = listed.total - min(len(listed.items), MOST)
        self.more.setText(f"and {left:,} more")
        self.more.setVisible(left > 0 and bool(listed.items))
        self.setVisible(True)

    def text(self) -> str:
        """The list as plain text, ready to paste."""
        if self.listed is None:
            return ""
        lines = [f"{MARKS.get(item.state, '-')} {_words(item)} — {_place(item)}" for item in self.listed.items]
        return "\n".join([self.listed.title, *lines])

    def place(self) -> tuple[str, int, int | None] | None:
        """Where the first line stands."""
        first = self.listed.items[0] if self.listed is not None and self.listed.items else None
        return (first.path, first.line, None) if first is not None else None

    def _line(self, item: CatalogItem, roots: Roots) -> QWidget:
        made = button("", "row", lambda: self.open_requested.emit(item.path, item.line, None))
        words = _words(item)
        made.setAccessibleName(", ".join(part for part in (item.state, words, item_words(item), _place(item)) if part))
        made.setToolTip(_place(item))
        shown = words if len(words) <= LONGEST else f"{words[:LONGEST].rstrip()}…"
        mark = label(MARKS.get(item.state, "·"), "muted")
        mark.setFixedWidth(18)
        where = label(path_within(item.path, roots), "faint")
        inner = row(mark, label(shown), label(item_words(item), "muted"), None, where)
        inner.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(made)
        layout.setContentsMargins(4, 5, 8, 5)
        layout.addWidget(inner)
        made.setMinimumHeight(inner.sizeHint().height() + 10)
        return made


def _words(item: CatalogItem) -> str:
    return " ".join(item.text.split()) or Path(item.path).name


def _place(item: CatalogItem) -> str:
    return place(item.path, item.line, None)
