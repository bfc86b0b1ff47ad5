"""Puts the windows together and decides the order of coming and going: the window first, the engine behind it.

The only place in `ui` where parts are made and wired.
"""

import logging
import logging.handlers
import os
import sys
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from core.paths import Profile
from core.protocol import Problem, Settings
from ui import hotkeys, instance, opening
from ui.bell import Bell
from ui.engine_link import EngineLink
from ui.hotkey import Result
from ui.main_window import MainWindow
from ui.notifications import Notifications
from ui.palette import Palette
from ui.theme import Theme, app_icon
from ui.tray import Tray

log = logging.getLogger(__name__)

CALM = "Something went wrong inside Offhand. The rest goes on; the log has the details."


def run(profile: Profile, *, palette: bool = False, hidden: bool = False) -> int:
    """Open the app and stay until it is quit; returns an exit status. If it already runs, it is called to the front.

    Args:
        palette: come up with the palette instead of the window.
        hidden: come up with neither: the key, the tray, or another start brings it.

    Raises:
        Problem: the profile cannot be written, or the app that runs does not answer.
    """
    profile.create()
    _log_to(profile)
    qInstallMessageHandler(_qt_said)
    QGuiApplication.setDesktopFileName("offhand")
    qt = QApplication(sys.argv[:1])
    qt.setApplicationName("Offhand")
    qt.setWindowIcon(app_icon())
    bell = Bell(profile)
    if not bell.hang():
        if hidden:
            return 0
        if not instance.ring(profile, "toggle" if palette else "show"):
            raise Problem("Another Offhand window is starting or ending just now.", "Try again in a moment.")
        return 0
    app = App(qt, profile, bell)
    app.start(palette=palette, hidden=hidden)
    status = qt.exec()
    app.close()
    return int(status)


class App(QObject):
    """Everything that is on the screen, wired.

    Signals:
        went_wrong: an exception reached the last barrier.
    """

    went_wrong = Signal()

    def __init__(self, qt: QApplication, profile: Profile, bell: Bell) -> None:
        super().__init__()
        self._qt = qt
        self.theme = Theme(qt)
        self.link = EngineLink(profile, self)
        self.hotkey, composited = hotkeys.of_this_screen(self)
        self.palette = Palette(self.link, self.theme, composited=composited)
        self.window = MainWindow(self.link, self.theme, profile)
        self.tray = Tray(self.link, self.theme, self)
        self._notifications = Notifications(self.link, self._wants_to_be_told, self.tray.tell, self)
        self._bell = bell
        self._combination = ""
        self._registered = Result("unavailable", "")
        self._wire()

    def _wire(self) -> None:
        self._bell.rung.connect(self._rung)
        self.hotkey.activated.connect(self._pressed)
        self.hotkey.changed.connect(self._hotkey_is)
        for panel in (self.palette.panel, self.window.ask):
            panel.open_requested.connect(lambda *where, panel=panel: self._open(panel, *where))
        self.palette.panel.add_folder_requested.connect(self._add_folder)
        self.tray.ask_requested.connect(self.palette.present)
        self.tray.open_requested.connect(self.window.present)
        self.tray.later_requested.connect(self.window.present_opinions)
        self.tray.appeared.connect(self._can_come_back)
        self.tray.appeared.connect(lambda: log.info("in the tray"))
        for source in (self.tray, self.window):
            source.quit_requested.connect(self._qt.quit)
        self.window.open_requested.connect(lambda *where: self._open(self.window, *where))
        self.window.preferences.changed.connect(self._settings_are)
        self.went_wrong.connect(lambda: self.window.notice.say(CALM))

    def start(self, *, palette: bool, hidden: bool = False) -> None:
        """Show what was asked for; the engine follows in the background."""
        sys.excepthook = self._barrier
        if palette or hidden:
            if palette:
                self.palette.present()
            self._qt.setQuitOnLastWindowClosed(False)
        else:
            self.window.present()
        QTimer.singleShot(0, self._after_first_paint)

    def close(self) -> None:
        """Let go of everything that outlives a window."""
        self._bell.take_down()
        self.hotkey.close()
        self.tray.icon.hide()
        self.link.close()

    def _after_first_paint(self) -> None:
        self.link.start()
        self.tray.look()
        self._can_come_back()

    def _settings_are(self, settings: Settings) -> None:
        self.theme.prefer(settings.theme)
        if settings.hotkey != self._combination:
            self._combination = settings.hotkey
            self._hotkey_is(self.hotkey.register(self._combination))

    def _hotkey_is(self, result: Result) -> None:
        self._registered = result
        log.info("shortcut: %s", result.message)
        self.window.show_shortcut(result.message, well=result.status in ("ok", "asked"))
        self._can_come_back()

    def _can_come_back(self) -> None:
        """With nothing that could bring it back, closing the window ends the app."""
        back = self.tray.icon.isVisible() or self._registered.status == "ok"
        if back or self.window.isVisible():
            self._qt.setQuitOnLastWindowClosed(not back)

    def _wants_to_be_told(self) -> bool:
        settings = self.window.preferences.settings
        return settings is not None and settings.notify

    def _pressed(self, time: int, token: str) -> None:
        _may_take_focus(token)
        self.window.key_pressed()
        self.palette.toggle()
        if self.palette.isVisible():
            QGuiApplication.sync()  # the window manager must know the window before it is asked to focus it
            self.hotkey.focus(int(self.palette.winId()), time)

    def _rung(self, word: str, token: str) -> None:
        _may_take_focus(token)
        if word == "toggle":
            self.window.key_pressed()  # a key of the desktop's own, most likely
            self.palette.toggle()
        else:
            self.window.present()

    def _open(self, panel: QObject, path: str, line: int, page: int | None) -> None:
        refusal = opening.open_at(path, line, page)
        if panel is self.palette.panel:
            if refusal:
                self.palette.panel.notice(refusal)
            else:
                self.palette.hide()
        elif refusal and panel is self.window.ask:
            self.window.ask.notice(refusal)
        elif refusal:
            self.window.say(refusal)

    def _add_folder(self) -> None:
        self.palette.hide()
        self.window.add_folder()

    def _barrier(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._qt.quit()
            return
        log.critical("an exception reached the last barrier", exc_info=(kind, error, trace))
        self.went_wrong.emit()


def _may_take_focus(token: str) -> None:
    if token:
        os.environ["XDG_ACTIVATION_TOKEN"] = token  # Qt's Wayland plug-in takes it from there, once


def _log_to(profile: Profile) -> None:
    keeper = logging.handlers.RotatingFileHandler(
        profile.logs / "app.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8"
    )
    keeper.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(keeper)
    logging.getLogger().setLevel(logging.INFO)


def _qt_said(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
        QtMsgType.QtCriticalMsg: logging.ERROR,
        QtMsgType.QtFatalMsg: logging.CRITICAL,
    }
    logging.getLogger("qt").log(levels.get(kind, logging.WARNING), "%s", message)
