"""What was asked and answered, kept on this machine in a file of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from core.answering.words import fold
from core.errors import BadInput, ProfileUnusable
from core.protocol import Answered, Ask, PastAnswer, SecondOpinion

# `waiting` and `opinions` belong to `core.answering.opinions`; they lie here because they go when their answer goes.
# A number of `waiting` is never given twice, so that what comes late cannot be taken for something else's.
# `remembered` says which answer was the last to a question under given conditions, see `core.answering.memory`.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY, at TEXT NOT NULL, answered TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS remembered (key TEXT PRIMARY KEY, answer INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS waiting (
  id INTEGER PRIMARY KEY AUTOINCREMENT, answer INTEGER NOT NULL, at TEXT NOT NULL, ask TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS opinions (
  answer INTEGER PRIMARY KEY, at TEXT NOT NULL, seen INTEGER NOT NULL, opinion TEXT NOT NULL
);
"""
NOW = "strftime('%Y-%m-%dT%H:%M:%SZ')"
_KEEP = f"INSERT INTO answers (at, answered) VALUES ({NOW}, ?)"
_OWE = f"INSERT INTO waiting (answer, at, ask) VALUES (?, {NOW}, ?)"
_RECENT = "SELECT answered FROM answers ORDER BY id DESC LIMIT ?"
_PAST = "SELECT id, at, answered FROM answers WHERE id < ? ORDER BY id DESC"
_REMEMBER = "INSERT OR REPLACE INTO remembered (key, answer) VALUES (?, ?)"
_RECALL = "SELECT a.id, a.at, a.answered FROM remembered r JOIN answers a ON a.id = r.answer WHERE r.key = ?"
_READ = "The history of answers cannot be read"

Kept = TypeVar("Kept", Answered, SecondOpinion)


