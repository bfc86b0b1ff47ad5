"""Small profiles with known contents, made without any model, and their archives, changed."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.paths import Profile
from core.settings import SettingsFile
from indexer.records import Extracted
from indexer.store import files, folders, outbox, passages
from indexer.store.database import Database
from indexer.store.files import Seen
from indexer.store.schema import MIGRATIONS
from tests.indexer.conftest import extracted

MODEL = "a model"


def fill(profile: Profile, root: str, *texts: str, schema: int = len(MIGRATIONS)) -> None:
    """A profile with one folder, one file for each text, a vector for each passage, and a setting."""
    profile.create()
    database = Database(profile.catalog, MIGRATIONS[:schema])
    with database.write() as connection:
        folder = folders.add(connection, root)
        for number, text in enumerate(texts):
            path = f"{root}/{number}.md"
            files.add(connection, folder.id, Seen(path, 1, 1, 1))
            known = files.at(connection, path)
            assert known is not None
            reading: Extracted = extracted(text)
            passages.replace(connection, known.id, path, reading)
            files.finish(connection, known, "indexed")
        hashes = [bytes(row[0]) for row in connection.execute("SELECT vector_hash FROM chunks")]
        outbox.store_vectors(connection, MODEL, dict.fromkeys(hashes, bytes(768)))
        outbox.point(connection, outbox.Pointer(3, "signature", MODEL))
    database.close()
    SettingsFile(profile.settings).change("idle_minutes", "7")


def texts(profile: Profile) -> dict[str, str]:
    """What the catalog holds: paths and passages."""
    database = Database(profile.catalog)
    with database.read() as connection:
        rows = connection.execute("SELECT f.path, c.body FROM chunks c JOIN files f ON f.id = c.file_id")
        found = {str(path): str(body) for path, body in rows}
    database.close()
    return found


def other(tmp_path: Path) -> Profile:
    return Profile(tmp_path / "other")


def repacked(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The archive with its contents changed, the manifest not adapted."""
    with zipfile.ZipFile(path) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    change(contents)
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as made:
        for name, content in contents.items():
            made.writestr(name, content)
    return target


def manifest(**changes: object) -> Callable[[dict[str, bytes]], object]:
    def change(contents: dict[str, bytes]) -> None:
        said = msgspec.json.decode(contents["manifest.json"])
        contents["manifest.json"] = msgspec.json.encode({**said, **changes})

    return change
