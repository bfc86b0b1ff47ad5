"""A desktop's portal on a private message bus: GlobalShortcuts as the portals of desktops speak it.

`Portal` stands in where a test needs an exact moment (a refusal, a portal that vanishes). That Offhand speaks what the
real portal understands is tested with that one, xdg-desktop-portal, and `Backend` behind it as a desktop's own part.
"""

import queue
import threading
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import open_dbus_connection

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"


class Peer:
    """A program on the bus, in a thread of its own; `asked` lists the methods that were called."""

    def __init__(self, address: str, name: str):
        self.asked: list[str] = []
        self._session = ""
        self._connection = open_dbus_connection(address)
        self._connection.send_and_get_reply(message_bus.RequestName(name))
        self._errands: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def vanish(self) -> None:
        """End, as one that crashed."""
        self._errands.put(None)
        self._thread.join()

    def _answer(self, method: str, message: Message) -> None:
        raise NotImplementedError

    def _refuse(self, message: Message) -> None:
        self._connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "s", ("not here",)))

    def _serve(self) -> None:
        with self._connection as connection:
            while True:
                while not self._errands.empty():
                    errand = self._errands.get()
                    if errand is None:
                        return
                    connection.send(errand)
                try:
                    message = connection.receive(timeout=0.01)
                except TimeoutError:
                    continue
                fields = message.header.fields
                if message.header.message_type is MessageType.method_call:
                    self._answer(fields[HeaderFields.member], message)


class Portal(Peer):
    """A portal that has (or has not) shortcuts to give; `wishes` lists what was to be bound.

    Args:
        address: of the bus.
        code: what the person does with the question: 0 agrees, 1 declines.
        key: how the desktop calls the key it gives; None for one that gives none.
        shortcuts: whether there are any shortcuts here at all.
    """

    def __init__(self, address: str, *, code: int = 0, key: str | None = "Ctrl+Alt+Space", shortcuts: bool = True):
        self.code, self.key, self.shortcuts = code, key, shortcuts
        self.wishes: list[tuple[str, dict[str, Any]]] = []
        self._client = ""
        super().__init__(address, NAME)

    def press(self, token: str = "") -> None:
        """The person presses the key."""
        options = {"activation_token": ("s", token)} if token else {}
        self._tell("Activated", "osta{sv}", (self._session, "palette", 77, options))

    def change(self, key: str) -> None:
        """The person chooses another key in the desktop's settings."""
        self._tell("ShortcutsChanged", "oa(sa{sv})", (self._session, [bound(key)]))

    def withdraw(self) -> None:
        """The desktop ends the session."""
        self._tell("Closed", "a{sv}", ({},), self._session, "org.freedesktop.portal.Session")

    def _tell(self, signal: str, signature: str, body: Any, path: str = PATH, interface: str = SHORTCUTS) -> None:
        message = new_signal(DBusAddress(path, interface=interface), signal, signature, body)
        message.header.fields[HeaderFields.destination] = self._client
        self._errands.put(message)

    def _answer(self, method: str, message: Message) -> None:
        if not self.shortcuts or method not in ("CreateSession", "BindShortcuts", "Close"):
            self._refuse(message)
            return
        self.asked.append(method)
        if method == "Close":
            self._connection.send(new_method_return(message))
            return
        body = message.body
        self._client = message.header.fields[HeaderFields.sender]
        place = self._client[1:].replace(".", "_")
        request = f"{PATH}/request/{place}/{body[-1]['handle_token'][1]}"
        self._connection.send(new_method_return(message, "o", (request,)))
        results: dict[str, Any] = {}
        if method == "CreateSession":
            self._session = f"{PATH}/session/{place}/{body[-1]['session_handle_token'][1]}"
            results = {"session_handle": ("s", self._session)}
        else:
            self.wishes += body[1]
            results = {"shortcuts": ("a(sa{sv})", [bound(self.key)] if self.key is not None else [])}
        code = self.code if method == "BindShortcuts" else 0
        self._tell("Response", "ua{sv}", (code, {} if code else results), request, "org.freedesktop.portal.Request")


class Backend(Peer):
    """A desktop's part behind the real portal; `wish` is what was asked for last, as the portal passed it on.

    Args:
        address: of the bus.
        code: what the person does with the question: 0 agrees, 1 declines.
    """

    NAME = "org.freedesktop.impl.portal.desktop.offhandtest"
    INTERFACE = "org.freedesktop.impl.portal.GlobalShortcuts"

    def __init__(self, address: str, code: int = 0):
        self.code = code
        self.wish: dict[str, Any] = {}
        super().__init__(address, self.NAME)

    def press(self) -> None:
        """The person presses the key."""
        body = (self._session, "palette", 2**40, {})
        self._errands.put(new_signal(DBusAddress(PATH, interface=self.INTERFACE), "Activated", "osta{sv}", body))

    def _answer(self, method: str, message: Message) -> None:
        self.asked.append(method)
        if method == "CreateSession":
            self._session = message.body[1]
            self._connection.send(new_method_return(message, "ua{sv}", (0, {})))
        elif method == "BindShortcuts":
            self.wish = dict(message.body[2])["palette"]
            results = {"shortcuts": ("a(sa{sv})", [bound("Ctrl+Alt+Space")])}
            self._connection.send(new_method_return(message, "ua{sv}", (self.code, {} if self.code else results)))
        elif method == "Close":
            self._connection.send(new_method_return(message))
        else:
            self._refuse(message)


def bound(key: str) -> tuple[str, dict[str, Any]]:
    """The palette's shortcut as a desktop tells of it."""
    return "palette", {"description": ("s", "Ask Offhand"), "trigger_description": ("s", key)}
