"""The only code that opens a person's files: it reads and never writes, and refuses what is not a plain file of theirs.

A link that leads out of the watched folder, a device, a pipe, a file kept in a cloud, a file above the limit: each is
a `Skipped` with its reason, not an error.
"""

import errno
import hashlib
import os
import stat
import sys
from typing import NamedTuple

from indexer.records import Failed, Skipped

# Opening waits for nothing (a pipe without a writer) and follows no link swapped in after the check; Windows has none.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"))

LINK_OUT = "a link that leads out of the folder"

_SF_DATALESS = 0x40000000  # macOS, sys/stat.h: the content is at a file provider (iCloud, Dropbox, OneDrive)
# Windows, winnt.h: FILE_ATTRIBUTE_OFFLINE, _RECALL_ON_OPEN, _RECALL_ON_DATA_ACCESS
_CLOUD_ATTRIBUTES = 0x1000 | 0x40000 | 0x400000


class NotPlain(OSError):
    """What stands there is not to be opened, or not to be read."""


class _Copy(NamedTuple):
    content: bytes
    steady: bool  # the file did not change while it was read


def read(path: str, root: str, largest: int, *, links: bool = False) -> bytes | Skipped | Failed:
    """The bytes of a file, or why it is not read.

    Args:
        path: the file; it may be a link as long as its target lies inside `root`.
        root: the watched folder.
        largest: limit in bytes.
        links: a link may lead out of the folder too.
    """
    try:
        real = os.path.realpath(path, strict=True)
        if not links and not _inside(real, os.path.realpath(root)):
            return Skipped(LINK_OUT)
        copy = _read_once(real, largest)
        if isinstance(copy, _Copy) and not copy.steady:
            copy = _read_once(real, largest)  # somebody was writing; a later change is announced by its own event
    except OSError as error:
        return _refusal(error)
    return copy.content if isinstance(copy, _Copy) else copy


def content_hash(path: str) -> str:
    """BLAKE2b-128 of a file's bytes, in hexadecimal: what `Extracted.content_hash` holds.

    Raises:
        NotPlain: it is no plain file (any more), or kept in the cloud.
        OSError: it cannot be read.
    """
    real = os.path.realpath(path, strict=True)
    _insist(os.lstat(real), path)  # before opening, as below
    with os.fdopen(os.open(real, _FLAGS), "rb") as file:
        _insist(os.fstat(file.fileno()), path)
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def in_cloud(status: object) -> bool:
    """True when reading the file would fetch it from a cloud. `status` is what `os.stat` returns."""
    attributes = getattr(status, "st_file_attributes", 0)
    flags = getattr(status, "st_flags", 0)
    return bool(attributes & _CLOUD_ATTRIBUTES or flags & _SF_DATALESS)


def _inside(real: str, root: str) -> bool:
    try:
        return os.path.commonpath((real, root)) == root
    except ValueError:  # two drives
        return False


def _read_once(real: str, largest: int) -> _Copy | Skipped:
    objection = _objection(os.lstat(real), largest)  # before opening: that alone can have effects on a device
    if objection is not None:
        return objection
    descriptor = os.open(real, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        objection = _objection(before, largest)
        if objection is not None:
            return objection
        content = file.read(largest)
        after = os.fstat(descriptor)
    return _Copy(content, (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns))


def _insist(status: os.stat_result, path: str) -> None:
    objection = _objection(status, sys.maxsize)
    if objection is not None:
        raise NotPlain(errno.EINVAL, objection.reason, path)


def _objection(status: os.stat_result, largest: int) -> Skipped | None:
    if not stat.S_ISREG(status.st_mode):
        return Skipped("not a regular file")
    if in_cloud(status):
        return Skipped("kept in the cloud, not on this machine")
    if status.st_size > largest:
        return Skipped(f"larger than the limit of {largest / 2**20:g} MB")
    return None


def _refusal(error: OSError) -> Skipped | Failed:
    if error.errno == errno.ELOOP:
        return Skipped("a link that leads nowhere")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Failed("The file is no longer there.")
    if isinstance(error, PermissionError):
        return Failed("This account has no permission to read the file.")
    return Failed(f"The system could not read the file: {error.strerror or error}.")
