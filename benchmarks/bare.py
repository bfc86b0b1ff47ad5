"""The embedder alone, in this process: what the way through the engine is compared with."""

import os
import tempfile
import time
from pathlib import Path

from core.paths import Profile, model_directories
from indexer.embed import Embedder
from indexer.extract import documents
from indexer.extract.extractor import Extract, Extractor
from indexer.records import Extracted
from indexer.store.passages import embedding_text

PASSAGES = 2_000


def model_folder() -> Path:
    """Where the embedding model is installed."""
    folders = (folder / "all-MiniLM-L6-v2" for folder in model_directories(Profile()))
    return next(folder for folder in folders if folder.exists())


def embedder(threads: int) -> Embedder:
    """The model as the semantics process loads it."""
    return Embedder(model_folder(), Path(tempfile.mkdtemp(prefix="offhand-benchmark-")), threads)


def passages(folder: Path, most: int = PASSAGES) -> list[str]:
    """What is embedded of the files of a folder, in the order of their names, up to `most` passages."""
    documents.unpack_into(Path(tempfile.mkdtemp(prefix="offhand-benchmark-")))
    extractor = Extractor(model_folder() / "tokenizer.json")
    texts: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        read = extractor.extract(Extract(str(path), str(folder), 50 << 20))
        if isinstance(read, Extracted):
            texts += [embedding_text(chunk.headings, chunk.text) for chunk in read.chunks]
        if len(texts) >= most:
            break
    return texts[:most]


def bare_rate(folder: Path, most: int = PASSAGES) -> float:
    """Passages a second on the very passages of `folder`, with as many threads as the engine uses."""
    texts = passages(folder, most)
    model = embedder(os.cpu_count() or 1)
    model.embed(texts[:32])
    start = time.perf_counter()
    model.embed(texts)
    return len(texts) / (time.perf_counter() - start)
