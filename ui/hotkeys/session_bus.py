"""A line to the desktop's message bus in Qt's event loop: answers and signals come when they come, nothing waits.

jeepney packs the messages, because PySide6's QtDBus cannot pack the a(sa{sv}) of the shortcut portal.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from jeepney import HeaderFields, MatchRule, Message, MessageType, Parser, message_bus
from jeepney.bus import get_bus
from jeepney.io.blocking import prep_socket
from PySide6.QtCore import QObject, QSocketNotifier, Signal

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds for the bus to let us in; it takes about a millisecond
LARGEST = 1 << 16  # bytes read at a time


@dataclass(frozen=True)
class Refused:
    """A call that was answered with an error: its name, as in org.freedesktop.DBus.Error.ServiceUnknown."""

    name: str


Answer = tuple[Any, ...] | Refused


class SessionBus(QObject):
    """One connection to the session bus.

    Signals:
        heard(Message): a signal came that was listened for.
        lost: the bus hung up; nothing comes any more.

    Raises:
        OSError: there is no session bus, or it cannot be reached.
    """

    heard = Signal(object)
    lost = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._parser = Parser()
        self._serials = count(1)
        self._waiting: dict[int, Callable[[Answer], None]] = {}
        self._socket: Any = None
        try:
            self._socket = prep_socket(get_bus("SESSION"), timeout=PATIENCE)
            self.name = self._introduce()
        except (OSError, KeyError, ValueError, RuntimeError, StopIteration) as error:  # jeepney's for odd addresses
            if self._socket is not None:
                self._socket.close()
            raise OSError("the desktop's message bus cannot be reached") from error
        self._notifier = QSocketNotifier(self._socket.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    @property
    def open(self) -> bool:
        """Whether the line stands."""
        return self._notifier.isEnabled()

    def call(self, message: Message, answered: Callable[[Answer], None]) -> None:
        """Send a method call; `answered` gets what it returns, or why not, once. It is never called from here."""
        serial = next(self._serials)
        self._waiting[serial] = answered
        try:
            self._socket.sendall(message.serialise(serial))
        except OSError:
            self._hang_up()

    def listen(self, rule: MatchRule) -> None:
        """Have the signals that fit `rule` told by `heard`."""
        self.call(message_bus.AddMatch(rule), lambda _: None)

    def close(self) -> None:
        """Hang up."""
        self._waiting.clear()
        self._notifier.setEnabled(False)
        self._socket.close()

    def _introduce(self) -> str:
        """Say hello, the one call that is waited for: all others need the name it returns."""
        self._socket.settimeout(PATIENCE)
        self._socket.sendall(message_bus.Hello().serialise(next(self._serials)))
        while (message := self._parser.get_next_message()) is None:
            data = self._socket.recv(LARGEST)
            if not data:
                raise ConnectionResetError
            self._parser.add_data(data)
        self._socket.setblocking(False)
        return str(message.body[0])

    def _read(self) -> None:
        try:
            data = self._socket.recv(LARGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        self._parser.add_data(data)
        while (message := self._parser.get_next_message()) is not None:
            self._take(message)

    def _take(self, message: Message) -> None:
        fields = message.header.fields
        if message.header.message_type is MessageType.signal:
            self.heard.emit(message)
            return
        answered = self._waiting.pop(fields.get(HeaderFields.reply_serial, 0), None)
        if answered is None:
            return
        if message.header.message_type is MessageType.error:
            log.info("the session bus: %s %s", fields.get(HeaderFields.error_name), message.body)
            answered(Refused(str(fields.get(HeaderFields.error_name, ""))))
        else:
            answered(message.body)

    def _hang_up(self) -> None:
        if self.open:
            self.close()
            self.lost.emit()
