"""The few functions of libxcb and libxcb-keysyms that the X11 shortcut needs, through ctypes.

Both libraries are needed by Qt's own X11 plug-in, so they are there wherever this is used. Layouts are those of
xproto.h (X protocol version 11).
"""

import ctypes
import ctypes.util
from ctypes import POINTER, Structure, c_char_p, c_int, c_uint8, c_uint16, c_uint32, c_void_p
from typing import Any

KEY_PRESS, KEY_RELEASE, CLIENT_MESSAGE, MAPPING_NOTIFY = 2, 3, 33, 34
GRAB_ASYNC = 1
SUBSTRUCTURE_MASK = (1 << 19) | (1 << 20)
BAD_ACCESS = 10
ATOM_CARDINAL = 6
SHIFT, LOCK, CONTROL, MOD1 = 1, 2, 4, 8


class Cookie(Structure):
    """The number of a request."""

    _fields_ = (("sequence", c_uint32),)


class Error(Structure):
    """xcb_generic_error_t, its beginning."""

    _fields_ = (("response_type", c_uint8), ("error_code", c_uint8))


class KeyEvent(Structure):
    """xcb_key_press_event_t; the first byte tells other events too."""

    _fields_ = (
        ("response_type", c_uint8),
        ("detail", c_uint8),
        ("sequence", c_uint16),
        ("time", c_uint32),
        ("root", c_uint32),
        ("event", c_uint32),
        ("child", c_uint32),
        ("root_x", c_uint16),
        ("root_y", c_uint16),
        ("event_x", c_uint16),
        ("event_y", c_uint16),
        ("state", c_uint16),
        ("same_screen", c_uint8),
    )


class ClientMessage(Structure):
    """xcb_client_message_event_t with 32-bit contents."""

    _fields_ = (
        ("response_type", c_uint8),
        ("format", c_uint8),
        ("sequence", c_uint16),
        ("window", c_uint32),
        ("type", c_uint32),
        ("data", c_uint32 * 5),
    )


class Reply(Structure):
    """Any reply: its second byte and the 32-bit word at byte 8 are all that is read here."""

    _fields_ = (
        ("response_type", c_uint8),
        ("second", c_uint8),
        ("sequence", c_uint16),
        ("length", c_uint32),
        ("word", c_uint32),
    )


class Screen(Structure):
    """xcb_screen_t, its beginning."""

    _fields_ = (("root", c_uint32),)


class ScreenIterator(Structure):
    """xcb_screen_iterator_t."""

    _fields_ = (("data", POINTER(Screen)), ("rem", c_int), ("index", c_int))


_XCB: dict[str, tuple[object, list[object]]] = {
    "xcb_connect": (c_void_p, [c_char_p, c_void_p]),
    "xcb_connection_has_error": (c_int, [c_void_p]),
    "xcb_disconnect": (None, [c_void_p]),
    "xcb_get_file_descriptor": (c_int, [c_void_p]),
    "xcb_get_setup": (c_void_p, [c_void_p]),
    "xcb_setup_roots_iterator": (ScreenIterator, [c_void_p]),
    "xcb_flush": (c_int, [c_void_p]),
    "xcb_poll_for_event": (c_void_p, [c_void_p]),
    "xcb_request_check": (c_void_p, [c_void_p, Cookie]),
    "xcb_grab_key_checked": (Cookie, [c_void_p, c_uint8, c_uint32, c_uint16, c_uint8, c_uint8, c_uint8]),
    "xcb_ungrab_key": (Cookie, [c_void_p, c_uint8, c_uint32, c_uint16]),
    "xcb_get_modifier_mapping": (Cookie, [c_void_p]),
    "xcb_get_modifier_mapping_reply": (c_void_p, [c_void_p, Cookie, c_void_p]),
    "xcb_get_modifier_mapping_keycodes": (POINTER(c_uint8), [c_void_p]),
    "xcb_intern_atom": (Cookie, [c_void_p, c_uint8, c_uint16, c_char_p]),
    "xcb_intern_atom_reply": (c_void_p, [c_void_p, Cookie, c_void_p]),
    "xcb_get_selection_owner": (Cookie, [c_void_p, c_uint32]),
    "xcb_get_selection_owner_reply": (c_void_p, [c_void_p, Cookie, c_void_p]),
    "xcb_send_event": (Cookie, [c_void_p, c_uint8, c_uint32, c_uint32, c_void_p]),
    "xcb_change_property": (
        Cookie,
        [c_void_p, c_uint8, c_uint32, c_uint32, c_uint32, c_uint8, c_uint32, c_void_p],
    ),
}
_KEYSYMS: dict[str, tuple[object, list[object]]] = {
    "xcb_key_symbols_alloc": (c_void_p, [c_void_p]),
    "xcb_key_symbols_free": (None, [c_void_p]),
    "xcb_key_symbols_get_keycode": (POINTER(c_uint8), [c_void_p, c_uint32]),
}


class Xcb:
    """The loaded functions, by their C names without `xcb_`.

    Raises:
        OSError: a library is missing.
    """

    def __init__(self) -> None:
        self._free = ctypes.CDLL(None).free
        self._free.argtypes = [c_void_p]
        for name, table in (("libxcb.so.1", _XCB), ("libxcb-keysyms.so.1", _KEYSYMS)):
            library = ctypes.CDLL(name)
            for function, (result, arguments) in table.items():
                loaded = getattr(library, function)
                loaded.restype, loaded.argtypes = result, arguments
                setattr(self, function.removeprefix("xcb_"), loaded)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)  # tells the type checker only that the names are known at run time

    def free(self, pointer: int | None) -> None:
        """Give memory back that a function of the libraries returned."""
        if pointer:
            self._free(pointer)
