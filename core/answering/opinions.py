"""The questions that wait for a second opinion, and the opinions that came: two tables beside the history's answers."""

from collections.abc import Sequence
from typing import NamedTuple

import apsw
import msgspec
from msgspec import structs

from core.answering.difference import difference
from core.answering.history import NOW, History
from core.protocol import Answered, Ask, SecondOpinion

MOST = 50  # questions that may wait; the oldest gives way
DAYS = 7  # that one may wait

TOO_OLD = f"It waited for {DAYS} days; no cloud model could be asked in that time."
TOO_MANY = f"More than {MOST} questions were waiting."
_SHOWN = "See that the profile can be written; the answers themselves are not touched."

_WAITING = (
    "SELECT w.id, w.answer, w.at, w.ask, a.answered FROM waiting w JOIN answers a ON a.id = w.answer ORDER BY w.id"
)
_CAME = "SELECT answer, at, seen, opinion FROM opinions ORDER BY at DESC, answer DESC"
_LATE = f"SELECT id FROM waiting WHERE at < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-{DAYS} days')"
_OVER = f"SELECT id FROM waiting WHERE id NOT IN (SELECT id FROM waiting ORDER BY id DESC LIMIT {MOST})"
_KEEP = f"INSERT OR REPLACE INTO opinions (answer, at, seen, opinion) VALUES (?, {NOW}, 0, ?)"
_COUNT = "SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM opinions WHERE NOT seen)"


class Waiting(NamedTuple):
    """A question that waits: its number here and its answer's in the history, when it was asked, and that answer."""

    id: int
    answer: int
    at: str
    ask: Ask
    first: Answered


class Opinions:
    """What waits and what came.

    Args:
        history: where the first answers are.
    """

    def __init__(self, history: History) -> None:
        self._history = history

    def waiting(self) -> list[Waiting]:
        """What waits, the oldest first. What has waited too long is given up, with the reason.

        Raises:
            ProfileUnusable: the file cannot be read.
        """
        if not self._history.exists:
            return []
        with self._history.opened("The waiting questions cannot be read", _SHOWN) as file:
            self._give_up(file)
            return _waiting(file)

    def keep(self, waiting: Waiting, opinion: SecondOpinion) -> bool:
        """Put what came of a question in its place; returns whether it is kept: it was still waiting, and rests on no
        folder that was removed meanwhile.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        with self._history.opened("A second opinion could not be kept", _SHOWN) as file:
            kept = _end(file, waiting, opinion)
        return not self._history.forget_removed(opinion) and kept

    def newest(self, most: int = 0, *, seen: bool) -> tuple[list[SecondOpinion], int]:
        """What came, newest first, then what waits; and how many more there are than are told.

        Args:
            most: how many are told, 0 for all.
            seen: somebody reads those now.

        Raises:
            ProfileUnusable: the file cannot be read.
        """
        if not self._history.exists:
            return [], 0
        with self._history.opened("The second opinions cannot be read", _SHOWN) as file:
            self._give_up(file)
            rows, waiting = file.execute(_CAME).fetchall(), _waiting(file)
            told = rows[: most or None]
            if seen:
                file.executemany("UPDATE opinions SET seen = 1 WHERE answer = ?", [(r[0],) for r in told if not r[2]])
        listed = [
            structs.replace(msgspec.json.decode(str(text), type=SecondOpinion), at=str(at), new=not known)
            for _, at, known, text in told
        ]
        listed += [_told(one) for one in waiting[: most - len(told) if most else None]]
        return listed, len(rows) + len(waiting) - len(listed)

    def counts(self) -> tuple[int, int]:
        """How many wait, and how many came that nobody has looked at.

        Raises:
            ProfileUnusable: the file cannot be read.
        """
        if not self._history.exists:
            return 0, 0
        with self._history.opened("The second opinions cannot be counted", _SHOWN) as file:
            row = file.execute(_COUNT).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    def erase(self) -> int:
        """Forget what waits and what came; returns how many there were.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        if not self._history.exists:
            return 0
        with self._history.opened("The second opinions could not be erased", _SHOWN) as file:
            with file:
                file.execute("DELETE FROM waiting")
                erased = file.changes()
                file.execute("DELETE FROM opinions")
                erased += file.changes()
            file.execute("VACUUM")
        return erased

    def _give_up(self, file: apsw.Connection) -> None:
        for found, why in ((_LATE, TOO_OLD), (_OVER, TOO_MANY)):
            gone = {int(str(row[0])) for row in file.execute(found)}
            for one in _waiting(file) if gone else []:
                if one.id in gone:
                    _end(file, one, dropped(one, why))


def dropped(waiting: Waiting, why: str) -> SecondOpinion:
    """What becomes of a question that no model has answered."""
    return structs.replace(_told(waiting), state="dropped", note=why)


def arrived(waiting: Waiting, answered: Answered, model: str, note: str) -> SecondOpinion:
    """What becomes of a question that `model` has answered."""
    return structs.replace(
        _told(waiting),
        state="arrived",
        answer=answered.answer,
        model=model,
        sentences=answered.sentences,
        sources=answered.sources,
        difference=difference(_sentences(waiting.first), _sentences(answered)),
        note=note,
    )


def _told(one: Waiting) -> SecondOpinion:
    return SecondOpinion(one.first.question, one.at, one.first.answer, "waiting")


def _sentences(answered: Answered) -> Sequence[str]:
    return [sentence.text for sentence in answered.sentences]


def _waiting(file: apsw.Connection) -> list[Waiting]:
    return [
        Waiting(
            int(str(number)),
            int(str(answer)),
            str(at),
            msgspec.json.decode(str(ask), type=Ask),
            msgspec.json.decode(str(answered), type=Answered),
        )
        for number, answer, at, ask, answered in file.execute(_WAITING).fetchall()
    ]


def _end(file: apsw.Connection, waiting: Waiting, opinion: SecondOpinion) -> bool:
    with file:
        waited = bool(file.execute("DELETE FROM waiting WHERE id = ? RETURNING id", (waiting.id,)).fetchall())
        if waited:  # or it was erased meanwhile, or its folder was removed
            file.execute(_KEEP, (waiting.answer, msgspec.json.encode(opinion).decode()))
    return waited
