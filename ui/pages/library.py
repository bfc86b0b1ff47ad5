"""The library: which folders are read, how far that is, what could not be read and why, and what is left out."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QFrame, QProgressBar, QVBoxLayout

from core.protocol import (
    AddFolder,
    Call,
    Configure,
    Event,
    FolderInfo,
    FolderRule,
    Folders,
    Index,
    Problem,
    RemoveFolder,
    Retry,
    SetRule,
    StatusReport,
)
from ui.citation import short_path
from ui.confirmation import confirmed
from ui.engine_link import EngineLink
from ui.pages.coverage_bar import CoverageBar
from ui.pages.ignore_card import IgnoreCard
from ui.pages.problems_card import ProblemsCard
from ui.state_pane import StatePane
from ui.state_words import RULES, coverage_words, files
from ui.theme import Theme
from ui.widgets import Elided, Note, Page, button, clear, label, row

NO_FOLDER = (
    "Add a folder of notes or documents. It is only read, never changed, and nothing leaves this machine unless "
    "you set up a cloud model and say so."
)
EMPTY_HEIGHT = 360  # px


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

    def __init__(self, info: FolderInfo, page: "LibraryPage") -> None:
        super().__init__()
        self.setObjectName("card")
        self.counts = label("", "muted")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName(f"Progress of {info.path}")
        name = Path(info.path).name or info.path
        self.remove = button("Remove…", "quiet", lambda: page.remove(info.path), f"Remove {name} from Offhand")
        self.rule = RuleChoice(name)
        self.rule.activated.connect(lambda _: page.set_rule(info.path, self.rule.currentData()))
        self.path = Elided("", "faint", Qt.TextElideMode.ElideMiddle)
        title = row(Elided(name, "heading"), self.counts, self.remove)
        title.layout().setStretch(0, 1)  # type: ignore[union-attr]
        below = row(self.path, self.rule)
        below.layout().setStretch(0, 1)  # type: ignore[union-attr]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 10, 12)
        layout.setSpacing(3)
        layout.addWidget(title)
        layout.addWidget(below)
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
        links = "  ·  links are followed" if info.links else ""
        self.path.say(f"{short_path(info.path, 200)}{links}", info.path)
        self.rule.setCurrentIndex(list(RULES).index(info.rule))
        self.bar.setVisible(info.waiting > 0)
        self.bar.setRange(0, max(1, info.files))
        self.bar.setValue(info.files - info.waiting)


class LibraryPage(Page):
    """The library page."""

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        self.add_button = button("Add a folder…", "primary", self.add)
        self.pause_button = button("Pause", "quiet", self._toggle_paused, "Read nothing more until you resume")
        self.look_button = button("Look again", "quiet", lambda: self._call(Index()), "Look at all folders again now")
        super().__init__("Library", self.look_button, self.pause_button, self.add_button)
        self._link = link
        self._paused = ""
        self._cards: dict[str, FolderCard] = {}
        self.trouble = Note("trouble")
        self.coverage = CoverageBar(theme)
        self.coverage.setVisible(False)
        self.empty = StatePane()
        self.empty.say("No folder yet", NO_FOLDER, "Add a folder…", self.add)
        self.empty.setMinimumHeight(EMPTY_HEIGHT)
        self.empty.setVisible(False)
        self._folders = QVBoxLayout()
        self._folders.setSpacing(8)
        self.problems = ProblemsCard(link, theme)
        self.problems.retry_requested.connect(lambda path: self._call(Retry(path)))
        self.ignore = IgnoreCard(link, theme, self.trouble.say)
        for part in (self.coverage, self.trouble, self.empty):
            self.parts.addWidget(part)
        self.parts.addLayout(self._folders)
        self.parts.addWidget(self.problems)
        self.parts.addWidget(self.ignore)
        self.parts.addStretch(1)
        self.subtitle.setText("Looking at your folders…")
        link.reported.connect(self._show)
        if link.report is not None:
            self._show(link.report)

    def add(self) -> None:
        """Let the person choose a folder and watch it."""
        chosen = QFileDialog.getExistingDirectory(self, "Choose a folder of notes or documents", str(Path.home()))
        if chosen:
            self._call(AddFolder(chosen))

    def _toggle_paused(self) -> None:
        self._call(Configure("paused", "false" if self._paused else "true"))

    def remove(self, path: str) -> None:
        """Forget a folder, once the person has confirmed it."""
        question = f"Remove {Path(path).name or path} from Offhand?"
        consequence = "The folder itself is not touched. Its passages, and earlier answers from it, leave Offhand."
        if confirmed(self, "Remove this folder?", question, consequence, "Remove"):
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
        if self._link.report is not None:
            self._show_folders(self._link.report.folders)  # a rule that was refused is still the old one

    def _show(self, report: StatusReport) -> None:
        counts = report.counts
        self._paused = report.paused
        said = report.paused or (f"reading {report.resumed}" if report.resumed else "")
        pace = f"  ·  {said}" if said else ""
        owed = f", {counts.vectors_owed:,} of them by words only yet" if counts.vectors_owed else ""
        words = f"{coverage_words(report.coverage)}  ·  {counts.chunks:,} passages{owed}{pace}"
        self.subtitle.setText(words if report.folders else "Nothing is read yet.")
        self.coverage.show_coverage(report.coverage)
        self.pause_button.setText("Resume" if report.paused else "Pause")
        self.pause_button.setAccessibleName("Go on reading" if report.paused else "Pause reading")
        for part in (self.pause_button, self.look_button, self.add_button, self.ignore):
            part.setVisible(bool(report.folders))
        self._show_folders(report.folders)
        self.problems.refresh(report.problems, report.coverage)

    def _show_folders(self, folders: list[FolderInfo]) -> None:
        if [folder.path for folder in folders] != list(self._cards):
            clear(self._folders)
            self._cards = {folder.path: FolderCard(folder, self) for folder in folders}
            for made in self._cards.values():
                self._folders.addWidget(made)
        for folder in folders:
            self._cards[folder.path].show_info(folder)
        self.empty.setVisible(not folders)
