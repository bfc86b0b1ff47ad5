"""A desktop's portal on a private message bus: GlobalShortcuts as the portals of desktops speak it.

It stands in where a test needs an exact moment (a refusal, a portal that vanishes). That Offhand speaks what the real
portal understands is tested with that one.
"""

import queue
import threading
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, message_bus, new_error, new_method_return, new_signal
from jeepney.io.blocking import open_dbus_connection

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"


class Portal:
    """A portal that has (or has not) shortcuts to give; `asked` lists the methods that were called.

    Args:
        address: of the bus.
        code: what the person does with the question: 0 agrees, 1 declines.
        key: how the desktop calls the key it gives; None for one that gives none.
        shortcuts: whether there are any shortcuts here at all.
    """

    def __init__(
        self, address: str, *, code: int = 0, key: str | None = "Ctrl+Alt+Space", shortcuts: bool = True
    ) -> None:
        self.code, self.key, self.shortcuts = code, key, shortcuts
        self.asked: list[str] = []
        self.wishes: list[tuple[str, dict[str, Any]]] = []
        self._client = self._session = ""
        self._connection = open_dbus_connection(address)
        self._connection.send_and_get_reply(message_bus.RequestName(NAME))
        self._errands: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def vanish(self) -> None:
        """End, as a portal that crashed."""
        self._errands.put(None)
        self._thread.join()

    def press(self, token: str = "") -> None:
        """The person presses the key."""
        options = {"activation_token": ("s", token)} if token else {}
        self._tell("Activated", "osta{sv}", (self._session, "palette", 77, options))

    def change(self, key: str) -> None:
        """The person chooses another key in the desktop's settings."""
        self._tell("ShortcutsChanged", "oa(sa{sv})", (self._session, [self._bound(key)]))

    def withdraw(self) -> None:
        """The desktop ends the session."""
        self._tell("Closed", "a{sv}", ({},), self._session, "org.freedesktop.portal.Session")

    def _bound(self, key: str) -> tuple[str, dict[str, Any]]:
        return "palette", {"description": ("s", "Ask Offhand"), "trigger_description": ("s", key)}

    def _tell(self, signal: str, signature: str, body: Any, path: str = PATH, interface: str = SHORTCUTS) -> None:
        message = new_signal(DBusAddress(path, interface=interface), signal, signature, body)
        message.header.fields[HeaderFields.destination] = self._client
        self._errands.put(message)

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
                if ".portal." in message.header.fields.get(HeaderFields.interface, ""):
                    self._answer(message)

    def _answer(self, message: Message) -> None:
        fields, body = message.header.fields, message.body
        method = fields[HeaderFields.member]
        if not self.shortcuts or method not in ("CreateSession", "BindShortcuts", "Close"):
            words = (f"no {method} here",)
            self._connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "s", words))
            return
        self.asked.append(method)
        if method == "Close":
            self._connection.send(new_method_return(message))
            return
        self._client = fields[HeaderFields.sender]
        place = self._client[1:].replace(".", "_")
        request = f"{PATH}/request/{place}/{body[-1]['handle_token'][1]}"
        self._connection.send(new_method_return(message, "o", (request,)))
        results: dict[str, Any] = {}
        if method == "CreateSession":
            self._session = f"{PATH}/session/{place}/{body[-1]['session_handle_token'][1]}"
            results = {"session_handle": ("s", self._session)}
        else:
            self.wishes += body[1]
            results = {"shortcuts": ("a(sa{sv})", [self._bound(self.key)] if self.key is not None else [])}
        code = self.code if method == "BindShortcuts" else 0
        self._tell("Response", "ua{sv}", (code, {} if code else results), request, "org.freedesktop.portal.Request")
