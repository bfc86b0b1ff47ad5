"""A circuit breaker for each provider: one that failed is left alone for a while; no question waits for it twice.

Closed: it is asked. A failed turn opens it for a cool-down. After that it is half open: one question tries it, with
little patience, and closes it or opens it for twice as long. What only the person can mend opens it until they do.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Literal

from core.errors import (
    CloudBusy,
    CloudCannotGoOn,
    CloudFailed,
    CloudRefused,
    CloudTooLong,
    CloudWithheld,
    KeyringUnusable,
)
from core.protocol import Provider, ProviderInfo
from indexer.records import Problem

COOL_DOWN = 10.0  # seconds after the first failure
LONGEST = 300.0  # seconds
MOST_ASKED = 3600.0  # seconds; a longer Retry-After is cut to this, so that a service's mistake is not for ever
SPREAD = (0.75, 1.0)  # of a cool-down; many installations must not all come back in the same second

NOT_ITS_FAULT = (CloudTooLong, CloudCannotGoOn, CloudWithheld)


class Breaker:
    """The state of one provider with one model and key.

    Args:
        clock: seconds that only ever go forward.
        on_answer: called after each whole answer, in the thread that heard it.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, on_answer: Callable[[], None] = lambda: None
    ) -> None:
        self._clock = clock
        self._on_answer = on_answer
        self._guard = threading.Lock()
        self._reset()
        self._answered_at: float | None = None

    def _reset(self) -> None:
        self._open_until = 0.0  # infinite: until the person has done something
        self._cool_down = 0.0
        self._trying = False
        self._outage = False
        self._reason = ""
        self._next_step = ""

    def admit(self) -> Literal["closed", "half-open", "open"]:
        """Whether a question may go to the provider. Whoever is let through says how it ended."""
        with self._guard:
            if not self._open_until:
                return "closed"
            if self._trying or self._clock() < self._open_until:
                return "open"
            self._trying = True
            return "half-open"

    def succeeded(self) -> None:
        """It gave a whole answer."""
        with self._guard:
            self._reset()
            self._answered_at = self._clock()
        self._on_answer()

    def failed(self, problem: Problem) -> None:
        """It failed, after all tries that were worth making."""
        with self._guard:
            self._trying = False
            if not isinstance(problem, CloudFailed | KeyringUnusable) or isinstance(problem, NOT_ITS_FAULT):
                return  # the closed door, a rule of ours, an answer of another kind: it may well be up
            self._outage = isinstance(problem, CloudFailed) and problem.outage
            self._reason, self._next_step = problem.what, problem.next_step
            self._cool_down = min(max(self._cool_down * 2, COOL_DOWN), LONGEST)
            pause = self._cool_down * random.uniform(*SPREAD)  # noqa: S311  # spreads load, keeps no secret
            if isinstance(problem, CloudBusy) and problem.after > COOL_DOWN:
                pause = min(problem.after, MOST_ASKED)
            if isinstance(problem, CloudRefused):
                pause = float("inf") if problem.lasting else LONGEST
            self._open_until = self._clock() + pause

    def let_go(self) -> None:
        """The question was taken back before it could be told how it ends."""
        with self._guard:
            self._trying = False

    @property
    def outage(self) -> bool:
        """Whether it was an outage that it failed from last."""
        with self._guard:
            return self._outage

    @property
    def words(self) -> str:
        """The state, as a sentence for the person."""
        with self._guard:
            if not self._open_until:
                return "It answers." if self._answered_at is not None else "It has not been asked yet."
            if self._open_until == float("inf"):
                return f"{self._reason} {self._next_step}"
            left = self._open_until - self._clock()
            if self._trying or left <= 0:
                return f"{self._reason} It is tried again with the next question."
            return f"{self._reason} It is left alone for another {left:.0f} s."

    def report(self, provider: Provider) -> ProviderInfo:
        """Where `provider` stands."""
        words = self.words
        with self._guard:
            state: Literal["ready", "resting", "trying", "blocked"] = "ready"
            if self._open_until:
                state = "blocked" if self._open_until == float("inf") else "trying" if self._trying else "resting"
            ago = None if self._answered_at is None else round(self._clock() - self._answered_at, 1)
        return ProviderInfo(provider, state, words, ago)


class Breakers:
    """The breaker of each provider, as long as the engine lives. Another address, model or key name is another one.

    Args:
        on_answer: called after each whole answer of any of them.
    """

    def __init__(self, on_answer: Callable[[], None] = lambda: None) -> None:
        self._on_answer = on_answer
        self._breakers: dict[Provider, Breaker] = {}

    def of(self, provider: Provider) -> Breaker:
        """The provider's breaker."""
        return self._breakers.setdefault(provider, Breaker(on_answer=self._on_answer))

    def forget_one(self, provider: Provider) -> None:
        """The person wants it to be asked now."""
        self._breakers.pop(provider, None)

    def forget(self, key: str) -> None:
        """The key of this name changed: whatever was known about its providers may be wrong now."""
        for provider in list(self._breakers):
            if provider.key == key:
                del self._breakers[provider]
