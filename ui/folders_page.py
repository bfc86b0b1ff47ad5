"""The library: which folders are read, how far that is, what could not be read and why, and what is left out."""

from pathlib import Path

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QFrame, QMessageBox, QProgressBar, QVBoxLayout, QWidget

from core.protocol import (
    AddFolder,
    Call,
    Configure,
    Event,
    FileProblem,
    FolderInfo,
    FolderRule,
    Folders,
    Problem,
    RemoveFolder,
    Retry,
    SetRule,
    StatusReport,
)
from ui.citation import short_path
from ui.engine_link import EngineLink
from ui.ignore_card import IgnoreCard
from ui.state_words import RULES, at_time, coverage_words, files
from ui.theme import Theme
from ui.widgets import Note, Page, button, card, clear, label, row

PROBLEMS_SHOWN = 30


class RuleChoice(QComboBox):
    """What may become of a folder's text. The wheel passes it by: nobody should change it while scrolling."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.setAccessibleName(f"What may become of the text in {folder}")
        for rule, words in RULES.items():
            self.addItem(words[:1].upper() + words[1:], rule)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the page instead."""
        event.ignore()


class FolderCard(QFrame):
    """One watched folder."""

    def __init__(self, info: FolderInfo, page: "FoldersPage") -> None:
        super().__init__()
        self.setObjectName("card")
        self.counts = label("", "muted")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName(f"Progress of {info.path}")
        name = Path(info.path).name or info.path
        remove = button("Remove", "quiet", lambda: page.remove(info.path), f"Remove {name} from Offhand")
        self.rule = RuleChoice(name)
        self.rule.activated.connect(lambda _: page.set_rule(info.path, self.rule.currentData()))
        path = label(short_path(info.path, 70), "faint")
        path.setToolTip(info.path)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 10, 12)
        layout.setSpacing(3)
        layout.addWidget(row(label(name, "heading"), None, self.counts, remove))
        layout.addWidget(row(path, None, self.rule))
        layout.addSpacing(4)
        layout.addWidget(self.bar)
        self.show_info(info)

    def show_info(self, info: FolderInfo) -> None:
        """Where the folder stands now."""
        words = [files(info.indexed) if not info.waiting else f"{info.indexed:,} of {files(info.files)}"]
        if info.failed:
            words.append(f"{info.failed:,} not readable")
        if info.skipped:
            words.append(f"{info.skipped:,} skipped")
        if not info.reachable:
            words = ["away; its passages are kept"]
        self.counts.setText("  ·  ".join(words))
        self.rule.setCurrentIndex(list(RULES).index(info.rule))
        self.bar.setVisible(info.waiting > 0)
        self.bar.setRange(0, max(1, info.files))
        self.bar.setValue(info.files - info.waiting)


