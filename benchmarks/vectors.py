"""What keeping the vectors costs: building, checking, opening and asking Chroma in its process, and the exact scan.

    python benchmarks/vectors.py [COUNT]

Vectors are made in clusters, as texts make them; nothing is embedded.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from indexer.child import Child
from indexer.records import Chunk, Extracted
from indexer.store import files, folders, outbox, passages, store_service
from indexer.store.database import Database
from indexer.store.embedded import EmbeddedStore, occupied
from indexer.store.exact import ExactScan
from indexer.store.files import Seen
from indexer.store.store_process import StoreProcess
from indexer.store.stored import StoredVectors, pack
from indexer.store.vector_store import Vector

HOST = (
    "from indexer import child; from indexer.store import store_service as s; child.run(s.build, s.Call, serial=True)"
)
ROOT = Path(__file__).resolve().parent.parent
QUERIES = 100


def clustered(count: int) -> Vector:
    """Unit vectors, 384 numbers each."""
    noise = np.random.default_rng(3)
    rows = noise.normal(size=(200, 384))[noise.integers(200, size=count)] + 0.6 * noise.normal(size=(count, 384))
    units: Vector = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units


def catalog(path: Path, vectors: Vector) -> None:
    """Passages 1 to n with their vectors."""
    database = Database(path)
    chunks = [Chunk(n, "", f"text {n}", n, n, n, n) for n in range(len(vectors))]
    with database.write() as connection:
        folder = folders.add(connection, "/notes")
        files.add(connection, folder.id, Seen("/notes/a.md", 1, 1, 1))
        passages.replace(connection, 1, "/notes/a.md", Extracted("h", "t", [], chunks, [], 1))
        hashes = [passages.vector_hash("", chunk.text) for chunk in chunks]
        outbox.store_vectors(connection, "m", dict(zip(hashes, pack(vectors), strict=True)))
        connection.execute("DELETE FROM vector_outbox")
    database.close()


def process(home: Path) -> tuple[StoreProcess, Child[store_service.Call, store_service.Event]]:
    """Chroma in a process of its own."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {HOST}"]
    config = {"directory": str(home / "vectors"), "url": store_service.EMBEDDED}
    host: Child[store_service.Call, store_service.Event] = Child("vectors", command, home, store_service.Event, config)
    return StoreProcess(host, home / "vectors"), host


def seconds(began: float) -> float:
    """Since then."""
    return time.perf_counter() - began


def main(count: int, home: Path) -> None:
    """Print one line for each figure."""
    vectors = clustered(count)
    catalog(home / "c.sqlite3", vectors)
    stored = StoredVectors(home / "c.sqlite3", "m")
    store, host = process(home)
    began = time.perf_counter()
    store.create(1, vectors.nbytes)
    for ids, rows in stored.pages():
        store.apply(list(zip(ids, rows, strict=True)), [])
    signature = store.inventory().signature
    print(f"build       {seconds(began):8.2f} s   {count / seconds(began):6.0f} vectors/s")
    print(
        f"on the disk {occupied(home / 'vectors') / 1e6:8.1f} MB  {occupied(home / 'vectors') / vectors.nbytes:.2f} x"
    )
    store.keep_only(1)
    host.rest()
    began = time.perf_counter()
    assert EmbeddedStore(home / "vectors").signature(1) == signature
    print(f"digest      {seconds(began):8.3f} s")
    began = time.perf_counter()
    store.open(1, signature, vectors.nbytes)
    store.nearest([vectors[0]], 50)
    print(f"open        {seconds(began):8.2f} s   with the start of the process and the first query")
    took, right = [], 0
    scan = ExactScan(lambda: stored)
    exact = [{number for number, _ in scan.nearest(row, 10)} for row in vectors[:QUERIES]]
    for row, best in zip(vectors[:QUERIES], exact, strict=True):
        began = time.perf_counter()
        found = store.nearest([row], 50)[0]
        took.append(seconds(began) * 1e3)
        right += len({number for number, _ in found[:10]} & best)
    print(f"query       {np.median(took):8.2f} ms  p95 {np.percentile(took, 95):.2f} ms")
    print(f"recall@10   {right / QUERIES / 10:8.3f}")
    print(f"memory      {psutil.Process(host.pid).memory_info().rss / 1e6:8.0f} MB  of the process")
    took = []
    for row in vectors[:QUERIES]:
        began = time.perf_counter()
        scan.nearest(row, 50)
        took.append(seconds(began) * 1e3)
    print(f"exact scan  {np.median(took):8.2f} ms  p95 {np.percentile(took, 95):.2f} ms")
    few = list(range(1, min(count, 1_000)))
    began = time.perf_counter()
    ExactScan(lambda: StoredVectors(home / "c.sqlite3", "m")).nearest(vectors[0], 50, few)
    print(f"among 1,000 {seconds(began) * 1e3:8.2f} ms")
    store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, Path(place))
