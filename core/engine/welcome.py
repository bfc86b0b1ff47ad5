"""What a person is shown before the first folder is added: where notes may lie, and what would be indexed there."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

import platformdirs

from core.protocol import FirstCall, Suggest, Suggested, Suggestion, Survey, Surveyed
from indexer import placement
from indexer.extract.registry import format_of
from indexer.ignore import IgnoreRules
from indexer.index import Index
from indexer.records import FolderRefused
from indexer.store.files import Seen
from indexer.walk import walk
from indexer.worker import Cancellation

MOST = 8  # folders that are suggested; more would have to be read, not seen
MOST_LOOKED_AT = 2000  # directories among which vaults are looked for
TELL_SECONDS = 0.25

VAULT = ".obsidian"
NAMES = {"notes", "notizen", "obsidian", "zettelkasten", "org", "wiki", "journal", "logseq", "vault", "vaults"}
CLOUDS = ("Dropbox", "OneDrive", "Nextcloud", "ownCloud", "Sync", "Google Drive")
ICLOUD = "Library/Mobile Documents/iCloud~md~obsidian/Documents"

# Where nothing is measured on this machine yet: what docs/BENCHMARKS.md has, halved and doubled.
FILES_PER_S = (10.0, 1000.0)
PASSAGES_PER_S = (20.0, 90.0)
SPREAD = (0.6, 1.2)  # of a rate that is measured now: it is one of other files
BYTES_PER_PASSAGE = (400.0, 900.0)  # of plain text: 96 to 160 tokens
PASSAGES_PER_DOCUMENT = (2.0, 60.0)  # a letter, a report


class WelcomeDesk:
    """Looks at folders that are not watched; it changes nothing.

    Args:
        index: the folders that are.
        rules: which files are left alone.
        protected: folders that may not be added: the profile.
        home: the person's own folder, by default as the system has it.
        documents: where their documents are kept, likewise.
    """

    def __init__(
        self,
        index: Index,
        rules: IgnoreRules,
        protected: Sequence[Path],
        home: Path | None = None,
        documents: Path | None = None,
    ) -> None:
        self._index = index
        self._rules = rules
        self._protected = protected
        self._home = home or Path.home()
        self._documents = documents or platformdirs.user_documents_path()

    def handle(self, call: FirstCall, cancelled: Cancellation) -> Iterator[Suggested | Surveyed]:
        """Answer one call; see `core.protocol` for what each yields.

        Raises:
            FolderRefused: the folder may not be added.
        """
        match call:
            case Suggest():
                yield Suggested(self._suggested())
            case Survey(path):
                yield from self._survey(Path(path), cancelled)

    def _suggested(self) -> list[Suggestion]:
        watched = [folder["path"] for folder in self._index.folders()]
        found = []
        for one in suggestions(self._home, self._documents):
            try:
                placement.check(Path(one.path), watched, self._protected)
            except FolderRefused:
                continue
            found.append(one)
        return found[:MOST]

    def _survey(self, path: Path, cancelled: Cancellation) -> Iterator[Surveyed]:
        placement.reach(path)
        placement.check(path, (folder["path"] for folder in self._index.folders()), self._protected)
        tally = _Tally(str(path), self._index)
        told = time.monotonic()
        for seen in walk(os.path.realpath(path), self._rules, passed=tally.pass_over):
            if cancelled.requested:
                return
            if isinstance(seen, Seen):
                tally.take(seen)
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                yield tally.told(done=False)
        yield tally.told(done=True)


class _Tally:
    """Counts what a walk sees."""

    def __init__(self, path: str, index: Index) -> None:
        self._path = path
        self._index = index
        self._files = self._bytes = self._documents = self._text = self._hidden = self._other = 0
        self._skipped: Counter[str] = Counter()

    def pass_over(self, by_rule: bool) -> None:
        if by_rule:
            self._hidden += 1
        else:
            self._other += 1

    def take(self, seen: Seen) -> None:
        if seen.refused:
            self._skipped[seen.refused] += 1
            return
        self._files += 1
        self._bytes += seen.size
        kind = format_of(PurePath(seen.path))
        if kind is not None and kind.reader == "document":
            self._documents += 1
        else:
            self._text += seen.size

    def told(self, *, done: bool) -> Surveyed:
        _, files_per_s, passages_per_s, _, _ = self._index.progress()
        measured = files_per_s > 0 and passages_per_s > 0
        rates = _around(files_per_s) if measured else FILES_PER_S
        meaning = _around(passages_per_s) if measured else PASSAGES_PER_S
        few, many = PASSAGES_PER_DOCUMENT
        small, large = BYTES_PER_PASSAGE
        passages = (self._text / large + few * self._documents, self._text / small + many * self._documents)
        words = (self._files / rates[1], self._files / rates[0])
        return Surveyed(
            self._path,
            self._files,
            self._bytes,
            dict(self._skipped),
            self._other,
            self._hidden,
            words,
            (words[0] + passages[0] / meaning[1], words[1] + passages[1] / meaning[0]),
            measured,
            done,
        )


def suggestions(home: Path, documents: Path) -> list[Suggestion]:
    """Folders in which notes may lie: the vaults of Obsidian, those called "Notes" or so, then the documents.

    Looked for two levels deep in the usual places; links are not followed.

    Args:
        home: the person's own folder.
        documents: where the system keeps their documents.
    """
    places = [documents, home, *(home / name for name in CLOUDS), home / ICLOUD]
    vaults: list[Path] = []
    named: list[Path] = []
    left = MOST_LOOKED_AT
    for directory in _two_levels(dict.fromkeys(place for place in places if place.is_dir())):
        left -= 1
        if left < 0:
            break
        if _is_vault(directory):
            vaults.append(directory)
        elif directory.name.lower() in NAMES:
            named.append(directory)
    outermost = [one for one in vaults if not any(one != other and one.is_relative_to(other) for other in vaults)]
    outside = [one for one in named if not any(one.is_relative_to(vault) for vault in outermost)]
    rest = [documents] if documents.is_dir() and documents != home else []
    chosen = dict.fromkeys([*outermost, *outside, *rest])
    return [Suggestion(str(directory), directory in outermost) for directory in chosen]


def _is_vault(directory: Path) -> bool:
    try:
        return (directory / VAULT).is_dir()
    except OSError:
        return False


def _two_levels(places: Iterable[Path]) -> Iterator[Path]:
    """The directories in these places, and those in them; each place's own first."""
    for place in places:
        first = _directories(place)
        yield from first
        for directory in first:
            yield from _directories(directory)


def _directories(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as entries:
            names = [one.name for one in entries if not one.name.startswith(".") and one.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [place / name for name in sorted(names)]


def _around(rate: float) -> tuple[float, float]:
    return rate * SPREAD[0], rate * SPREAD[1]
