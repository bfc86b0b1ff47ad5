"""How fast the local model writes, measured at its answers."""

import time
from collections.abc import Callable

from core.protocol import Event, Piece, RouteStep

FEWEST = 8  # pieces; fewer say nothing about a speed


class Pace:
    """Watches the events of an answer. `per_second` is that of the last long enough one, 0 before there was any.

    Args:
        clock: the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.per_second = 0.0
        self._clock = clock

    def watch(self) -> Callable[[Event], None]:
        """A new answer: give each of its events to what this returns."""
        started, pieces, local = 0.0, 0, False

        def take(event: Event) -> None:
            nonlocal started, pieces, local
            if isinstance(event, RouteStep):
                if local and pieces > FEWEST:  # between the first and the last piece lie one fewer
                    self.per_second = round((pieces - 1) / max(self._clock() - started, 1e-6), 1)
                local, pieces = event.step.kind == "local" and event.step.outcome == "asked", 0
            elif isinstance(event, Piece) and local:
                started = started if pieces else self._clock()
                pieces += 1

        return take
