"""The one bridge between the windows and the engine: calls run in threads, their events arrive on the GUI thread.

Keeps a `Watch` open for as long as the app lives, and opens it again when the engine dies; that also starts the
engine. One that was stopped stays so until the person wants it back, or something else has started it. Calls made
while there is none wait here, so what a person typed is never lost. Nothing a call does can raise into Qt: a failure
arrives as a `Problem`.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any, cast

from PySide6.QtCore import QObject, Qt, Signal, Slot

from core import launch
from core.client import Engine
from core.paths import Profile
from core.protocol import (
    Ask,
    Call,
    Doctor,
    Drill,
    Event,
    Preview,
    Problem,
    Search,
    StatusReport,
    Transform,
    TryProvider,
    UseModel,
    Watch,
)
from ui.state_words import LinkState

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.2, 1.0, 2.0, 5.0)
"""Pauses before the engine is looked for again, the last one repeated."""

LOOK_SECONDS = 1.0  # between two looks whether a stopped engine was started by something else

OnEvent = Callable[[Event], None]
OnProblem = Callable[[Problem], None]
OnEnd = Callable[[], None]


class _Abandoned(Problem):
    """Thrown into a call whose ticket was cancelled, so that it is not sent again to a new engine."""


class Ticket:
    """A call under way. After `cancel` nothing of it arrives any more, and the engine stops working on it."""

    def __init__(self, call: Call, on_event: OnEvent, on_problem: OnProblem, on_end: OnEnd, on_again: OnEnd) -> None:
        self.call = call
        self.on_event = on_event
        self.on_problem = on_problem
        self.on_end = on_end
        self.on_again = on_again
        self.live = True
        self.engine: Engine | None = None  # its own line, for calls that may be silent for long

    def cancel(self) -> None:
        """Forget the call. The engine hears it at once where the call has its own line, else with its next event."""
        self.live = False
        if self.engine is not None:
            _start(self.engine.close)  # may wait for a connection that is being made: never on the GUI thread


class EngineLink(QObject):
    """The app's line to its engine.

    Signals:
        reported(StatusReport): the engine's state, on every change.
        state_changed: `state` or `problem` changed.
    """

    reported = Signal(object)
    state_changed = Signal()
    _posted = Signal(object)

    def __init__(self, profile: Profile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state: LinkState = "starting"
        self.problem: Problem | None = None
        self.report: StatusReport | None = None
        self._profile = profile
        self._shared = Engine(profile, on_restart=self._restarted)
        self._watcher = Engine(profile, on_restart=self._restarted)
        self._held: list[Ticket] = []
        self._own: set[Ticket] = set()
        self._last_pid = 0
        self._closed = threading.Event()
        self._sooner = threading.Event()
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def roots(self) -> list[str]:
        """The paths of the watched folders, as far as they are known."""
        return [folder.path for folder in self.report.folders] if self.report is not None else []

    def start(self) -> None:
        """Look for the engine, in the background."""
        _start(self._watch)

    def retry(self) -> None:
        """Look for the engine again now, or start it after it was stopped."""
        self._sooner.set()

    def call(
        self,
        call: Call,
        on_event: OnEvent,
        on_problem: OnProblem | None = None,
        on_end: OnEnd | None = None,
        on_again: OnEnd | None = None,
    ) -> Ticket:
        """Send `call`; everything that comes of it arrives on the GUI thread.

        Args:
            on_problem: told once instead of `on_end` when the call failed.
            on_end: told after the last event.
            on_again: the engine died and the call is sent to a new one: its events start from the beginning.
        """
        ticket = Ticket(call, on_event, on_problem or _nothing, on_end or _nothing, on_again or _nothing)
        if self._closed.is_set():
            ticket.live = False  # a call now would start an engine for nobody
        elif self.state == "ready":
            self._send(ticket)
        else:
            self._held.append(ticket)
        return ticket

    def close(self) -> None:
        """Hang up; the engine goes on for its other clients."""
        self._closed.set()
        self._sooner.set()
        self._held.clear()
        for ticket in list(self._own):
            ticket.cancel()
        _start(self._shared.close)
        _start(self._watcher.close)

    def _restarted(self) -> None:
        if self._closed.is_set():
            raise _Abandoned("The app is closing.")
        self._post(self._set_state, "starting", None)

    def _send(self, ticket: Ticket) -> None:
        silent = isinstance(ticket.call, Ask | Doctor | Drill | Preview | Transform | TryProvider | UseModel)
        if silent or (isinstance(ticket.call, Search) and ticket.call.ahead):

            def again() -> None:
                if not ticket.live:
                    raise _Abandoned("The question was taken back.")
                self._post_to(ticket, ticket.on_again)

            ticket.engine = Engine(self._profile, on_restart=again)
            self._own.add(ticket)
        _start(self._run, ticket)

    def _run(self, ticket: Ticket) -> None:
        engine = ticket.engine or self._shared
        if not ticket.live or self._closed.is_set():
            return
        try:
            with closing(cast(Any, engine.call(ticket.call))) as events:
                for event in events:
                    if not ticket.live:
                        return
                    self._post_to(ticket, ticket.on_event, event)
            self._post_to(ticket, ticket.on_end)
        except Problem as problem:
            self._post_to(ticket, ticket.on_problem, problem)
        except Exception as error:  # noqa: BLE001  # the barrier of this bridge
            self._post_to(ticket, ticket.on_problem, _bug(error))
        finally:
            self._own.discard(ticket)
            if ticket.engine is not None:
                ticket.engine.close()

    def _watch(self) -> None:
        failures = 0
        while not self._closed.is_set():
            try:
                for event in self._watcher.call(Watch()):
                    failures = 0
                    assert isinstance(event, StatusReport)
                    self._last_pid = event.pid
                    self._post(self._on_report, event)
                self._post(self._set_state, "stopped", None)  # it ended in good order: `offhand stop`
                self._wait_for_start(self._last_pid)
                self._post(self._set_state, "starting", None)
                continue
            except Problem as problem:
                self._post(self._set_state, "gone", problem)
            except Exception as error:  # noqa: BLE001  # the barrier of this bridge
                self._post(self._set_state, "gone", _bug(error))
            self._sooner.wait(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
            self._sooner.clear()
            failures += 1

    def _wait_for_start(self, ended: int) -> None:
        """Until the person wants the engine back, or another one than `ended` runs, a command's for instance."""
        while not self._sooner.wait(LOOK_SECONDS):
            found = launch.find(self._profile)
            if found is None:
                continue
            found.close()
            if found.hello.pid != ended:
                break
        self._sooner.clear()

    def _on_report(self, event: Event) -> None:
        assert isinstance(event, StatusReport)
        self.report = event
        self._set_state("ready", None)
        self.reported.emit(event)

    def _set_state(self, state: LinkState, problem: Problem | None) -> None:
        changed = state != self.state or str(problem) != str(self.problem)
        self.state, self.problem = state, problem
        if state == "ready":
            held, self._held = self._held, []
            for ticket in held:
                if ticket.live:
                    self._send(ticket)
        if changed:
            self.state_changed.emit()

    def _post_to(self, ticket: Ticket, told: Callable[..., None], *arguments: Any) -> None:
        def tell() -> None:
            if ticket.live:
                told(*arguments)

        self._post(tell)

    def _post(self, told: Callable[..., None], *arguments: Any) -> None:
        if not self._closed.is_set():
            self._posted.emit(lambda: told(*arguments))

    @Slot(object)
    def _deliver(self, told: Callable[[], None]) -> None:
        if not self._closed.is_set():
            told()


def _start(target: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()


def _nothing(*_: object) -> None:
    pass


def _bug(error: Exception) -> Problem:
    log.error("a call to the engine failed", exc_info=error)
    words = f"Something went wrong inside Offhand ({type(error).__name__})."
    return Problem(words, "The rest goes on; the log has the details.", kind="bug")
