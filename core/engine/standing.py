"""What an answer depends on besides the question and the notes: who writes it, and by which rules and settings."""

from collections.abc import Callable, Sequence
from pathlib import Path

from core.models.cloud import CloudModel
from core.models.route import Route
from core.privacy.outgoing import Outgoing
from core.protocol import Ask


class Standing:
    """Tells how things stand now; see `core.answering.memory`.

    Args:
        route: the models of a question.
        outgoing: what decides what a cloud model is shown.
        model_file: the local model's file, None where there is none.
    """

    def __init__(
        self, route: Callable[[Ask, bool], Route], outgoing: Outgoing, model_file: Callable[[], Path | None]
    ) -> None:
        self._route = route
        self._outgoing = outgoing
        self._model_file = model_file

    def __call__(self, ask: Ask, paths: Sequence[str]) -> str:
        """The first model in the line, and what it would be given text of these files by."""
        first = next(iter(self._route(ask, False).models), None)
        if isinstance(first, CloudModel):
            return f"{first.host} {first.name} {self._outgoing.standing(paths, consent=ask.consent)}"
        return f"{first.name if first is not None else ''} {_identity(self._model_file())}"


def _identity(path: Path | None) -> str:
    """A file's path, size and time of change: another model under the same name is another one."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        found = None
    return f"{path} {found.st_size} {found.st_mtime_ns}" if found is not None else f"{path}"
