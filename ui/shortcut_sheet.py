"""All keys of the window on one sheet, behind F1."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from ui.widgets import button, label, row

Keys = tuple[tuple[str, str], ...]

ASKING: Keys = (
    ("Enter", "Answer the question"),
    ("Ctrl+Enter", "Open the file at its place"),
    ("Ctrl+C", "Copy with citation"),
    ("Ctrl+R", "Related passages of other notes"),
    ("↑  ↓", "Choose a passage"),
    ("Ctrl+K", "All that can be done"),
    ("Tab", "Filters, in the palette"),
    ("Esc", "Stop, or go back"),
)
LISTS: Keys = (
    ("↑  ↓", "Move"),
    ("Enter", "Open"),
    ("Delete", "Erase the chosen one"),
    ("Ctrl+F", "Search on this page"),
    ("Esc", "Back to the list"),
)
EVERYWHERE: Keys = (
    ("Tab", "Next control"),
    ("Space", "Press or switch it"),
    ("F1", "This sheet"),
    ("Ctrl+W", "Close the window"),
    ("Ctrl+Q", "Quit"),
)
CAP = 124  # px


class ShortcutSheet(QDialog):
    """The sheet. Any of Esc, Enter and F1 closes it.

    Args:
        pages: the names of the pages in their order.
        global_key: what opens Offhand from anywhere, "" where nothing does.
    """

    def __init__(self, parent: QWidget, pages: list[str], global_key: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        turning: Keys = tuple((f"Ctrl+{number}", page) for number, page in enumerate(pages, 1))
        anywhere: Keys = ((global_key, "Open from anywhere"),) if global_key else ()
        left = _column(("Pages", turning), ("Asking", ASKING))
        right = _column(("Lists", LISTS), ("Everywhere", (*anywhere, *EVERYWHERE)))
        columns = QHBoxLayout()
        columns.setSpacing(40)
        for column in (left, right):
            columns.addLayout(column)
        self.close_button = button("Close", "", self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(28, 24, 28, 20)
        layout.setSpacing(18)
        layout.addWidget(label("Keys", "title"))
        layout.addLayout(columns)
        layout.addWidget(row(None, self.close_button))
        self.close_button.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The key that brought it takes it away."""
        if event.key() == Qt.Key.Key_F1:
            self.accept()
        else:
            super().keyPressEvent(event)


def _column(*groups: tuple[str, Keys]) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(14)
    for title, keys in groups:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(0, CAP)
        grid.addWidget(label(title, "section"), 0, 0, 1, 2)
        for number, (key, does) in enumerate(keys, 1):
            grid.addWidget(label(key, "keycap"), number, 0, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(label(does, "muted"), number, 1)
        column.addLayout(grid)
    column.addStretch(1)
    return column
