"""The calls about the state of everything: status, its changes as they happen, and the check-up."""

import os
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil

from core.engine import checkup
from core.engine.answers import AnswerDesk
from core.engine.children import EMBEDDER, Children
from core.engine.later import SecondOpinions
from core.engine.library import LibraryDesk
from core.engine.providers import ProviderDesk
from core.models.keys import Keys
from core.paths import Profile
from core.protocol import VERSION, Checked, Doctor, Event, ReportCall, Status, StatusReport, Watch
from core.settings import SettingsFile
from indexer.index import Index
from indexer.store.store_service import EMBEDDED
from indexer.vector_words import standing
from indexer.worker import Cancellation, start_thread

WATCH_SECONDS = 0.25


class News:
    """Counts what has changed, so that whoever watches can wait for the next change."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.version = 0

    def announce(self) -> None:
        """Something a person could see has changed."""
        with self._changed:
            self.version += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> bool:
        """Wait until there is something newer than version `seen`, up to `seconds`; returns whether there is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.version != seen, seconds)


class ReportDesk:
    """Tells where everything stands.

    Args:
        profile, settings, children, index, library, answers, keys, providers, later: what is reported on.
        news: what has changed.
        ended: set once the engine ends.
    """

    def __init__(
        self,
        *,
        profile: Profile,
        settings: SettingsFile,
        children: Children,
        index: Index,
        library: LibraryDesk,
        answers: AnswerDesk,
        keys: Keys,
        providers: ProviderDesk,
        later: SecondOpinions,
        news: News,
        ended: threading.Event,
    ) -> None:
        self._profile = profile
        self._settings = settings
        self._children = children
        self._index = index
        self._library = library
        self._answers = answers
        self._keys = keys
        self._providers = providers
        self._later = later
        self._news = news
        self._ended = ended
        self._started = time.monotonic()

    def handle(self, call: ReportCall, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see `core.protocol` for what each yields."""
        match call:
            case Status():
                self._providers.look_for_keys()
                yield self._status()
            case Watch():
                yield from self._watch(cancelled)
            case Doctor(fix):
                found = checkup.findings(
                    self._profile, self._settings, self._children, self._index, self._keys, fix=fix
                )
                yield from map(Checked, found)

    def _watch(self, cancelled: Cancellation) -> Iterator[StatusReport]:
        start_thread("keys", self._look_for_keys)
        while not cancelled.requested and not self._ended.is_set():
            seen = self._news.version
            yield self._status()
            self._ended.wait(WATCH_SECONDS)
            while not cancelled.requested and not self._ended.is_set() and not self._news.wait(seen, 1.0):
                pass

    def _look_for_keys(self) -> None:
        self._providers.look_for_keys()
        self._news.announce()

    def _status(self) -> StatusReport:
        settings = self._settings.current
        vectors = self._index.vectors.report
        own = [said for said in (self._settings.notice, self._children.notice) if said]
        notices = [*own, *self._index.notices()]
        return StatusReport(
            version=VERSION,
            pid=os.getpid(),
            uptime_s=round(time.monotonic() - self._started, 1),
            memory=psutil.Process().memory_info().rss,
            counts=self._index.counts(),
            coverage=self._index.ledger.coverage(),
            folders=self._library.folders().folders,
            problems=self._index.ledger.problems(100),
            children=self._children.report(),
            model=self._children.model_name,
            model_state=self._children.model_state,
            cloud=next((urlsplit(p.url).hostname or "" for p in settings.providers if p.confirmed), ""),
            offline=settings.offline,
            notices=notices,
            vectors=standing(vectors) if vectors is not None else _not_looked_at(settings.vectors),
            paused=self._index.pace.why,
            resumed=self._index.pace.note,
            tokens_per_s=self._answers.tokens_per_s,
            providers=self._providers.report(),
            later=self._later.info(),
            embedder=EMBEDDER,
        )


def _not_looked_at(vectors: str) -> str:
    return "" if vectors == EMBEDDED else f"{vectors}: not looked at yet"