class FoldersPage(Page):
    """The library page."""

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        self.add_button = button("Add a folder…", "primary", self.add)
        self.pause_button = button("Pause", "quiet", self._toggle_paused, "Read nothing more until you resume")
        super().__init__("Library", self.pause_button, self.add_button)
        self._link = link
        self._paused = ""
        self._cards: dict[str, FolderCard] = {}
        self._problems: list[FileProblem] = []
        self.trouble = Note("trouble")
        self.empty = card(
            label("No folder yet", "heading"),
            label("Add a folder of notes or documents. It is only read, never changed.", "muted", wrap=True),
        )
        self._folders = QVBoxLayout()
        self._folders.setSpacing(8)
        self._problem_rows = QVBoxLayout()
        self._problem_rows.setSpacing(10)
        self.problems_title = label("", "heading")
        self.problems = self._problems_card()
        self.ignore = IgnoreCard(link, theme, self.trouble.say)
        for part in (self.trouble, self.empty):
            self.parts.addWidget(part)
        self.parts.addLayout(self._folders)
        self.parts.addWidget(self.problems)
        self.parts.addWidget(self.ignore)
        self.parts.addStretch(1)
        link.reported.connect(self._show)
        if link.report is not None:
            self._show(link.report)

    def _problems_card(self) -> QFrame:
        again = button("Try all again", "quiet", lambda: self._call(Retry()))
        rows = QWidget()
        rows.setLayout(self._problem_rows)
        self._problem_rows.setContentsMargins(0, 0, 0, 0)
        made = card(row(self.problems_title, None, again), rows)
        made.setVisible(False)
        return made

    def add(self) -> None:
        """Let the person choose a folder and watch it."""
        chosen = QFileDialog.getExistingDirectory(self, "Choose a folder of notes or documents", str(Path.home()))
        if chosen:
            self._call(AddFolder(chosen))

    def _toggle_paused(self) -> None:
        self._call(Configure("paused", "false" if self._paused else "true"))

    def remove(self, path: str) -> None:
        """Forget a folder, once the person has confirmed it."""
        box = QMessageBox(self.window())
        box.setWindowTitle("Remove this folder?")
        box.setText(f"Remove {Path(path).name or path} from Offhand?")
        box.setInformativeText("The folder itself is not touched. Its passages leave Offhand's index.")
        yes = box.addButton("Remove", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        if box.clickedButton() is yes:
            self._call(RemoveFolder(path))

    def set_rule(self, path: str, rule: FolderRule) -> None:
        """Give a folder another rule."""
        self._call(SetRule(path, rule))

    def _call(self, call: Call) -> None:
        self.trouble.say("")
        self._link.call(call, self._answered, self._failed)

    def _answered(self, event: Event) -> None:
        if isinstance(event, Folders):
            self._show_folders(event.folders)

    def _failed(self, problem: Problem) -> None:
        self.trouble.say(str(problem))

    def _show(self, report: StatusReport) -> None:
        counts = report.counts
        self._paused = report.paused
        said = report.paused or (f"reading {report.resumed}" if report.resumed else "")
        pace = f"  ·  {said}" if said else ""
        self.subtitle.setText(f"{coverage_words(report.coverage)}  ·  {counts.chunks:,} passages{pace}")
        self.pause_button.setText("Resume" if report.paused else "Pause")
        self.pause_button.setAccessibleName("Go on reading" if report.paused else "Pause reading")
        self._show_folders(report.folders)
        if report.problems != self._problems:
            self._show_problems(report.problems)

    def _show_folders(self, folders: list[FolderInfo]) -> None:
        if [folder.path for folder in folders] != list(self._cards):
            clear(self._folders)
            self._cards = {folder.path: FolderCard(folder, self) for folder in folders}
            for made in self._cards.values():
                self._folders.addWidget(made)
        for folder in folders:
            self._cards[folder.path].show_info(folder)
        self.empty.setVisible(not folders)

    def _show_problems(self, problems: list[FileProblem]) -> None:
        self._problems = problems
        clear(self._problem_rows)
        self.problems_title.setText("1 file is not in the index" if len(problems) == 1 else _not_indexed(len(problems)))
        for problem in problems[:PROBLEMS_SHOWN]:
            self._problem_rows.addWidget(self._problem_row(problem))
        if len(problems) > PROBLEMS_SHOWN:
            self._problem_rows.addWidget(label(f"and {len(problems) - PROBLEMS_SHOWN:,} more", "faint"))
        self.problems.setVisible(bool(problems))

    def _problem_row(self, problem: FileProblem) -> QWidget:
        name = label(Path(problem.path).name)
        name.setToolTip(problem.path)
        words = QWidget()
        layout = QVBoxLayout(words)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(name)
        layout.addWidget(
            label(f"{short_path(str(Path(problem.path).parent), 40)}  ·  {_reason(problem)}", "faint", wrap=True)
        )
        retry = button("Retry", "quiet", lambda: self._call(Retry(problem.path)), f"Try {name.text()} again")
        retry.setVisible(problem.state == "failed")
        made = row(words, retry)
        made.layout().setStretch(0, 1)  # type: ignore[union-attr]
        return made


def _reason(problem: FileProblem) -> str:
    return f"{problem.reason} It is tried again {at_time(problem.retry_at)}." if problem.retry_at else problem.reason


def _not_indexed(count: int) -> str:
    return f"{count:,} files are not in the index"
