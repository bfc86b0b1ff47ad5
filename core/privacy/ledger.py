"""The book of what left this machine. A request is written down before it goes; one that cannot be, does not go."""

import os
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import apsw
import msgspec

from core.models.model import Message
from core.privacy.budget import Budget
from core.protocol import Departure, Said
from indexer.records import Problem

PAGE = 100  # entries read at once

# `spent` outlives an erased ledger: forgetting what was said gives no new budget.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS departures (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, host TEXT NOT NULL, model TEXT NOT NULL,
  messages TEXT NOT NULL, bytes INTEGER NOT NULL, tokens INTEGER NOT NULL, hidden TEXT NOT NULL, why TEXT NOT NULL,
  outcome TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS spent (day TEXT PRIMARY KEY, tokens INTEGER NOT NULL, requests INTEGER NOT NULL);
"""
_BEGIN = (
    "INSERT INTO departures (at, host, model, messages, bytes, tokens, hidden, why, outcome) "
    "VALUES (strftime('%Y-%m-%dT%H:%M:%SZ'), ?, ?, ?, ?, ?, ?, ?, '')"
)
_SPEND = (
    "INSERT INTO spent (day, tokens, requests) VALUES (?1, ?2, ?3) "
    "ON CONFLICT (day) DO UPDATE SET tokens = max(0, tokens + ?2), requests = requests + ?3"
)
_LIST = (
    "SELECT id, at, host, model, messages, bytes, tokens, hidden, why, outcome FROM departures "
    "WHERE at >= ? AND id < ? ORDER BY id DESC LIMIT ?"
)


class LedgerUnusable(Problem):
    """The ledger cannot be written or read; nothing is sent without it."""

    kind = "profile"


class Ticket(msgspec.Struct, frozen=True):
    """A request that has been written down: its number, the day it counts for, and the tokens set aside for it."""

    id: int
    day: str
    tokens: int


class Ledger:
    """The requests so far. Each use opens the file anew: it happens twice a request, from any thread.

    Args:
        path: the SQLite file, readable by this user alone; made with the first request.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(
        self, host: str, model: str, messages: Sequence[Message], *, tokens: int, hidden: dict[str, int], why: str,
        budget: Budget,
    ) -> Ticket:  # fmt: skip
        """Write down a request that is about to leave, and set aside what it may cost.

        Args:
            tokens: what the request and the longest answer to it come to.

        Raises:
            BudgetSpent: it would cost too much.
            LedgerUnusable: it cannot be written.
        """
        said = [Said(message.role, message.content) for message in messages]
        size = sum(len(one.content.encode()) for one in said)
        words = msgspec.json.encode(said).decode(), size, tokens, msgspec.json.encode(hidden).decode(), why
        day = _today()
        try:
            with closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE")  # two requests at once cannot both take the last of a budget
                budget.check(_spent(connection, day), _spent(connection, day[:7]), tokens)
                connection.execute(_SPEND, (day, tokens, 1))
                connection.execute(_BEGIN, (host, model, *words))
                number = connection.last_insert_rowid()
                connection.execute("COMMIT")
            return Ticket(number, day, tokens)
        except (apsw.Error, OSError) as error:
            raise LedgerUnusable(
                f"Nothing was sent, because it could not be written down first ({error}).",
                "See that the profile's disk has room.",
            ) from error

    def end(self, ticket: Ticket, outcome: str, tokens: int) -> None:
        """Write how it ended and what it cost (tokens).

        Raises:
            LedgerUnusable: it cannot be written; the entry stays unfinished.
        """
        try:
            with closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_SPEND, (ticket.day, tokens - ticket.tokens, 0))
                connection.execute(
                    "UPDATE departures SET outcome = ?, tokens = ? WHERE id = ?", (outcome, tokens, ticket.id)
                )
                connection.execute("COMMIT")
        except (apsw.Error, OSError) as error:
            raise LedgerUnusable(f"The end of a request could not be written down ({error}).") from error

    def page(self, since: str = "", before: int | None = None, limit: int = PAGE) -> list[Departure]:
        """Entries, newest first.

        Args:
            since: ISO 8601 date or time; only later ones.
            before: only entries with a smaller number.

        Raises:
            LedgerUnusable: it cannot be read.
        """
        try:
            if not self._path.exists():
                return []
            with closing(self._open()) as connection:
                rows = list(connection.execute(_LIST, (since, before or 2**62, limit)))
            return [
                Departure(
                    number, at, host, model, msgspec.json.decode(said, type=list[Said]), size, tokens,
                    msgspec.json.decode(hidden, type=dict[str, int]), why, outcome,
                )
                for number, at, host, model, said, size, tokens, hidden, why, outcome in rows
            ]  # fmt: skip
        except (apsw.Error, OSError, msgspec.MsgspecError) as error:
            raise self._unreadable(error) from error

    def spent(self) -> tuple[int, int]:
        """The tokens that count towards the budgets of this day and of this month.

        Raises:
            LedgerUnusable: it cannot be read.
        """
        try:
            if not self._path.exists():
                return 0, 0
            with closing(self._open()) as connection:
                day = _today()
                return _spent(connection, day), _spent(connection, day[:7])
        except (apsw.Error, OSError) as error:
            raise self._unreadable(error) from error

    def erase(self) -> int:
        """Forget every entry, for good; returns how many there were. What was spent still counts.

        Raises:
            LedgerUnusable: it cannot be written.
        """
        try:
            if not self._path.exists():
                return 0
            with closing(self._open()) as connection:
                connection.execute("DELETE FROM departures")
                erased = connection.changes()
                connection.execute("VACUUM")
                return erased
        except (apsw.Error, OSError) as error:
            raise LedgerUnusable(f"The ledger could not be erased ({error}).") from error

    def _unreadable(self, error: Exception) -> LedgerUnusable:
        return LedgerUnusable(f"The ledger cannot be read ({error}).", f"Move {self._path} away; a new one is begun.")

    def _open(self) -> apsw.Connection:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite's own files take its permissions over
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(2000)
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(_SCHEMA)
        return connection


def _today() -> str:
    """The person's day, not UTC's: a budget begins anew at their midnight."""
    return datetime.now().astimezone().date().isoformat()


def _spent(connection: apsw.Connection, period: str) -> int:
    row = connection.execute("SELECT coalesce(sum(tokens), 0) FROM spent WHERE day LIKE ? || '%'", (period,)).fetchone()
    assert row is not None
    return int(row[0])
