"""Where a folder may lie, neither around nor inside the profile or another watched folder; whether it can be read."""

import os
from collections.abc import Iterable
from pathlib import Path

from indexer.records import FolderKnown, FolderRefused


def names(path: Path) -> set[str]:
    """The paths under which a folder may be watched that a person names so."""
    return {str(path), os.path.abspath(path.expanduser()), os.path.realpath(path.expanduser())}  # noqa: PTH100


def holds(folder: str, path: str) -> bool:
    """Whether a real path is a real folder's own or lies in it.

    Letters' case does not count: where a disk tells two folders apart by it alone, both are taken for one, which is the
    safe side where a rule depends on it.
    """
    return Path(path.casefold()).is_relative_to(folder.casefold())


def check(typed: Path, watched: Iterable[str], protected: Iterable[Path]) -> None:
    """Pass a folder that may be watched, whether or not it can be reached now.

    Args:
        typed: the folder as the person names it.
        watched: the folders that are watched already.
        protected: folders that may not be read: the profile's.

    Raises:
        FolderRefused: it may not be watched.
    """
    real = Path(os.path.realpath(typed.expanduser()))
    for own in (Path(os.path.realpath(folder)) for folder in protected):
        if real.is_relative_to(own) or own.is_relative_to(real):
            raise FolderRefused(
                f"{typed} holds Offhand's own files or lies among them, and cannot be indexed.",
                "Add the folders with your notes one by one.",
            )
    for other in map(Path, watched):
        if real == other:
            raise FolderKnown(f"{typed} is one of your folders already.", "Nothing needs to be done.")
        if real.is_relative_to(other):
            raise FolderRefused(f"{typed} lies inside {other}, which is indexed already.", "Nothing needs to be done.")
        if other.is_relative_to(real):
            raise FolderRefused(f"{typed} contains {other}, which is indexed already.", f"Remove {other} first.")


def reach(typed: Path) -> None:
    """Pass a folder that is there and can be read.

    Raises:
        FolderRefused: it is missing, no folder, or may not be read.
    """
    real = Path(os.path.realpath(typed.expanduser()))
    if not real.exists():
        raise FolderRefused(f"There is no folder {typed}.", "Check the spelling.")
    if not real.is_dir():
        raise FolderRefused(f"{typed} is a file, not a folder.", "Add the folder that holds it.")
    try:
        os.scandir(real).close()
    except OSError as error:
        raise FolderRefused(
            f"{typed} cannot be read: {error.strerror or error}.", "Give your account permission to read it."
        ) from error
