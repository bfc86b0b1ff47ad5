"""The facade of the indexer: folders in, passages out. Everything else in this room is reached through it."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from indexer import check, placement, search, semantics
from indexer.facts import Facts
from indexer.finder import Finder
from indexer.folder_rules import FolderRules
from indexer.ignore import IgnoreRules
from indexer.ledger import Ledger
from indexer.loop import Loop, Notices
from indexer.pace import Pace
from indexer.pipeline import Pipeline, Reader
from indexer.placement import names
from indexer.records import EVERYWHERE, Counts, Filter, Finding, Folder, FolderRefused, Hit, Problem
from indexer.related import RelatedPassages
from indexer.scanner import Scanner
from indexer.scans import LOOK_SECONDS, Scans
from indexer.search import Stage
from indexer.semantics import Meaning
from indexer.spelling import Spelling
from indexer.store import files, folders, outbox, passages
from indexer.store.database import Database
from indexer.store.folders import FolderTally
from indexer.terms import fold
from indexer.vector_flow import VectorFlow
from indexer.watch import Watcher

log = logging.getLogger(__name__)

TIDY_SECONDS = 600.0
TIDY_AGAIN_SECONDS = 20.0  # when somebody read what was to be tidied away
UNUSED_SECONDS = 7 * 24 * 3600  # a vector outlives its last passage by a week: folders are put back, edits undone
STOP_SECONDS = 3.0


class Index:
    """A person's folders, indexed and searchable.

    Args:
        path: the catalog's file.
        meaning: the semantics process.
        readers: the extractor processes.
        rules: which files are left alone.
        protected: folders that may not be added: the profile.
        recogniser: another extractor process, for scanned pages; without it they are not recognised.
        on_change: called, from any thread, when something a person could see has changed.

    `vectors` tells where the index of vectors stands, and is told to look after it; `ledger` says what became of each
    file, `facts` what the catalog knows exactly, `related` which passages are close to a file, `pace` when work in the
    background rests, and `spelling` which words were probably meant.

    Raises:
        CatalogUnusable: the catalog cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        meaning: Meaning,
        readers: Sequence[Reader],
        rules: IgnoreRules,
        *,
        protected: Sequence[Path] = (),
        recogniser: Reader | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = Database(path)
        self.folder_rules = FolderRules(self._database, on_change)
        self.folder_rules.copy()  # an import may have changed it, and a damage is told before anything starts
        self.spelling = Spelling(self._database)
        self.facts = Facts(self._database)
        self._meaning, self._protected, self._announce = meaning, protected, on_change
        self._notices = Notices(on_change)
        self._started = False
        self.pace = Pace(self._on_pace)
        self._choosing = threading.Lock()  # folders are added and removed one at a time
        self._tidier = Loop("tidy", self._tidy, self._notices)
        self._scanner = Scanner(
            self._database,
            rules,
            deaf=lambda: self._watcher.deaf,
            writing=lambda path: self._watcher.is_written(path),  # noqa: PLW0108  # there is no watcher yet
            on_looked=self._looked,
            on_change=self._on_change,
            notices=self._notices,
        )
        self.ledger = Ledger(self._database, lambda: self._scanner.rules)
        self._watcher = Watcher(self._scanner.look, self._scanner.rescan, self._notices)
        self._pipeline = Pipeline(
            self._database,
            readers,
            largest=lambda: self._scanner.rules.largest,
            look=self._scanner.look,
            on_stored=self._stored,
            notices=self._notices,
            rest=lambda bulk: self.pace.rest(bulk=bulk),
        )
        self.vectors = self._flow = VectorFlow(
            self._database,
            meaning,
            hold=lambda: self._pipeline.is_bulk,
            rest=lambda bulk: self.pace.rest(bulk=bulk),
            on_change=self._on_change,
            notices=self._notices,
        )
        self._finder = Finder(self._database, meaning, self._flow.doubt)
        self.related = RelatedPassages(self._database, meaning, self._flow.doubt)
        self._scans = recogniser and Scans(
            self._database,
            recogniser,
            largest=lambda: self._scanner.rules.largest,
            rest=lambda: self.pace.rest() or (0.0 if self._all_else_done(self.counts()) else LOOK_SECONDS),
            on_stored=self._stored,
            notices=self._notices,
        )

    def start(self) -> None:
        """Begin to watch, scan, read and embed, all in the background."""
        self._started = True
        self._watcher.set_roots(folder.path for folder in self._watched())
        for part in (self._watcher, self._scanner, self._tidier, self._pipeline, self._flow):
            part.start()
        if self._scans:
            self._scans.start()

    def stop(self) -> None:
        """End in good order; what is not done goes on at the next start."""
        self._watcher.stop()
        self._scanner.stop()
        self._tidier.stop()
        if self._scans:
            self._scans.stop(0.0)
        self._pipeline.stop(STOP_SECONDS)
        self._flow.stop(STOP_SECONDS)
        self._scanner.join(STOP_SECONDS)
        self._tidier.join(STOP_SECONDS)
        self._database.close()

    # ---- folders ----------------------------------------------------------------------------------------------------

    def add_folder(self, path: Path, *, links: bool = False) -> None:
        """Watch a folder. It is indexed in the background.

        Args:
            path: the folder.
            links: read also what links in it lead to outside; changes there are found within a minute.

        Raises:
            FolderRefused: it is missing, no folder, unreadable, inside or around a watched one, or the profile's.
        """
        with self._choosing:
            real = Path(os.path.realpath(path.expanduser()))
            with self._database.read() as connection:
                watched = folders.watched(connection)
            placement.reach(path)
            placement.check(path, (folder.path for folder in watched), self._protected)
            with self._database.write() as connection:
                folders.add(connection, str(real), links=links)
            self.folder_rules.copy()
            self._watcher.set_roots([*(folder.path for folder in watched), str(real)])
        self._scanner.look({str(real)})
        self._on_change()

    def remove_folder(self, path: Path, on_removed: Callable[[str], None] = lambda _: None) -> None:
        """Forget a folder and all that was indexed from it; the folder itself is not touched.

        Returns when it is done; Chroma's files take a moment longer.

        Args:
            path: the folder.
            on_removed: told the path under which it was watched as soon as it is off the list, before the long work.

        Raises:
            FolderRefused: it is not watched.
        """
        with self._choosing:
            watched = self._watched()
            named = names(path)
            folder = next((folder for folder in watched if folder.path in named), None)
            if folder is None:
                raise FolderRefused(f"{path} is not one of your folders.", "`offhand folders` lists them.")
            with self._database.write() as connection:
                folders.mark_removed(connection, folder.id)
            self.folder_rules.copy()
            on_removed(folder.path)
            self._watcher.set_roots(other.path for other in watched if other.id != folder.id)
            self._notices.clear(f"away {folder.path}")
            try:
                self._scanner.forget_removed()
            except Problem:
                self._scanner.rescan()  # no room, say: it is off the list, and the rest follows by itself
                raise
            self._tidier.wake()  # it may have left some for later
        self._flow.wake()
        self._on_change()

    def watched_as(self, path: Path) -> str:
        """The path under which a folder is watched, "" when it is not."""
        return next(iter(names(path).intersection(folder.path for folder in self._watched())), "")

    def folders(self) -> list[FolderTally]:
        """The watched folders and where each stands."""
        with self._database.read() as connection:
            return folders.tallies(connection)

    def set_rules(self, rules: IgnoreRules) -> None:
        """Other rules from now on: files that they hide are forgotten, others are found."""
        if rules != self._scanner.rules:
            self._scanner.rules = rules
            self._scanner.rescan()

    def recognise_scans(self, on: bool) -> None:
        """Whether words are read off scanned pages."""
        if self._scans:
            self._scans.on = on
            self._scans.wake()

    def rescan(self) -> None:
        """Look at everything again."""
        self._scanner.rescan()

    def retry(self, path: str = "") -> int:
        """Let the failed files be read again, or those at and below `path`. Returns how many."""
        with self._database.write() as connection:
            count = files.retry(connection, path)
        self._pipeline.wake()
        self._on_change()
        return count

    # ---- finding ----------------------------------------------------------------------------------------------------

    def search(
        self,
        words: str,
        limit: int,
        meaning: bool = True,
        chosen: Filter = EVERYWHERE,
        *,
        unfinished: bool = False,
        meant: str = "",
    ) -> Iterator[tuple[Stage, list[Hit], str]]:
        """Passages, best first: ("words", hits, ""), and with `meaning` then ("fused", hits, note).

        See `Finder.search`.
        """
        return self._finder.search(words, limit, meaning, chosen, unfinished=unfinished, meant=meant)

    def similarity(self, question: str, sentences: list[str]) -> list[float]:
        """The cosine of each sentence with the question.

        Raises:
            Problem: the embedding model is not available now.
        """
        if not sentences:
            return []
        call = semantics.Similarity(search.unmarked(question), [search.sendable(sentence) for sentence in sentences])
        scores = self._meaning.ask(call, patience=search.PATIENCE)
        assert isinstance(scores, semantics.Scores)
        return scores.scores

    def document_frequency(self, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        """In how many passages each term occurs, and how many passages there are."""
        folded = {term: fold(term) for term in terms}
        with self._database.read() as connection:
            found, total = passages.document_frequency(connection, folded.values())
        return {term: found[form] for term, form in folded.items()}, total

    def passages(self, ids: Sequence[int]) -> list[Hit]:
        """The passages with these ids, in this order; those that are gone are left out."""
        with self._database.read() as connection:
            return passages.hits(connection, [(number, 0.0) for number in ids])

    def neighbours(self, chunk_id: int, reach: int = 1) -> list[Hit]:
        """A passage with up to `reach` before and after it in the same file, in the order of the text."""
        with self._database.read() as connection:
            return passages.around(connection, chunk_id, reach)

    # ---- where it stands --------------------------------------------------------------------------------------------

    def counts(self) -> Counts:
        """The library in numbers."""
        with self._database.read() as connection:
            return folders.counts(connection)

    def progress(self) -> tuple[Counts, float, float, float | None, bool]:
        """Counts, files and passages a second, seconds left (None: unknown), and whether nothing more will happen.

        What is stuck (no model, a full disk) or paused counts as done; the notices say what it waits for.
        """
        looking = self._scanner.looking  # before the counts, which then hold all that the look has found
        counts = self.counts()
        files_per_s, chunks_per_s = self._pipeline.rate.per_second(), self._flow.rate.per_second()
        recognising = isinstance(self._scans, Scans) and not self._scans.idle and not self.pace.why
        done = not looking and not (counts.scans and recognising) and self._all_else_done(counts)
        left: float | None = 0.0
        if not done:
            chunks_each = counts.chunks / counts.indexed if counts.indexed else 0.0
            chunks = counts.vectors_owed + counts.waiting * chunks_each
            left = chunks / chunks_per_s if chunks_per_s and chunks else None
        return counts, files_per_s, chunks_per_s, left, done

    def notices(self) -> list[str]:
        """What a person should know about the work in the background."""
        return self._notices.all()

    def check(self, fix: bool = False) -> Iterator[Finding]:
        """Look for disagreements between notes, catalog and vectors; with `fix` repair them.

        Raises:
            CatalogDamaged: with `fix`: it cannot be repaired in its place. Told before anything else.
        """
        for finding in check.catalog(self._database, fix=fix):
            yield finding
            if finding.name == "catalog" and not finding.ok:
                return  # nothing that follows could be believed
        looking = lambda: self._started and self._scanner.looking  # noqa: E731
        yield from check.disk(self._database, self._scanner.differences, looking, fix=fix)
        yield from check.vectors(self._database, self._meaning, self._flow.doubt, fix=fix)
        if fix:
            self._pipeline.wake()
            self._flow.wake()

    def _all_else_done(self, counts: Counts) -> bool:
        """Whether everything but scans is read and embedded, or will not be now."""
        paused = bool(self.pace.why)
        read = counts.waiting <= counts.scans or self._pipeline.stuck or paused
        embedded = not counts.vectors_owed or self._flow.stuck or paused
        return read and embedded and not self._scanner.looking

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _watched(self) -> list[Folder]:
        with self._database.read() as connection:
            return folders.watched(connection)

    def _on_pace(self) -> None:
        self._pipeline.wake()
        self._flow.wake()
        self._on_change()

    def _on_change(self) -> None:
        self.ledger.changed()
        self._announce()

    def _stored(self) -> None:
        self._flow.wake()
        if self._scans:
            self._scans.wake()
        self._on_change()

    def _looked(self) -> None:
        self._pipeline.wake()
        self._flow.wake()

    def _tidy(self) -> float:
        self.facts.look_again()
        if self.progress()[4]:
            with self._database.write() as connection:
                outbox.drop_unused(connection, UNUSED_SECONDS)
            if not self._database.tidy():
                return TIDY_AGAIN_SECONDS
        return TIDY_SECONDS
