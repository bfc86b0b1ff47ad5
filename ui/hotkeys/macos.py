"""The global shortcut on macOS: Carbon's RegisterEventHotKey, through ctypes. It needs no permission.

No other key is seen. Keys are those of the ANSI keyboard by their place (HIToolbox, Events.h). Not yet tried on a real
Mac: the tests elsewhere cover what needs no Carbon.
"""

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_int32, c_uint32, c_void_p
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence

from ui.hotkey import Combination, Hotkey, Result, not_on_keyboard, parse, refused, taken, unusable, works

CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
KEYBOARD = int.from_bytes(b"keyb", "big")  # CarbonEvents.h: kEventClassKeyboard
HOT_KEY_PRESSED = 5
EXISTS = -9878  # CarbonEvents.h, eventHotKeyExistsErr
# In Qt's words Control is the Command key on a Mac, and Meta the Control key.
MODIFIERS = {
    Qt.KeyboardModifier.ControlModifier: 0x0100,
    Qt.KeyboardModifier.ShiftModifier: 0x0200,
    Qt.KeyboardModifier.AltModifier: 0x0800,
    Qt.KeyboardModifier.MetaModifier: 0x1000,
}
CHARACTERS = dict(zip("ASDFHGZXCV", range(10), strict=True))
CHARACTERS |= dict(zip("BQWERYT123465=97-80]OU[IP", range(11, 36), strict=True))
CHARACTERS |= dict(zip("LJ'K;\\,/NM.", range(37, 48), strict=True)) | {"`": 50}
FUNCTION_KEYS = (122, 120, 99, 118, 96, 97, 98, 100, 101, 109, 103, 111, 105, 107, 113, 106, 64, 79, 80, 90)
NAMED = {
    Qt.Key.Key_Return: 36,
    Qt.Key.Key_Tab: 48,
    Qt.Key.Key_Space: 49,
    Qt.Key.Key_Backspace: 51,
    Qt.Key.Key_Escape: 53,
    Qt.Key.Key_Home: 115,
    Qt.Key.Key_PageUp: 116,
    Qt.Key.Key_Delete: 117,
    Qt.Key.Key_End: 119,
    Qt.Key.Key_PageDown: 121,
    Qt.Key.Key_Left: 123,
    Qt.Key.Key_Right: 124,
    Qt.Key.Key_Down: 125,
    Qt.Key.Key_Up: 126,
}


class _EventType(Structure):
    _fields_ = (("event_class", c_uint32), ("kind", c_uint32))


class _HotKeyId(Structure):
    _fields_ = (("signature", c_uint32), ("number", c_uint32))


_HANDLER = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)


class MacHotkey(Hotkey):
    """One hot key of the application.

    Raises:
        OSError: Carbon cannot be loaded, or takes no handler.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._carbon = _carbon()
        self._held = c_void_p()
        self._handler = _HANDLER(self._pressed)  # kept: Carbon calls it as long as it stands
        pressed = _EventType(KEYBOARD, HOT_KEY_PRESSED)
        target = self._carbon.GetApplicationEventTarget()
        if self._carbon.InstallEventHandler(target, self._handler, 1, byref(pressed), None, None):
            raise OSError("the system does not tell Offhand of key presses")

    def register(self, combination: str) -> Result:
        """Register `combination`; the system says whether another program has it."""
        self._release()
        wanted = parse(combination)
        if wanted is None:
            return unusable(combination)
        shown = QKeySequence.fromString(combination).toString(QKeySequence.SequenceFormat.NativeText)
        key = key_code(wanted.key)
        if key is None:
            return not_on_keyboard(shown)
        ours = _HotKeyId(int.from_bytes(b"offh", "big"), 1)
        target = self._carbon.GetApplicationEventTarget()
        error = self._carbon.RegisterEventHotKey(key, modifiers(wanted), ours, target, 0, byref(self._held))
        if error:
            self._held = c_void_p()
            return taken(shown) if error == EXISTS else refused(shown)
        return works(shown)

    def close(self) -> None:
        """Give the key back."""
        self._release()

    def _release(self) -> None:
        if self._held:
            self._carbon.UnregisterEventHotKey(self._held)
            self._held = c_void_p()

    def _pressed(self, _next: Any, _event: Any, _data: Any) -> int:
        if self._held:  # it is the application's only one
            self.activated.emit(0, "")
        return 0


def modifiers(wanted: Combination) -> int:
    """The modifier bits of Events.h."""
    return sum(bit for modifier, bit in MODIFIERS.items() if wanted.modifiers & modifier)


def key_code(key: Qt.Key) -> int | None:
    """The virtual key code of Events.h, None for a key that a Mac's keyboard has not."""
    number = int(key) - int(Qt.Key.Key_F1)
    if 0 <= number < len(FUNCTION_KEYS):
        return FUNCTION_KEYS[number]
    if key in NAMED:
        return NAMED[key]
    return CHARACTERS.get(chr(int(key))) if int(key) < 0x80 else None


def _carbon() -> Any:
    loaded = ctypes.CDLL(CARBON)
    loaded.GetApplicationEventTarget.restype = c_void_p
    loaded.GetApplicationEventTarget.argtypes = []
    loaded.InstallEventHandler.argtypes = [c_void_p, _HANDLER, c_uint32, POINTER(_EventType), c_void_p, c_void_p]
    loaded.RegisterEventHotKey.argtypes = [c_uint32, c_uint32, _HotKeyId, c_void_p, c_uint32, POINTER(c_void_p)]
    loaded.UnregisterEventHotKey.argtypes = [c_void_p]
    for name in ("InstallEventHandler", "RegisterEventHotKey", "UnregisterEventHotKey"):
        getattr(loaded, name).restype = c_int32
    return loaded
