"""Makes this the only window of its profile, and hears when `ui.instance` rings."""

import logging

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from core.paths import Profile

log = logging.getLogger(__name__)

WORDS = ("toggle", "show")
LONGEST = 4096  # bytes of a line; what is longer is no word of ours


class Bell(QObject):
    """The app's side of the single-instance channel.

    Signals:
        rung(str, str): a word ("toggle", "show") and the desktop's activation token, often "".
    """

    rung = Signal(str, str)

    def __init__(self, profile: Profile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._address = profile.app_address
        self._lock = QLockFile(str(profile.runtime / "app.lock"))
        self._lock.setStaleLockTime(0)  # stale only when its process is dead, however long it has been running
        self._lines: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)

    def hang(self) -> bool:
        """Become the one that hears it; False when another app of this profile does."""
        if not self._lock.tryLock(0):
            return False
        QLocalServer.removeServer(self._address)  # holding the lock, it can only be one left over
        if not self._server.listen(self._address):
            log.error("`offhand toggle` will not be heard: %s", self._server.errorString())
        return True

    def take_down(self) -> None:
        """Hear no more."""
        self._server.close()
        self._lock.unlock()

    def _connected(self) -> None:
        while (line := self._server.nextPendingConnection()) is not None:
            self._lines.append(line)
            line.readyRead.connect(self._read)
            line.disconnected.connect(self._read)
        self._read()

    def _read(self) -> None:
        """Look at every open line: there is hardly ever more than one."""
        for line in list(self._lines):
            whole = line.canReadLine()
            gone = line.state() != QLocalSocket.LocalSocketState.ConnectedState or line.bytesAvailable() > LONGEST
            if line not in self._lines or not (whole or gone):
                continue
            self._lines.remove(line)
            line.readyRead.disconnect(self._read)
            line.disconnected.disconnect(self._read)
            if whole:
                self._hear(line)
            line.disconnectFromServer()
            line.deleteLater()

    def _hear(self, line: QLocalSocket) -> None:
        word, _, token = bytes(line.readLine(LONGEST).data()).decode(errors="replace").strip().partition(" ")
        if word in WORDS:
            line.write(b"ok\n")
            line.flush()
            self.rung.emit(word, token)
