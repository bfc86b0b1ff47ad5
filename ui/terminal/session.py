"""What a command is given: the line to the engine and where to write. Rich is loaded only for a person."""

import sys
from collections.abc import Callable, Generator
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

from core.client import Engine
from core.paths import Profile
from core.protocol import Call, Event, Problem
from ui.terminal import barrier
from ui.terminal.wording import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PATIENCE = 60.0
"""Seconds to wait for an event of a quick call; a cold disk and a first start need some of them."""

RESTARTED = "The engine ended and was started again."

EventT = TypeVar("EventT", bound=Event)


def no_answer() -> Problem:
    """The engine ended a call without the event that the protocol promises."""
    return Problem("The engine gave no proper answer.", "`offhand stop` ends it; try again then.", kind="bug")


class Session:
    """One command's engine and streams.

    Args:
        profile: whose engine.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def events(
        self, call: Call, *, patience: float | None = None, on_restart: Callable[[], None] | None = None
    ) -> Generator[Event, None, None]:
        """Send `call` and yield its events; closing the iterator cancels it. See `core.client.Engine.call`."""
        engine = Engine(self.profile, on_restart or (lambda: self.aside(RESTARTED)))
        try:
            yield from engine.call(call, patience=patience)
        finally:
            engine.close()

    def last(self, call: Call, kind: type[EventT], *, patience: float | None = PATIENCE) -> EventT:
        """Send `call` and return the last event of its answer, which is of the type the protocol promises.

        Raises:
            Problem: the engine says why it cannot; of kind "bug" when it breaks the protocol.
        """
        last: Event | None = None
        for event in self.events(call, patience=patience):
            last = event
        if not isinstance(last, kind):
            raise no_answer()
        return last

    def give(self, event: object) -> None:
        """Write the JSON object: a struct without its wire tag, or plain values."""
        value = msgspec.to_builtins(event)
        value.pop("type", None)
        barrier.give_json(value)

    def say(self, *parts: "RenderableType") -> None:
        """Write to a person: wrapped at words on a terminal, whole lines anywhere else."""
        for part in parts:
            self.out.print(part, soft_wrap=not self.lively, crop=False)

    def aside(self, text: str) -> None:
        """Write a remark about the work, not its result, to standard error."""
        if sys.stderr.isatty():
            from ui.terminal.screen import Screen

            Screen(stderr=True).print(printable(text), style="dim")
        else:
            print(printable(text), file=sys.stderr)

    @cached_property
    def lively(self) -> bool:
        """Whether standard output is a terminal on which lines can be drawn again."""
        return sys.stdout.isatty() and not self.out.is_dumb_terminal

    @cached_property
    def out(self) -> "Console":
        """Standard output as rich sees it: no colours when it is no terminal or `NO_COLOR` is set."""
        from ui.terminal.screen import Screen

        return Screen()
