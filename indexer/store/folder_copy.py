"""A copy of the list of folders beside the catalog: what a person has chosen must outlive a catalog that is damaged.

Everything else in the catalog is read off the folders again; this cannot be.
"""

import logging
import os
from pathlib import Path

import apsw
import msgspec
from msgspec import Struct

from indexer.records import FolderRule

log = logging.getLogger(__name__)


class Chosen(Struct, frozen=True):
    """What a person said about one folder; the fields are those of `FolderTally`."""

    path: str
    links: bool = False
    rule: FolderRule = "ask"


def place(catalog: Path) -> Path:
    """Where the copy lies."""
    return catalog.with_name(f"{catalog.name}.folders")


def chosen(connection: apsw.Connection) -> list[Chosen]:
    """The folders as the catalog has them, in the order in which they were added."""
    rows = connection.execute("SELECT path, links, rule FROM folders WHERE NOT removed ORDER BY id")
    return [Chosen(path, bool(links), rule) for path, links, rule in rows]


def save(catalog: Path, folders: list[Chosen]) -> None:
    """Replace the copy where it says something else. Without it nothing fails: a disk that refuses is only logged."""
    if load(catalog) == folders and place(catalog).exists():
        return
    fresh = place(catalog).with_name(f"{place(catalog).name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(folders))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place(catalog))
    except OSError as error:
        log.info("the list of folders could not be copied: %s", error)


def load(catalog: Path) -> list[Chosen]:
    """What the copy says; nothing where there is none that can be read."""
    try:
        return msgspec.json.decode(place(catalog).read_bytes(), type=list[Chosen])
    except (OSError, msgspec.DecodeError):
        return []
