"""Small ready-made parts, so that every page says the same thing in the same way."""

from collections.abc import Callable

from PySide6.QtCore import Property, QEvent, QPropertyAnimation, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.theme import READING_WIDTH, Theme


def label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """Plain words in one of the style sheet's roles."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)  # names of files and words of models are never markup
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    if wrap:
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return made


def button(text: str, kind: str, clicked: Callable[[], object], says: str = "") -> QPushButton:
    """A button of one of the style sheet's kinds; `says` is for screen readers and the tooltip."""
    made = QPushButton(text)
    made.setProperty("kind", kind)
    made.setAutoDefault(False)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.setAccessibleName(says or text)
    if says:
        made.setToolTip(says)
    made.clicked.connect(lambda *_: clicked())
    return made


def hairline() -> QFrame:
    """A line between two parts."""
    line = QFrame()
    line.setObjectName("hairline")
    return line


def card(*parts: QWidget, spacing: int = 8) -> QFrame:
    """A framed surface with its parts one below the other."""
    frame = QFrame()
    frame.setObjectName("card")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(16, 12, 16, 12)
    layout.setSpacing(spacing)
    for part in parts:
        layout.addWidget(part)
    return frame


def row(*parts: QWidget | None, spacing: int = 8) -> QWidget:
    """Parts side by side; None is where the free room goes."""
    widget = QWidget()
    layout = QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for part in parts:
        if part is None:
            layout.addStretch(1)
        else:
            layout.addWidget(part)
    return widget


class Page(QScrollArea):
    """A page of the main window: a title, a sentence under it, what can be done, and below that its parts."""

    def __init__(self, title: str, *actions: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.subtitle = label("", "muted")
        column = QWidget()
        column.setMaximumWidth(READING_WIDTH)
        self.parts = QVBoxLayout(column)
        self.parts.setContentsMargins(0, 0, 0, 0)
        self.parts.setSpacing(12)
        self.parts.addWidget(row(label(title, "title"), None, *actions))
        self.parts.addWidget(self.subtitle)
        self.parts.addSpacing(4)
        page = QWidget()
        page.setObjectName("page")
        layout = QHBoxLayout(page)
        layout.setContentsMargins(32, 28, 32, 28)
        layout.addStretch(1)
        layout.addWidget(column, 100)
        layout.addStretch(1)
        self.setWidget(page)


class Note(QFrame):
    """A sentence the person should see, on a soft ground. `kind` is "note" or "trouble"."""

    def __init__(self, kind: str = "note") -> None:
        super().__init__()
        self.setObjectName(kind)
        self._words = label("", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.addWidget(self._words)
        self.setVisible(False)

    def say(self, words: str) -> None:
        """Show `words`, or nothing where there are none."""
        self._words.setText(words)
        self._words.setAccessibleName(words)
        self.setVisible(bool(words))

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.text()


class Switch(QAbstractButton):
    """An on-off switch; the words beside it are `text`."""

    def __init__(self, text: str, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._knob = 0.0
        self._slide = QPropertyAnimation(self, b"knob", self)
        self._slide.setDuration(110)
        self.toggled.connect(self._move)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Words and switch."""
        return QSize(46 + self.fontMetrics().horizontalAdvance(self.text()), 26)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(3, (self.height() - 18) / 2, 32, 18)
        painter.setPen(self._theme.color("accent") if self.hasFocus() else Qt.PenStyle.NoPen)
        if self.hasFocus():
            painter.drawRoundedRect(track.adjusted(-2.5, -2.5, 2.5, 2.5), 11, 11)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("accent" if self.isChecked() else "faint"))
        painter.drawRoundedRect(track, 9, 9)
        painter.setBrush(self._theme.color("surface"))
        painter.drawEllipse(QRectF(track.left() + 2 + 14 * self._knob, track.top() + 2, 14, 14))
        painter.setPen(self._theme.color("text"))
        painter.drawText(self.rect().adjusted(44, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())

    def changeEvent(self, event: QEvent) -> None:
        """The words may have changed."""
        super().changeEvent(event)
        self.updateGeometry()

    def _move(self, on: bool) -> None:
        self._slide.stop()
        if not self.isVisible():
            self._set_knob(float(on))
            return
        self._slide.setStartValue(self._knob)
        self._slide.setEndValue(float(on))
        self._slide.start()

    def _get_knob(self) -> float:
        return self._knob

    def _set_knob(self, value: float) -> None:
        self._knob = value
        self.update()

    knob = Property(float, _get_knob, _set_knob)


def clear(layout: QVBoxLayout) -> None:
    """Take everything out of a layout."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.hide()
            widget.deleteLater()
