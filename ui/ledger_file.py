"""Writes what left into a file of the person's choice, one JSON object a line, readable by this user alone. No Qt."""

import os
from collections.abc import Sequence
from pathlib import Path

from core.protocol import Departure, Problem


def write(path: Path, entries: Sequence[Departure]) -> None:
    """Write the entries into a new file.

    Raises:
        Problem: the file is there already, or cannot be written.
    """
    import msgspec

    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(msgspec.json.Encoder().encode_lines(entries))
    except FileExistsError:
        raise Problem(f"{path} exists already.", "Name a new file.", kind="input") from None
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}.", "Choose another place.", kind="input") from error
