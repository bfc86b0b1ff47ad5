"""The local model reads what it may be asked next while the person still types, so that its first word is near.

It does so only while nobody waits for anything else, and stops with the next key: what it has read stays read, and
where the passages are still the same it goes on from there.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.models.model import ChatModel, Turn
from core.protocol import Ask, Search
from indexer.records import Problem
from indexer.worker import Cancellation

log = logging.getLogger(__name__)


class ReadAhead:
    """Reads for one question at a time: the last one that somebody has paused in.

    Args:
        draft: the model and what it would be asked; None where no local model would be.
        at_leisure: whether the machine has time for it.
    """

    def __init__(self, draft: Callable[[Ask], tuple[ChatModel, Turn] | None], at_leisure: Callable[[], bool]) -> None:
        self._draft = draft
        self._at_leisure = at_leisure
        self._guard = threading.Lock()
        self._reading: Cancellation | None = None
        self._answers = 0  # under way

    def read(self, search: Search, cancelled: Cancellation) -> None:
        """Read for what is typed, until it is read, it is cancelled, or somebody types on or asks."""
        with self._guard:
            self._cancel()
            if self._answers or cancelled.requested:
                return
            reading = self._reading = Cancellation()
        cancelled.on_cancel(reading.cancel)
        ask = Ask(search.words, folder=search.folder, after=search.after, before=search.before)
        try:
            drafted = self._draft(ask) if self._at_leisure() else None
            if drafted is not None and not reading.requested:
                model, turn = drafted
                model.prepare(turn, reading)
        except Problem as problem:  # whoever asks it will hear of it
            log.info("nothing was read ahead (%s)", problem.kind)

    def stop(self) -> None:
        """Somebody has typed on, or asks."""
        with self._guard:
            self._cancel()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """While an answer is under way, nothing is read ahead."""
        with self._guard:
            self._cancel()
            self._answers += 1
        try:
            yield
        finally:
            with self._guard:
                self._answers -= 1

    def _cancel(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
