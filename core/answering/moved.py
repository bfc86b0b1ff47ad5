"""The history of folders that lie elsewhere now: it has to name their new places, or nothing finds it any more."""

from collections.abc import Callable
from typing import Any

import msgspec

from core.answering.history import History

_TABLES = (("answers", "id", "answered"), ("opinions", "answer", "opinion"), ("waiting", "id", "ask"))


def rename(history: History, place: Callable[[str], str]) -> None:
    """Write the new paths into the answers, the second opinions and the questions that wait for one.

    Args:
        place: where what lay at a path lies now.

    Raises:
        ProfileUnusable: the file cannot be read or written.
    """
    if not history.exists:
        return
    with history.opened("The history cannot be moved with its folders", "Use another copy of it.") as file, file:
        for table, number, column in _TABLES:
            for row in file.execute(f"SELECT {number}, {column} FROM {table}").fetchall():
                text = msgspec.json.encode(_moved(msgspec.json.decode(str(row[1])), place)).decode()
                file.execute(f"UPDATE {table} SET {column} = ? WHERE {number} = ?", (text, row[0]))


def _moved(part: Any, place: Callable[[str], str]) -> Any:
    """A part of what is kept with its paths in their new places: those of files, and the folder of a question."""
    if isinstance(part, dict):
        return {name: _moved_field(name, value, place) for name, value in part.items()}
    return [_moved(one, place) for one in part] if isinstance(part, list) else part


def _moved_field(name: str, value: Any, place: Callable[[str], str]) -> Any:
    if name in ("path", "folder") and isinstance(value, str):
        return place(value)
    return [place(path) for path in value] if name == "given" else _moved(value, place)
