"""The engine: the index, the models and the network door are put together here, nowhere else.

Each kind of call has its desk; a new capability is a `case` there.
"""

import os
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from core.answering.answer import Answering
from core.answering.history import History
from core.answering.opinions import Opinions
from core.answering.transform import transform
from core.engine import filters
from core.engine.ahead import ReadAhead
from core.engine.answers import AnswerDesk
from core.engine.children import Children
from core.engine.downloads import Downloads
from core.engine.later import SecondOpinions
from core.engine.library import LibraryDesk
from core.engine.models import ModelDesk
from core.engine.providers import ProviderDesk
from core.engine.reports import News, ReportDesk
from core.engine.shelf import Shelf
from core.engine.standing import Standing
from core.engine.welcome import WelcomeDesk
from core.errors import BadInput
from core.models.keys import Keys
from core.models.local import LocalModel, fitting
from core.models.route import Route
from core.models.speed import Speeds
from core.network import Gate, is_elsewhere
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
    EraseHistory,
    EraseLater,
    EraseLedger,
    Event,
    Export,
    FirstCall,
    GetSettings,
    Import,
    LedgerCall,
    LibraryCall,
    ListProviders,
    ModelCall,
    ProviderCall,
    RemoveFolder,
    RemoveKey,
    ReportCall,
    Search,
    SetKey,
    SetRule,
    Settings,
    SettingsCall,
    ShowLater,
    Shutdown,
    Transform,
)
from core.settings import SettingsFile
from indexer.ignore import IgnoreRules
from indexer.index import Index
from indexer.records import Problem
from indexer.store.store_service import EMBEDDED
from indexer.vector_words import standing
from indexer.worker import Cancellation

