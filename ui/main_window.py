"""The frame around the pages: navigation on the left, the page on the right, the engine's state at the foot.

The first page is there at once; each other one is made, and its code loaded, when it is first needed: so the window is
seen the sooner.
"""

from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QSettings, QSize, Qt, QTimer, Signal
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
from core.protocol import StatusReport
from ui.ask_panel import AskPanel
from ui.engine_banner import EngineBanner
from ui.engine_link import EngineLink
from ui.preferences import Preferences
from ui.shortcut_sheet import ShortcutSheet
from ui.state_words import later_words, state_words, tone
from ui.theme import Theme, app_icon
from ui.widgets import Note, button, label, row

if TYPE_CHECKING:
    from ui.pages.history import HistoryPage
    from ui.pages.library import LibraryPage
    from ui.pages.models import ModelsPage
    from ui.pages.privacy import PrivacyPage
    from ui.pages.settings import SettingsPage
    from ui.pages.status import StatusPage
    from ui.pages.tasks import TasksPage
    from ui.pages.welcome import WelcomePage

PageT = TypeVar("PageT", bound=QWidget)

PAGES = (
    ("Ask", "ask"),
    ("Library", "library"),
    ("Tasks", "tasks"),
    ("History", "history"),
    ("Models", "models"),
    ("Cloud and privacy", "privacy"),
    ("Settings", "settings"),
    ("Status", "status"),
)
ASK, LIBRARY, TASKS, HISTORY, MODELS, PRIVACY, SETTINGS, STATUS = range(len(PAGES))
WELCOME = len(PAGES)  # it has no place in the navigation
WELCOMED = "welcomed"  # in the window's own file: the welcome was seen and left
GAPS = (MODELS, SETTINGS)  # pages that begin a new group
SIDEBAR = 212  # px
NOTICE_MS = 8000


