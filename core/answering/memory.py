"""An answer that a model has written before is given again for as long as nothing it rests on has changed.

It is found by a key made of everything it depends on, so there is nothing to be cleared away when something changes.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from core.answering.history import History
from core.answering.prompt import SYSTEM
from core.answering.words import fold
from core.models.route import Spoken
from core.protocol import Ask, Quote, Source
from indexer.records import Problem

log = logging.getLogger(__name__)

Standing = Callable[[Ask, Sequence[str]], str]
"""Who would be asked about text of these files, and by which rules and settings, in any unambiguous words."""


class Recalled(NamedTuple):
    """What was said then, when (UTC, ISO 8601), and the answer's number in the history."""

    spoken: Spoken
    at: str
    number: int


class Memory:
    """Recalls answers.

    Args:
        history: where they are kept.
        standing: what they depend on besides the question and the notes.
    """

    def __init__(self, history: History, standing: Standing) -> None:
        self._history = history
        self._standing = standing

    def key(self, ask: Ask, question: str, quote: Quote, sources: Sequence[Source], lent: Sequence[str] = ()) -> str:
        """Under which an answer is kept: equal only where question, quote, sources, models and rules are.

        Args:
            lent: the files that the answers before it may be text of.
        """
        shown = [(source.path, source.title, source.heading, source.text) for source in sources]
        standing = self._standing(ask, [*(source.path for source in sources), *lent])
        said = (SYSTEM, _normal(question), quote.path, quote.text, shown, standing)
        return hashlib.blake2b(msgspec.json.encode(said), digest_size=16).hexdigest()

    def recall(self, key: str) -> Recalled | None:
        """The last answer under this key, None where there is none or it cannot be read."""
        try:
            past = self._history.recall(key)
        except Problem as problem:  # it is said when the answer cannot be kept either
            log.info("%s", problem)
            return None
        if past is None:
            return None
        steps = [step for step in past.answered.route if step.kind != "quote"]
        return Recalled(Spoken(past.answered.answer, steps, ""), past.at, past.id)


def worth_it(spoken: Spoken) -> bool:
    """Whether an answer may be given again: the first model in the line has written all of it."""
    return bool(spoken.text.strip()) and [step.outcome for step in spoken.steps] == ["ok"]


def _normal(question: str) -> str:
    return " ".join(fold(question).split()).rstrip(" ?!.…")
