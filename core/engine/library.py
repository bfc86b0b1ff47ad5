"""The calls about folders, indexing and search: one `case` each."""

import time
from collections.abc import Iterator
from pathlib import Path

from core.answering.history import History
from core.answering.listing import listing
from core.engine import filters
from core.engine.shelf import Shelf
from core.errors import BadInput
from core.protocol import (
    AddFolder,
    Event,
    Explain,
    Explained,
    Files,
    FileState,
    FolderInfo,
    Folders,
    Found,
    Index,
    LibraryCall,
    ListFiles,
    ListFolders,
    ListTasks,
    Progress,
    Related,
    RemoveFolder,
    Retry,
    Search,
    SetRule,
)
from indexer import index, spelling
from indexer.placement import names
from indexer.query import parse
from indexer.worker import Cancellation

PROGRESS_SECONDS = 0.1
FILES_AT_ONCE = 1000


class LibraryDesk:
    """Answers from the index.

    Args:
        index: the person's folders.
        history: the answers given so far; those from a removed folder go with it.
    """

    def __init__(self, index: index.Index, history: History) -> None:
        self._index = index
        self._history = history

    def handle(self, call: LibraryCall, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see `core.protocol` for what each yields."""
        match call:
            case AddFolder(path, links, again):
                if not (again and self._index.watched_as(Path(path))):
                    self._index.add_folder(Path(path), links=links)
                yield self.folders()
            case RemoveFolder(path, again):
                if again and not self._index.watched_as(Path(path)):
                    for name in names(Path(path)):
                        self._history.forget(name)  # that engine may not have come so far
                else:
                    self._index.remove_folder(Path(path), self._history.forget)
                yield self.folders()
            case SetRule(path, rule):
                self._index.folder_rules.set(Path(path), rule)
                yield self.folders()
            case ListFolders():
                yield self.folders()
            case Index(wait):
                self._index.rescan()
                yield from self._until_done(cancelled) if wait else [self.progress()]
            case Retry(path):
                self._retry(path)
                yield self.progress()
            case ListFiles(state, path):
                yield from self._files(state, path, cancelled)
            case ListTasks():
                yield listing(filters.tasks(call), self._index.facts.listed)
            case Explain(path):
                record, sentence = self._index.ledger.why(Path(path))
                rests = self._index.pace.sentence if record is not None and record.state == "waiting" else ""
                yield Explained(path, f"{sentence} {rests}".strip(), record)
            case Search() | Related():
                yield from self._search(call) if isinstance(call, Search) else [self._related(call)]

    def folders(self) -> Folders:
        """The watched folders and where each stands."""
        return Folders([FolderInfo(**folder) for folder in self._index.folders()])

    def progress(self) -> Progress:
        """How far indexing is."""
        return Progress(*self._index.progress(), paused=self._index.pace.sentence)

    def _retry(self, path: str) -> None:
        if self._index.retry(path) or not path:
            return
        _, sentence = self._index.ledger.why(Path(path))
        raise BadInput(sentence, "Only files that failed are tried again.")

    def _files(self, state: FileState | None, path: str, cancelled: Cancellation) -> Iterator[Files]:
        after = ""
        while not cancelled.requested:
            some = self._index.ledger.files(state, path, after, FILES_AT_ONCE)
            if path and not some and not after and not self._index.ledger.knows(Path(path)):
                raise BadInput(self._index.ledger.why(Path(path))[1], "`offhand folders` lists your folders.")
            if some or not after:
                yield Files(some)
            if len(some) < FILES_AT_ONCE:
                return
            after = some[-1].path

    def _search(self, call: Search) -> Iterator[Event]:
        if not 1 <= call.limit <= 1000:
            raise BadInput("The number of results must be between 1 and 1000.")
        if not call.unfinished and not any(character.isalnum() for character in call.words):
            raise BadInput("There is nothing to look for.", "Type a word, or a few.")
        started = time.perf_counter()
        typing = call.unfinished
        query = parse(call.words, unfinished=typing)
        shelf = Shelf(self._index, filters.chosen(call))
        mended = self._index.spelling.mended(call.words, query.parts, unfinished=typing, wait=not typing)
        said, meant = spelling.sentence(call.words, mended), ""
        if mended:
            meant = parse(spelling.replaced(call.words, mended), unfinished=typing).words
        parts = sorted([*query.parts, *mended], key=lambda part: part.start)
        found = shelf.search(query.words, call.limit, call.meaning, unfinished=typing, meant=meant)
        for stage, hits, note in found:
            ms = (time.perf_counter() - started) * 1000
            yield Found(hits, stage, ms, f"{said} {note}".strip(), meant or query.words, parts)

    def _related(self, call: Related) -> Found:
        started = time.perf_counter()
        if not 1 <= call.limit <= 1000:
            raise BadInput("The number of results must be between 1 and 1000.")
        found = self._index.related.of(Path(call.path), call.line, call.limit)
        if found is None:
            raise BadInput(self._index.ledger.why(Path(call.path))[1], "`offhand folders` lists your folders.")
        ms = (time.perf_counter() - started) * 1000
        return Found(found.hits, found.stage, ms, found.note, " ".join(found.words))

    def _until_done(self, cancelled: Cancellation) -> Iterator[Progress]:
        while True:
            progress = self.progress()
            yield progress
            if progress.done or cancelled.wait(PROGRESS_SECONDS):
                return
