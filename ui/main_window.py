"""The frame around the pages: navigation on the left, the page on the right, the engine's state at the foot."""

from functools import partial

from PySide6.QtCore import QSettings, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.paths import Profile
from ui.ask_panel import AskPanel
from ui.engine_link import EngineLink
from ui.folders_page import FoldersPage
from ui.state_words import later_words, state_words, tone
from ui.status_page import StatusPage
from ui.theme import Theme, app_icon
from ui.widgets import Note, button, label, row

PAGES = (("Ask", "ask"), ("Library", "library"), ("Status", "status"))
SIDEBAR = 196  # px
ASK, LIBRARY, STATUS = range(3)


class MainWindow(QMainWindow):
    """The main window.

    Signals:
        closed: the person closed it.
        quit_requested: the person wants to end the app.
    """

    closed = Signal()
    quit_requested = Signal()

    def __init__(self, link: EngineLink, theme: Theme, profile: Profile) -> None:
        super().__init__()
        self._link = link
        self._theme = theme
        self._place = QSettings(str(profile.config / "window.ini"), QSettings.Format.IniFormat)
        self.setWindowTitle("Offhand")
        self.setMinimumSize(QSize(720, 480))
        self.resize(QSize(1000, 680))
        self.ask = AskPanel(link, theme, embedded=True)
        self.library = FoldersPage(link, theme)
        self.status = StatusPage(link, theme)
        self.notice = Note("trouble")
        self._pages = QStackedWidget()
        self._buttons = QButtonGroup(self)
        self._dot = QLabel()
        self._words = label("", "faint", wrap=True)
        self.start = button("Start", "primary", link.retry)
        self.start.setVisible(False)
        self._build()
        self.ask.close_requested.connect(self.ask.back)
        self.ask.add_folder_requested.connect(self.add_folder)
        link.state_changed.connect(self._show_state)
        link.reported.connect(self._show_state)
        theme.changed.connect(self._look)
        self._look()
        self.show_page(ASK)
        geometry = self._place.value("geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)

    def _build(self) -> None:
        for page in (self.ask, self.library, self.status):
            self._pages.addWidget(page)
        inner = QWidget()
        layout = QHBoxLayout(inner)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._sidebar())
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.notice)
        right.addWidget(self._pages, 1)
        layout.addLayout(right, 1)
        self.setCentralWidget(inner)
        for number in range(len(PAGES)):
            QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self, partial(self.show_page, number))
        QShortcut(QKeySequence("Ctrl+Q"), self, self.quit_requested.emit)
        QShortcut(QKeySequence("Ctrl+W"), self, self.close)

    def _sidebar(self) -> QWidget:
        side = QWidget()
        side.setObjectName("sidebar")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        side.setFixedWidth(SIDEBAR)
        mark = QLabel()
        mark.setPixmap(app_icon().pixmap(QSize(22, 22)))
        layout = QVBoxLayout(side)
        layout.setContentsMargins(12, 18, 12, 14)
        layout.setSpacing(2)
        brand = row(mark, label("Offhand", "heading"), None)
        brand.layout().setContentsMargins(8, 0, 0, 14)  # type: ignore[union-attr]
        layout.addWidget(brand)
        for number, (name, _) in enumerate(PAGES):
            made = button(f"  {name}", "nav", partial(self.show_page, number))
            made.setAccessibleName(name)
            made.setCheckable(True)
            made.setToolTip(f"Ctrl+{number + 1}")
            self._buttons.addButton(made, number)
            layout.addWidget(made)
        layout.addStretch(1)
        foot = row(self._dot, self._words, spacing=8)
        foot.layout().setContentsMargins(8, 0, 0, 0)  # type: ignore[union-attr]
        foot.layout().setStretch(1, 1)  # type: ignore[union-attr]
        layout.addWidget(self.start)
        layout.addWidget(foot)
        return side

    def show_page(self, number: int) -> None:
        """Turn to a page: `ASK`, `LIBRARY` or `STATUS`."""
        self._pages.setCurrentIndex(number)
        chosen = self._buttons.button(number)
        chosen.setChecked(True)
        if number == ASK:
            self.ask.question.setFocus()
        else:
            chosen.setFocus()

    def page(self) -> int:
        """The page in view."""
        return self._pages.currentIndex()

    def present(self) -> None:
        """Come to the front."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def present_status(self) -> None:
        """Come to the front with the status page."""
        self.show_page(STATUS)
        self.present()

    def add_folder(self) -> None:
        """Turn to the library and let the person choose a folder."""
        self.present()
        self.show_page(LIBRARY)
        self.library.add()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember where it stood."""
        self._place.setValue("geometry", self.saveGeometry())
        super().closeEvent(event)
        self.closed.emit()

    def _show_state(self, *_: object) -> None:
        state, report = self._link.state, self._link.report
        words = state_words(state, report)
        self.start.setVisible(state == "stopped")
        more = [] if report is None else ["Offline" if report.offline else "", later_words(report)]
        self._words.setText("\n".join(filter(None, (words, *more))))
        self._dot.setPixmap(self._theme.dot(tone(state, report)))

    def _look(self) -> None:
        for number, (_, drawing) in enumerate(PAGES):
            made = self._buttons.button(number)
            assert isinstance(made, QPushButton)
            made.setIcon(QIcon(self._theme.pixmap(drawing, "muted", 18)))
            made.setIconSize(QSize(18, 18))
        self._show_state()