class History:
    """The answers given so far. Each use opens the file anew: it happens once a question, from any thread.

    Args:
        path: the SQLite file; made when the first answer is kept.
        on_owed: called after a question was kept that waits for a cloud model.
        watched: the paths of the person's folders now; None where that is not known.
    """

    def __init__(
        self,
        path: Path,
        on_owed: Callable[[], None] = lambda: None,
        *,
        watched: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        self._path = path
        self._on_owed = on_owed
        self._watched = watched

    def add(self, answered: Answered, owed: Ask | None = None, key: str = "") -> int:
        """Keep an answer; returns its number, 0 where a folder that it rests on was removed meanwhile.

        Args:
            owed: the question as it is to be put to a cloud model later; the same one is kept waiting once.
            key: under which it is recalled, "" for not at all.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        step = "See that the profile's disk has room."
        with self.opened("This answer could not be kept in the history", step) as file, file:
            file.execute(_KEEP, (msgspec.json.encode(answered).decode(),))
            number = file.last_insert_rowid()
            if key:
                file.execute(_REMEMBER, (key, number))
            if owed is not None:
                ask = msgspec.json.encode(owed).decode()
                file.execute("DELETE FROM waiting WHERE ask = ?", (ask,))
                file.execute(_OWE, (number, ask))
        if self.forget_removed(answered):
            return 0
        if owed is not None:
            self._on_owed()
        return number

    def forget_removed(self, kept: Answered | SecondOpinion) -> bool:
        """Take out again what was just kept if a folder that it rests on was removed while it was written.

        A folder is off the list before what rests on it is taken out: whichever comes last, that or this, finds it.
        Returns whether it was taken out.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        if self._watched is None:
            return False
        folders = self._watched()
        named = set(_paths(msgspec.to_builtins(kept)))
        gone = [path for path in named if not any(Path(path).is_relative_to(folder) for folder in folders)]
        for path in gone:
            self.forget(path)
        return bool(gone)

    def forget(self, folder: str) -> None:
        """Take out the answers that rest on a file of this folder, because they quote it, and what belongs to them.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        if not self.exists:
            return
        step = f"Delete {self._path} to forget all of them."
        with self.opened(f"Answers from {folder} could not be taken out of the history", step) as file:
            answers = file.execute("SELECT id, answered FROM answers").fetchall()
            opinions = file.execute("SELECT answer, opinion FROM opinions").fetchall()
            resting = [(row[0],) for row in answers if _quotes(_decoded(row[1], Answered), folder)]
            later = [(row[0],) for row in opinions if _rests_on(_decoded(row[1], SecondOpinion), folder)]
            if not resting and not later:
                return
            with file:
                file.executemany("DELETE FROM answers WHERE id = ?", resting)
                for kept in ("remembered", "waiting"):
                    file.executemany(f"DELETE FROM {kept} WHERE answer = ?", resting)
                file.executemany("DELETE FROM opinions WHERE answer = ?", [*resting, *later])
            file.execute("VACUUM")

    def erase(self, number: int = 0) -> int:
        """Forget the answer of this number, with 0 all of them, and what belongs to them; returns how many.

        Raises:
            BadInput: there is no such answer.
            ProfileUnusable: the file cannot be written.
        """
        erased = 0
        if self.exists:
            step = f"Delete {self._path} to forget all of them."
            with self.opened("The history of answers could not be erased", step) as file:
                with file:
                    file.execute("DELETE FROM answers WHERE ? IN (0, id)", (number,))
                    erased = file.changes()
                    for kept in ("remembered", "waiting", "opinions"):
                        file.execute(f"DELETE FROM {kept} WHERE ? IN (0, answer)", (number,))
                if erased:
                    file.execute("VACUUM")
        if number and not erased:
            raise BadInput(f"There is no answer {number} in the history.", "`offhand history` lists them.")
        return erased

    def past(self, words: str, before: int | None, most: int) -> list[PastAnswer]:
        """The last answers, newest first.

        Args:
            words: only those in whose question, answer, quote or sources all of these occur.
            before: only those older than the one of this number.
            most: how many at most.

        Raises:
            ProfileUnusable: the file is damaged or cannot be read.
        """
        if not self.exists:
            return []
        wanted = fold(words).split()
        found: list[PastAnswer] = []
        with self.opened(_READ, self._move_away) as file:
            for number, at, text in file.execute(_PAST, (2**62 if before is None else before,)):
                answered = _decoded(text, Answered)
                if wanted and not _has(answered, wanted):
                    continue
                found.append(PastAnswer(int(str(number)), str(at), answered))
                if len(found) == most:
                    break
        return found

    def numbered(self, number: int) -> PastAnswer | None:
        """The answer of this number; None where there is none.

        Raises:
            ProfileUnusable: the file is damaged or cannot be read.
        """
        found = self.past("", number + 1, 1)
        return found[0] if found and found[0].id == number else None

    def recall(self, key: str) -> PastAnswer | None:
        """The answer that was kept last under this key.

        Raises:
            ProfileUnusable: the file is damaged or cannot be read.
        """
        if not self.exists:
            return None
        with self.opened(_READ, self._move_away) as file:
            row = file.execute(_RECALL, (key,)).fetchone()
            return None if row is None else PastAnswer(int(str(row[0])), str(row[1]), _decoded(row[2], Answered))

    def recent(self, n: int) -> list[Answered]:
        """The last `n` answers, newest first.

        Raises:
            ProfileUnusable: the file is damaged or cannot be read.
        """
        if not self.exists:
            return []
        with self.opened(_READ, self._move_away) as file:
            return [_decoded(row[0], Answered) for row in file.execute(_RECENT, (n,))]

    @property
    def _move_away(self) -> str:
        return f"Move {self._path} away; a new one is begun."

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept."""
        return self._path.exists()

    @contextmanager
    def opened(self, failed: str, next_step: str) -> Iterator[apsw.Connection]:
        """The file, for one use.

        Raises:
            ProfileUnusable: `failed`, with its reason in brackets.
        """
        try:
            with closing(self._open()) as connection:
                yield connection
        except (apsw.Error, OSError, msgspec.MsgspecError) as error:
            raise ProfileUnusable(f"{failed} ({error}).", next_step) from error

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(2000)
        connection.execute("PRAGMA secure_delete = ON").fetchall()
        connection.execute(_SCHEMA)
        return connection


def _decoded(text: object, kind: type[Kept]) -> Kept:
    return msgspec.json.decode(str(text), type=kind)


def _paths(part: Any) -> Iterator[str]:
    """Every file that a part of an answer names."""
    if isinstance(part, dict):
        yield from [part["path"]] if "path" in part else []
        yield from part.get("given", [])
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _paths(one)


def _has(answered: Answered, wanted: Sequence[str]) -> bool:
    places = [f"{source.title} {source.path}" for source in answered.sources]
    quote = answered.quote.text if answered.quote is not None else ""
    text = fold("\n".join([answered.question, answered.answer, quote, *places]))
    return all(word in text for word in wanted)


def _quotes(answered: Answered, folder: str) -> bool:
    listed = answered.listed.items if answered.listed is not None else []
    return (
        _rests_on(answered, folder)
        or (answered.quote is not None and Path(answered.quote.path).is_relative_to(folder))
        or any(Path(path).is_relative_to(folder) for path in (*answered.given, *(item.path for item in listed)))
    )


def _rests_on(kept: Answered | SecondOpinion, folder: str) -> bool:
    return any(Path(source.path).is_relative_to(folder) for source in kept.sources)
