"""The files that are not in the index: which, why, when they are tried again, and trying them again at once."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from core.protocol import Coverage, Event, FileProblem, FileRecord, Files, FileState, ListFiles, Problem
from ui.citation import short_path
from ui.engine_link import EngineLink, Ticket
from ui.row_list import Line, RowList
from ui.state_words import at_time
from ui.theme import Theme
from ui.widgets import Elided, button, label, row

ROWS = 6  # in view; the others are scrolled to
TONES = {"failed": "bad", "skipped": "off"}

File = FileProblem | FileRecord


class ProblemsCard(QFrame):
    """A report brings the first hundred; all of them are asked for when the person wants to see them.

    Signals:
        retry_requested(str): try this file again, or all with "".
    """

    retry_requested = Signal(str)

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._link = link
        self._ticket: Ticket | None = None
        self._whole = False  # all of them are shown, not only the report's
        self._reported: Sequence[FileProblem] = ()
        self._files: dict[object, File] = {}
        self.title = label("", "heading")
        self.again = button("Try all again", "quiet", lambda: self.retry_requested.emit(""))
        self.all = button("", "quiet", self._show_all)
        self.rows = RowList(theme, "Files that are not in the index")
        self.path = Elided("", "faint", Qt.TextElideMode.ElideMiddle)
        self.reason = label("", "muted", wrap=True)
        self.retry = button("Try again", "", self._retry, "Try this file again")
        self._build()
        self.rows.opened.connect(self._pressed)
        self.rows.selectionModel().currentChanged.connect(lambda *_: self._show_chosen())
        self.setVisible(False)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(6)
        layout.addWidget(row(self.title, None, self.all, self.again))
        layout.addWidget(self.rows)
        layout.addWidget(self.path)
        layout.addWidget(row(self.reason, self.retry))
        layout.itemAt(3).widget().layout().setStretch(0, 1)  # type: ignore[union-attr]

    def refresh(self, problems: Sequence[FileProblem], coverage: Coverage) -> None:
        """What a report says of them."""
        count = max(len(problems), coverage.failed + coverage.skipped)
        self.setVisible(bool(count))
        self.title.setText("1 file is not in the index" if count == 1 else f"{count:,} files are not in the index")
        self.all.setText(f"Show all {count:,}")
        self.all.setAccessibleName(f"Show all {count:,} files that are not in the index")
        self.again.setVisible(any(problem.state == "failed" for problem in problems))
        if problems != self._reported:
            self._reported = problems
            if self._whole and count > len(problems):
                self._show_all()
            else:
                self._show(problems)
        self.all.setVisible(count > len(problems) and not self._whole)

    def _show(self, files: Sequence[File]) -> None:
        chosen = self.rows.key()
        self._whole = False
        self._files = {file.path: file for file in files}
        self.rows.lines.replace([_line(file) for file in files])
        self._fit(chosen)

    def _show_all(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
        self.all.setVisible(False)
        self._whole = True
        found: list[FileRecord] = []
        skipped = partial(self._ask, "skipped", found, partial(self._show_found, found))
        self._ask("failed", found, skipped)

    def _ask(self, state: FileState, found: list[FileRecord], then: Callable[[], None]) -> None:
        def take(event: Event) -> None:
            if isinstance(event, Files):
                found.extend(event.files)

        self._ticket = self._link.call(ListFiles(state), take, self._failed, then)

    def _show_found(self, found: list[FileRecord]) -> None:
        self._show(found)
        self._whole = True

    def _failed(self, problem: Problem) -> None:
        self._whole = False
        self.reason.setText(str(problem))
        self.all.setVisible(True)

    def _fit(self, chosen: object) -> None:
        self.rows.setFixedHeight(self.rows.row_height() * min(ROWS, max(1, len(self._files))))
        self.rows.choose(chosen)
        self._show_chosen()

    def _show_chosen(self) -> None:
        file = self._files.get(self.rows.key())
        self.path.say(file.path if file is not None else "")
        self.path.setVisible(file is not None)
        self.reason.setText(_reason(file) if file is not None else "")
        self.reason.setVisible(file is not None)
        self.retry.setVisible(file is not None and file.state == "failed")

    def _pressed(self, key: object) -> None:
        self.rows.choose(key)
        self._show_chosen()

    def _retry(self) -> None:
        file = self._files.get(self.rows.key())
        if file is not None:
            self.retry_requested.emit(file.path)


def _line(file: File) -> Line:
    path = Path(file.path)
    again = f"again {at_time(file.retry_at)}" if file.retry_at else ""
    detail = f"{short_path(str(path.parent), 40)}  ·  {file.reason}"
    return Line(file.path, path.name, detail, again, TONES.get(file.state, "off"), file.path)


def _reason(file: File) -> str:
    return f"{file.reason} It is tried again {at_time(file.retry_at)}." if file.retry_at else file.reason
