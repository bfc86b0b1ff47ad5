"""The window that comes from anywhere and goes at once: frameless, in the upper middle of the screen in use."""

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QCursor,
    QGuiApplication,
    QKeySequence,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from ui.ask_panel import LIMIT, AskPanel
from ui.engine_link import EngineLink
from ui.selected_text import SelectedText
from ui.theme import PALETTE_WIDTH, Theme

CORNER = 12  # px
SHADOW = 24  # px of soft shadow around it, where the screen can show one
COMPACT = 206  # px high with nothing typed
ACTION = 48  # px more where there is a button
LARGEST = 0.68  # of the screen's height
TOP = 0.16  # of the screen's height above it


class Palette(QWidget):
    """The quick-ask window.

    Args:
        composited: whether the screen can show translucent windows; without it the palette has plain edges.

    Signals:
        hidden: it went away.
    """

    hidden = Signal()

    def __init__(self, link: EngineLink, theme: Theme, *, composited: bool = True) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self._theme = theme
        self._margin = SHADOW if composited else 0
        # On Wayland the desktop places it, once: from the middle of the screen it would grow beyond the edge.
        self._grows = not QGuiApplication.platformName().startswith("wayland")
        self.setWindowTitle("Offhand palette")
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, composited)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self.panel = AskPanel(link, theme)
        layout = QVBoxLayout(self)
        edge = self._margin + 1
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.addWidget(self.panel)
        self.selected = SelectedText(link, theme)
        self.panel.selected = self.selected
        inner = self.panel.layout()
        assert isinstance(inner, QVBoxLayout)
        inner.insertWidget(inner.indexOf(self.panel.body), self.selected)
        self.panel.body.addWidget(self.selected.card)
        self.selected.chosen.connect(self._show_selected)
        self.selected.copied.connect(self.panel.notice)
        self.selected.shown.connect(self._fit_selected)
        QShortcut(QKeySequence("Ctrl+J"), self, self.selected.look_at_clipboard)
        self.panel.close_requested.connect(self.hide)
        self.panel.showing.connect(self._fit)
        theme.changed.connect(self.update)
        self._fit("state")

    def present(self) -> None:
        """Come up on the screen in use with what was typed last selected, ready to be typed over."""
        screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
        area = screen.availableGeometry()
        self.selected.look()
        self._fit("keep")
        self.move(QPoint(area.center().x() - self.width() // 2, area.top() + round(area.height() * TOP) - self._margin))
        self.panel.question.selectAll()
        self.show()
        self.raise_()
        self.activateWindow()
        self.panel.question.setFocus()

    def toggle(self) -> None:
        """Come, or go if the person is looking at it."""
        if self.isVisible() and self.isActiveWindow():
            self.hide()
        else:
            self.present()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The surface, its edge, and the shadow below it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        m = self._margin
        body = QRectF(self.rect()).adjusted(m + 0.5, m + 0.5, -m - 0.5, -m - 0.5)
        if m:
            self._shadow(painter, body)
        painter.setBrush(self._theme.color("surface"))
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.drawRoundedRect(body, CORNER, CORNER)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Without translucency the corners are cut off instead."""
        super().resizeEvent(event)
        if not self._margin:
            path = QPainterPath()
            path.addRoundedRect(QRectF(self.rect()), CORNER, CORNER)
            self.setMask(QRegion(path.toFillPolygon().toPolygon()))

    def changeEvent(self, event: QEvent) -> None:
        """It goes when the person turns to another window."""
        super().changeEvent(event)
        left = event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow()
        if left and self.isVisible() and QApplication.activeModalWidget() is None:
            self.hide()

    def hideEvent(self, _event: object) -> None:
        """Tell that it went."""
        self.hidden.emit()

    def _fit(self, showing: str) -> None:
        """Two heights only, so that it does not jump while one types; one where it cannot be placed."""
        answering = self.panel.body.currentWidget() is self.selected.card
        compact = self._grows and not answering and not self.panel.question.text().strip()
        if showing == "keep" and not compact:
            return
        screen = self.screen() or QGuiApplication.primaryScreen()
        chrome = 112
        full = min(
            chrome + LIMIT * self.panel.results.row_height(), round(screen.availableGeometry().height() * LARGEST)
        )
        low = COMPACT + (0 if self.panel.pane.action.isHidden() else ACTION)
        if not self.selected.isHidden():
            low += self.selected.sizeHint().height()
        self.setFixedSize(PALETTE_WIDTH + 2 * self._margin, (low if compact else full) + 2 * self._margin)

    def _show_selected(self) -> None:
        self.panel.body.setCurrentWidget(self.selected.card)
        self._fit_selected()

    def _fit_selected(self) -> None:
        self._fit("state")

    def _shadow(self, painter: QPainter, body: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        color = self._theme.color("shadow")
        steps = self._margin
        for step in range(steps, 0, -2):
            strength = (1 - step / steps) ** 2
            color.setAlphaF(0.055 * strength * (2.0 if self._theme.colors.dark else 1.0))
            painter.setBrush(color)
            out = step - 1
            painter.drawRoundedRect(
                body.adjusted(-out, -out + 6, out, min(out + 4, steps - 1)), CORNER + out, CORNER + out
            )
