"""Puts an archive in the place of a profile. A kill at any moment leaves the old profile or the new one.

Everything is unpacked, checked, migrated and moved beside the profile first, while its engine goes on. Then the engine
is ended and its lock is held to the end, so that no other engine can begin in between. One small file, the plan,
decides: from its writing on the new profile is the valid one, and should this process be killed, whoever holds the
engine's lock next finishes the exchange (`settle`). Nothing of the old profile is deleted; it is kept in a folder
beside it.
"""

import contextlib
import os
import shutil
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import apsw
import msgspec
import tomli_w
from filelock import FileLock, Timeout
from msgspec import Struct, structs

from core import archive, launch, newcomer
from core.answering import moved
from core.answering.history import History
from core.errors import BadInput, ProfileUnusable
from core.paths import Profile
from core.protocol import Done, Import, Settings
from core.settings import SettingsFile
from indexer.records import CatalogUnusable, Problem
from indexer.store import files, folder_copy, folders, renewal
from indexer.store.database import Database, DiskFull, open_reader

PLAN = "plan.json"
STAYS = ProfileUnusable("The engine of this profile does not end; nothing was changed.", "End it and import again.")
# What a profile consists of; Chroma's folder is only ever put aside.
BESIDE_CATALOG = tuple(archive.CATALOG + ending for ending in ("-wal", "-shm"))
DATA = (archive.CATALOG, *BESIDE_CATALOG, archive.HISTORY, f"{archive.HISTORY}-journal", "vectors")
# What left this machine stays written down until another ledger takes its place.
LEDGER = (archive.LEDGER, f"{archive.LEDGER}-journal")


class Plan(Struct, frozen=True):
    """What the exchange does. `aside` names the folder that receives the old profile, `new` are the staged files."""

    aside: str
    new: list[str]


def restore(profile: Profile, call: Import) -> Done:
    """Do an import; returns a sentence for the person. Ends the engine of the profile when all is ready.

    Raises:
        BadInput: the archive cannot be used, or the profile is in use and is not to be replaced, or a `map` is wrong.
        DiskFull: there is no room.
        ProfileUnusable: the profile cannot be written, or its engine does not end.
    """
    profile.create()
    moves = [_move(text) for text in call.map]
    opened, manifest = archive.open_archive(Path(call.path))
    with opened, _alone(profile):
        if (profile.importing / PLAN).exists():
            with launch.without_engine(profile, STAYS):
                settle(profile)
        shutil.rmtree(profile.importing, ignore_errors=True)
        _refuse_to_replace(profile, call)
        staging = profile.importing
        staging.mkdir(mode=0o700)
        try:
            archive.unpack(opened, manifest, staging)
            count = _adapt(profile, staging, moves)
            with launch.without_engine(profile, STAYS):
                kept = _refuse_to_replace(profile, call)  # once more: the engine went on until now
                warning = _fit_rules(profile, staging / archive.CATALOG)
                warning += _fit_settings(profile, staging / archive.SETTINGS)
                _commit(profile, staging)
                plan = _exchange(profile)
        except BaseException:
            if not (staging / PLAN).exists():
                shutil.rmtree(staging, ignore_errors=True)
            raise
    said = f"The profile was imported, with {count} folder{'s' if count != 1 else ''}; search works at once.{warning}"
    return Done(f"{said} The profile of before is kept in {profile.data / plan.aside}." if kept else said)


def settle(profile: Profile) -> None:
    """Finish an import that was interrupted after its decision, and clear up after one that was before it.

    To be called before the catalog is opened, by who holds the engine's lock.

    Raises:
        ProfileUnusable: the system refuses; the next call goes on from there.
    """
    try:
        if (profile.importing / PLAN).exists():
            _exchange(profile)
        elif profile.importing.exists():
            with contextlib.suppress(Timeout), _import_lock(profile):  # held: that import is still being prepared
                shutil.rmtree(profile.importing)
    except OSError as error:
        raise ProfileUnusable(
            f"An import could not be finished in {profile.data}: {error.strerror or error}.",
            "Make room or see to the permissions there, and start again.",
        ) from error


