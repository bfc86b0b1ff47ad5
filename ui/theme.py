"""How Offhand looks, in one place: the two palettes, sizes, fonts, icons and the style sheet.

Follows the system's light or dark setting, and its wish for high contrast, while it runs. No other file names a colour.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

RESOURCES = Path(__file__).resolve().parent / "resources"

GAP = 8  # px; every distance is a multiple of half of it
RADIUS = 8  # px
PALETTE_WIDTH = 720  # px
READING_WIDTH = 760  # px; longer lines are hard to follow

TONES = {"good": "good", "busy": "accent", "bad": "bad", "off": "faint"}
DISC = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="currentColor"/></svg>'
)

GENERIC_FONTS = {"", "Sans Serif", "Sans", "sans-serif"}
PREFERRED_FONTS = ("Inter", "Cantarell", "Noto Sans", "Ubuntu", "Open Sans", "DejaVu Sans")


@dataclass(frozen=True)
class Colors:
    """One palette. Text colours reach 4.5:1 on every surface they are used on (WCAG 2.2, 1.4.3)."""

    dark: bool
    window: str
    surface: str
    sidebar: str
    line: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_hover: str
    on_accent: str
    selected: str
    raised: str
    hover: str
    good: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    shadow: str = "#000000"


LIGHT = Colors(
    dark=False,
    window="#fbfbfa",
    surface="#ffffff",
    sidebar="#f4f4f2",
    line="#e5e4e0",
    text="#1d1d1f",
    muted="#5d5c58",
    faint="#6b6a65",
    accent="#4750c4",
    accent_hover="#3a42ac",
    on_accent="#ffffff",
    selected="#eeeffb",
    raised="#ffffff",
    hover="#f1f1ee",
    good="#1f7a4d",
    warn="#8a5a00",
    warn_soft="#fdf5e2",
    bad="#b3342b",
    bad_soft="#fdeeec",
)

DARK = Colors(
    dark=True,
    window="#191a1d",
    surface="#202125",
    sidebar="#151618",
    line="#303238",
    text="#ececef",
    muted="#a9abb3",
    faint="#9799a7",
    accent="#9aa1ff",
    accent_hover="#b1b7ff",
    on_accent="#14151f",
    selected="#2c2e40",
    raised="#3a3c45",
    hover="#27292e",
    good="#62c48f",
    warn="#e0b04c",
    warn_soft="#2f2a1d",
    bad="#f08a80",
    bad_soft="#33211f",
)


LIGHT_CONTRAST = replace(
    LIGHT, window="#ffffff", sidebar="#ffffff", line="#6b6a65", text="#000000", muted="#1d1d1f", faint="#333230",
    accent="#2a31a0", accent_hover="#1c2280", selected="#dfe1fb", hover="#ebebe8", good="#0d5a35", warn="#5e3d00",
    bad="#8f1d16",
)  # fmt: skip
DARK_CONTRAST = replace(
    DARK, window="#000000", surface="#0b0b0d", sidebar="#000000", line="#9799a7", text="#ffffff", muted="#e6e6ea",
    faint="#d0d1d8", accent="#bcc1ff", accent_hover="#d4d7ff", selected="#2c2e52", hover="#1d1e23", good="#8fe0b3",
    warn="#f3cd7c", bad="#ffb1a9",
)  # fmt: skip


def chosen_colors(*, dark: bool, contrast: bool) -> Colors:
    """The palette for what the person or the system wants."""
    if contrast:
        return DARK_CONTRAST if dark else LIGHT_CONTRAST
    return DARK if dark else LIGHT


class Theme(QObject):
    """The palette in use, and what is drawn with it.

    Signals:
        changed: the palette was switched; painted widgets repaint, icons are made anew.
    """

    changed = Signal()

    def __init__(self, app: QApplication, preference: str = "system") -> None:
        super().__init__(app)
        self._app = app
        self._preference = preference
        self.colors = LIGHT
        app.setStyle("Fusion")
        app.setFont(_readable(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)))
        self._hints = app.styleHints()
        self._wishes = self._hints.accessibility()  # kept: what Python lets go of cannot be asked again
        self._hints.colorSchemeChanged.connect(self._refresh)
        self._wishes.contrastPreferenceChanged.connect(self._refresh)
        self._refresh()

    def prefer(self, preference: str) -> None:
        """Use "light", "dark", or whatever the "system" says."""
        if preference != self._preference:
            self._preference = preference
            self._refresh()

    def font(self, scale: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """The system's font at `scale` times its size."""
        font = QFont(self._app.font())
        font.setPointSizeF(font.pointSizeF() * scale)
        font.setWeight(weight)
        return font

    def color(self, name: str) -> QColor:
        """A colour of the palette in use by its name."""
        return QColor(getattr(self.colors, name))

    def pixmap(self, name: str, color: str, size: int = 18) -> QPixmap:
        """The line drawing `name` in a colour of the palette, `size` px square, sharp on this screen."""
        drawing = (RESOURCES / f"{name}.svg").read_text().replace("currentColor", getattr(self.colors, color))
        return _render(drawing, size, self._app.devicePixelRatio())

    def dot(self, tone: str, size: int = 8) -> QPixmap:
        """A small disc in the colour of a state: "good", "busy", "bad" or "off"."""
        color = getattr(self.colors, TONES[tone])
        return _render(DISC.replace("currentColor", color), size, self._app.devicePixelRatio())

    def _refresh(self, *_: object) -> None:
        scheme = self._hints.colorScheme()
        dark = self._preference == "dark" or (self._preference == "system" and scheme == Qt.ColorScheme.Dark)
        contrast = self._wishes.contrastPreference() == Qt.ContrastPreference.HighContrast
        self.colors = chosen_colors(dark=dark, contrast=contrast)
        self._app.setPalette(_palette(self.colors))
        self._app.setStyleSheet(style_sheet(self.colors, self._app.font().pointSizeF()))
        self.changed.emit()


