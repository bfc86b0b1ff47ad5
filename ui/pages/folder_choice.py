"""A folder that may be added: a box to tick, and below it what would be indexed there, found out by looking."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QVBoxLayout

from core.protocol import Event, Problem, Survey, Surveyed
from ui.citation import short_path
from ui.engine_link import EngineLink, Ticket
from ui.state_words import files, size
from ui.widgets import Elided, label, row, set_role

INDENT = 30  # px; words stand under the name, not under the box


class FolderChoice(QFrame):
    """The row.

    Args:
        path: the folder.
        vault: an app for notes keeps them there.
        wanted: it is ticked to begin with.

    Signals:
        looked: the look at it has ended, well or not.
        ticked: the person changed their mind about it.
    """

    looked = Signal()
    ticked = Signal()

    def __init__(self, link: EngineLink, path: str, *, vault: bool, wanted: bool) -> None:
        super().__init__()
        self.setObjectName("setting")
        self._link = link
        self._ticket: Ticket | None = None
        self.path = path
        self.refused = False
        name = Path(path).name or path
        self.box = QCheckBox(name)
        self.box.setChecked(wanted)
        self.box.setAccessibleName(f"Read {name}, {short_path(path, 200)}")
        self.box.toggled.connect(lambda _: self.ticked.emit())
        where = Elided(short_path(path, 200), "faint", Qt.TextElideMode.ElideMiddle)
        self.found = label("Looking into it…", "muted", wrap=True)
        self.lasts = label("", "faint", wrap=True)
        self.lasts.setVisible(False)
        head = row(self.box, label("Obsidian vault", "keycap") if vault else None, None, where)
        below = QVBoxLayout()
        below.setContentsMargins(INDENT, 0, 0, 0)
        below.setSpacing(1)
        below.addWidget(self.found)
        below.addWidget(self.lasts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 6)
        layout.setSpacing(2)
        layout.addWidget(head)
        layout.addLayout(below)

    @property
    def chosen(self) -> bool:
        """Whether it is to be added."""
        return self.box.isChecked() and not self.refused

    def look(self) -> None:
        """Find out what would be indexed."""
        self._ticket = self._link.call(Survey(self.path), self._heard, self._failed, self.looked.emit)

    def stop(self) -> None:
        """Look no further."""
        if self._ticket is not None:
            self._ticket.cancel()

    def _heard(self, event: Event) -> None:
        if isinstance(event, Surveyed):
            self.found.setText(found_words(event))
            self.box.setAccessibleDescription(found_words(event))
            self.lasts.setText(lasting_words(event))
            self.lasts.setVisible(event.done and event.files > 0)

    def _failed(self, problem: Problem) -> None:
        self.refused = True
        self.box.setChecked(False)
        self.box.setEnabled(False)
        set_role(self.found, "bad")
        self.found.setText(str(problem))
        self.looked.emit()


def found_words(told: Surveyed) -> str:
    """What counts and what does not: "412 files, 38 MB  ·  1 skipped (larger than …)  ·  90 of other kinds"."""
    if told.done and not told.files:
        counted = "Nothing here that Offhand reads"
    else:
        counted = f"{files(told.files)}, {size(told.bytes)}"
    skipped = [f"{count:,} skipped ({why})" for why, count in told.skipped.items()]
    other = f"{told.other:,} of other kinds" if told.other else ""
    hidden = f"{told.hidden:,} left out by a rule" if told.hidden else ""
    words = "  ·  ".join(filter(None, (counted, *skipped, other, hidden)))
    return words if told.done else f"{words} so far…"


def lasting_words(told: Surveyed) -> str:
    """How long it will take, and what that rests on."""
    rests_on = "as fast as this machine reads now" if told.measured else "estimated; this machine is not measured yet"
    words, meaning = span_words(*told.by_words), span_words(*told.by_meaning)
    return f"Found by words after {words}, by meaning after {meaning} ({rests_on})"


def span_words(low: float, high: float) -> str:
    """A range of seconds as one says it: "a few seconds", "1 to 20 min", "40 s to 3 min"."""
    if high < 10:
        return "a few seconds"
    (least, unit), (most, larger) = _counted(low), _counted(high)
    if unit == larger:
        return f"{least} to {most} {unit}" if least != most else f"about {most} {unit}"
    return f"{least} {unit} to {most} {larger}"


def _counted(length: float) -> tuple[int, str]:
    for seconds, unit in ((3600, "h"), (60, "min")):
        if length >= 1.5 * seconds:
            return round(length / seconds), unit
    return max(1, round(length)), "s"
