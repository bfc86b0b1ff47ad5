"""The semantics process: texts into vectors, and the index of vectors. Words never wait for it.

Chroma has a process of its own below this one, so that nothing it does can stop the embedding and the exact scan.
Nothing here writes into the catalog.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from indexer.child import Child
from indexer.records import Problem
from indexer.store import store_service
from indexer.store.batch_stamp import BatchStamp
from indexer.store.outbox import Pointer
from indexer.store.store_process import Host, StoreProcess
from indexer.store.stored import pack, unpack
from indexer.store.vector_index import Report, VectorIndex
from indexer.worker import Cancellation, start_thread

if TYPE_CHECKING:
    from indexer.embed import Embedder

log = logging.getLogger(__name__)

EMBEDDED_AT_ONCE = 32  # texts in one event, which is stored by itself; a question waits for one run of the model only
LONGEST_WAIT = 5.0  # seconds that embedding lets questions pass before each run of the model


class Embed(Struct, frozen=True, tag=True):
    """Texts into vectors → Vectors, in the order of the texts and as many as it takes, sent while the next are made."""

    texts: list[str]


class Similarity(Struct, frozen=True, tag=True):
    """How close each sentence is to a question → Scores."""

    question: str
    sentences: list[str]


class Nearest(Struct, frozen=True, tag=True):
    """The passages closest to a text → Neighbours. With `among` only these are compared, and all of them."""

    text: str
    limit: int
    among: list[int] | None = None


class Alike(Struct, frozen=True, tag=True):
    """The passages closest to any of these, by vectors that are stored; themselves among them → Neighbours, none where
    none of these has a vector yet."""

    ids: list[int]
    limit: int


class Apply(Struct, frozen=True, tag=True):
    """Add (id, float16 vector) and take out ids → Applied; refused (kind "rebuilding") while there is no index.

    batch: its number in the catalog (`outbox.begin_batch`), 0 when it has none.
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


Call = Embed | Similarity | Nearest | Alike | Apply | Verify | ListIds | Rebuild


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
Meaning = Child[Call, Event]
"""The semantics process, as the rest of the room sees it."""


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
        self._asked = threading.Condition()
        self._questions = 0  # that are being answered

    def start(self) -> None:
        """Load model and index in the background."""
        start_thread("warm", self._warm)

    def close(self) -> None:
        """End the process with Chroma in it."""
        self._index.close()

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see each for what it yields.

        Raises:
            ModelUnusable: the embedding model cannot be loaded.
            NotReady: the index cannot take or tell anything now.
        """
        embedder = self._embedder()
        match call:
            case Embed(texts):
                for first in range(0, len(texts), EMBEDDED_AT_ONCE):
                    if cancelled.requested:
                        return
                    vectors = embedder.embed(texts[first : first + EMBEDDED_AT_ONCE], self._let_questions_pass)
                    yield Vectors(embedder.model_id, pack(vectors))
            case Similarity(question, sentences):
                with self._question():
                    vectors = embedder.embed([question, *sentences])
                yield Scores([float(score) for score in vectors[1:] @ vectors[0]])
            case Nearest(text, limit, among):
                self._index.begin(embedder.model_id)
                with self._question():
                    found, exact = self._index.nearest(embedder.embed([text])[0], limit, among)
                yield Neighbours([number for number, _ in found], [cosine for _, cosine in found], exact)
            case Alike(ids, limit):
                self._index.begin(embedder.model_id)
                found, exact = self._index.alike(ids, limit)
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

    @contextmanager
    def _question(self) -> Iterator[None]:
        """Somebody waits for this: embedding in the background goes on afterwards."""
        with self._asked:
            self._questions += 1
        try:
            yield
        finally:
            with self._asked:
                self._questions -= 1
                self._asked.notify_all()

    def _let_questions_pass(self) -> None:
        with self._asked:
            self._asked.wait_for(lambda: not self._questions, LONGEST_WAIT)

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
        config: model_dir, cache_dir, vectors_dir, catalog and runtime (paths), threads (of the model), vectors
            ("embedded" or the address of a Chroma server), vectors_closed (why that may not be asked now, or ""),
            vectors_command (the argv of the process with Chroma in it).
    """

    def open_embedder() -> "Embedder":
        from indexer.embed import Embedder

        return Embedder(Path(config["model_dir"]), Path(config["cache_dir"]), int(config["threads"]))

    stamp = BatchStamp(Path(config["vectors_dir"]))
    semantics = Semantics(open_embedder, VectorIndex(_store(config), Path(config["catalog"]), stamp))
    semantics.start()
    return semantics


def _store(config: dict[str, Any]) -> StoreProcess:
    directory, url = Path(config["vectors_dir"]), str(config["vectors"])
    host: Host = Child(
        "vectors",
        config["vectors_command"],
        Path(config["runtime"]),
        store_service.Event,
        {"directory": str(directory), "url": url},
    )
    if url == store_service.EMBEDDED:
        return StoreProcess(host, directory)
    name = f"the Chroma server at {url}" if url else "a Chroma server"
    return StoreProcess(host, None, name, closed=str(config["vectors_closed"]))