def app_icon(dot: str = "") -> QIcon:
    """Offhand's mark, with a small dot in the colour `dot` where a state is to be seen."""
    drawing = (RESOURCES / "icon.svg").read_text()
    icon = QIcon()
    for size in (16, 22, 24, 32, 48, 64, 128, 256):
        pixmap = _render(drawing, size, 1.0)
        if dot:
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(dot))
            painter.drawEllipse(QRectF(size * 0.6, size * 0.6, size * 0.4, size * 0.4))
            painter.end()
        icon.addPixmap(pixmap)
    return icon


def _render(drawing: str, size: int, ratio: float) -> QPixmap:
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _readable(font: QFont) -> QFont:
    """The desktop's own font; where the desktop names none, the first good one that is installed."""
    if font.family() in GENERIC_FONTS:
        installed = set(QFontDatabase.families())
        font.setFamily(next((name for name in PREFERRED_FONTS if name in installed), font.family()))
        font.setPointSizeF(max(font.pointSizeF(), 10.0))
    font.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
    return font


def _palette(colors: Colors) -> QPalette:
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, name in (
        (roles.Window, colors.window),
        (roles.WindowText, colors.text),
        (roles.Base, colors.surface),
        (roles.AlternateBase, colors.hover),
        (roles.Text, colors.text),
        (roles.Button, colors.surface),
        (roles.ButtonText, colors.text),
        (roles.PlaceholderText, colors.faint),
        (roles.Highlight, colors.accent),
        (roles.HighlightedText, colors.on_accent),
        (roles.ToolTipBase, colors.surface),
        (roles.ToolTipText, colors.text),
        (roles.Link, colors.accent),
        (roles.LinkVisited, colors.accent),
    ):
        palette.setColor(role, QColor(name))
    palette.setColor(QPalette.ColorGroup.Disabled, roles.ButtonText, QColor(colors.faint))
    return palette


def style_sheet(colors: Colors, points: float) -> str:
    """The application's style sheet for a palette and a base font size in points."""
    sizes = {
        "base": points,
        "small": points * 0.9,
        "large": points * 1.12,
        "title": points * 1.5,
        "input": points * 1.45,
    }
    text = (RESOURCES / "style.qss").read_text()
    for name, value in asdict(colors).items():
        text = text.replace(f"@{name}@", str(value))
    for name, size in sizes.items():
        text = text.replace(f"@{name}-pt@", f"{size:.1f}pt")
    return text
