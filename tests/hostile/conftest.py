"""A real engine that is given hostile files, and somebody who watches its readers while it reads them."""

import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core import launch
from core.client import Engine
from core.engine.children import EXTRACTOR_MEMORY
from core.paths import ROOT, Profile
from core.protocol import AddFolder, FileRecord, Files, ListFiles
from indexer.extract.registry import format_of
from tests.processes.conftest import eventually, family, status

CANARY = "CANARY4711 this stands outside of the folder"

SAMPLES = ROOT / "tests" / "data" / "documents"
EXAMPLES = ROOT / "examples" / "notes"
SHARED = ROOT.parent / "shared" / "data" / "documents"


class Watch:
    """Looks at the readers several times a second: the most memory any of them had, and sockets to the outside."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._over = threading.Event()
        self.peak = 0
        self.readers: set[int] = set()
        self.sockets: list[str] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        known: list[psutil.Process] = []
        found_at = 0.0
        while not self._over.wait(0.05):
            if time.monotonic() - found_at > 0.5:
                known, found_at = [p for p in family(self._profile) if "extractor" in _words(p)], time.monotonic()
            for process in known:
                try:
                    self.peak = max(self.peak, process.memory_info().rss)
                    self.readers.add(process.pid)
                    self.sockets += [str(found) for found in process.net_connections("inet")]
                except psutil.Error:
                    continue


class Hostile:
    """A folder for hostile files beside a file that they must not reach, and an engine of its own.

    Its temporary files lie in a folder of their own too, so that one which is left behind is seen.
    """

    def __init__(self, place: Path, profile: Profile) -> None:
        self.profile = profile
        self.folder = place / "folder"
        self.folder.mkdir()
        self.temporary = place / "temporary"
        self.temporary.mkdir()
        self.canary = place / "canary.txt"
        self.canary.write_text(CANARY)
        self.engine = Engine(profile)

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def read_all(self, seconds: float) -> dict[str, FileRecord]:
        """Add the folder and wait until no file waits any more. Returns what became of each, by name."""
        list(self.engine.call(AddFolder(str(self.folder))))
        pid = status(self.engine).pid
        expected = len(list(self.folder.iterdir()))
        assert eventually(lambda: self._read(expected), seconds), status(self.engine)
        assert status(self.engine).pid == pid, "the engine died and was started again"
        return self.ledger()

    def ledger(self) -> dict[str, FileRecord]:
        found: dict[str, FileRecord] = {}
        for event in self.engine.call(ListFiles()):
            assert isinstance(event, Files)
            found |= {file.path.rpartition("/")[2]: file for file in event.files}
        return found

    def fingerprint(self) -> str:
        """Of all names and bytes in the folder."""
        digest = hashlib.blake2b()
        for path in sorted(self.folder.iterdir()):
            digest.update(path.name.encode("utf-8", "surrogateescape") + path.read_bytes())
        return digest.hexdigest()

    def left_behind(self) -> list[str]:
        """Temporary files that are still there, once the engine has ended."""
        self.engine.close()
        launch.stop(self.profile)
        assert eventually(lambda: not family(self.profile)), f"orphans: {family(self.profile)}"
        ours = ("engine.lock", "kreuzberg-")
        kept = [path for path in self.profile.runtime.iterdir() if not path.name.startswith(ours)]
        library = [path for private in self.profile.runtime.glob("kreuzberg-*") for path in private.iterdir()]
        kept += [path for path in library if path.name != "kreuzberg-pdfium"]
        return [str(path) for path in [*self.temporary.iterdir(), *kept]]

    def _read(self, expected: int) -> bool:
        coverage = status(self.engine).coverage
        return coverage.files == expected and not coverage.waiting


@pytest.fixture
def hostile(tmp_path: Path, profile: Profile, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    for name in ("TMPDIR", "TMP", "TEMP"):
        monkeypatch.setenv(name, str(tmp_path / "temporary"))
    made = Hostile(tmp_path, profile)
    yield made
    assert made.left_behind() == []


def well_behaved(hostile: Hostile, watch: Watch, records: dict[str, FileRecord]) -> None:
    """What must hold after any hostile file: nothing silent, nothing large, nothing from outside, no way out."""
    silent = [file.path for file in records.values() if file.state != "indexed" and not file.reason]
    assert not silent
    assert watch.readers
    assert watch.peak <= EXTRACTOR_MEMORY
    assert watch.sockets == []
    catalog = hostile.profile.data.glob("catalog*")
    assert not [path for path in catalog if CANARY[:10].encode() in path.read_bytes()], "something outside was read"


def documents() -> list[Path]:
    """Real documents to be damaged: those beside this checkout where they are, the samples, the example notes."""
    places = [SAMPLES, EXAMPLES, *([SHARED] if SHARED.is_dir() else [])]
    found = [path for place in places for path in place.rglob("*") if path.is_file() and format_of(path)]
    if not SHARED.is_dir():
        print("fewer documents: there is no shared/data/documents beside this checkout")
    return found


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
