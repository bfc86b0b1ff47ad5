"""Background work that no error ends: one step after the other, asleep while there is nothing to do.

A failed step is a notice for the person and a pause, never the end of the work.
"""

import errno
import logging
from collections.abc import Callable

from indexer.records import Problem
from indexer.store.database import disk_full
from indexer.worker import Cancellation, start_thread

log = logging.getLogger(__name__)

UNTIL_WOKEN = 3600.0
"""What a step returns when it has nothing to do. A forgotten wake-up costs an hour at most, not for ever."""

PAUSES = (1.0, 5.0, 20.0, 60.0)
"""Seconds to wait after the first, second, ... failure in a row."""


class Notices:
    """What a person should know about work in the background: one sentence for each matter, gone once it is well."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._said: dict[str, str] = {}
        self._on_change = on_change

    def say(self, matter: str, sentence: str) -> None:
        """Replace what is said about a matter."""
        if self._said.get(matter) != sentence:
            self._said[matter] = sentence
            self._on_change()

    def clear(self, matter: str) -> None:
        """The matter is well again."""
        if self._said.pop(matter, None) is not None:
            self._on_change()

    def all(self) -> list[str]:
        """The sentences, oldest first, each once."""
        return list(dict.fromkeys(self._said.values()))


class Loop:
    """One thread that takes steps for as long as it is wanted.

    Args:
        name: of the thread and of its notice.
        step: does a piece of work and returns how many seconds to sleep before the next one, 0 for none;
            `wake` ends the sleep.
        notices: where failures are told.

    `in_trouble` is true after a step that failed, until one succeeds.
    """

    def __init__(self, name: str, step: Callable[[], float], notices: Notices) -> None:
        self.name = name
        self._step = step
        self._notices = notices
        self._ended = Cancellation()
        self._nap = Cancellation()
        self._left = Cancellation()
        self._started = False
        self.in_trouble = False

    @property
    def ending(self) -> bool:
        """True once `stop` was called; a long step looks at it."""
        return self._ended.requested

    def start(self) -> None:
        """Begin."""
        self._started = True
        start_thread(self.name, self._run)

    def wake(self) -> None:
        """There is something to do. During a step this makes the next one follow at once."""
        self._nap.cancel()

    def stop(self) -> None:
        """End after the present step."""
        self._ended.cancel()
        self._nap.cancel()

    def join(self, seconds: float) -> None:
        """Wait for the end of the present step, up to `seconds`."""
        if self._started:
            self._left.wait(seconds)

    def _run(self) -> None:
        self._work()
        self._left.cancel()

    def _work(self) -> None:
        failures = 0
        while not self.ending:
            # Made before the step looks for work, so that whatever arrives during the step ends this nap.
            nap = self._nap = Cancellation()
            try:
                pause = self._step()
                failures = 0
                self.in_trouble = False
                self._notices.clear(self.name)
            except Exception as error:  # noqa: BLE001  # the barrier of this loop: it outlives every error of its work
                if self.ending:
                    return
                self.in_trouble = True
                self._notices.say(self.name, self._sentence(error))
                self._ended.wait(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
                continue
            if pause > 0 and not self.ending:
                nap.wait(pause)

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, Problem):
            log.info("%s waits: %s", self.name, error)
            return str(error)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return str(disk_full())
        log.error("a step of %s failed and is repeated", self.name, exc_info=error)
        return "Something went wrong inside Offhand in the background; it is tried again. The log has the details."
