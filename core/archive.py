"""A whole profile as one file: the catalog with its stored vectors, the history, the ledger of what left and the
settings, in a ZIP archive.

Keys stay in the keyring, and Chroma's files are left out: they are built anew from the stored vectors.
"""

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import apsw
import msgspec
import tomli_w
from msgspec import Struct

from core.errors import BadInput, ProfileUnusable
from core.paths import Profile
from core.protocol import VERSION, Settings
from indexer.records import Problem
from indexer.store import folders, outbox
from indexer.store.database import DiskFull, explained, open_reader
from indexer.store.schema import MIGRATIONS, equip

FORMAT = 2  # the first one had no ledger; it can still be read
MANIFEST = "manifest.json"
CATALOG, HISTORY, LEDGER, SETTINGS = "catalog.sqlite3", "history.sqlite3", "outgoing.sqlite3", "settings.toml"
NAMES = (CATALOG, HISTORY, LEDGER, SETTINGS)
BLOCK = 1 << 20  # bytes
LARGEST_MANIFEST = 1 << 20  # bytes
REMOVED_AT_ONCE = 1_000  # files


class Entry(Struct, frozen=True):
    """One file of an archive: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


class Manifest(Struct, frozen=True):
    """What an archive says of itself. `schema` is the catalog's version, `model` the one that made its vectors."""

    format: int
    app: str
    schema: int
    model: str
    files: dict[str, Entry]


def export(profile: Profile, settings: Settings, target: Path) -> None:
    """Write the profile as it is at this moment into a new file, beside a running engine.

    Raises:
        BadInput: the file exists already, or cannot be made there.
        DiskFull: there is no room; nothing is left behind.
        CatalogUnusable, ProfileUnusable: something in the profile cannot be read.
    """
    if target.exists():
        raise _exists(target)
    try:
        with tempfile.TemporaryDirectory(dir=profile.data, prefix="export-") as place:
            model, schema = _snapshot(profile, Path(place))
            Path(place, SETTINGS).write_text(tomli_w.dumps(msgspec.to_builtins(_without_secrets(settings))), "utf-8")
            _pack(Path(place), target, model, schema)
    except OSError as error:
        raise explain(error, f"{target} could not be written") from error


