"""Makes this the only window of its profile, and hears when `ui.instance` rings."""

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from core.paths import Profile

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
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)

    def hang(self) -> bool:
        """Become the one that hears it; False when another app of this profile does."""
        if not self._lock.tryLock(0):
            return False
        QLocalServer.removeServer(self._address)  # holding the lock, it can only be one left over
        return self._server.listen(self._address)

    def take_down(self) -> None:
        """Hear no more."""
        self._server.close()
        self._lock.unlock()

    def _connected(self) -> None:
        while (line := self._server.nextPendingConnection()) is not None:
            line.readyRead.connect(lambda line=line: self._read(line))
            line.disconnected.connect(line.deleteLater)
            self._read(line)

    def _read(self, line: QLocalSocket) -> None:
        if not line.canReadLine():
            if line.bytesAvailable() > LONGEST:
                line.abort()
            return
        word, _, token = bytes(line.readLine(LONGEST).data()).decode(errors="replace").strip().partition(" ")
        if word in WORDS:
            line.write(b"ok\n")
            line.flush()
            self.rung.emit(word, token)
        line.disconnectFromServer()
