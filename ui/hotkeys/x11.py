"""The global shortcut on X11: a passive key grab (XGrabKey) on a connection of its own.

Only the one combination ever reaches Offhand, and it reaches nobody else; no other key is seen. No thread: the
connection's descriptor wakes Qt's event loop.
"""

import ctypes
from ctypes import POINTER, byref, c_uint32, cast
from itertools import combinations

from PySide6.QtCore import QObject, QSocketNotifier, Qt

from ui.hotkey import Combination, Hotkey, Result, not_on_keyboard, parse, taken, unusable, works
from ui.hotkeys.xcb import (
    ATOM_CARDINAL,
    BAD_ACCESS,
    CLIENT_MESSAGE,
    CONTROL,
    GRAB_ASYNC,
    KEY_PRESS,
    KEY_RELEASE,
    LOCK,
    MAPPING_NOTIFY,
    MOD1,
    SHIFT,
    SUBSTRUCTURE_MASK,
    ClientMessage,
    Error,
    KeyEvent,
    Reply,
    Xcb,
)

NUM_LOCK, SCROLL_LOCK, SUPER, ALT = 0xFF7F, 0xFF14, 0xFFEB, 0xFFE9  # keysymdef.h
NAMED = {
    Qt.Key.Key_Return: 0xFF0D,
    Qt.Key.Key_Tab: 0xFF09,
    Qt.Key.Key_Escape: 0xFF1B,
    Qt.Key.Key_Backspace: 0xFF08,
    Qt.Key.Key_Insert: 0xFF63,
    Qt.Key.Key_Delete: 0xFFFF,
    Qt.Key.Key_Home: 0xFF50,
    Qt.Key.Key_End: 0xFF57,
    Qt.Key.Key_PageUp: 0xFF55,
    Qt.Key.Key_PageDown: 0xFF56,
    Qt.Key.Key_Left: 0xFF51,
    Qt.Key.Key_Up: 0xFF52,
    Qt.Key.Key_Right: 0xFF53,
    Qt.Key.Key_Down: 0xFF54,
    Qt.Key.Key_Pause: 0xFF13,
    Qt.Key.Key_Print: 0xFF61,
}


