"""What was asked and answered, kept on this machine in a file of its own."""

from contextlib import closing
from pathlib import Path

import apsw
import msgspec

from core.errors import ProfileUnusable
from core.protocol import Answered

_SCHEMA = "CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY, at TEXT NOT NULL, answered TEXT NOT NULL)"
_KEEP = "INSERT INTO answers (at, answered) VALUES (strftime('%Y-%m-%dT%H:%M:%SZ'), ?)"
_RECENT = "SELECT answered FROM answers ORDER BY id DESC LIMIT ?"


class History:
    """The answers given so far. Each use opens the file anew: it happens once a question, from any thread.

    Args:
        path: the SQLite file; made when the first answer is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, answered: Answered) -> None:
        """Keep an answer.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        try:
            with closing(self._open()) as connection:
                connection.execute(_KEEP, (msgspec.json.encode(answered).decode(),))
        except (apsw.Error, OSError) as error:
            raise ProfileUnusable(
                f"This answer could not be kept in the history ({error}).", "See that the profile's disk has room."
            ) from error

    def forget(self, folder: str) -> None:
        """Take out the answers that rest on a file of this folder: they quote it.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        if not self._path.exists():
            return
        try:
            with closing(self._open()) as connection:
                rows = connection.execute("SELECT id, answered FROM answers").fetchall()
                resting = [
                    (row[0],) for row in rows if _rests_on(msgspec.json.decode(str(row[1]), type=Answered), folder)
                ]
                connection.executemany("DELETE FROM answers WHERE id = ?", resting)
                if resting:
                    connection.execute("VACUUM")
        except (apsw.Error, OSError, msgspec.MsgspecError) as error:
            raise ProfileUnusable(
                f"Answers from {folder} could not be taken out of the history ({error}).",
                f"Delete {self._path} to forget all of them.",
            ) from error

    def recent(self, n: int) -> list[Answered]:
        """The last `n` answers, newest first.

        Raises:
            ProfileUnusable: the file is damaged or cannot be read.
        """
        if not self._path.exists():
            return []
        try:
            with closing(self._open()) as connection:
                rows = list(connection.execute(_RECENT, (n,)))
            return [msgspec.json.decode(str(row[0]), type=Answered) for row in rows]
        except (apsw.Error, OSError, msgspec.MsgspecError) as error:
            raise ProfileUnusable(
                f"The history of answers cannot be read ({error}).", f"Move {self._path} away; a new one is begun."
            ) from error

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(2000)
        connection.execute("PRAGMA secure_delete = ON").fetchall()
        connection.execute(_SCHEMA)
        return connection


def _rests_on(answered: Answered, folder: str) -> bool:
    quoted = [answered.quote.path] if answered.quote else []
    return any(Path(path).is_relative_to(folder) for path in [*quoted, *(source.path for source in answered.sources)])
