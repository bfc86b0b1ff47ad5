"""A list of many equal rows: a title, a line under it, a word on the right, and a dot where there is a state.

One model and one painter serve every page, so that ten thousand rows cost what ten cost, and all lists look alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ui.theme import TONES, Theme

Index = QModelIndex | QPersistentModelIndex

PAD = 9  # px above and below a row's words
SIDE = 12  # px left and right of them
DOT = 8  # px
LINE = Qt.ItemDataRole.UserRole
ONE_LINE = str.maketrans(dict.fromkeys("\n\r\t\v\f\u2028\u2029", " "))


@dataclass(frozen=True)
class Line:
    """One row. `key` is what its owner knows it by; `tone` one of the theme's states, or "" for no dot."""

    key: object
    title: str
    detail: str = ""
    aside: str = ""
    tone: str = ""
    tip: str = ""

    @property
    def spoken(self) -> str:
        """All of it, for a screen reader."""
        return ", ".join(part for part in (self.title, self.detail, self.aside) if part)


class LinesModel(QAbstractListModel):
    """The rows. Where there are more than it holds, it asks for them by `more` as the person scrolls on."""

    def __init__(self, more: Callable[[], None]) -> None:
        super().__init__()
        self._lines: list[Line] = []
        self._more = more
        self.has_more = False

    @property
    def lines(self) -> Sequence[Line]:
        """All rows that are there."""
        return self._lines

    def replace(self, lines: Sequence[Line], *, has_more: bool = False) -> None:
        """Show these in place of what is shown."""
        self.has_more = has_more
        if list(lines) == self._lines:
            return
        self.beginResetModel()
        self._lines = list(lines)
        self.endResetModel()

    def append(self, lines: Sequence[Line], *, has_more: bool = False) -> None:
        """Show these too, at the end."""
        self.has_more = has_more
        if lines:
            self.beginInsertRows(QModelIndex(), len(self._lines), len(self._lines) + len(lines) - 1)
            self._lines.extend(lines)
            self.endInsertRows()

    def remove(self, key: object) -> None:
        """Take the row of that key out."""
        number = self.number_of(key)
        if number is not None:
            self.beginRemoveRows(QModelIndex(), number, number)
            del self._lines[number]
            self.endRemoveRows()

    def number_of(self, key: object) -> int | None:
        """Where the row of that key stands, or None."""
        return next((number for number, line in enumerate(self._lines) if line.key == key), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's name and default
        """How many rows are there."""
        return 0 if parent.isValid() else len(self._lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The row itself for the painter; words for everybody else."""
        line = self._lines[index.row()]
        if role == LINE:
            return line
        if role == Qt.ItemDataRole.DisplayRole:
            return line.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return line.spoken
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.tip or None
        return None

    def canFetchMore(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008  # Qt's name and default
        """Whether there are rows that were not asked for yet."""
        return self.has_more and not parent.isValid()

    def fetchMore(self, _parent: Index) -> None:
        """Ask for them, once."""
        self.has_more = False
        self._more()


class LineDelegate(QStyledItemDelegate):
    """Paints a row. What does not fit ends in dots; nothing is cut."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def height(self) -> int:
        """Of a row, in px."""
        return 2 * PAD + QFontMetrics(self._theme.font()).height() + 2 + QFontMetrics(self._theme.font(0.92)).height()

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """All rows are equally high."""
        return QSize(120, self.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        line: Line = index.data(LINE)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, rect, option.state)
        inner = rect.adjusted(SIDE, PAD, -SIDE, -PAD)
        if line.tone:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color(TONES[line.tone]))
            first = QFontMetrics(self._theme.font()).height()
            painter.drawEllipse(QRectF(inner.left(), inner.top() + (first - DOT) / 2, DOT, DOT))
            inner.setLeft(inner.left() + DOT + 10)
        self._words(painter, inner, line)
        painter.restore()

    def _ground(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected)
        focused = selected and bool(state & QStyle.StateFlag.State_HasFocus)
        if not selected and not state & QStyle.StateFlag.State_MouseOver:
            return
        painter.setPen(QPen(self._theme.color("accent"), 1) if focused else Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("selected" if selected else "hover"))
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 1.5, -0.5, -1.5), 6, 6)

    def _words(self, painter: QPainter, rect: QRect, line: Line) -> None:
        normal, small = self._theme.font(), self._theme.font(0.92)
        wide, narrow = QFontMetrics(normal), QFontMetrics(small)
        right = Qt.TextElideMode.ElideRight
        aside = narrow.elidedText(_flat(line.aside), right, rect.width() // 2)
        room = rect.width() - (narrow.horizontalAdvance(aside) + 16 if aside else 0)
        baseline = rect.top() + wide.ascent()
        painter.setFont(normal)
        painter.setPen(self._theme.color("text"))
        painter.drawText(rect.left(), baseline, wide.elidedText(_flat(line.title), right, room))
        painter.setFont(small)
        painter.setPen(self._theme.color("faint"))
        if aside:
            painter.drawText(rect.right() - narrow.horizontalAdvance(aside), baseline, aside)
        painter.setPen(self._theme.color("muted"))
        below = rect.top() + wide.height() + 2 + narrow.ascent()
        painter.drawText(rect.left(), below, narrow.elidedText(_flat(line.detail), right, rect.width()))


def _flat(words: str) -> str:
    """On one line, and no longer than any screen is wide."""
    return words[:600].translate(ONE_LINE)


class RowList(QListView):
    """The list on the screen: arrows move, Enter or a click opens.

    Signals:
        opened(object): the key of a row that was clicked, or on which Enter was pressed.
        deleted(object): the key of a row on which Delete was pressed.
        more_wanted: the end of what is there comes into view, and there is more.
    """

    opened = Signal(object)
    deleted = Signal(object)
    more_wanted = Signal()

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.lines = LinesModel(self.more_wanted.emit)
        self.setModel(self.lines)
        self._delegate = LineDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(lambda index: self.opened.emit(self.lines.lines[index.row()].key))
        self.lines.modelReset.connect(self._begin)
        theme.changed.connect(self.viewport().update)

    def key(self) -> object | None:
        """The key of the row that is chosen, or None."""
        index = self.currentIndex()
        return self.lines.lines[index.row()].key if index.isValid() else None

    def choose(self, key: object) -> None:
        """Choose the row of that key, where it is there."""
        number = self.lines.number_of(key)
        if number is not None:
            self.setCurrentIndex(self.lines.index(number))

    def row_height(self) -> int:
        """Of each row, in px."""
        return self._delegate.height()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Whoever comes by key has a row to start from."""
        super().focusInEvent(event)
        self._begin()

    def _begin(self) -> None:
        if self.hasFocus() and not self.currentIndex().isValid() and self.lines.rowCount():
            self.setCurrentIndex(self.lines.index(0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Delete asks to take away."""
        key = self.key()
        if key is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(key)
        elif key is not None and event.key() == Qt.Key.Key_Delete:
            self.deleted.emit(key)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Another font makes other rows."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.scheduleDelayedItemsLayout()
