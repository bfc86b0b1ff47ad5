"""One local model: what it is, how it stands, how far its download is, and what can be done with it."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QLabel, QProgressBar, QVBoxLayout

from core.protocol import ModelInfo
from ui.state_words import large_size, left_words, speed_words, wait_words
from ui.theme import Theme
from ui.widgets import Elided, button, label, row

TONES = {"in use": "good", "here": "off", "running": "busy", "checking": "busy", "paused": "off", "failed": "bad"}
STATES = {
    "in use": "In use",
    "here": "On this machine",
    "running": "Being fetched",
    "checking": "Being checked",
    "paused": "Paused",
    "failed": "Failed",
    "available": "Can be had",
}
STEPS = 1000  # of the bar; bytes of a large model do not fit into its numbers

Do = Callable[[str, str], None]


class ModelRow(QFrame):
    """A row of the list.

    Args:
        do: called with what is wanted ("get", "pause", "use", "remove") and the model's name.
    """

    def __init__(self, info: ModelInfo, theme: Theme, do: Do) -> None:
        super().__init__()
        self._theme = theme
        self._info = info
        name = info.name
        self._dot = QLabel()
        self._dot.setFixedWidth(14)
        self.name = Elided(name, "heading")
        self.facts = label("", "faint")
        self.get = button("Download", "", lambda: do("get", name), f"Download {name}")
        self.pause = button("Pause", "", lambda: do("pause", name), f"Pause the download of {name}")
        self.use = button("Use", "", lambda: do("use", name), f"Let {name} write answers")
        self.remove = button("Remove…", "quiet", lambda: do("remove", name), f"Remove {name}")
        self.words = label("", "muted", wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(f"Download of {name}")
        self.progress = label("", "faint")
        self.note = label("", "bad", wrap=True)
        head = row(self._dot, self.name, self.facts, self.use, self.get, self.pause, self.remove)
        self.facts.setContentsMargins(0, 0, 8, 0)
        head.layout().setSpacing(4)  # type: ignore[union-attr]
        head.layout().setStretch(1, 1)  # type: ignore[union-attr]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(3)
        layout.addWidget(head)
        self._bar = row(self.bar)
        for below in (self.words, self._bar, self.progress, self.note):
            layout.addWidget(below)
            below.setContentsMargins(18, 0, 0, 0)
        theme.changed.connect(self._paint)
        self.show_info(info)

    def show_info(self, info: ModelInfo) -> None:
        """Where it stands now."""
        self._info = info
        state = info.state
        moving, begun = state in ("running", "checking"), state in ("running", "checking", "paused")
        too_large = "" if info.fits else f"needs {large_size(info.memory)} of memory"
        facts = (large_size(info.size) if info.size else "", info.licence, too_large)
        self.facts.setText("  ·  ".join(part for part in facts if part))
        good_for = f"{info.good_for[:1].upper()}{info.good_for[1:]}." if info.good_for else ""
        own = "Your own file." if info.own else ""
        self.words.setText(" ".join(part for part in (good_for, own, speed_words(info), wait_words(info)) if part))
        self.words.setVisible(bool(self.words.text()))
        self._dot.setAccessibleName(STATES[state])
        self._dot.setToolTip(STATES[state])
        self.get.setText("Resume" if state == "paused" else "Try again" if state == "failed" else "Download")
        self.get.setAccessibleName(f"{self.get.text()}: {info.name}")
        self.get.setVisible(state in ("available", "paused", "failed"))
        self.pause.setVisible(state == "running")
        self.use.setVisible(state == "here")
        self.remove.setVisible(begun or (state == "here" and not info.stays))
        self._bar.setVisible(begun)
        self.bar.setValue(STEPS * info.done // info.size if info.size else 0)
        self.progress.setVisible(begun)
        self.progress.setText(progress_words(info))
        self.note.setVisible(bool(info.note) and not moving)
        self.note.setText(info.note)
        self._paint()

    def _paint(self) -> None:
        self._dot.setPixmap(self._theme.dot(TONES.get(self._info.state, "off")))


def progress_words(info: ModelInfo) -> str:
    """How far a download is: "221 MB of 491 MB, 4.2 MB/s, 1 min left"."""
    here = f"{large_size(info.done)} of {large_size(info.size)}" if info.size else large_size(info.done)
    if info.state == "checking":
        return f"{here}, being checked"
    parts = [here, f"{info.rate / 1e6:.1f} MB/s" if info.rate else "", "paused" if info.state == "paused" else ""]
    if info.seconds_left is not None:
        parts.append(f"{left_words(info.seconds_left)} left")
    return ", ".join(part for part in parts if part)