class MainWindow(QMainWindow):
    """The main window.

    Signals:
        closed: the person closed it.
        quit_requested: the person wants to end the app.
        open_requested(str, int, object): path, line and page of a file to be opened.
    """

    closed = Signal()
    quit_requested = Signal()
    open_requested = Signal(str, int, object)

    def __init__(self, link: EngineLink, theme: Theme, profile: Profile) -> None:
        super().__init__()
        self._link = link
        self._theme = theme
        self._profile = profile
        self._place = QSettings(str(profile.config / "window.ini"), QSettings.Format.IniFormat)
        self.setWindowTitle("Offhand")
        self.setMinimumSize(QSize(720, 480))
        self.resize(QSize(1000, 680))
        self.preferences = Preferences(link, self)
        self.ask = AskPanel(link, theme, embedded=True)
        self.notice = Note("trouble")
        self.banner = EngineBanner(link)
        self._pages = QStackedWidget()
        self._number = ASK
        self._shortcut: tuple[str, bool] | None = None  # how it stands with it, in words, and whether it is well
        self._buttons = QButtonGroup(self)
        self._dot = QLabel()
        self._words = label("", "faint", wrap=True)
        self.start = button("Start", "primary", link.retry)
        self.start.setVisible(False)
        self._notice_over = QTimer(self, singleShot=True, interval=NOTICE_MS)
        self._build()
        self._wire()
        self._look()
        self.show_page(ASK)
        geometry = self._place.value("geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)

    def _build(self) -> None:
        self._pages.addWidget(self.ask)
        inner = QWidget()
        layout = QHBoxLayout(inner)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._side = self._sidebar()
        layout.addWidget(self._side)
        right = QVBoxLayout()
        right.setSpacing(0)
        for part in (self.banner, self.notice):
            right.addWidget(part)
        right.addWidget(self._pages, 1)
        layout.addLayout(right, 1)
        self.setCentralWidget(inner)

    def _wire(self) -> None:
        for number in range(len(PAGES)):
            QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self, partial(self.show_page, number))
        QShortcut(QKeySequence("Ctrl+Q"), self, self.quit_requested.emit)
        QShortcut(QKeySequence("Ctrl+W"), self, self.close)
        QShortcut(QKeySequence("F1"), self, self.show_keys)
        self._notice_over.timeout.connect(lambda: self.notice.say(""))
        self.ask.close_requested.connect(self.ask.back)
        self.ask.add_folder_requested.connect(self.add_folder)
        self._link.state_changed.connect(self._show_state)
        self._link.reported.connect(self._show_state)
        self._link.reported.connect(self._first_report)
        self._theme.changed.connect(self._look)

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
            made.setAutoExclusive(True)  # so that it is told as a choice among several
            made.setToolTip(f"Ctrl+{number + 1}")
            self._buttons.addButton(made, number)
            if number in GAPS:
                layout.addSpacing(14)
            layout.addWidget(made)
        layout.addStretch(1)
        foot = row(self._dot, self._words, spacing=8)
        foot.layout().setContentsMargins(8, 0, 0, 0)  # type: ignore[union-attr]
        foot.layout().setStretch(1, 1)  # type: ignore[union-attr]
        layout.addWidget(self.start)
        layout.addWidget(foot)
        return side

    def show_page(self, number: int) -> None:
        """Turn to a page: `ASK`, `LIBRARY`, …"""
        if self._number == WELCOME:
            self._place.setValue(WELCOMED, "yes")
        self._side.setVisible(True)
        self._number = number
        page = getattr(self, PAGES[number][1])  # made by that, the first time
        self._pages.setCurrentWidget(page)
        self.banner.set_wanted(number != ASK)
        self._buttons.button(number).setChecked(True)
        for made in self._buttons.buttons():  # Tab reaches the one in view, arrows the others; a click, the page
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus if made.isChecked() else Qt.FocusPolicy.NoFocus)
        if not any(made.hasFocus() for made in self._buttons.buttons()):
            page.setFocus()  # from where Tab goes on to its controls, and the arrows scroll

    def show_welcome(self) -> None:
        """Turn to the welcome, from its beginning."""
        self._number = WELCOME
        self._pages.setCurrentWidget(self.welcome)
        self.welcome.begin()
        self._side.setVisible(False)
        self.banner.set_wanted(True)

    def page(self) -> int:
        """The page in view."""
        return self._number

    @cached_property
    def library(self) -> "LibraryPage":
        """The folders."""
        from ui.pages.library import LibraryPage

        return self._added(LibraryPage(self._link, self._theme))

    @cached_property
    def tasks(self) -> "TasksPage":
        """The tasks of all notes."""
        from ui.pages.tasks import TasksPage

        page = self._added(TasksPage(self._link, self._theme))
        page.open_requested.connect(self.open_requested)
        return page

    @cached_property
    def history(self) -> "HistoryPage":
        """What was asked."""
        from ui.pages.history import HistoryPage

        page = self._added(HistoryPage(self._link, self._theme))
        page.open_requested.connect(self.open_requested)
        page.ask_requested.connect(self.ask_again)
        return page

    @cached_property
    def models(self) -> "ModelsPage":
        """What answers, here and elsewhere."""
        from ui.pages.models import ModelsPage

        page = self._added(ModelsPage(self._link, self._theme, self.preferences))
        page.cloud_requested.connect(partial(self.show_page, PRIVACY))
        return page

    @cached_property
    def privacy(self) -> "PrivacyPage":
        """The cloud models, and what leaves."""
        from ui.pages.privacy import PrivacyPage

        return self._added(PrivacyPage(self._link, self._theme, self.preferences))

    @cached_property
    def settings(self) -> "SettingsPage":
        """The settings."""
        from ui import autostart
        from ui.pages.settings import SettingsPage

        page = self._added(SettingsPage(self._theme, self.preferences, autostart.of(self._profile)))
        page.welcome_requested.connect(self.show_welcome)
        if self._shortcut is not None:
            words, well = self._shortcut
            page.show_shortcut(words, well=well)
        return page

    @cached_property
    def status(self) -> "StatusPage":
        """What runs, and how it is."""
        from ui.pages.status import StatusPage

        return self._added(StatusPage(self._link, self._theme))

    @cached_property
    def welcome(self) -> "WelcomePage":
        """The first minute."""
        from ui.pages.welcome import WelcomePage

        page = self._added(WelcomePage(self._link, self._theme, self.preferences))
        page.left.connect(partial(self.show_page, ASK))
        page.ask.open_requested.connect(self.open_requested)
        if self._shortcut is not None:
            page.key.show_shortcut(self._shortcut[0])
        return page

    def _added(self, page: PageT) -> PageT:
        self._pages.addWidget(page)
        return page

    def present(self) -> None:
        """Come to the front."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def present_opinions(self) -> None:
        """Come to the front with the second opinions."""
        self.show_page(HISTORY)
        self.history.show_opinions()
        self.present()

    def ask_again(self, question: str) -> None:
        """Turn to the first page and answer `question` there."""
        self.show_page(ASK)
        self.ask.question.setText(question)
        self.ask.ask()

    def add_folder(self) -> None:
        """Turn to the library and let the person choose a folder."""
        self.present()
        self.show_page(LIBRARY)
        self.library.add()

    def show_keys(self) -> None:
        """Show the sheet with all keys."""
        settings = self.preferences.settings
        sheet = ShortcutSheet(self, [name for name, _ in PAGES], settings.hotkey if settings is not None else "")
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def show_shortcut(self, words: str, *, well: bool) -> None:
        """Say how it stands with the global shortcut, on the page where it is set."""
        self._shortcut = (words, well)
        if "settings" in self.__dict__:  # made already
            self.settings.show_shortcut(words, well=well)
        if "welcome" in self.__dict__:
            self.welcome.key.show_shortcut(words)

    def key_pressed(self) -> None:
        """The global shortcut was pressed: the welcome may be waiting for that."""
        if "welcome" in self.__dict__:
            self.welcome.key.light()

    def say(self, words: str) -> None:
        """Say something above the page for a few seconds."""
        self.notice.say(words)
        self._notice_over.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember where it stood."""
        self._place.setValue("geometry", self.saveGeometry())
        super().closeEvent(event)
        self.closed.emit()

    def _first_report(self, report: StatusReport) -> None:
        """Whoever has no folder yet, and was not greeted, is."""
        self._link.reported.disconnect(self._first_report)
        untouched = self.page() == ASK and not self.ask.question.text()
        if not report.folders and untouched and not self._place.contains(WELCOMED):
            self.show_welcome()

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
