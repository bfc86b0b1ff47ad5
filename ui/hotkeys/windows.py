"""The global shortcut on Windows: RegisterHotKey, through ctypes. Only its own presses come, as WM_HOTKEY.

Not yet tried on a real Windows: the tests elsewhere cover what needs no user32.
"""

import ctypes
from ctypes import wintypes
from typing import Any

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication, QObject, Qt

from ui.hotkey import Combination, Hotkey, Result, not_on_keyboard, parse, refused, taken, unusable, works

WM_HOTKEY = 0x0312
NO_REPEAT = 0x4000  # winuser.h, MOD_NOREPEAT
ALREADY_REGISTERED = 1409  # winerror.h, ERROR_HOTKEY_ALREADY_REGISTERED
OURS = 1  # our only shortcut's number
MODIFIERS = {
    Qt.KeyboardModifier.AltModifier: 1,
    Qt.KeyboardModifier.ControlModifier: 2,
    Qt.KeyboardModifier.ShiftModifier: 4,
    Qt.KeyboardModifier.MetaModifier: 8,
}
NAMED = {
    Qt.Key.Key_Backspace: 0x08,
    Qt.Key.Key_Tab: 0x09,
    Qt.Key.Key_Return: 0x0D,
    Qt.Key.Key_Pause: 0x13,
    Qt.Key.Key_Escape: 0x1B,
    Qt.Key.Key_Space: 0x20,
    Qt.Key.Key_PageUp: 0x21,
    Qt.Key.Key_PageDown: 0x22,
    Qt.Key.Key_End: 0x23,
    Qt.Key.Key_Home: 0x24,
    Qt.Key.Key_Left: 0x25,
    Qt.Key.Key_Up: 0x26,
    Qt.Key.Key_Right: 0x27,
    Qt.Key.Key_Down: 0x28,
    Qt.Key.Key_Print: 0x2C,
    Qt.Key.Key_Insert: 0x2D,
    Qt.Key.Key_Delete: 0x2E,
}


class WindowsHotkey(Hotkey):
    """One RegisterHotKey of the thread that runs Qt's event loop."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._user32: Any = ctypes.WinDLL("user32", use_last_error=True)  # type: ignore[attr-defined]  # Windows only
        self._filter = _Filter(self)
        QCoreApplication.instance().installNativeEventFilter(self._filter)  # type: ignore[union-attr]  # Qt runs

    def register(self, combination: str) -> Result:
        """Register `combination`; Windows says whether another program has it."""
        self._user32.UnregisterHotKey(None, OURS)
        wanted = parse(combination)
        if wanted is None:
            return unusable(combination)
        key = virtual_key(wanted.key) or self._on_layout(wanted.key)
        if not key:
            return not_on_keyboard(combination)
        if not self._user32.RegisterHotKey(None, OURS, modifiers(wanted) | NO_REPEAT, key):
            held = ctypes.get_last_error() == ALREADY_REGISTERED  # type: ignore[attr-defined]  # Windows only
            return taken(combination) if held else refused(combination)
        return works(combination)

    def close(self) -> None:
        """Give the key back."""
        self._user32.UnregisterHotKey(None, OURS)
        QCoreApplication.instance().removeNativeEventFilter(self._filter)  # type: ignore[union-attr]

    def _on_layout(self, key: Qt.Key) -> int:
        """The key that makes a character other than a letter or digit on the keyboard in use, 0 where none does."""
        if int(key) > 0xFFFF:
            return 0
        found = int(self._user32.VkKeyScanW(ctypes.c_wchar(chr(int(key))))) & 0xFFFF
        return 0 if found == 0xFFFF else found & 0xFF


class _Filter(QAbstractNativeEventFilter):
    def __init__(self, hotkey: Hotkey) -> None:
        super().__init__()
        self._hotkey = hotkey

    def nativeEventFilter(self, _kind: QByteArray | bytes | bytearray | memoryview, message: int) -> tuple[bool, int]:
        """Whether it was ours."""
        if not is_ours(int(message)):
            return False, 0
        self._hotkey.activated.emit(0, "")
        return True, 0


def is_ours(address: int) -> bool:
    """Whether the MSG at `address` says that our shortcut was pressed."""
    message = wintypes.MSG.from_address(address)
    return bool(message.message == WM_HOTKEY and message.wParam == OURS)


def modifiers(wanted: Combination) -> int:
    """The MOD_ bits of winuser.h."""
    return sum(bit for modifier, bit in MODIFIERS.items() if wanted.modifiers & modifier)


def virtual_key(key: Qt.Key) -> int:
    """The virtual key code of winuser.h; 0 for what depends on the keyboard's layout or does not exist."""
    code = int(key)
    if ord("A") <= code <= ord("Z") or ord("0") <= code <= ord("9"):
        return code
    if Qt.Key.Key_F1 <= key <= Qt.Key.Key_F24:
        return 0x70 + code - int(Qt.Key.Key_F1)
    return NAMED.get(key, 0)
