"""The global shortcut on Wayland: the desktop's portal org.freedesktop.portal.GlobalShortcuts, version 1 or later.

The desktop owns the key: what is asked for is a wish, and the person may be asked. Only the presses of this one
shortcut are told to Offhand.
"""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, new_method_call
from PySide6.QtCore import QObject, Qt

from core.protocol import combination as spelt
from ui.hotkey import WAY_OUT, Combination, Hotkey, Result, parse, unusable, works
from ui.hotkeys.session_bus import Answer, Refused, SessionBus

APP = "offhand"  # the name of the installed .desktop file, by which portals know programs
SHORTCUT = "palette"
BUS = "org.freedesktop.DBus"
NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
SHORTCUTS = DBusAddress(PATH, NAME, "org.freedesktop.portal.GlobalShortcuts")
REGISTRY = DBusAddress(PATH, NAME, "org.freedesktop.host.portal.Registry")
ABSENT = ("UnknownMethod", "UnknownInterface", "UnknownObject", "ServiceUnknown", "NameHasNoOwner")

NONE_HERE = Result("unavailable", f"This desktop gives programs no global shortcuts. {WAY_OUT}")
REFUSED = Result("unavailable", f"Your desktop refused Offhand a shortcut. {WAY_OUT}")
DECLINED = Result(
    "unavailable", f"The shortcut was declined. Press other keys here to have the desktop ask again, or: {WAY_OUT}"
)
WITHDRAWN = Result(
    "unavailable", f"Your desktop took the shortcut back. Press other keys here to ask again, or: {WAY_OUT}"
)
GONE = Result(
    "unavailable",
    f"The part of the desktop that keeps shortcuts has ended; Offhand asks when it is back. Until then: {WAY_OUT}",
)
CUT_OFF = Result("unavailable", f"The line to the desktop was lost; starting Offhand again mends it. {WAY_OUT}")

MODIFIERS = (
    (Qt.KeyboardModifier.ControlModifier, "CTRL"),
    (Qt.KeyboardModifier.AltModifier, "ALT"),
    (Qt.KeyboardModifier.ShiftModifier, "SHIFT"),
    (Qt.KeyboardModifier.MetaModifier, "LOGO"),
)
NAMED = {
    Qt.Key.Key_Space: "space",
    Qt.Key.Key_Return: "Return",
    Qt.Key.Key_Tab: "Tab",
    Qt.Key.Key_Escape: "Escape",
    Qt.Key.Key_Backspace: "BackSpace",
    Qt.Key.Key_Insert: "Insert",
    Qt.Key.Key_Delete: "Delete",
    Qt.Key.Key_Home: "Home",
    Qt.Key.Key_End: "End",
    Qt.Key.Key_PageUp: "Prior",
    Qt.Key.Key_PageDown: "Next",
    Qt.Key.Key_Left: "Left",
    Qt.Key.Key_Up: "Up",
    Qt.Key.Key_Right: "Right",
    Qt.Key.Key_Down: "Down",
    Qt.Key.Key_Pause: "Pause",
    Qt.Key.Key_Print: "Print",
}


