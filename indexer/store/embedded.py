"""The vector store in a directory of its own: one directory per generation, looked at closely before it is opened.

Chroma writes its graph in place and does not survive every kill; opening a damaged one can crash, hang, fill the disk,
or answer wrongly without a word (chroma#7238, #7510). So Chroma's code sees no file that is not byte for byte as it
was left. That costs one reading of the graph: 0.15 to 0.25 s for 100,000 passages.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw

from indexer.store import vectors
from indexer.store.vector_store import Inventory, StoreClosed, StoreFailed, Vector

CATALOG = "chroma.sqlite3"
SPARE = 32 << 20  # bytes; Chroma's log and tables, which a small library's vectors do not measure
FILE_SHARE = 2  # one file of a sound generation is at most 1.1 times its vectors; a torn one grows without end


class EmbeddedStore:
    """Generations as directories `gen-N`; those that were put aside are `aside-N`.

    Args:
        directory: holds them; made when it is missing.
        limit: told before each growth how large one file may become, in bytes.
    """

    name = "Chroma on this computer"

    def __init__(self, directory: Path, limit: Callable[[int], None] = lambda _: None) -> None:
        self._directory = directory
        self._limit = limit
        self._number = 0
        self._collection: vectors.Collection | None = None
        self._digests: dict[tuple[str, int, int], str] = {}

    def open(self, number: int, signature: str, room: int) -> None:
        """See `VectorStore`."""
        self.close()
        place = self._place(number)
        if self._marker.exists():
            raise StoreFailed("the last attempt to open it did not end")
        if not place.is_dir():
            raise StoreFailed("it is gone")
        if self.signature(number) != signature:
            raise StoreFailed("its files are not as they were left")
        _check_catalog(place / CATALOG)
        self._marker.touch()
        self._make_room(room)
        self._collection = vectors.in_directory(place, fresh=False)
        self._number = number

    def create(self, number: int, room: int) -> None:
        """See `VectorStore`.

        Raises:
            StoreFailed: there is too little room on the disk, even without what was put aside.
        """
        self.close()
        self._directory.mkdir(parents=True, exist_ok=True)
        for place in self._directory.glob("gen-*"):
            _delete(place.with_name(place.name.replace("gen", "aside")))
            place.rename(place.with_name(place.name.replace("gen", "aside")))
        needed = FILE_SHARE * room + SPARE
        if occupied(self._directory) > needed or shutil.disk_usage(self._directory).free < needed:
            self._delete_aside()
        free = shutil.disk_usage(self._directory).free
        if free < needed:
            raise StoreFailed(f"it needs up to {needed / 1e6:.0f} MB and {free / 1e6:.0f} MB are free")
        self._marker.unlink(missing_ok=True)
        self._make_room(room)
        self._collection = vectors.in_directory(self._place(number), fresh=True)
        self._number = number

    def apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int]) -> None:
        """See `VectorStore`."""
        for _, vector in upserts[:1]:
            self._make_room((self._opened().count() + len(upserts)) * vector.nbytes)
        self._opened().apply(upserts, deletes)

    def nearest(self, vectors: Sequence[Vector], limit: int) -> list[list[tuple[int, float]]]:
        """See `VectorStore`."""
        return self._opened().nearest(vectors, limit)

    def ids(self) -> list[int]:
        """See `VectorStore`."""
        return self._opened().ids()

    def inventory(self) -> Inventory:
        """See `VectorStore`."""
        count = self._opened().count()
        if not _has_sound_head(self._place(self._number) / CATALOG):  # Chroma reads on from what it has cached
            raise StoreFailed(f"its {CATALOG} is damaged")
        return Inventory(count, self.signature(self._number))

    def keep_only(self, number: int) -> None:
        """See `VectorStore`."""
        for place in self._directory.glob("gen-*"):
            if place != self._place(number):
                _delete(place)
        self._delete_aside()
        self._marker.unlink(missing_ok=True)

    def close(self) -> None:
        """See `VectorStore`."""
        collection, self._collection = self._collection, None
        if collection is not None:
            with contextlib.suppress(StoreFailed):
                collection.close()

    def signature(self, number: int) -> str:
        """A digest of Chroma's version, of how it searches and of each file's name and content, "" for no generation.

        Chroma's own SQLite file is written at every opening, so of that one only the presence counts. A file is read
        again only when its size or time has changed since it was last read by this object.
        """
        place = self._place(number)
        if not (place / CATALOG).is_file():
            return ""
        found = [self._file_digest(path, place) for path in _files(place) if not path.name.startswith(CATALOG)]
        version = importlib.metadata.version("chromadb")
        return hashlib.sha256("\n".join([version, str(vectors.SPACE), *sorted(found)]).encode()).hexdigest()

    def _file_digest(self, path: Path, place: Path) -> str:
        try:
            status = path.stat()
            seen = (str(path), status.st_size, status.st_mtime_ns)
            if seen not in self._digests:
                self._digests = {key: kept for key, kept in self._digests.items() if key[0] != seen[0]}
                with path.open("rb") as file:
                    self._digests[seen] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return f"{path.relative_to(place)} cannot be read"
        return f"{path.relative_to(place)} {self._digests[seen]}"

    def _make_room(self, room: int) -> None:
        self._limit(FILE_SHARE * room + SPARE)

    def _opened(self) -> vectors.Collection:
        if self._collection is None:
            raise StoreClosed("no generation is open")
        return self._collection

    def _delete_aside(self) -> None:
        for place in self._directory.glob("aside-*"):
            _delete(place)

    def _place(self, number: int) -> Path:
        return self._directory / f"gen-{number}"

    @property
    def _marker(self) -> Path:
        return self._directory / "opening"


def occupied(directory: Path) -> int:
    """Bytes on the disk below a directory, as far as the system counts blocks; a file with holes counts what it has."""
    total = 0
    for path in _files(directory):
        with contextlib.suppress(OSError):
            status = path.stat()
            total += getattr(status, "st_blocks", -(-status.st_size // 512)) * 512
    return total


def discard(directory: Path) -> None:
    """Delete every generation; nothing may have one open."""
    for place in [*directory.glob("gen-*"), *directory.glob("aside-*")]:
        _delete(place)


def _files(directory: Path) -> list[Path]:
    return [Path(folder, name) for folder, _, names in os.walk(directory) for name in names]


def _has_sound_head(path: Path) -> bool:
    """Whether a file is SQLite's and as long as its head says: page size and number at 16 and 28 (fileformat2.html)."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
            size = os.fstat(file.fileno()).st_size
    except OSError:
        return False
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    return head.startswith(b"SQLite format 3\0") and size >= page * int.from_bytes(head[28:32], "big")


def _check_catalog(path: Path) -> None:
    """Look through Chroma's SQLite file before Chroma does: its structure, as SQLite's own quick check sees it."""
    try:
        connection = apsw.Connection(str(path))
        try:
            said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
        finally:
            connection.close(True)
    except apsw.Error as error:
        raise StoreFailed(f"its {CATALOG} cannot be read ({error})") from error
    if said != ["ok"]:
        raise StoreFailed(f"its {CATALOG} is damaged")


def _delete(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)
