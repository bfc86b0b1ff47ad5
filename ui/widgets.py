"""Small ready-made parts, so that every page says the same thing in the same way."""

from collections.abc import Callable

from PySide6.QtCore import Property, QEvent, QPoint, QPropertyAnimation, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
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


class IconButton(QPushButton):
    """A button that is a drawing; `says` is its name and tooltip."""

    def __init__(self, theme: Theme, drawing: str, clicked: Callable[[], object], says: str) -> None:
        super().__init__()
        self._theme, self._drawing = theme, drawing
        self.setProperty("kind", "icon")
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(16, 16))
        self.setAccessibleName(says)
        self.setToolTip(says)
        self.clicked.connect(lambda *_: clicked())
        theme.changed.connect(self._look)
        self._look()

    def _look(self) -> None:
        self.setIcon(QIcon(self._theme.pixmap(self._drawing, "muted", 16)))


def set_role(words: QLabel, role: str) -> None:
    """Give words another of the style sheet's roles."""
    if words.property("role") != role:
        words.setProperty("role", role)
        words.style().unpolish(words)
        words.style().polish(words)


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


class Elided(QLabel):
    """A line that has dots at its end or in its middle where there is no room; its tooltip and name have all of it."""

    def __init__(self, text: str = "", role: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.say(text)

    def say(self, text: str, tip: str = "") -> None:
        """Show this; `tip` where the tooltip says more."""
        self.setText(" ".join(text.split()))
        self.setToolTip(tip or self.text())
        self.setAccessibleName(self.text())

    def minimumSizeHint(self) -> QSize:
        """A few letters."""
        return QSize(min(48, super().minimumSizeHint().width()), super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw as much as there is room for."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.setFont(self.font())
        shown = QFontMetrics(self.font()).elidedText(self.text(), self._mode, self.width())
        painter.drawText(self.rect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, shown)


class Setting(QFrame):
    """A line of a form: what it is, what it does, the control on the right, and below what is wrong with its value."""

    def __init__(self, title: str, words: str, control: QWidget) -> None:
        super().__init__()
        self.setObjectName("setting")
        if not control.accessibleName():
            control.setAccessibleName(title)
        control.setAccessibleDescription(words)
        self.trouble = label("", "bad", wrap=True)
        self.trouble.setVisible(False)
        self.remark = label(words, "faint", wrap=True)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(label(title))
        text.addWidget(self.remark)
        text.addWidget(self.trouble)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 6)
        layout.setSpacing(24)
        layout.addLayout(text, 1)
        layout.addWidget(control, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def refuse(self, words: str) -> None:
        """Say what is wrong with the value, or nothing."""
        self.trouble.setText(words)
        self.trouble.setVisible(bool(words))


class Page(QScrollArea):
    """A page of the main window: a title, a sentence under it, what can be done, and below that its parts."""

    def __init__(self, title: str, *actions: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(title)
        self.subtitle = label("", "muted", wrap=True)
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


def number_field(name: str, low: int, high: int, width: int) -> QSpinBox:
    """A field for a whole number from `low` to `high`, `width` px wide; `name` is for screen readers."""
    made = QSpinBox()
    made.setRange(low, high)
    made.setFixedWidth(width)
    made.setAccessibleName(name)
    made.lineEdit().setTextMargins(8, 0, 4, 0)  # the style sheet's padding does not reach it
    return made


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


class Switch(QCheckBox):
    """An on-off switch; the words beside it are `text`. A screen reader is told of a check box, which it is."""

    def __init__(self, text: str, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setText(text)
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._knob = 0.0
        self._slide = QPropertyAnimation(self, b"knob", self)
        self._slide.setDuration(110)
        self.toggled.connect(self._move)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Words and switch."""
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(46 + words if words else 38, 26)

    def hitButton(self, place: QPoint) -> bool:
        """All of it can be clicked."""
        return self.rect().contains(place)

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
