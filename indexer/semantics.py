"""The semantics process: texts into vectors, and the index of vectors. Words never wait for it.

Embedding runs beside Chroma's calls; Chroma itself is asked one thing at a time. It writes nothing into the catalog.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock
from msgspec import Struct

from indexer.records import Problem
from indexer.store.outbox import Pointer
from indexer.store.stored import pack, unpack
from indexer.store.vector_index import Report, VectorIndex
from indexer.worker import Cancellation, start_thread

if TYPE_CHECKING:
    from indexer.embed import Embedder

log = logging.getLogger(__name__)


class Embed(Struct, frozen=True, tag=True):
    """Texts into vectors → Vectors, in their order. A few dozen at once, so that a question never waits long."""

    texts: list[str]


class Similarity(Struct, frozen=True, tag=True):
    """How close each sentence is to a question → Scores."""

    question: str
    sentences: list[str]


class Nearest(Struct, frozen=True, tag=True):
    """The passages closest to a text → Neighbours."""

    text: str
    limit: int


class Apply(Struct, frozen=True, tag=True):
    """Add (id, float16 vector) and take out ids → Applied; refused (kind "rebuilding") while there is no index.

    batch: its number in the catalog (`outbox.begin_batch`), 0 for one that is not counted.
    """

    upserts: list[tuple[int, bytes]]
    deletes: list[int]
    batch: int = 0


class Verify(Struct, frozen=True, tag=True):
    """Where the index stands → Verified. With `sample` passages are looked up first, to see whether it is sound."""

    sample: bool = False


class ListIds(Struct, frozen=True, tag=True):
    """All ids in Chroma → Ids; refused (kind "rebuilding") while there is no index."""


class Rebuild(Struct, frozen=True, tag=True):
    """Build the index anew from the catalog → Verified, at once; the work goes on in the background."""

    why: str


Call = Embed | Similarity | Nearest | Apply | Verify | ListIds | Rebuild


class Vectors(Struct, frozen=True, tag=True):
    """Unit vectors, little-endian float16, and the name of the model that made them."""

    model: str
    vectors: list[bytes]


class Scores(Struct, frozen=True, tag=True):
    """Cosines, -1 to 1."""

    scores: list[float]


class Neighbours(Struct, frozen=True, tag=True):
    """Passage ids, best first, with their cosines. `exact` when every vector was compared: the index is not ready."""

    ids: list[int]
    scores: list[float]
    exact: bool


class Applied(Struct, frozen=True, tag=True):
    """It is done; the catalog should point to this."""

    pointer: Pointer


class Verified(Struct, frozen=True, tag=True):
    """Where the index stands."""

    report: Report


class Ids(Struct, frozen=True, tag=True):
    """Passage ids, in no order."""

    ids: list[int]


Event = Vectors | Scores | Neighbours | Applied | Verified | Ids


class Semantics:
    """The service behind the calls.

    Args:
        open_embedder: loads the model; called once, and again after it failed.
        index: the index of vectors.
    """

    def __init__(self, open_embedder: "Callable[[], Embedder]", index: VectorIndex) -> None:
        self._open_embedder = open_embedder
        self._index = index
        self._loading = threading.Lock()
        self._made: Embedder | None = None

    def start(self) -> None:
        """Load model and index in the background."""
        start_thread("warm", self._warm)

    def handle(self, call: Call, _cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see each for what it yields.

        Raises:
            ModelUnusable: the embedding model cannot be loaded.
            NotReady: the index cannot take or tell anything now.
        """
        embedder = self._embedder()
        match call:
            case Embed(texts):
                yield Vectors(embedder.model_id, pack(embedder.embed(texts)))
            case Similarity(question, sentences):
                vectors = embedder.embed([question, *sentences])
                yield Scores([float(score) for score in vectors[1:] @ vectors[0]])
            case Nearest(text, limit):
                self._index.begin(embedder.model_id)
                found, exact = self._index.nearest(embedder.embed([text])[0], limit)
                yield Neighbours([number for number, _ in found], [cosine for _, cosine in found], exact)
            case Apply(upserts, deletes, batch):
                vectors = unpack([vector for _, vector in upserts]) if upserts else np.empty((0, 0), np.float32)
                numbers = [number for number, _ in upserts]
                yield Applied(self._index.apply(list(zip(numbers, vectors, strict=True)), deletes, batch))
            case Verify(sample):
                self._index.begin(embedder.model_id)
                if sample:
                    self._index.examine()
                yield Verified(self._index.report())
            case ListIds():
                yield Ids(self._index.ids())
            case Rebuild(why):
                self._index.rebuild(why)
                yield Verified(self._index.report())

    def _embedder(self) -> "Embedder":
        with self._loading:
            if self._made is None:
                self._made = self._open_embedder()
            return self._made

    def _warm(self) -> None:
        try:
            self._index.begin(self._embedder().model_id)
        except Problem as problem:
            log.info("search by meaning is not ready: %s", problem)  # the next call says so to the person


def build(config: dict[str, Any]) -> Semantics:
    """The service as `indexer.child.run` hosts it, loading already.

    Args:
        config: model_dir, cache_dir, vectors_dir and catalog (paths), threads (of the model).
    """

    def open_embedder() -> "Embedder":
        from indexer.embed import Embedder

        return Embedder(Path(config["model_dir"]), Path(config["cache_dir"]), int(config["threads"]))

    vectors = Path(config["vectors_dir"])
    vectors.mkdir(parents=True, exist_ok=True)
    # A killed engine's child may still be busy in Chroma when the next engine's starts; two of them corrupt the store.
    owner = FileLock(vectors / "owner.lock")
    semantics = Semantics(open_embedder, VectorIndex(vectors, Path(config["catalog"]), own=owner.acquire))
    semantics.start()
    return semantics