def open_archive(path: Path) -> tuple[zipfile.ZipFile, Manifest]:
    """An archive of this format and schema or an earlier one, its contents still unread.

    Raises:
        BadInput: it is missing, no archive of ours, damaged, of a newer Offhand, or holds what does not belong.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise _refusal(path) from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.", "Check its name.") from error
    try:
        return archive, _manifest(archive, path)
    except BaseException:
        archive.close()
        raise


def is_whole(path: Path) -> bool:
    """Whether this is an archive of ours: it gets its name when its last byte is on the disk."""
    try:
        open_archive(path)[0].close()
    except BadInput:
        return False
    return True


def clear_unfinished(target: Path) -> None:
    """Remove what exports to this file have left that were killed: it holds the text of notes."""
    for unfinished in target.parent.glob(f"{glob.escape(_unfinished(target))}*"):
        unfinished.unlink(missing_ok=True)


def unpack(archive: zipfile.ZipFile, manifest: Manifest, place: Path) -> None:
    """Write the files of an archive into an empty directory, each checked against the manifest.

    Raises:
        BadInput: a file is damaged.
        DiskFull: there is no room.
    """
    needed = sum(entry.size for entry in manifest.files.values())
    if needed > shutil.disk_usage(place).free:
        raise _no_room(f"{needed / 1e6:,.0f} MB are needed in {place.parent}")
    for name, entry in manifest.files.items():
        digest = hashlib.sha256()
        size = 0
        try:
            (place / name).touch(mode=0o600, exist_ok=False)
            with archive.open(name) as source, (place / name).open("wb") as copy:
                for block in _blocks(source):
                    size += len(block)
                    if size > entry.size:
                        break
                    digest.update(block)
                    copy.write(block)
                copy.flush()
                os.fsync(copy.fileno())
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
            size = -1  # cut off, garbled, or packed in a way that we never use
        except OSError as error:
            raise explain(error, "The archive could not be unpacked") from error
        if size != entry.size or digest.hexdigest() != entry.sha256:
            raise BadInput(f"The archive is damaged ({name}); nothing was changed.", "Use another copy of it.")


def _snapshot(profile: Profile, place: Path) -> tuple[str, int]:
    """Copy the databases as of one moment each; returns the vectors' model and the catalog's version."""
    with explained(profile.catalog), contextlib.closing(open_reader(profile.catalog)) as connection:
        connection.execute("VACUUM INTO ?", (str(place / CATALOG),))
    with explained(place), contextlib.closing(apsw.Connection(str(place / CATALOG))) as connection:
        equip(connection)
        _forget_deleted(connection)
        version = connection.execute("PRAGMA user_version").fetchone()
        assert version is not None
        model = outbox.pointer(connection).model
    _copy(profile.history, place / HISTORY, "history of answers")
    _copy(profile.ledger, place / LEDGER, "ledger of what left this machine")
    return model, int(version[0])


def _copy(path: Path, target: Path, what: str) -> None:
    if not path.exists():
        return
    try:
        with contextlib.closing(open_reader(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except apsw.FullError as error:
        raise _no_room(f"The {what} could not be copied") from error
    except apsw.Error as error:
        raise ProfileUnusable(f"The {what} cannot be read ({error}).", f"Move {path} away and try again.") from error


def _forget_deleted(connection: apsw.Connection) -> None:
    """Finish in the copy what the engine may be in the middle of: nothing that was deleted travels.

    Files of a removed folder go little by little, deleted words stand in the word index until its parts are merged
    ('untidy', and 'tidying' while that is under way), and unused vectors are kept for a week.
    """
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    connection.execute("PRAGMA foreign_keys = ON").fetchall()
    with connection:
        while folders.remove_some(connection, REMOVED_AT_ONCE):
            pass
        folders.close_removed(connection)
        if connection.execute("DELETE FROM meta WHERE name IN ('untidy', 'tidying') RETURNING name").fetchall():
            connection.execute("INSERT INTO chunks_fts (chunks_fts) VALUES ('optimize')")
        outbox.drop_unused(connection)


def _without_secrets(settings: Settings) -> Settings:
    """The settings without names and passwords in addresses."""
    providers = []
    for provider in settings.providers:
        parts = urlsplit(provider.url)
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        providers.append(msgspec.structs.replace(provider, url=bare))
    return msgspec.structs.replace(settings, providers=providers)


def _exists(target: Path) -> BadInput:
    return BadInput(f"{target} exists already.", "Choose another name; Offhand replaces no file of yours.")


def _unfinished(target: Path) -> str:
    """How the name of a half-written archive begins."""
    return f".{target.name}.offhand-"


def _pack(place: Path, target: Path, model: str, schema: int) -> None:
    entries = {}
    # A new file under a name of its own, readable by this user alone: the archive holds the text of all notes.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=_unfinished(target))
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for name in NAMES:
                    if (place / name).exists():
                        entries[name] = _add(archive, place / name)
                manifest = Manifest(FORMAT, VERSION, schema, model, entries)
                archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
            file.flush()
            os.fsync(file.fileno())
        _give_name(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def _give_name(unfinished: Path, target: Path) -> None:
    """Let the finished file have its name, unless another file got it meanwhile: renaming would replace that one."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:  # a disk that knows no links, a USB stick say: an empty file takes the name first
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise _exists(target) from None
        try:
            unfinished.replace(target)
        except BaseException:
            target.unlink()  # it is ours, and empty
            raise


def _add(archive: zipfile.ZipFile, path: Path) -> Entry:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as source, archive.open(path.name, "w", force_zip64=True) as copy:
        for block in _blocks(source):
            digest.update(block)
            copy.write(block)
            size += len(block)
    return Entry(size, digest.hexdigest())


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        with archive.open(MANIFEST) as file:
            text = file.read(LARGEST_MANIFEST)
        version = msgspec.json.decode(text, type=dict[str, object]).get("format")
        if isinstance(version, int) and version > FORMAT:
            raise _newer(path)
        manifest = msgspec.json.decode(text, type=Manifest)
    except (
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        msgspec.MsgspecError,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ) as error:
        raise _refusal(path) from error
    if manifest.schema > len(MIGRATIONS):
        raise _newer(path)
    names = sorted(archive.namelist())
    strange = set(manifest.files) - set(NAMES)  # also every way out of the place it is unpacked to
    if strange or names != sorted([MANIFEST, *manifest.files]) or CATALOG not in manifest.files:
        raise BadInput(f"{path} does not hold what an archive of Offhand's holds.", "Use another copy of it.")
    return manifest


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block


def _refusal(path: Path) -> BadInput:
    return BadInput(
        f"{path} is no archive made by `offhand export`, or only a part of one.", "Check its name, or copy it again."
    )


def _newer(path: Path) -> BadInput:
    return BadInput(f"{path} was made by a newer Offhand, and this one cannot read it.", "Update this Offhand.")


def explain(error: OSError, what: str) -> Problem:
    """What a person is told when the system refuses; `what` says in a few words what could not be done."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(what)
    return BadInput(f"{what}: {error.strerror or error}.", "Check the place and its permissions.")


def _no_room(what: str) -> DiskFull:
    return DiskFull(f"The disk is full: {what}. Nothing was changed.", "Free some space and try again.")