def _adapt(profile: Profile, staging: Path, moves: Sequence[tuple[str, str]]) -> int:
    """Bring the staged catalog and settings to this program and this machine; returns the number of folders."""
    try:
        database = Database(staging / archive.CATALOG)
    except DiskFull:
        raise
    except CatalogUnusable as problem:
        raise BadInput(f"The archive's catalog cannot be used. {problem.what}", "Use another copy of it.") from problem
    try:
        with database.read() as connection:
            found = [folder.path for folder in folders.watched(connection)]
        for old, _ in moves:
            if not any(_is_below(path, old) for path in found):
                listed = ", ".join(found) or "none"
                raise BadInput(f"No folder of the archive lies in {old}.", f"Its folders are: {listed}.")
        with database.write() as connection:
            for old, new in moves:
                _rename(connection, old, new)
        with database.read() as connection:
            newcomer.check_folders([folder.path for folder in folders.watched(connection)], profile.directories)
    except apsw.ConstraintError as error:
        raise BadInput("Two folders or files of the archive would have the same path.", "Check --map.") from error
    finally:
        database.close()
    if moves:
        moved.rename(History(staging / archive.HISTORY), lambda path: _place(path, moves))
    _adapt_settings(staging / archive.SETTINGS, moves)
    return len(found)


def _rename(connection: apsw.Connection, old: str, new: str) -> None:
    for table in ("folders", "files"):
        connection.execute(
            f"UPDATE {table} SET path = ?1 || substr(path, length(?2) + 1) "
            "WHERE path = ?2 OR (path > ?3 AND path < ?4)",
            (new, old, *files.span(old)),
        )


def _place(path: str, moves: Sequence[tuple[str, str]]) -> str:
    """Where on this machine lies what lay at `path`."""
    for old, new in moves:
        if _is_below(path, old):
            path = new + path[len(old) :]
    return path


def _adapt_settings(path: Path, moves: Sequence[tuple[str, str]]) -> None:
    if not path.exists():
        return
    try:
        settings = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadInput(f"The archive's settings cannot be read ({error}).", "Use another copy of it.") from error
    settings = newcomer.checked(settings)
    settings = structs.replace(settings, local_model=_place(settings.local_model, moves))
    path.write_text(tomli_w.dumps(msgspec.to_builtins(settings)), "utf-8")


def _fit_rules(profile: Profile, path: Path) -> str:
    """Let no staged folder's rule be looser than what holds here now; returns what the person should know."""
    database = Database(path)
    try:
        with database.write() as connection:
            here, _ = renewal.salvaged(profile.catalog)
            changed = newcomer.stricter(folder_copy.chosen(connection), here)
            for folder, rule in changed.items():
                folders.set_rule(connection, folder, rule)
    finally:
        database.close()
    if not changed:
        return ""
    listed = ", ".join(f"{folder} ({rule})" for folder, rule in changed.items())
    return f" Stricter than in the archive: {listed}; `offhand rule` says otherwise."


def _fit_settings(profile: Profile, path: Path) -> str:
    """Let the staged settings open no way out that the present ones do not; returns what the person should know."""
    if not path.exists():
        return ""
    brought = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    fit, warning = newcomer.fitted(brought, SettingsFile(profile.settings).current)
    path.write_text(tomli_w.dumps(msgspec.to_builtins(fit)), "utf-8")
    return warning


def _commit(profile: Profile, staging: Path) -> None:
    """Write the plan: from here on the new profile is the valid one."""
    aside = f"before-import-{datetime.now(UTC):%Y-%m-%d-%H%M%S}"
    while (profile.data / aside).exists():  # nothing may be put upon what was kept before
        aside += "-again"
    staged = sorted(path.name for path in staging.iterdir())
    fresh = staging / f"{PLAN}.new"
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(Plan(aside, staged)))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(staging / PLAN)
    _sync(staging)