class X11Hotkey(Hotkey):
    """One key grab.

    Raises:
        OSError: libxcb or libxcb-keysyms is missing, or the display cannot be reached.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._x = Xcb()
        self._connection = self._x.connect(None, None)
        if self._x.connection_has_error(self._connection):
            self._x.disconnect(self._connection)
            raise OSError("the X display cannot be reached")
        self._root: int = self._x.setup_roots_iterator(self._x.get_setup(self._connection)).data.contents.root
        self._grabbed: list[tuple[int, int]] = []
        self._wanted = ""
        self._released = 0
        self._notifier = QSocketNotifier(self._x.get_file_descriptor(self._connection), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    def register(self, combination: str) -> Result:
        """Grab `combination` under every state of the lock keys, or nothing at all."""
        self._release()
        self._wanted = ""
        wanted = parse(combination)
        keysym = _keysym(wanted) if wanted is not None else None
        if wanted is None or keysym is None:
            return unusable(combination)
        modifiers = self._modifiers()
        mask = _mask(wanted, modifiers)
        keycodes = self._keycodes(keysym)
        if not keycodes or mask is None:
            return not_on_keyboard(combination)
        if not self._grab(keycodes, mask, _lock_states(modifiers)):
            return taken(combination)
        self._wanted = combination
        return works(combination)

    def focus(self, window: int, time: int) -> None:
        """Ask for the focus in the name of the key press, as EWMH 1.5 has it (_NET_ACTIVE_WINDOW, source 1)."""
        stamp = c_uint32(time)
        self._x.change_property(
            self._connection, 0, window, self._atom(b"_NET_WM_USER_TIME"), ATOM_CARDINAL, 32, 1, byref(stamp)
        )
        message = ClientMessage(CLIENT_MESSAGE, 32, 0, window, self._atom(b"_NET_ACTIVE_WINDOW"))
        message.data[0], message.data[1] = 1, time
        self._x.send_event(self._connection, 0, self._root, SUBSTRUCTURE_MASK, byref(message))
        self._x.flush(self._connection)

    def composited(self) -> bool:
        """Whether a compositor runs, that is whether windows can be translucent (EWMH, _NET_WM_CM_Sn)."""
        cookie = self._x.get_selection_owner(self._connection, self._atom(b"_NET_WM_CM_S0"))
        return bool(self._word(self._x.get_selection_owner_reply(self._connection, cookie, None)))

    def close(self) -> None:
        """Give the key back and hang up."""
        if self._connection:
            self._notifier.setEnabled(False)
            self._release()
            self._x.disconnect(self._connection)
            self._connection = None

    def _read(self) -> None:
        remapped = False
        while event := self._x.poll_for_event(self._connection):
            key = KeyEvent.from_buffer_copy(ctypes.string_at(event, ctypes.sizeof(KeyEvent)))
            self._x.free(event)
            kind = key.response_type & 0x7F
            if kind == KEY_RELEASE:
                self._released = key.time
            elif kind == KEY_PRESS and key.time != self._released:  # auto-repeat: released and pressed in one moment
                self.activated.emit(key.time, "")
            elif kind == MAPPING_NOTIFY:
                remapped = True
        if self._x.connection_has_error(self._connection):
            self._notifier.setEnabled(False)
            self.changed.emit(Result("unavailable", "The connection to the display was lost."))
        elif remapped and self._wanted:
            self.changed.emit(self.register(self._wanted))  # another keyboard layout: the key may sit elsewhere

    def _grab(self, keycodes: list[int], mask: int, locks: list[int]) -> bool:
        """Send all requests, then look at the answers: one round trip."""
        wanted = [(code, mask | lock) for code in keycodes for lock in locks]
        cookies = [
            self._x.grab_key_checked(self._connection, 1, self._root, state, code, GRAB_ASYNC, GRAB_ASYNC)
            for code, state in wanted
        ]
        self._grabbed = wanted
        refused = False
        for cookie in cookies:
            error = self._x.request_check(self._connection, cookie)
            if error:
                refused = refused or cast(error, POINTER(Error)).contents.error_code == BAD_ACCESS
                self._x.free(error)
        if refused:
            self._release()  # never own it only while NumLock happens to be off
        return not refused

    def _release(self) -> None:
        for code, state in self._grabbed:
            self._x.ungrab_key(self._connection, code, self._root, state)
        self._grabbed = []
        self._x.flush(self._connection)

    def _keycodes(self, keysym: int) -> list[int]:
        symbols = self._x.key_symbols_alloc(self._connection)
        found = self._x.key_symbols_get_keycode(symbols, keysym)
        codes: list[int] = []
        if found:
            while found[len(codes)]:
                codes.append(int(found[len(codes)]))
            self._x.free(cast(found, ctypes.c_void_p).value)
        self._x.key_symbols_free(symbols)
        return codes

    def _modifiers(self) -> dict[int, int]:
        """Which modifier bit each of the keys has that is not fixed by the protocol: NumLock is not always Mod2."""
        cookie = self._x.get_modifier_mapping(self._connection)
        reply = self._x.get_modifier_mapping_reply(self._connection, cookie, None)
        if not reply:
            return {}
        per = cast(reply, POINTER(Reply)).contents.second
        codes = self._x.get_modifier_mapping_keycodes(reply)
        bits = {int(codes[bit * per + i]): 1 << bit for bit in range(8) for i in range(per) if codes[bit * per + i]}
        self._x.free(reply)
        found = {}
        for keysym in (NUM_LOCK, SCROLL_LOCK, SUPER, ALT):
            for code in self._keycodes(keysym):
                if code in bits:
                    found[keysym] = bits[code]
        return found

    def _atom(self, name: bytes) -> int:
        cookie = self._x.intern_atom(self._connection, 0, len(name), name)
        return self._word(self._x.intern_atom_reply(self._connection, cookie, None))

    def _word(self, reply: int | None) -> int:
        if not reply:
            return 0
        word = int(cast(reply, POINTER(Reply)).contents.word)
        self._x.free(reply)
        return word


def _keysym(wanted: Combination) -> int | None:
    """Qt's key as the keysym X knows it by: Latin-1 keys are their own lower-case character (X11, appendix A)."""
    key = int(wanted.key)
    if 0x20 <= key <= 0x7E:
        return ord(chr(key).lower())
    if Qt.Key.Key_F1 <= wanted.key <= Qt.Key.Key_F35:
        return 0xFFBE + key - int(Qt.Key.Key_F1)
    return NAMED.get(wanted.key)


def _mask(wanted: Combination, modifiers: dict[int, int]) -> int | None:
    mask = 0
    for modifier, bit in (
        (Qt.KeyboardModifier.ShiftModifier, SHIFT),
        (Qt.KeyboardModifier.ControlModifier, CONTROL),
        (Qt.KeyboardModifier.AltModifier, modifiers.get(ALT, MOD1)),
        (Qt.KeyboardModifier.MetaModifier, modifiers.get(SUPER)),
    ):
        if wanted.modifiers & modifier:
            if bit is None:
                return None
            mask |= bit
    return mask


def _lock_states(modifiers: dict[int, int]) -> list[int]:
    """Every combination of CapsLock, NumLock and ScrollLock, as masks."""
    bits = {LOCK, *(modifiers[key] for key in (NUM_LOCK, SCROLL_LOCK) if key in modifiers)}
    return [sum(chosen) for count in range(len(bits) + 1) for chosen in combinations(sorted(bits), count)]
