"""A short list of things to do, over the palette: typed words narrow it, Enter does the chosen one, Esc closes it."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

WIDTH = 340  # px
ROW = 30  # px
MOST_ROWS = 9
EDGE = 12  # px from the panel's corner
Keys = Qt.Key


class Action(NamedTuple):
    """One thing to do: its words, and the key that does it without the list."""

    words: str
    do: Callable[[], object]
    key: str = ""


class ActionList(QFrame):
    """The list. A part of the panel it lies on, not a window: the palette goes when another window has the keyboard.

    Args:
        panel: what it lies on.
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self.setObjectName("form")
        self._panel = panel
        self._actions: list[Action] = []
        self.words = QLineEdit()
        self.words.setAccessibleName("Find an action")
        self.words.setPlaceholderText("Find an action")
        self.words.installEventFilter(self)
        self.words.textChanged.connect(self._narrow)
        self.rows = QListWidget()
        self.rows.setAccessibleName("Actions")
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.itemClicked.connect(lambda _: self._do())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.words)
        layout.addWidget(self.rows)
        self.setVisible(False)

    def offer(self, title: str, actions: list[Action]) -> None:
        """Show these; nothing where there are none."""
        if not actions:
            return
        self._actions = actions
        self.words.setPlaceholderText(title)
        self.words.setAccessibleName(title)
        self.words.clear()
        self._narrow("")
        height = min(len(actions), MOST_ROWS) * ROW + 66
        room = self._panel.rect().adjusted(EDGE, EDGE, -EDGE, -EDGE)
        self.setGeometry(
            room.right() - WIDTH, max(room.top(), room.bottom() - height), WIDTH, min(height, room.height())
        )
        self.show()
        self.raise_()
        self.words.setFocus()

    def close_list(self) -> None:
        """Go, and give the keyboard back."""
        if self.isVisible():
            self.hide()
            self._panel.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keys that mean something beyond the line."""
        if watched is self.words and event.type() == QEvent.Type.FocusOut:
            self.hide()
        if watched is not self.words or not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        key = Keys(event.key())
        if key in (Keys.Key_Up, Keys.Key_Down):
            step = 1 if key == Keys.Key_Down else -1
            self.rows.setCurrentRow(max(0, min(self.rows.count() - 1, self.rows.currentRow() + step)))
        elif key in (Keys.Key_Return, Keys.Key_Enter):
            self._do()
        elif key in (Keys.Key_Escape, Keys.Key_Tab, Keys.Key_Backtab) or _is_k(event):
            self.close_list()
        else:
            return False
        return True

    def _narrow(self, typed: str) -> None:
        self.rows.clear()
        for action in self._actions:
            if all(word in action.words.lower() for word in typed.lower().split()):
                item = QListWidgetItem(f"{action.words}    {action.key}" if action.key else action.words)
                item.setData(Qt.ItemDataRole.UserRole, action)
                self.rows.addItem(item)
        self.rows.setCurrentRow(0)

    def _do(self) -> None:
        item = self.rows.currentItem()
        if item is None:
            return
        action: Action = item.data(Qt.ItemDataRole.UserRole)
        self.close_list()
        action.do()


def _is_k(event: QKeyEvent) -> bool:
    return event.key() == Keys.Key_K and bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
