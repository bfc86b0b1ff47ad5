"""A real vector index of real text, made once, and the ways in which its files are damaged in the tests."""

import os
import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics  # real English text that comes with Python: its reference manual

import numpy as np

from indexer.child import Child
from indexer.embed import Embedder
from indexer.records import Chunk, Extracted
from indexer.store import files, folders, outbox, passages, store_service
from indexer.store.database import Database
from indexer.store.embedded import EmbeddedStore
from indexer.store.files import Seen
from indexer.store.outbox import Pointer
from indexer.store.store_process import StoreProcess
from indexer.store.stored import pack
from indexer.store.vector_store import Vector
from tests.indexer.conftest import hosted

COUNT = 3_100  # Chroma writes its graph to the disk at each 1,000
GRAPH = ("data_level0.bin", "header.bin", "length.bin", "link_lists.bin", "index_metadata.pickle")

Damage = Callable[[Path], None]
"""Gets the directory of generation 1."""


def pieces(count: int) -> list[str]:
    """Different pieces of real text, 8 words each."""
    words = re.findall(r"\S+", " ".join(topics.values()))
    found = dict.fromkeys(" ".join(words[at : at + 8]) for at in range(0, len(words), 8))
    assert len(found) >= count
    return list(found)[:count]


def make_catalog(path: Path, embedder: Embedder, texts: list[str]) -> None:
    """A note with a passage for each text; all embedded, nothing owed."""
    vectors = np.concatenate([embedder.embed(texts[at : at + 64]) for at in range(0, len(texts), 64)])
    database = Database(path)
    chunks = [Chunk(n, "", text, n, n, n, n) for n, text in enumerate(texts)]
    with database.write() as connection:
        folder = folders.add(connection, "/notes")
        files.add(connection, folder.id, Seen("/notes/manual.md", 1, 1, 1))
        passages.replace(connection, 1, "/notes/manual.md", Extracted("h", "Manual", [], chunks, [], 1))
        hashes = [passages.vector_hash("", text) for text in texts]
        outbox.store_vectors(connection, embedder.model_id, dict(zip(hashes, pack(vectors), strict=True)))
        connection.execute("DELETE FROM vector_outbox")
    database.close()


def point(home: Path, pointer: Pointer) -> None:
    """What the engine does with the index's report."""
    database = Database(home / "c.sqlite3")
    with database.write() as connection:
        outbox.point(connection, pointer)
    database.close()


def believe(home: Path, model: str) -> None:
    """Record the files as they are now, so that the damage is opened and what comes after the signature is tried."""
    point(home, Pointer(1, EmbeddedStore(home / "vectors").signature(1), model))


def store_process(home: Path, url: str = store_service.EMBEDDED) -> StoreProcess:
    """Chroma in a process of its own, as the semantics process has it."""
    (home / "run").mkdir(exist_ok=True)
    directory = home / "vectors"
    host: Child[store_service.Call, store_service.Event] = Child(
        "vectors",
        hosted("indexer.store.store_service", serial=True),
        home / "run",
        store_service.Event,
        {"directory": str(directory), "url": url},
    )
    return StoreProcess(host, directory if url == store_service.EMBEDDED else None, url)


def clusters(count: int) -> Vector:
    """Unit vectors of another library."""
    noise = np.random.default_rng(11)
    rows = noise.normal(size=(30, 384))[noise.integers(30, size=count)] + 0.6 * noise.normal(size=(count, 384))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def segment(generation: Path) -> Path:
    (found,) = [path for path in generation.iterdir() if path.is_dir()]
    return found


def _truncate(path: Path, _other: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _zero(path: Path, _other: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _delete(path: Path, _other: Path) -> None:
    path.unlink()


def _noise(path: Path, _other: Path) -> None:
    path.write_bytes(random.Random(5).randbytes(path.stat().st_size))


def _swap(path: Path, other: Path) -> None:
    shutil.copyfile(other, path)


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "truncated": _truncate,
    "zeroed": _zero,
    "deleted": _delete,
    "random bytes": _noise,
    "another store's": _swap,
}


def flip(generation: Path) -> None:
    """A few bits in a few vectors; size and time are as before."""
    path = segment(generation) / "data_level0.bin"
    status = path.stat()
    content = bytearray(path.read_bytes())
    for at in range(2_000, len(content), 400_000):
        content[at] ^= 0x10
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def older_schema(generation: Path) -> None:
    """Chroma's catalog as of a version that knew fewer migrations and tables."""
    connection = sqlite3.connect(generation / "chroma.sqlite3")
    connection.execute("DELETE FROM migrations WHERE version > 1")
    connection.execute("DROP TABLE embeddings_queue_config")
    connection.commit()
    connection.close()


def break_page(generation: Path) -> None:
    """The pages in the middle of Chroma's catalog are gone, its head is sound."""
    path = generation / "chroma.sqlite3"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(bytes(16 * 4096))


def not_a_directory(generation: Path) -> None:
    shutil.rmtree(generation)
    generation.write_text("a file")
