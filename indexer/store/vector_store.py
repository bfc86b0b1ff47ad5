"""What the index of vectors needs of whatever keeps it: one interface, for a directory on this disk and for a server.

A generation is one collection of ids and vectors, without any text. It is never repaired: another one takes its place.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from indexer.records import Problem

Vector = NDArray[np.float32]


class StoreFailed(Problem):
    """The generation is not to be trusted any more; `what` says why."""

    kind = "damaged"


class StoreAway(Problem):
    """The store cannot be asked now. What it holds may be as sound as before."""

    kind = "away"


class StoreClosed(Problem):
    """No generation is open: the process that had it open has ended. It may be opened again."""

    kind = "closed"


class Inventory(Struct, frozen=True):
    """How many vectors a generation says it holds, and a digest of what it is made of, "" when it is gone."""

    count: int
    signature: str


class VectorStore(Protocol):
    """Holds generations, of which one is open. Not thread-safe: it is asked one thing at a time.

    Every method may raise StoreFailed, StoreAway or StoreClosed.
    """

    name: str
    """In words for a person: "Chroma on this computer"."""

    def open(self, number: int, signature: str, room: int) -> None:
        """Open a generation if it still is what `signature` says; `room` is the bytes its vectors may need (float32).

        Raises:
            StoreFailed: it has changed since. It was not opened then: a torn one can crash, hang or fill the disk.
        """

    def create(self, number: int, room: int) -> None:
        """Begin an empty generation. All others are put aside, where nothing opens them again."""

    def apply(self, upserts: Sequence[tuple[int, Vector]], deletes: Sequence[int]) -> None:
        """Add or replace vectors and take ids out of the open generation; unknown ids are ignored."""

    def nearest(self, vectors: Sequence[Vector], limit: int) -> list[list[tuple[int, float]]]:
        """For each vector the ids and cosines closest to it, best first."""
        ...

    def ids(self) -> list[int]:
        """All ids in the open generation."""
        ...

    def inventory(self) -> Inventory:
        """What the open generation is now."""
        ...

    def keep_only(self, number: int) -> None:
        """The generation is accepted: everything else that was ever kept here is deleted."""

    def close(self) -> None:
        """Let go of memory, files and connections."""
