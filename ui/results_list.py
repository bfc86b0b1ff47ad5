"""The passages found while typing: a list that is replaced in place, without flicker, on every keystroke."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from core.protocol import Hit
from ui.citation import Roots, path_within, place, spot
from ui.snippet import Span, excerpt
from ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex

SNIPPET = 190  # characters; two lines of the palette
TILE = 30  # px
PAD = 10  # px
ROW = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Row:
    """A hit and how it is shown."""

    hit: Hit
    path: str
    kind: str
    title: str
    trail: str
    spot: str
    snippet: str
    bold: list[Span]


class ResultsModel(QAbstractListModel):
    """The hits of the newest search."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []

    def replace(self, hits: list[Hit], words: str, roots: Roots = ()) -> None:
        """Show `hits` in place of what is shown, keeping the rows that both have; paths are told from `roots` on."""
        rows = [_row(hit, words, roots) for hit in hits]
        kept = min(len(rows), len(self._rows))
        if len(rows) < len(self._rows):
            self.beginRemoveRows(QModelIndex(), kept, len(self._rows) - 1)
            del self._rows[kept:]
            self.endRemoveRows()
        self._rows[:kept] = rows[:kept]
        if kept:
            self.dataChanged.emit(self.index(0), self.index(kept - 1))
        if len(rows) > kept:
            self.beginInsertRows(QModelIndex(), kept, len(rows) - 1)
            self._rows.extend(rows[kept:])
            self.endInsertRows()

    def row(self, number: int) -> Row:
        """The row `number`, from 0."""
        return self._rows[number]

    def number_of(self, chunk_id: int) -> int | None:
        """Where a passage stands now, or None."""
        return next((i for i, row in enumerate(self._rows) if row.hit.chunk_id == chunk_id), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's name and default
        """How many passages are shown."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The row itself for the painter; words for screen readers."""
        row = self._rows[index.row()]
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (row.title, row.trail, row.path, row.spot, row.snippet) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return place(row.hit.path, row.hit.line, row.hit.page)
        return None


def _row(hit: Hit, words: str, roots: Roots) -> Row:
    path = Path(hit.path)
    snippet, bold = excerpt(hit.text, words, SNIPPET)
    title = hit.title or path.stem
    trail = "" if hit.heading == title else hit.heading.removeprefix(f"{title} › ")
    return Row(
        hit,
        path_within(hit.path, roots),
        path.suffix.lstrip(".").lower()[:4],
        title,
        trail,
        spot(hit.line, hit.page),
        snippet,
        bold,
    )


class ResultDelegate(QStyledItemDelegate):
    """Paints a passage: its kind, title and heading trail, place, and two lines with the typed words in bold."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def height(self) -> int:
        """Of a row, in px."""
        title = QFontMetrics(self._theme.font(1.0, QFont.Weight.DemiBold)).height()
        return PAD * 2 + title + 3 + 2 * QFontMetrics(self._theme.font(0.94)).height()

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """All rows are equally high."""
        return QSize(200, self.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        row = index.data(ROW)
        rect: QRect = option.rect
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._background(painter, rect, state)
        self._tile(painter, QRectF(rect.left() + 20, rect.top() + PAD + 2, TILE, TILE), row.kind)
        left = rect.left() + 20 + TILE + 12
        inner = QRect(left, rect.top() + PAD, rect.right() - 20 - left, rect.height() - 2 * PAD)
        used = self._headline(painter, inner, row)
        self._snippet(painter, inner.adjusted(0, used + 3, 0, 0), row)
        painter.restore()

    def _background(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if not selected and not state & QStyle.StateFlag.State_MouseOver:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("selected" if selected else "hover"))
        painter.drawRoundedRect(QRectF(rect).adjusted(8, 1, -8, -1), 8, 8)

    def _tile(self, painter: QPainter, tile: QRectF, kind: str) -> None:
        color = self._theme.color("bad" if kind == "pdf" else "good" if kind in ("csv", "xlsx") else "accent")
        soft = QColor(color)
        soft.setAlphaF(0.14)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(soft)
        painter.drawRoundedRect(tile, 7, 7)
        painter.setPen(color)
        painter.setFont(self._theme.font(0.68 if len(kind) > 3 else 0.74, QFont.Weight.DemiBold))
        painter.drawText(tile, Qt.AlignmentFlag.AlignCenter, kind.upper())

    def _headline(self, painter: QPainter, rect: QRect, row: Row) -> int:
        bold, normal = self._theme.font(1.0, QFont.Weight.DemiBold), self._theme.font(0.9)
        wide, small = QFontMetrics(bold), QFontMetrics(normal)
        where = f"{row.path}  ·  {row.spot}"
        place_width = min(small.horizontalAdvance(where) + 2, rect.width() * 2 // 5)
        room = rect.width() - place_width - 16
        title = wide.elidedText(row.title, Qt.TextElideMode.ElideRight, room)
        width = wide.horizontalAdvance(title)
        baseline = rect.top() + wide.ascent()
        painter.setFont(bold)
        painter.setPen(self._theme.color("text"))
        painter.drawText(rect.left(), baseline, title)
        painter.setFont(normal)
        if row.trail and room - width > 40:
            painter.setPen(self._theme.color("muted"))
            trail = small.elidedText(row.trail, Qt.TextElideMode.ElideRight, room - width - 10)
            painter.drawText(rect.left() + width + 10, baseline, trail)
        painter.setPen(self._theme.color("faint"))
        where = small.elidedText(where, Qt.TextElideMode.ElideLeft, place_width)
        painter.drawText(rect.right() - small.horizontalAdvance(where), baseline, where)
        return wide.height()

    def _snippet(self, painter: QPainter, rect: QRect, row: Row) -> None:
        font = self._theme.font(0.94)
        strong = QTextCharFormat()
        strong.setFontWeight(QFont.Weight.DemiBold)
        strong.setForeground(self._theme.color("text"))
        marks = []
        for start, end in row.bold:
            mark = QTextLayout.FormatRange()
            mark.start, mark.length, mark.format = start, end - start, strong
            marks.append(mark)
        text = row.snippet
        layout = QTextLayout(text, font)
        layout.setFormats(marks)
        fitted = _two_lines(layout, rect.width())
        if fitted < len(text):
            layout.setText(text[: max(0, fitted - 2)].rstrip() + "…")
            _two_lines(layout, rect.width())
        painter.setPen(self._theme.color("muted"))
        layout.draw(painter, QPointF(rect.topLeft()))


def _two_lines(layout: QTextLayout, width: int) -> int:
    """Lay the text out on at most two lines of `width` px; returns how many characters fitted."""
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    end, top = 0, 0.0
    for _ in range(2):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, top))
        top += line.height()
        end = line.textStart() + line.textLength()
    layout.endLayout()
    return end


class ResultsView(QListView):
    """The list on the screen. The keyboard stays with the question; arrows are forwarded by its owner.

    Signals:
        open_requested(Hit): a passage was double-clicked.
    """

    open_requested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.results = ResultsModel()
        self.setModel(self.results)
        self._delegate = ResultDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Passages found")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.setViewportMargins(0, 4, 0, 4)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.doubleClicked.connect(lambda index: self.open_requested.emit(self.results.row(index.row()).hit))
        theme.changed.connect(self.viewport().update)

    def show_hits(self, hits: list[Hit], words: str, roots: Roots = (), *, follow: bool) -> None:
        """Show `hits`; with `follow` the chosen passage stays chosen where it moved, else the first is chosen."""
        chosen = self.chosen()
        self.results.replace(hits, words, roots)
        moved = self.results.number_of(chosen.chunk_id) if follow and chosen is not None else None
        self.choose(moved or 0)

    def chosen(self) -> Hit | None:
        """The passage that is chosen."""
        index = self.currentIndex()
        return self.results.row(index.row()).hit if index.isValid() else None

    def choose(self, number: int) -> None:
        """Choose a row, or the nearest there is."""
        count = self.results.rowCount()
        if count:
            self.setCurrentIndex(self.results.index(max(0, min(number, count - 1))))

    def step(self, rows: int) -> None:
        """Move the choice by `rows`."""
        self.choose(self.currentIndex().row() + rows)

    def row_height(self) -> int:
        """Of each passage, in px."""
        return self._delegate.height()
