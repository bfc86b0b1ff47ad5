"""The calls about folders, indexing and search: one `case` each."""

import time
from collections.abc import Iterator
from pathlib import Path

from core.errors import BadInput
from core.protocol import (
    AddFolder,
    Event,
    FolderInfo,
    Folders,
    Found,
    Index,
    LibraryCall,
    ListFolders,
    Progress,
    RemoveFolder,
    Retry,
    Search,
    SetRule,
)
from indexer import index
from indexer.worker import Cancellation

PROGRESS_SECONDS = 0.1


class LibraryDesk:
    """Answers from the index.

    Args:
        index: the person's folders.
    """

    def __init__(self, index: index.Index) -> None:
        self._index = index

    def handle(self, call: LibraryCall, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see `core.protocol` for what each yields."""
        match call:
            case AddFolder(path):
                self._index.add_folder(Path(path))
                yield self.folders()
            case RemoveFolder(path):
                self._index.remove_folder(Path(path))
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
                self._index.retry(path)
                yield self.progress()
            case Search(words, limit, meaning):
                yield from self._search(words, limit, meaning)

    def folders(self) -> Folders:
        """The watched folders and where each stands."""
        return Folders([FolderInfo(**folder) for folder in self._index.folders()])

    def progress(self) -> Progress:
        """How far indexing is."""
        return Progress(*self._index.progress())

    def _search(self, words: str, limit: int, meaning: bool) -> Iterator[Event]:
        if not 1 <= limit <= 1000:
            raise BadInput("The number of results must be between 1 and 1000.")
        started = time.perf_counter()
        for stage, hits, note in self._index.search(words, limit, meaning):
            yield Found(hits, stage, (time.perf_counter() - started) * 1000, note)

    def _until_done(self, cancelled: Cancellation) -> Iterator[Progress]:
        while True:
            progress = self.progress()
            yield progress
            if progress.done or cancelled.wait(PROGRESS_SECONDS):
                return
