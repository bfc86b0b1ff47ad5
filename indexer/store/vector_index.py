"""The index of vectors: Chroma while it is sound, an exact scan of the stored vectors while it is not.

A generation that does not look as it was left, or whose passages no longer find themselves, is deleted and built anew
from the catalog beside running searches. Nothing is ever embedded again for that. The catalog's pointer to the valid
generation is the engine's to write; this side only reads it.
"""

import contextlib
import logging
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from indexer.records import Problem
from indexer.store import outbox
from indexer.store.database import disk_full, explained, open_reader
from indexer.store.outbox import Pointer
from indexer.store.stored import StoredVectors, Vector
from indexer.store.vectors import ChromaFailed, Generation, signature
from indexer.worker import start_thread

log = logging.getLogger(__name__)

SAMPLE = 32  # passages that must find themselves
TOP = 3
SAME = 0.999  # cosine of a passage's twin: copies of one text compete for the first places
IndexState = Literal["opening", "ready", "rebuilding", "broken"]


class NotReady(Problem):
    """Chroma cannot take anything now; what is owed stays on the outbox."""

    kind = "rebuilding"


class Report(Struct, frozen=True):
    """Where the index stands. `pointer` is what the catalog should say; `why` is empty when all is well."""

    state: IndexState
    why: str
    pointer: Pointer
    vectors: int


