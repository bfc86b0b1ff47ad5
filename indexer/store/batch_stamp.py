"""Which batch of the catalog's the vector store was last given: noted beside the store, before the store changes.

The catalog counts its batches too (`outbox.begin_batch`). So it shows when either side has lost what it had: after a
power cut, or where one of them was replaced by a copy of another time.
"""

import os
from pathlib import Path


class BatchStamp:
    """One small file.

    Args:
        directory: of the vectors.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "batch"

    def note(self, generation: int, batch: int) -> None:
        """Keep both numbers, through a power cut too.

        Raises:
            OSError: there is no room, or no permission.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{generation:020} {batch:020}".encode())  # always of one length: written in place
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def noted(self) -> tuple[int, int]:
        """Generation and batch, (0, 0) when nothing is noted."""
        try:
            generation, batch = self._path.read_text("ascii").split()
            return int(generation), int(batch)
        except (OSError, ValueError):
            return 0, 0
