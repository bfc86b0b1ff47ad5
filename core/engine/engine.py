"""The engine: one `case` per call. The index, the models and the network door are put together here, nowhere else."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from core.answering.answer import Answering
from core.answering.history import History
from core.engine import checkup
from core.engine.children import Children
from core.errors import BadInput
from core.models.cloud import CloudModel
from core.models.keys import CLOUD, Keys
from core.models.llama import LocalModel
from core.models.route import Route
from core.network import Gate
from core.paths import Profile
from core.protocol import (
    VERSION,
    AddFolder,
    Ask,
    Call,
    Checked,
    Configure,
    CurrentSettings,
    Doctor,
    Done,
    Event,
    FolderInfo,
    Folders,
    Found,
    GetSettings,
    Index,
    ListFolders,
    Progress,
    RemoveFolder,
    RemoveKey,
    Retry,
    Search,
    SetKey,
    Settings,
    Shutdown,
    Status,
    StatusReport,
    Watch,
)
from core.settings import SettingsFile
from indexer import index
from indexer.ignore import IgnoreRules
from indexer.records import Finding
from indexer.worker import Cancellation

WATCH_SECONDS = 0.25
PROGRESS_SECONDS = 0.1


class Engine:
    """Everything Offhand can do, as one object with one method.

    Args:
        profile: whose engine; its folders exist and are writable.

    Raises:
        Problem: the catalog cannot be opened.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.ended = threading.Event()
        self.settings = SettingsFile(profile.settings)
        self._started = time.monotonic()
        self._changed = threading.Condition()
        self._version = 0
        settings = self.settings.current
        self.children = Children(profile, settings)
        self.index = index.Index(
            profile.catalog,
            self.children.semantics,
            self.children.extractors,
            _rules(settings),
            protected=profile.directories,
            on_change=self._announce,
        )
        self.gate = Gate(lambda: self.settings.current.offline)
        self.keys = Keys()
        self._answering = Answering(self.index, self._route, History(profile.history))

    def start(self) -> None:
        """Begin watching and indexing, and wake the children that a first question needs."""
        self.index.start()
        self.children.warm()

    def end(self) -> None:
        """Ask the process to end; safe in a signal's context."""
        self.ended.set()

    def close(self) -> None:
        """Stop indexing and end all children."""
        self.index.stop()
        self.children.stop()

    def busy(self) -> bool:
        """Whether work is under way that nobody waits for but that should not be cut off."""
        return not self._progress().done

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Event]:  # noqa: C901, PLR0912  # one case a call
        """Answer one call; see `core.protocol` for what each yields."""
        match call:
            case AddFolder(path):
                self.index.add_folder(Path(path))
                yield self._folders()
            case RemoveFolder(path):
                self.index.remove_folder(Path(path))
                yield self._folders()
            case ListFolders():
                yield self._folders()
            case Index(wait):
                self.index.rescan()
                yield from self._until_done(cancelled) if wait else [self._progress()]
            case Retry(path):
                self.index.retry(path)
                yield self._progress()
            case Search(words, limit, meaning):
                yield from self._search(words, limit, meaning)
            case Ask():
                yield from self._answering.answer(call, cancelled)
            case Status():
                yield self._status()
            case Watch():
                yield from self._watch(cancelled)
            case Doctor(fix):
                yield from map(Checked, self._findings(fix))
            case GetSettings():
                yield CurrentSettings(self.settings.current)
            case Configure(name, value):
                self._apply(self.settings.change(name, value))
                yield CurrentSettings(self.settings.current)
            case SetKey(name, key):
                yield Done(self.keys.set(name, key))
            case RemoveKey(name):
                yield Done(self.keys.remove(name))
            case Shutdown():
                yield Done("The engine ends.")
                self.ended.set()

    def _search(self, words: str, limit: int, meaning: bool) -> Iterator[Event]:
        if not 1 <= limit <= 1000:
            raise BadInput("The number of results must be between 1 and 1000.")
        started = time.perf_counter()
        for stage, hits, note in self.index.search(words, limit, meaning):
            yield Found(hits, stage, (time.perf_counter() - started) * 1000, note)

    def _findings(self, fix: bool) -> Iterator[Finding]:
        return checkup.findings(self.profile, self.settings, self.children, self.index, self.keys, fix=fix)

    def _route(self, offline: bool) -> Route:
        """The models of one question, in their order, behind the door as it stands for that question."""
        settings = self.settings.current
        gate = Gate(lambda: True) if offline else self.gate
        local = LocalModel(self.children.llm, self.children.model_name)
        models = [local] if self.children.model_file else []
        cloud = []
        if settings.cloud_url and settings.cloud_model:
            cloud = [
                CloudModel(settings.cloud_model, settings.cloud_url, lambda: self.keys.get(CLOUD), gate),
            ]
        return Route([*cloud, *models] if settings.prefer == "cloud" else [*models, *cloud])

    def _until_done(self, cancelled: Cancellation) -> Iterator[Progress]:
        while True:
            progress = self._progress()
            yield progress
            if progress.done or cancelled.wait(PROGRESS_SECONDS):
                return

    def _watch(self, cancelled: Cancellation) -> Iterator[StatusReport]:
        while not cancelled.requested and not self.ended.is_set():
            seen = self._version
            yield self._status()
            cancelled.wait(WATCH_SECONDS)
            with self._changed:
                while self._version == seen and not cancelled.requested and not self.ended.is_set():
                    self._changed.wait(1.0)

    def _announce(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def _apply(self, settings: Settings) -> None:
        self.index.set_rules(_rules(settings))
        self.children.configure(settings)
        self._announce()

    def _folders(self) -> Folders:
        return Folders([FolderInfo(**folder) for folder in self.index.folders()])

    def _progress(self) -> Progress:
        return Progress(*self.index.progress())

    def _status(self) -> StatusReport:
        settings = self.settings.current
        notices = [*([self.settings.notice] if self.settings.notice else []), *self.index.notices()]
        return StatusReport(
            version=VERSION,
            pid=os.getpid(),
            uptime_s=round(time.monotonic() - self._started, 1),
            memory=psutil.Process().memory_info().rss,
            counts=self.index.counts(),
            folders=self._folders().folders,
            problems=self.index.problems(100),
            children=self.children.report(),
            model=self.children.model_name,
            model_state=self.children.llm.state if self.children.model_file else "missing",
            cloud=urlsplit(settings.cloud_url).hostname or "",
            offline=settings.offline,
            notices=notices,
        )


def _rules(settings: Settings) -> IgnoreRules:
    return IgnoreRules(
        patterns=tuple(settings.ignore), hidden=settings.hidden_files, largest=settings.largest_file_mb * 1024 * 1024
    )