class VectorIndex:
    """Usable from several threads; Chroma is called by one at a time.

    Args:
        directory: holds the generations.
        catalog: the catalog's file.
        own: called before the directory is used; returns once no other process uses it.
    """

    def __init__(self, directory: Path, catalog: Path, *, own: Callable[[], object] = lambda: None) -> None:
        self._directory = directory
        self._catalog = catalog
        self._own = own
        self._turn = threading.Lock()
        self._scanning = threading.Lock()
        self._state: IndexState = "opening"
        self._why = ""
        self._number = 0
        self._tried = 0
        self._model = ""
        self._generation: Generation | None = None
        self._stored: StoredVectors | None = None

    def begin(self, model: str) -> None:
        """Open the valid generation, or build one, in the background. Later calls do nothing."""
        with self._turn:
            if self._stored is not None:
                return
            self._stored = StoredVectors(self._catalog, model)
            self._model = model
        start_thread("open-vectors", self._open)

    def nearest(self, vector: Vector, limit: int) -> tuple[list[tuple[int, float]], bool]:
        """Ids and cosines of the closest passages, best first, and whether every passage was compared."""
        with self._turn:
            if self._generation is not None:
                try:
                    return self._generation.nearest(vector, limit), False
                except ChromaFailed as error:
                    self._distrust(f"a search failed: {error}")
        with self._scanning:
            return (self._stored.nearest(vector, limit) if self._stored else []), True

    def apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int], batch: int = 0) -> Pointer:
        """Give Chroma what it is owed. Returns what the catalog should say from now on.

        Args:
            upserts: ids and unit vectors.
            deletes: ids.
            batch: the number under which the catalog knows this, 0 when it does not.

        Raises:
            NotReady: there is no sound generation now.
            DiskFull: there is no room; nothing was changed.
        """
        with self._turn:
            if self._generation is None:
                raise self._not_ready()
            try:
                if batch:
                    self._stamp(self._number, batch)
            except OSError as error:
                raise disk_full() from error
            try:
                self._generation.apply(upserts, deletes)
            except ChromaFailed as error:
                self._distrust(f"a write failed: {error}")
                raise self._not_ready() from error
            return self._pointer()

    def report(self) -> Report:
        """Where the index stands now."""
        with self._turn:
            return Report(self._state, self._why, self._pointer(), self._count())

    def ids(self) -> list[int]:
        """All ids in Chroma.

        Raises:
            NotReady: there is no sound generation now.
        """
        with self._turn:
            if self._generation is None:
                raise self._not_ready()
            try:
                return self._generation.ids()
            except ChromaFailed as error:
                self._distrust(f"a listing failed: {error}")
                raise self._not_ready() from error

    def examine(self) -> None:
        """Sample the index; when passages no longer find themselves, a new one is built."""
        with self._turn:
            if self._generation is not None:
                wrong = self._objection(self._generation)
                if wrong:
                    self._distrust(wrong)

    def rebuild(self, why: str) -> None:
        """Build a new generation in the background, whatever the present one is like."""
        with self._turn:
            if self._state in {"ready", "broken"}:
                self._distrust(why)

    def _open(self) -> None:
        try:
            self._own()
            with explained(self._catalog):
                connection = open_reader(self._catalog)
                valid, batches = outbox.pointer(connection), outbox.batches(connection)
                connection.close()
            self._number = valid.generation
            why = self._suspicion(valid, batches)
            if not why:
                why = self._try(valid.generation)
        except (OSError, Problem) as error:  # nothing was opened: the engine asks for another attempt
            with self._turn:
                self._state, self._why = "broken", str(error)
            return
        if why:
            if valid.generation:
                log.info("the vector index is built anew: %s", why)
            with self._turn:
                self._state, self._why = "rebuilding", why
            self._build()

    def _suspicion(self, valid: Pointer, batches: tuple[int, int]) -> str:
        """Why the valid generation is not even opened: opening a torn one can crash or fill the disk."""
        directory = self._place(valid.generation)
        if not valid.generation:
            return "there is none yet"
        if valid.model != self._model:
            return "the embedding model is another one"
        if self._marker.exists():
            return "the last attempt to open it did not end"
        if signature(directory) != valid.signature:
            return "its files are not as they were left"
        generation, batch = self._stamped()
        if generation != valid.generation or not batches[0] <= batch <= batches[1]:
            return "it is of another time than the catalog"
        return ""

    def _try(self, number: int) -> str:
        self._marker.touch()
        try:
            generation = Generation(self._place(number))
            why = self._objection(generation)
            if why:
                generation.close()
        except ChromaFailed as error:
            why = str(error)
        self._marker.unlink(missing_ok=True)
        if not why:
            self._clear_all_but(number)
            with self._turn:
                self._settle(generation)
        return why

    def _objection(self, generation: Generation) -> str:
        stored = StoredVectors(self._catalog, self._model)  # another thread may be scanning with the other one
        least, most = stored.expected()
        try:
            count = generation.count()
            if not least <= count <= most:
                return f"it holds {count} vectors where {least} to {most} are right"
            ids, vectors = stored.sample(SAMPLE)
            found = generation.nearest_of_each(vectors, TOP) if ids else []
        except ChromaFailed as error:
            return str(error)
        lost = sum(
            not any(number == own or cosine > SAME for number, cosine in near)
            for own, near in zip(ids, found, strict=True)
        )
        return f"{lost} of {len(ids)} passages do not find themselves" if lost > len(ids) // SAMPLE else ""

    def _distrust(self, why: str) -> None:
        log.info("the vector index is built anew: %s", why)
        failed, self._generation = self._generation, None
        self._state, self._why = "rebuilding", why
        start_thread("build-vectors", self._build, failed)

    def _build(self, failed: Generation | None = None) -> None:
        # Never a number twice in one process: Chroma would go on with what it remembers of that path.
        number = self._tried = max(self._number, self._tried) + 1
        try:
            if failed is not None:
                with contextlib.suppress(ChromaFailed):
                    failed.close()
            self._clear_all_but(0)
            self._place(number).mkdir(parents=True)
            self._marker.unlink(missing_ok=True)
            generation = Generation(self._place(number))
            batch = self._given()
            for ids, vectors in StoredVectors(self._catalog, self._model).pages():
                generation.apply(list(zip(ids, vectors, strict=True)), [])
            self._stamp(number, batch)
            why = self._objection(generation)
        except (ChromaFailed, OSError, Problem) as error:
            why = str(error)
        with self._turn:
            if why:
                log.info("the vector index could not be built: %s", why)
                self._state, self._why = "broken", why
                return
            self._number = number
            self._settle(generation)

    def _given(self) -> int:
        """The batch up to which the catalog now holds everything that Chroma was given."""
        with explained(self._catalog):
            connection = open_reader(self._catalog)
            batch = outbox.batches(connection)[1]
            connection.close()
        return batch

    def _stamp(self, number: int, batch: int) -> None:
        """Note, before Chroma changes, which batch of the catalog's it is given."""
        descriptor = os.open(self._directory / "batch", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{number:020} {batch:020}".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _stamped(self) -> tuple[int, int]:
        try:
            number, batch = (self._directory / "batch").read_text("ascii").split()
            return int(number), int(batch)
        except (OSError, ValueError):
            return 0, 0

    def _settle(self, generation: Generation) -> None:
        self._generation, self._state, self._why = generation, "ready", ""
        with self._scanning:
            assert self._stored is not None
            self._stored.release()

    def _not_ready(self) -> NotReady:
        return NotReady(f"The vector index is not ready ({self._state}); search goes on.", "Try again in a moment.")

    def _pointer(self) -> Pointer:
        files = signature(self._place(self._number)) if self._generation is not None else ""
        return Pointer(self._number, files, self._model)

    def _count(self) -> int:
        if self._generation is None:
            return 0
        try:
            return self._generation.count()
        except ChromaFailed as error:
            self._distrust(str(error))
            return 0

    def _clear_all_but(self, number: int) -> None:
        for directory in self._directory.glob("gen-*"):
            if directory != self._place(number):
                shutil.rmtree(directory, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self._directory / f"gen-{number}"

    @property
    def _marker(self) -> Path:
        return self._directory / "opening"
