"""The downloads of models: each in a thread of its own, paused, gone on with, and taken up again by the next engine."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import structs

from core.errors import DownloadFailed, Offline
from core.models.catalogue import Source
from core.models.parts import Part, Record, unfinished
from core.models.transfer import LATER, Patience, Transfer, check_room, unwritable
from core.network import Gate
from indexer.records import Problem
from indexer.worker import Cancellation, start_thread

log = logging.getLogger(__name__)

State = Literal["running", "checking", "paused", "failed", "done"]
ENDED: tuple[State, ...] = ("failed", "done")
RATE_SECONDS = 8.0  # over which the rate is taken
END_SECONDS = 2.0


class Download:
    """One of them, as it stands. Read by others; changed by its own thread and by `Downloads`."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.problem: Problem | None = None  # why it rests or failed, where nobody wanted that
        self.cancelled = Cancellation()
        self.transfer: Transfer | None = None
        self.thread: threading.Thread | None = None
        self._state: State = "paused"
        self._came: deque[tuple[float, int]] = deque()  # when, and how many bytes were here then

    @property
    def source(self) -> Source:
        """What is fetched."""
        return self.part.record.source

    @property
    def state(self) -> State:
        """Where it stands."""
        checking = self._state == "running" and self.transfer is not None and self.transfer.checking
        return "checking" if checking else self._state

    @property
    def moving(self) -> bool:
        """Whether it is under way."""
        return self._state == "running"

    @property
    def done(self) -> int:
        """Bytes that are here."""
        return self.part.length

    @property
    def rate(self) -> float:
        """Bytes a second, lately; 0 while it rests."""
        if self.state != "running" or len(self._came) < 2:
            return 0.0
        (first, before), (last, now) = self._came[0], self._came[-1]
        return (now - before) / max(last - first, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """None while it is not known."""
        rate, expected = self.rate, self.part.record.expected
        return (expected - self.done) / rate if rate and expected else None

    def begin(self, gate: Gate, patience: Patience) -> None:
        """It runs from now on."""
        self._state, self.problem, self.cancelled = "running", None, Cancellation()
        self.transfer = Transfer(self.part, gate, self.came, patience)
        self._came.clear()

    def rest(self, state: State, problem: Problem | None = None) -> None:
        """It does not run any more."""
        self._state, self.problem = state, problem

    def came(self) -> None:
        """There is more of it."""
        now = time.monotonic()
        if not self._came or now - self._came[-1][0] > 0.1:
            self._came.append((now, self.part.length))
        while len(self._came) > 2 and now - self._came[0][0] > RATE_SECONDS:
            self._came.popleft()


class Downloads:
    """All of them, by the model's name.

    Args:
        folder: where models are kept.
        gate: the door to the network.
        on_change: called, from any thread, when one begins, rests or ends.
        patience: with servers.
    """

    def __init__(
        self,
        folder: Path,
        gate: Gate,
        on_change: Callable[[], None] = lambda: None,
        patience: Patience = Patience(),  # noqa: B008  # frozen value
    ) -> None:
        self._folder = folder
        self._gate = gate
        self._on_change = on_change
        self._patience = patience
        self._guard = threading.RLock()
        self._known = {part.record.source.name: Download(part) for part in unfinished(folder)}

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return any(download.moving for download in self.all())

    def all(self) -> list[Download]:
        """Every one that is not whole, and those that failed or were finished by this engine."""
        with self._guard:
            return list(self._known.values())

    def of(self, name: str) -> Download | None:
        """The one of that name."""
        with self._guard:
            return self._known.get(name)

    def start(self) -> None:
        """Go on with what ran when the last engine ended."""
        for download in self.all():
            if not download.part.record.paused:
                self._run(download)

    def get(self, source: Source) -> Download:
        """Fetch a model, or go on with it; one that runs goes on running.

        Raises:
            DownloadFailed: there is no room for it, or nothing can be written there.
        """
        with self._guard:
            download = self._known.get(source.name)
            if download is not None and download.moving:
                return download
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if download is None or download.source.url != source.url or download.state in ENDED:
                    download = Download(_part(self._folder, source))
                part = download.part
                check_room(self._folder, source.name, part.record.expected - part.length)
                part.note(structs.replace(part.record, paused=False))
            except OSError as error:
                raise unwritable(self._folder, source.name, error) from error
            self._known[source.name] = download
            self._run(download)
            return download

    def pause(self, download: Download) -> None:
        """Let it rest until it is got again."""
        with self._guard:
            if download.moving:
                download.cancelled.cancel()
                download.rest("paused")
            try:
                download.part.note(structs.replace(download.part.record, paused=True))
            except OSError:
                log.info("%s: that it is paused could not be written down", download.source.name)
        self._on_change()

    def forget(self, download: Download) -> None:
        """End it, and throw away what has come."""
        with self._guard:
            self._known.pop(download.source.name, None)
            download.cancelled.cancel()
            download.rest("failed")
        if download.thread is not None:
            download.thread.join(END_SECONDS)
        download.part.discard()
        self._on_change()

    def end(self) -> None:
        """The engine ends; the next one goes on with what runs now."""
        for download in self.all():
            download.cancelled.cancel()
        for download in self.all():
            if download.thread is not None:
                download.thread.join(END_SECONDS)

    def _run(self, download: Download) -> None:
        before = download.thread  # it may still hang in a name look-up, and must not write beside the next one
        download.begin(self._gate, self._patience)
        download.thread = start_thread("download", self._fetch, download, download.cancelled, before)
        self._on_change()

    def _fetch(self, download: Download, cancelled: Cancellation, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        whole, found = self._transferred(download, cancelled)
        with self._guard:
            if download.cancelled is cancelled:  # else it was begun again meanwhile
                self._let_rest(download, whole, found)
        self._on_change()

    def _transferred(self, download: Download, cancelled: Cancellation) -> tuple[bool, Problem | None]:
        """Whether it is whole now, and what went wrong. Nothing gets past here: nobody would hear of it."""
        name, transfer = download.source.name, download.transfer
        try:
            return transfer is not None and transfer.run(cancelled), None
        except Problem as problem:
            log.info("%s: %s", name, problem.what)
            return False, problem
        except OSError as error:
            log.info("%s: %s", name, error)
            return False, unwritable(self._folder, name, error)
        except Exception as error:  # the barrier of this thread
            log.exception("the download of %s failed", name)
            what = f"Something went wrong inside Offhand ({type(error).__name__}), and {name} rests where it is."
            return False, DownloadFailed(what, f"The log has more. {LATER}", passing=True)

    def _let_rest(self, download: Download, whole: bool, found: Problem | None) -> None:
        if whole:
            download.rest("done")
        elif download.cancelled.requested:
            if download.moving:  # the engine ends
                download.rest("paused")
        elif found is not None and getattr(found, "passing", found.kind == Offline.kind):
            download.rest("paused", found)
        else:
            download.rest("failed", found)
            try:
                download.part.discard()
            except OSError as error:
                log.info("%s: what came cannot be deleted: %s", download.source.name, error)


def _part(folder: Path, source: Source) -> Part:
    """What is here of a model; of another one under the same file name nothing is kept."""
    known = next((part for part in unfinished(folder) if part.record.source.file == source.file), None)
    same = known is not None and (known.record.source.url == source.url or known.record.sha256 == source.sha256 != "")
    if known is not None and same:
        return Part(folder, structs.replace(known.record, source=source))
    part = Part(folder, Record(source))
    part.discard()
    return part
