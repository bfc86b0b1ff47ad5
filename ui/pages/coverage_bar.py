"""How much of the folders can be found, as one thin bar: indexed, waiting, skipped, failed."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.protocol import Coverage
from ui.state_words import coverage_words
from ui.theme import Theme

HEIGHT = 6  # px
SMALLEST = 3.0  # px of a share that is not nothing


class CoverageBar(QWidget):
    """The bar; its words are its accessible name and its tooltip."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shares: list[tuple[str, int]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(200, HEIGHT)

    def show_coverage(self, coverage: Coverage) -> None:
        """Show these numbers."""
        self._shares = [
            ("good", coverage.indexed),
            ("accent", coverage.waiting),
            ("faint", coverage.skipped),
            ("bad", coverage.failed),
        ]
        words = coverage_words(coverage)
        self.setAccessibleName(f"Coverage: {words}")
        self.setToolTip(words)
        self.setVisible(bool(coverage.files))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the shares side by side, even the smallest."""
        total = sum(count for _, count in self._shares)
        if not total:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QPainterPath()
        whole.addRoundedRect(QRectF(self.rect()), HEIGHT / 2, HEIGHT / 2)
        painter.setClipPath(whole)
        painter.setPen(Qt.PenStyle.NoPen)
        shown = [(color, count) for color, count in self._shares if count]
        free = self.width() - (len(shown) - 1) * 2.0
        widths = [max(SMALLEST, free * count / total) for _, count in shown]
        scale = free / sum(widths)
        left = 0.0
        for (color, _), width in zip(shown, widths, strict=True):
            painter.setBrush(self._theme.color(color))
            painter.drawRect(QRectF(left, 0, width * scale, HEIGHT))
            left += width * scale + 2.0
