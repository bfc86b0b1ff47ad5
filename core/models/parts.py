"""A model that is not whole yet: NAME.part with what has come, and NAME.part.json with what it is a part of.

Both survive the engine, so that a download goes on where it was, however it ended.
"""

import contextlib
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from core.models.catalogue import Source, is_sha256

SUFFIX = ".part"
RECORD = ".part.json"


class Record(Struct, frozen=True):
    """What is known of a download.

    source: what was asked for.
    etag, size: what the server called the version that the bytes are from, and its size in bytes; "" and 0 for unknown.
    stated: the checksum that the hub stated, "" where it stated none.
    paused: the person wants it to rest.
    """

    source: Source
    etag: str = ""
    size: int = 0
    stated: str = ""
    paused: bool = False

    @property
    def expected(self) -> int:
        """Bytes of the whole file, 0 where nobody has said."""
        return self.source.size or self.size

    @property
    def sha256(self) -> str:
        """What the whole file is compared with, "" where nobody has said."""
        return self.source.sha256 or self.stated


class Part:
    """One of them. Not thread-safe.

    Args:
        folder: where the model will be.
        record: what it is to be.
    """

    def __init__(self, folder: Path, record: Record) -> None:
        self.record = record
        self.target = folder / record.source.file
        self.path = folder / f"{record.source.file}{SUFFIX}"
        self._beside = folder / f"{record.source.file}{RECORD}"

    @property
    def length(self) -> int:
        """Bytes that have come."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def note(self, record: Record) -> None:
        """Write down what is known now.

        Raises:
            OSError: it cannot be written.
        """
        self.record = record
        fresh = self._beside.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(self._beside)

    def clear(self) -> None:
        """Begin again: what has come is of no use."""
        self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget the download."""
        self.clear()
        self._beside.unlink(missing_ok=True)

    def finish(self) -> None:
        """It is whole: give it its name.

        Raises:
            OSError: it cannot be.
        """
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(self.target)
        self._beside.unlink(missing_ok=True)


def unfinished(folder: Path) -> list[Part]:
    """The downloads that are not whole. What cannot be read, or was not written by us, is none."""
    found = []
    for beside in sorted(folder.glob(f"*{RECORD}")):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            record = msgspec.json.decode(beside.read_bytes(), type=Record)
            file = record.source.file
            sound = beside.name == f"{file}{RECORD}" and file == Path(file).name
            if sound and (not record.sha256 or is_sha256(record.sha256)):
                found.append(Part(folder, record))
    return found
