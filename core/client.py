"""The engine as a front door sees it: one object, one method. It connects, starts and restarts the engine by itself."""

import threading
from collections.abc import Callable, Iterator

from msgspec import structs

from core import launch
from core.paths import Profile
from core.protocol import Call, Checked, Doctor, Event, Import, Problem, Shutdown
from core.protocol.calls import RefusedTwice
from indexer.records import CatalogDamaged
from indexer.worker import Gone


class Engine:
    """A line to the profile's engine, usable from several threads.

    Args:
        profile: whose engine.
        on_restart: told when the engine died in the middle of a call and the call is sent again to a new one;
            whatever that call has yielded so far will be yielded again.
    """

    def __init__(self, profile: Profile, on_restart: Callable[[], None] = lambda: None) -> None:
        self.profile = profile
        self._on_restart = on_restart
        self._channel: launch.EngineChannel | None = None
        self._guard = threading.Lock()

    def call(self, call: Call, *, patience: float | None = None) -> Iterator[Event]:
        """Send a call and yield its events; closing the iterator cancels it. Survives one death of the engine.

        Raises:
            Problem: the engine says why it cannot, or (EngineUnreachable, Gone) there is none.
        """
        if isinstance(call, Shutdown):
            launch.stop(self.profile)
            return
        if isinstance(call, Import):
            yield launch.restore(self.profile, call)
            return
        if isinstance(call, Doctor) and call.fix:
            try:
                yield from self._sent(call, patience)
                return
            except Problem as problem:
                if problem.kind != CatalogDamaged.kind:
                    raise
            self.close()
            yield Checked(launch.renew(self.profile))
        yield from self._sent(call, patience)

    def _sent(self, call: Call, patience: float | None) -> Iterator[Event]:
        try:
            yield from self._connected().call(call, patience=patience)
        except Gone:
            self._on_restart()
            if isinstance(call, RefusedTwice):
                call = structs.replace(call, again=True)
            yield from self._connected().call(call, patience=patience)

    def close(self) -> None:
        """Hang up; the engine goes on."""
        with self._guard:
            if self._channel is not None:
                self._channel.close()
                self._channel = None

    def _connected(self) -> launch.EngineChannel:
        with self._guard:
            if self._channel is None or not self._channel.open:
                self._channel = launch.find_or_start(self.profile)
            return self._channel
