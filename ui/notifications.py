"""Tells by a notification of the desktop what was waited for, and only where the person has asked to be told."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from core.protocol import FolderInfo, StatusReport
from ui.engine_link import EngineLink
from ui.state_words import files, later_words


class Notifications(QObject):
    """Watches the reports.

    Args:
        wanted: whether the person wants to be told, as the settings are now.
        tell: shows a title and a sentence.
    """

    def __init__(
        self, link: EngineLink, wanted: Callable[[], bool], tell: Callable[[str, str], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._wanted = wanted
        self._tell = tell
        self._known: set[str] | None = None
        self._begun: set[str] = set()
        self._awaited: set[str] = set()
        self._opinions: int | None = None
        link.reported.connect(self._heard)

    def _heard(self, report: StatusReport) -> None:
        finished = self._finished(report.folders)
        new, before = report.later.new, self._opinions
        self._opinions = new
        if not self._wanted():
            return
        for folder in finished:
            unread = f", {folder.failed:,} could not be read" if folder.failed else ""
            self._tell(f"{Path(folder.path).name} is read", f"{files(folder.indexed)} can be asked{unread}.")
        if before is not None and new > before:
            self._tell("Second opinion", f"{later_words(report)}.")

    def _finished(self, folders: list[FolderInfo]) -> list[FolderInfo]:
        """The folders that were added since the app runs and are read now, each once."""
        paths = {folder.path for folder in folders}
        if self._known is not None:
            self._awaited |= paths - self._known
        self._known = paths
        self._awaited &= paths
        self._begun = {f.path for f in folders if f.path in self._awaited and (f.waiting or f.path in self._begun)}
        done = [f for f in folders if f.path in self._begun and not f.waiting]
        self._awaited -= {folder.path for folder in done}
        return done
