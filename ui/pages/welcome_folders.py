"""The first step: which folders are to be read. Those that look like notes are suggested; any other can be chosen."""

from collections import deque
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QVBoxLayout

from core.protocol import Event, Suggest, Suggested
from ui.engine_link import EngineLink, Ticket
from ui.pages.folder_choice import FolderChoice
from ui.widgets import button, card, label, row, set_role

PROMISE = (
    "They are only read, never changed. Everything stays on this machine: no account, no download. You can begin to "
    "ask while they are still being read."
)
NONE_FOUND = "None of the usual folders for notes is here. Choose the one that holds yours."


class WelcomeFolders(QVBoxLayout):
    """The step.

    Signals:
        chosen(list): the person wants these folders (paths) to be read.
        skipped: none now.
    """

    chosen = Signal(list)
    skipped = Signal()

    def __init__(self, link: EngineLink) -> None:
        super().__init__()
        self._link = link
        self._to_look: deque[FolderChoice] = deque()
        self._looking: FolderChoice | None = None
        self._asking: Ticket | None = None
        self.rows: list[FolderChoice] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.said = label("Looking for folders of notes…", "muted", wrap=True)
        self.another = button("Choose another folder…", "quiet", self.choose)
        self.start = button("Start reading", "primary", self._start)
        self.skip = button("Skip", "quiet", self.skipped.emit, "Choose no folder now")
        self.setSpacing(14)
        self.frame = card(label("Which folders may Offhand read?", "heading"), label(PROMISE, "muted", wrap=True))
        inner = self.frame.layout()
        assert isinstance(inner, QVBoxLayout)
        inner.addLayout(self._list)
        inner.addWidget(self.said)
        inner.addWidget(row(self.another, None))
        self.addWidget(self.frame)
        self.foot = row(None, self.skip, self.start)
        self.addWidget(self.foot)
        self._refresh()

    def begin(self) -> None:
        """Look for folders to suggest, anew."""
        if self._asking is not None:
            self._asking.cancel()
        for choice in self.rows:
            choice.stop()
            choice.hide()
            choice.deleteLater()
        self.rows = []
        self._to_look.clear()
        self._looking = None
        self._say("Looking for folders of notes…")
        self._asking = self._link.call(Suggest(), self._suggested, lambda problem: self._say(str(problem), "bad"))
        self._refresh()

    def choose(self) -> None:
        """Let the person choose a folder that is not in the list."""
        picked = QFileDialog.getExistingDirectory(self.frame, "Choose a folder of notes or documents", str(Path.home()))
        if picked:
            self.offer(picked, vault=False, wanted=True)

    def offer(self, path: str, *, vault: bool, wanted: bool) -> None:
        """Put a folder on the list; one that is there already is ticked."""
        known = next((choice for choice in self.rows if choice.path == path), None)
        if known is not None:
            known.box.setChecked(True)
            return
        made = FolderChoice(self._link, path, vault=vault, wanted=wanted)
        made.ticked.connect(self._refresh)
        made.looked.connect(self._look_on)
        self.rows.append(made)
        self._list.addWidget(made)
        self._to_look.append(made)
        self._say("")
        self._refresh()
        if self._looking is None:
            self._look_on()

    def set_visible(self, *, on: bool) -> None:
        """Show the step or put it away."""
        self.frame.setVisible(on)
        self.foot.setVisible(on)
        if not on:
            self._to_look.clear()
            for choice in self.rows:
                choice.stop()

    def _suggested(self, event: Event) -> None:
        if not isinstance(event, Suggested):
            return
        likely = any(one.vault for one in event.folders) or len(event.folders) > 1
        last = event.folders[-1] if event.folders else None
        for one in event.folders:  # all documents are suggested last, and not ticked where something better is known
            self.offer(one.path, vault=one.vault, wanted=one.vault or one is not last or not likely)
        if not self.rows:
            self._say(NONE_FOUND)

    def _look_on(self) -> None:
        """One folder after the other, so that the disk is not asked for all at once."""
        self._looking = self._to_look.popleft() if self._to_look else None
        if self._looking is not None:
            self._looking.look()
        self._refresh()

    def _start(self) -> None:
        paths = [choice.path for choice in self.rows if choice.chosen]
        self.chosen.emit([one for one in paths if not any(_lies_in(one, other) for other in paths)])

    def _say(self, words: str, role: str = "muted") -> None:
        set_role(self.said, role)
        self.said.setText(words)
        self.said.setVisible(bool(words))

    def _refresh(self) -> None:
        self.start.setEnabled(any(choice.chosen for choice in self.rows))


def _lies_in(path: str, folder: str) -> bool:
    return path != folder and Path(path).is_relative_to(folder)