def _exchange(profile: Profile) -> Plan:
    """Follow the plan, from wherever it was left: each step is one renaming, and looks whether it was done."""
    staging = profile.importing
    plan = msgspec.json.decode((staging / PLAN).read_bytes(), type=Plan)
    aside = profile.data / plan.aside
    aside.mkdir(mode=0o700, exist_ok=True)
    backups = [name for name in plan.new if name not in archive.NAMES]  # of a catalog that was migrated
    ledger = LEDGER if archive.LEDGER in plan.new else ()
    for name in (*DATA, *ledger, *backups):
        _give_way(profile.data / name, staging / name, aside / name, is_new=name in plan.new)
    if archive.SETTINGS in plan.new and (staging / archive.SETTINGS).exists():
        if profile.settings.exists() and not (aside / archive.SETTINGS).exists():
            _copy(profile.settings, aside / archive.SETTINGS)
        _copy(staging / archive.SETTINGS, profile.settings)  # it may lie on another disk
        (staging / archive.SETTINGS).unlink()
    _sync(profile.data)
    (staging / PLAN).unlink()
    shutil.rmtree(staging)
    with contextlib.suppress(OSError):
        aside.rmdir()  # there was nothing to keep
    return plan


def _give_way(place: Path, staged: Path, aside: Path, *, is_new: bool) -> None:
    if is_new and not staged.exists():
        return  # it stands in its place already
    if place.exists():
        place.rename(aside)
    if is_new:
        staged.rename(place)


def _copy(source: Path, target: Path) -> None:
    fresh = target.with_name(f"{target.name}.new")
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def _sync(directory: Path) -> None:
    if sys.platform == "win32":
        return  # a directory cannot be opened there
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_to_replace(profile: Profile, call: Import) -> bool:
    """Whether there is a profile that will be put aside.

    Raises:
        BadInput: there is, and the call does not allow it.
    """
    kept = _holds_something(profile)
    if kept and not call.replace:
        raise BadInput(
            "This profile has folders or answers of its own already.",
            "With --replace it gives way, and is kept in a folder beside the new one.",
        )
    return kept


def _holds_something(profile: Profile) -> bool:
    if profile.history.exists() or profile.ledger.exists():
        return True
    if not profile.catalog.exists():
        return False
    try:
        with contextlib.closing(open_reader(profile.catalog)) as connection:
            return bool(folders.watched(connection))
    except apsw.Error:
        return True  # whatever it is, it is kept


def _import_lock(profile: Profile) -> FileLock:
    return FileLock(profile.runtime / "import.lock", timeout=0)


@contextlib.contextmanager
def _alone(profile: Profile) -> Iterator[None]:
    lock = _import_lock(profile)
    try:
        lock.acquire()
    except Timeout:
        raise ProfileUnusable("Another import into this profile is under way.", "Wait for its end.") from None
    try:
        yield
    finally:
        lock.release()


def _move(text: str) -> tuple[str, str]:
    old, sign, new = (part.strip() for part in text.partition("="))
    old, new = (part.rstrip(os.sep) or part for part in (old, new))
    if not sign or not Path(old).is_absolute() or not Path(new).is_absolute():
        raise BadInput(f"{text!r} does not say what lies where now.", "For example: --map /home/old=/home/new")
    return old, new


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)


def run(profile: Profile) -> int:
    """The process of an import: reads the call from standard input, writes what came of it to standard output."""
    try:
        said = msgspec.json.encode(restore(profile, msgspec.json.decode(sys.stdin.buffer.read(), type=Import)))
    except Problem as problem:
        return _refuse(problem)
    except OSError as error:
        return _refuse(archive.explain(error, "The import could not be done"))
    sys.stdout.buffer.write(said)
    return 0


def _refuse(problem: Problem) -> int:
    sys.stdout.buffer.write(msgspec.json.encode([problem.kind, problem.what, problem.next_step]))
    return launch.EXIT_REFUSED