TRY_SECONDS = 8.0  # for a vector store that was just named to be opened or made


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
        self._keeping = threading.Lock()  # which folders stay here, and whether a vector server elsewhere is told
        self.settings, self._news = SettingsFile(profile.settings), News()
        settings = self.settings.current
        self._vectors = settings.vectors
        self.children = Children(profile, settings, [str(profile.data)])  # until it is known which folders stay here
        self.index = Index(
            profile.catalog,
            self.children.semantics,
            self.children.extractors,
            _rules(settings),
            protected=profile.directories,
            recogniser=self.children.recogniser,
            on_change=self._news.announce,
        )
        self.children.configure(settings, self.index.folder_rules.kept_here())
        self.gate, self.keys = Gate(lambda: self.settings.current.offline), Keys()
        history = History(
            profile.history,
            lambda: self.later.queued(),  # noqa: PLW0108  # it is made below
            watched=lambda: [folder["path"] for folder in self.index.folders()],
        )
        self._outgoing = Outgoing(self.index.folder_rules.of, lambda: self.settings.current, Ledger(profile.ledger))
        shelf = partial(Shelf, self.index)
        self.later = SecondOpinions(
            Opinions(history),
            lambda ask: Answering(shelf(filters.chosen(ask)), lambda _: self._providers.for_later(), None),
            self._outgoing,
            lambda: self.settings.current,
            on_change=self._news.announce,
            complete=self._is_complete,
        )
        self._models = self._model_desk(profile.data / "models")
        self._providers = ProviderDesk(self.settings, self.keys, self.gate, self._outgoing, self.later.answered)
        self._answers = AnswerDesk(
            shelf,
            self._route,
            self._outgoing,
            history,
            self.index.ledger.coverage,
            later=self.later,
            standing=Standing(self._route, self._outgoing, lambda: self.children.model_file),
        )
        self._ahead = ReadAhead(self._answers.ahead, self._at_leisure)
        self._library = LibraryDesk(self.index, history)
        self._reports = ReportDesk(
            profile=profile,
            settings=self.settings,
            children=self.children,
            index=self.index,
            library=self._library,
            answers=self._answers,
            keys=self.keys,
            providers=self._providers,
            later=self.later,
            news=self._news,
            ended=self.ended,
        )

    def _model_desk(self, folder: Path) -> ModelDesk:
        self._downloads = Downloads(folder, self.gate, self._news.announce)
        self._speeds = Speeds(folder / "speeds.json")
        return ModelDesk(
            folder,
            settings=self.settings,
            children=self.children,
            downloads=self._downloads,
            speeds=self._speeds,
            choose=self._choose_model,
        )

    def start(self) -> None:
        """Begin watching and indexing, and wake the children that a first question needs."""
        settings = self.settings.current
        self.index.pace.configure(paused=settings.paused, spare_battery=settings.pause_on_battery)
        self.index.recognise_scans(settings.ocr)
        self.index.start()
        self.children.warm()
        self.later.start()
        self._downloads.start()

    def end(self) -> None:
        """Ask the process to end; safe in a signal's context."""
        self.ended.set()

    def close(self) -> None:
        """Stop indexing and end all children."""
        self.later.end()
        self._downloads.end()
        self.index.stop()
        self.children.stop()

    def busy(self) -> bool:
        """Whether work is under way that nobody waits for but that should not be cut off."""
        waits = self.keys.holds_any or self.later.busy or self._downloads.busy
        return waits or not self._library.progress().done

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see `core.protocol` for what each yields."""
        if isinstance(call, Ask | Search | Transform):
            self.index.pace.person_is_there()
            self._ahead.stop()
        if isinstance(call, SetRule | RemoveFolder):
            yield from self._keep_here(call, cancelled)
        elif isinstance(call, LibraryCall):
            yield from self._library.handle(call, cancelled)
            if isinstance(call, Search) and call.ahead:
                self._ahead.read(call, cancelled)
        elif isinstance(call, FirstCall):
            desk = WelcomeDesk(self.index, _rules(self.settings.current), self.profile.directories)
            yield from desk.handle(call, cancelled)
        elif isinstance(call, ReportCall):
            yield from self._reports.handle(call, cancelled)
        elif isinstance(call, SettingsCall):
            yield from self._set(call)
        elif isinstance(call, ProviderCall):
            yield from self._handle_providers(call, cancelled)
        elif isinstance(call, ModelCall):
            yield from self._models.handle(call, cancelled)
        elif isinstance(call, AnswerCall | LedgerCall | Transform):
            yield from self._answer(call, cancelled)
        elif isinstance(call, Export):
            yield self._export(Path(call.path), again=call.again)
        elif isinstance(call, Import):
            raise Problem("An import is done without the engine.", "Use `offhand import`.", kind="protocol")
        elif isinstance(call, Shutdown):
            self._ahead.stop()
            yield Done("The engine ends.")
            self.ended.set()
            self._news.announce()  # who watches hears of it in good order

    def _answer(self, call: AnswerCall | LedgerCall | Transform, cancelled: Cancellation) -> Iterator[Event]:
        if isinstance(call, Transform):
            yield from self._transform(call, cancelled)
        elif isinstance(call, Ask):
            with self._ahead.held_back():
                for event in self._answers.handle(call, cancelled):
                    self.index.pace.person_is_there()
                    yield event
        else:
            yield from self._answers.handle(call, cancelled)
        if isinstance(call, Ask | EraseHistory | EraseLedger | ShowLater | EraseLater):
            self._news.announce()

    def _handle_providers(self, call: ProviderCall, cancelled: Cancellation) -> Iterator[Event]:
        yield from self._providers.handle(call, cancelled)
        if not isinstance(call, ListProviders):
            self.later.wake()
        self._news.announce()

    def _set(self, call: SettingsCall) -> Iterator[Event]:
        match call:
            case GetSettings():
                yield CurrentSettings(self.settings.current)
            case Configure(name, value):
                with self._keeping:
                    if name == "vectors":
                        self._refuse_elsewhere(value.strip())
                    self._apply(self.settings.change(name, value))
                if name == "paused" and not self.settings.current.paused:
                    self.index.pace.resume()
                yield CurrentSettings(self.settings.current, self._tried_vectors() if name == "vectors" else "")
            case SetKey(name, key):
                yield Done(self.keys.set(name, key))
                self._providers.key_changed(name)
                self.later.wake()
            case RemoveKey(name):
                yield Done(self.keys.remove(name))
                self._providers.key_changed(name)

    def _keep_here(self, call: SetRule | RemoveFolder, cancelled: Cancellation) -> Iterator[Event]:
        """Change what stays here. A vector server elsewhere is given up before the rule holds."""
        if isinstance(call, RemoveFolder):  # which may take long
            done = list(self._library.handle(call, cancelled))
            with self._keeping:
                self._configure_children()
        else:
            with self._keeping:
                if call.rule == "local":
                    self.children.configure(self.settings.current, [call.path])
                try:
                    done = list(self._library.handle(call, cancelled))
                finally:
                    self._configure_children()
        yield from done

    def _configure_children(self) -> None:
        self.children.configure(self.settings.current, self.index.folder_rules.kept_here())
        self.index.vectors.doubt()  # they may be kept elsewhere from now on

    def _refuse_elsewhere(self, vectors: str) -> None:
        kept = self.index.folder_rules.kept_here()
        if kept and vectors != EMBEDDED and is_elsewhere(vectors):
            raise BadInput(
                f"The vectors of all folders would go to {vectors}, another computer, and {kept[0]} stays here.",
                "Take a server on this machine, or give that folder another rule: offhand rule DIR ask.",
            )

    def _export(self, target: Path, *, again: bool) -> Done:
        from core import archive

        for folder in self.index.folders():
            if Path(os.path.realpath(target)).is_relative_to(folder["path"]):
                raise BadInput(
                    f"{target} would lie in {folder['path']}, one of your folders; Offhand writes nothing there.",
                    "Choose another place.",
                )
        if again:
            archive.clear_unfinished(target)
        if not (again and archive.is_whole(target)):
            archive.export(self.profile, self.settings.current, target)
        size = target.stat().st_size / 1e6
        return Done(f"{target} holds your profile ({size:,.1f} MB): the text of your notes is in it, keys are not.")

    def _is_complete(self) -> bool:
        """Whether nothing is left to be read or embedded, by itself or because it is paused or stuck; scans aside."""
        progress = self._library.progress()
        counts = progress.counts
        return progress.done and counts.waiting <= counts.scans and not counts.vectors_owed

    def _transform(self, call: Transform, cancelled: Cancellation) -> Iterator[Event]:
        offer = "" if call.consent else self._providers.offered()
        route = self._providers.for_selection(self._local(), consent=call.consent)
        with self._ahead.held_back():
            yield from transform(call, route, offer, cancelled)

    def _route(self, ask: Ask, cut: bool) -> Route:
        return self._providers.route(self._local(), ask, cut=cut)

    def _local(self) -> LocalModel | None:
        has_model = self.children.model_file is not None
        name, file = self.children.model_name, self.children.model_file
        room = fitting(self._speeds.of(file).reading, self.settings.current.first_word_ms / 1000)
        measured = partial(self._speeds.add, file)
        return LocalModel(self.children.llm, name, measured, notes_tokens=room) if has_model else None

    def _at_leisure(self) -> bool:
        """Whether the machine has time for what nobody has asked for yet: no reading of files, no battery to spare."""
        if self.index.pace.why or self.children.model_state != "ready":
            return False
        counts = self.index.counts()
        return counts.waiting <= counts.scans

    def _choose_model(self, path: str) -> None:
        with self._keeping:
            self._apply(self.settings.replace(local_model=path))

    def _apply(self, settings: Settings) -> None:
        self.index.set_rules(_rules(settings))
        self.index.pace.configure(paused=settings.paused, spare_battery=settings.pause_on_battery)
        self.index.recognise_scans(settings.ocr)
        self._configure_children()
        if settings.vectors != self._vectors:
            self._vectors = settings.vectors
            self.index.vectors.moved()
        self.later.wake()
        self._news.announce()

    def _tried_vectors(self) -> str:
        try:
            return f"{standing(self.index.vectors.tried(TRY_SECONDS))}."
        except Problem as problem:
            return str(problem)


def _rules(settings: Settings) -> IgnoreRules:
    return IgnoreRules(
        patterns=tuple(settings.ignore), hidden=settings.hidden_files, largest=settings.largest_file_mb * 1024 * 1024
    )
