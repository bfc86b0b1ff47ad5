"""The engine: the index, the models and the network door are put together here, nowhere else.

Each kind of call has its desk; a new capability is a `case` there.
"""

import threading
from collections.abc import Iterator

from core.answering.history import History
from core.engine.answers import AnswerDesk
from core.engine.children import Children
from core.engine.library import LibraryDesk
from core.engine.reports import News, ReportDesk
from core.models.cloud import CloudModel
from core.models.keys import CLOUD, Keys
from core.models.llama import LocalModel
from core.models.route import Route
from core.network import Gate
from core.paths import Profile
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import (
    AnswerCall,
    Ask,
    Call,
    Configure,
    CurrentSettings,
    Done,
    EraseLedger,
    Event,
    GetSettings,
    LedgerCall,
    LibraryCall,
    RemoveKey,
    ReportCall,
    SetKey,
    Settings,
    SettingsCall,
    Shutdown,
)
from core.settings import SettingsFile
from indexer.ignore import IgnoreRules
from indexer.index import Index
from indexer.worker import Cancellation


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
        self._news = News()
        settings = self.settings.current
        self.children = Children(profile, settings)
        self.index = Index(
            profile.catalog,
            self.children.semantics,
            self.children.extractors,
            _rules(settings),
            protected=profile.directories,
            on_change=self._news.announce,
        )
        self.gate = Gate(lambda: self.settings.current.offline)
        self.keys = Keys()
        self.outgoing = Outgoing(self.index.folder_rules.of, lambda: self.settings.current, Ledger(profile.ledger))
        self._answers = AnswerDesk(self.index, self._route, self.outgoing, History(profile.history))
        self._library = LibraryDesk(self.index)
        self._reports = ReportDesk(
            profile=profile,
            settings=self.settings,
            children=self.children,
            index=self.index,
            library=self._library,
            answers=self._answers,
            keys=self.keys,
            news=self._news,
            ended=self.ended,
        )

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
        return not self._library.progress().done

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see `core.protocol` for what each yields."""
        if isinstance(call, LibraryCall):
            yield from self._library.handle(call, cancelled)
        elif isinstance(call, ReportCall):
            yield from self._reports.handle(call, cancelled)
        elif isinstance(call, SettingsCall):
            yield from self._set(call)
        elif isinstance(call, AnswerCall | LedgerCall):
            yield from self._answers.handle(call, cancelled)
            if isinstance(call, Ask | EraseLedger):
                self._news.announce()
        elif isinstance(call, Shutdown):
            yield Done("The engine ends.")
            self.ended.set()

    def _set(self, call: SettingsCall) -> Iterator[Event]:
        match call:
            case GetSettings():
                yield CurrentSettings(self.settings.current)
            case Configure(name, value):
                self._apply(self.settings.change(name, value))
                yield CurrentSettings(self.settings.current)
            case SetKey(name, key):
                yield Done(self.keys.set(name, key))
            case RemoveKey(name):
                yield Done(self.keys.remove(name))

    def _route(self, ask: Ask, cut: bool) -> Route:
        """The models of one question, in their order, behind the door as it stands for that question.

        Args:
            cut: for a drill: no cloud model can be reached, not even one on this machine.
        """
        settings = self.settings.current
        gate = Gate(lambda: True) if ask.offline else self.gate
        if cut:
            gate = Gate(lambda: True, reason="An outage drill is on", loopback=False)
        sender = self.outgoing.card(consent=ask.consent)
        local = LocalModel(self.children.llm, self.children.model_name)
        models = [local] if self.children.model_file else []
        cloud = []
        if settings.cloud_url and settings.cloud_model:
            cloud = [CloudModel(settings.cloud_model, settings.cloud_url, lambda: self.keys.get(CLOUD), gate, sender)]
        cloud_first = ask.consent or settings.prefer == "cloud"
        return Route([*cloud, *models] if cloud_first else [*models, *cloud])

    def _apply(self, settings: Settings) -> None:
        self.index.set_rules(_rules(settings))
        self.children.configure(settings)
        self._news.announce()


def _rules(settings: Settings) -> IgnoreRules:
    return IgnoreRules(
        patterns=tuple(settings.ignore), hidden=settings.hidden_files, largest=settings.largest_file_mb * 1024 * 1024
    )