class PortalHotkey(Hotkey):
    """One shortcut in one session of the portal; a new wish is a new session, because each may be bound only once."""

    def __init__(self, bus: SessionBus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bus = bus
        self._wanted = ""
        self._session = ""
        self._tokens = count(1)
        self._open: dict[str, Callable[[dict[str, Any]], None]] = {}  # requests that the portal has yet to answer
        bus.setParent(self)
        bus.heard.connect(self._heard)
        bus.lost.connect(lambda: self.changed.emit(CUT_OFF))
        bus.listen(MatchRule(type="signal", sender=NAME, path_namespace=PATH))
        owner = MatchRule(type="signal", sender=BUS, interface=BUS, member="NameOwnerChanged")
        owner.add_arg_condition(0, NAME)
        bus.listen(owner)

    def register(self, combination: str) -> Result:
        """Ask the desktop for `combination`; how it went is told by `changed`."""
        if self._session:
            session = DBusAddress(self._session, NAME, "org.freedesktop.portal.Session")
            self._bus.call(new_method_call(session, "Close"), _heed_not)
        self._forget()
        self._wanted = combination if parse(combination) else ""
        if not self._wanted:
            return unusable(combination)
        self._ask()
        return Result("asked", f"Your desktop is asked for {combination}.") if self._bus.open else CUT_OFF

    def close(self) -> None:
        """Hang up, which ends the session."""
        self._bus.close()

    def _forget(self) -> None:
        self._session = ""
        self._open.clear()

    def _ask(self) -> None:
        # Portals from 1.21 on know a program outside a sandbox by this call; older ones answer that there is none.
        self._bus.call(new_method_call(REGISTRY, "Register", "sa{sv}", (APP, {})), _heed_not)
        options = {"session_handle_token": ("s", f"offhand{next(self._tokens)}")}
        self._request("CreateSession", "a{sv}", (), options, self._bind)

    def _bind(self, results: dict[str, Any]) -> None:
        self._session = str(results["session_handle"][1])
        wanted = parse(self._wanted)
        assert wanted is not None
        wish = {"description": ("s", "Ask Offhand"), "preferred_trigger": ("s", trigger(wanted))}
        self._request("BindShortcuts", "oa(sa{sv})sa{sv}", (self._session, [(SHORTCUT, wish)], ""), {}, self._bound)

    def _bound(self, results: dict[str, Any]) -> None:
        self._told(results.get("shortcuts", ("", []))[1])

    def _request(
        self,
        method: str,
        signature: str,
        body: tuple[Any, ...],
        options: dict[str, Any],
        then: Callable[[dict[str, Any]], None],
    ) -> None:
        """Call a method whose results come later, in a signal of a request object of our naming."""
        token = f"offhand{next(self._tokens)}"
        request = f"{PATH}/request/{self._bus.name[1:].replace('.', '_')}/{token}"
        self._open[request] = then
        message = new_method_call(SHORTCUTS, method, signature, (*body, {**options, "handle_token": ("s", token)}))
        self._bus.call(message, partial(self._accepted, request))

    def _accepted(self, request: str, answer: Answer) -> None:
        if isinstance(answer, Refused) and self._open.pop(request, None) is not None:
            self.changed.emit(NONE_HERE if answer.name.endswith(ABSENT) else REFUSED)

    def _told(self, shortcuts: list[tuple[str, dict[str, Any]]]) -> None:
        """The desktop says what the person presses, or that there is nothing."""
        ours = dict(shortcuts).get(SHORTCUT)
        if ours is None:
            self.changed.emit(DECLINED)
            return
        key = str(ours.get("trigger_description", ("s", ""))[1])
        if spelt(key) == self._wanted:
            self.changed.emit(works(self._wanted))
        elif key:
            own = "Another key is chosen in your desktop's own settings."
            self.changed.emit(Result("ok", f"Your desktop has given Offhand this shortcut: {key}. {own}"))
        else:
            self.changed.emit(Result("ok", "Your desktop has the shortcut; its settings say which keys it is."))

    def _heard(self, message: Message) -> None:
        fields, body = message.header.fields, message.body
        path = fields.get(HeaderFields.path, "")
        match fields.get(HeaderFields.member):
            case "Activated" if body[:2] == (self._session, SHORTCUT):
                self.activated.emit(0, str(body[3].get("activation_token", ("s", ""))[1]))
            case "ShortcutsChanged" if body[0] == self._session:
                self._told(body[1])
            case "Response" if path in self._open:
                self._answered(self._open.pop(path), *body)
            case "Closed" if path == self._session:
                self._forget()
                self.changed.emit(WITHDRAWN)
            case "NameOwnerChanged" if body[0] == NAME:
                self._owner_changed(*body[1:])

    def _answered(self, then: Callable[[dict[str, Any]], None], code: int, results: dict[str, Any]) -> None:
        if code == 0:
            then(results)
        else:  # 1: the person said no; 2: it ended otherwise
            self.changed.emit(DECLINED if code == 1 else REFUSED)

    def _owner_changed(self, old: str, new: str) -> None:
        if old:
            self._forget()
        if not new:
            self.changed.emit(GONE)
        elif self._wanted and not self._open and not self._session:
            self._ask()


def trigger(wanted: Combination) -> str:
    """The combination as the shortcuts specification of freedesktop.org writes it: CTRL+ALT+space, keys by keysym."""
    key = int(wanted.key)
    held = [name for modifier, name in MODIFIERS if wanted.modifiers & modifier]
    return "+".join([*held, NAMED.get(wanted.key) or _keysym_name(key)])


def _keysym_name(key: int) -> str:
    first = int(Qt.Key.Key_F1)
    if first <= key <= int(Qt.Key.Key_F35):
        return f"F{1 + key - first}"
    character = chr(key).lower()
    return character if character.isascii() and character.isalnum() else f"U{ord(character):04X}"


def _heed_not(_: Answer) -> None:
    pass
