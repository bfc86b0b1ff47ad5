"""Which way to a global shortcut this system has. Each has a file of its own; only the one that is chosen is loaded."""

import os

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from ui.hotkey import Hotkey, NoHotkey


def of_this_screen(parent: QObject) -> tuple[Hotkey, bool]:
    """The shortcut of the system whose screen Qt draws on, and whether that screen shows translucent windows."""
    platform = QGuiApplication.platformName()
    try:
        # A key grabbed from Xwayland works only while one of its own windows has the keyboard.
        if platform.startswith("wayland") or (platform == "xcb" and os.environ.get("WAYLAND_DISPLAY")):
            return _portal(parent), True
        if platform == "xcb":
            from ui.hotkeys.x11 import X11Hotkey

            grab = X11Hotkey(parent)
            return grab, grab.composited()
        if platform == "windows":
            from ui.hotkeys.windows import WindowsHotkey

            return WindowsHotkey(parent), True
        if platform == "cocoa":
            from ui.hotkeys.macos import MacHotkey

            return MacHotkey(parent), True
    except OSError as error:
        return NoHotkey(f"No global shortcut: {error}.", parent), platform != "xcb"
    return NoHotkey("A global shortcut is not available on this system.", parent), platform != "offscreen"


def _portal(parent: QObject) -> Hotkey:
    from ui.hotkeys.portal import PortalHotkey
    from ui.hotkeys.session_bus import SessionBus

    return PortalHotkey(SessionBus(), parent)
