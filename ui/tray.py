"""The icon in the system's tray, where there is one: the state in words, and the few things one wants from there."""

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from core.protocol import Configure
from ui.engine_link import EngineLink
from ui.state_words import later_words, light_words, state_words, tone
from ui.theme import TONES, Theme, app_icon

LOOK_AGAIN_MS = 10_000


class Tray(QObject):
    """The tray icon with its menu.

    Signals:
        ask_requested, open_requested, later_requested, quit_requested: what was chosen.
        appeared: there is a tray now, and the icon is in it.
    """

    ask_requested = Signal()
    open_requested = Signal()
    later_requested = Signal()
    quit_requested = Signal()
    appeared = Signal()

    def __init__(self, link: EngineLink, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._theme = theme
        self._shown = ""
        self.menu = QMenu()
        self.state = self.menu.addAction("")
        self.state.setEnabled(False)
        self.light = self.menu.addAction("")
        self.light.setEnabled(False)
        self.start = self._action("Start", link.retry)
        self.later = self._action("", self.later_requested.emit)
        self.menu.addSeparator()
        self._action("Ask…", self.ask_requested.emit)
        self._action("Open Offhand", self.open_requested.emit)
        self.offline = self._action("Offline", self._toggle_offline)
        self.offline.setCheckable(True)
        self.pause = self._action("Pause reading", self._toggle_paused)
        self.pause.setCheckable(True)
        self.menu.addSeparator()
        self._action("Quit", self.quit_requested.emit)
        self.icon = QSystemTrayIcon(self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        link.state_changed.connect(self._refresh)
        link.reported.connect(self._refresh)
        theme.changed.connect(self._refresh)
        self._again = QTimer(self, interval=LOOK_AGAIN_MS)
        self._again.timeout.connect(self.look)
        self._refresh()

    def look(self) -> bool:
        """Show the icon if there is a tray; else look again later, a desktop may start its tray after us."""
        if self.icon.isVisible():
            return True
        if not QSystemTrayIcon.isSystemTrayAvailable():
            self._again.start()
            return False
        self._again.stop()
        self.icon.show()
        self.appeared.emit()
        return True

    def tell(self, title: str, words: str) -> None:
        """Show a notification of the desktop, where the icon is in a tray that has them."""
        if self.icon.isVisible() and QSystemTrayIcon.supportsMessages():
            self.icon.showMessage(title, words, self.icon.icon())

    def _action(self, text: str, chosen: object) -> QAction:
        action = self.menu.addAction(text)
        action.triggered.connect(chosen)
        return action

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.ask_requested.emit()

    def _toggle_offline(self, on: bool) -> None:
        self._link.call(Configure("offline", "true" if on else "false"), lambda _: None, lambda _: self._refresh())

    def _toggle_paused(self, on: bool) -> None:
        self._link.call(Configure("paused", "true" if on else "false"), lambda _: None, lambda _: self._refresh())

    def _refresh(self, *_: object) -> None:
        state, report = self._link.state, self._link.report
        words = state_words(state, report)
        offline = report is not None and report.offline
        if offline:
            words += ", offline"
        self.state.setText(words)
        self.start.setVisible(state == "stopped")
        self.offline.setChecked(offline)
        self.pause.setChecked(report is not None and bool(report.paused))
        light = light_words(report) if state == "ready" and report is not None else ""
        self.light.setText(light)
        self.light.setVisible(bool(light))
        later = later_words(report) if report is not None else ""
        self.later.setText(later)
        self.later.setVisible(bool(later))
        self.icon.setToolTip("\n".join(filter(None, (f"Offhand: {words}", light, later))))
        now = tone(state, report)
        dot = "" if now in ("good", "off") and not offline else getattr(self._theme.colors, TONES[now])
        if offline and now == "good":
            dot = self._theme.colors.warn
        if dot != self._shown or self.icon.icon().isNull():
            self._shown = dot
            self.icon.setIcon(app_icon(dot))
