"""One provider: who it is, where it stands, and what can be done with it."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from core.protocol import ProviderInfo
from ui.state_words import ago_words
from ui.theme import Theme
from ui.widgets import Elided, IconButton, button, label, row, set_role

TONES = {"ready": "good", "resting": "busy", "trying": "busy", "blocked": "bad", "offline": "off"}
STATES = {
    "ready": "can be asked",
    "resting": "left alone for a while",
    "trying": "is being tried",
    "blocked": "cannot be asked",
    "offline": "behind the closed door",
}

Do = Callable[[str, str], None]


class ProviderRow(QFrame):
    """A row of the list.

    Args:
        do: called with what is wanted ("up", "down", "test", "change", "remove", "confirm") and the provider's name.
    """

    def __init__(self, info: ProviderInfo, theme: Theme, do: Do) -> None:
        super().__init__()
        self._theme = theme
        self._info = info
        name = info.provider.name
        self._dot = QLabel()
        self._dot.setFixedWidth(14)
        self.up = IconButton(theme, "up", lambda: do("up", name), f"Ask {name} earlier")
        self.down = IconButton(theme, "down", lambda: do("down", name), f"Ask {name} later")
        self.confirm = button("Let it be asked", "primary", lambda: do("confirm", name), f"Let {name} be asked")
        self.test = button("Test", "quiet", lambda: do("test", name), f"Ask {name} for one word, without any notes")
        self.change = button("Change…", "quiet", lambda: do("change", name), f"Change {name} or its key")
        self.remove = button("Remove…", "quiet", lambda: do("remove", name), f"Remove {name}")
        self.words = label("", "muted", wrap=True)
        self.result = label("", "muted", wrap=True)
        self.result.setVisible(False)
        self.name = label(name, "heading")
        self.model = Elided("", "faint")
        head = row(
            self._dot, self.name, self.model, self.confirm, self.test, self.change, self.remove, self.up, self.down
        )
        head.layout().setStretch(2, 1)  # type: ignore[union-attr]
        head.layout().setSpacing(4)  # type: ignore[union-attr]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(2)
        layout.addWidget(head)
        for below in (self.words, self.result):
            below.setContentsMargins(18, 0, 0, 0)
            layout.addWidget(below)
        theme.changed.connect(self._paint)
        self.show_info(info, first=True, last=True)

    def show_info(self, info: ProviderInfo, *, first: bool, last: bool) -> None:
        """Where it stands now, and whether it is the first or last of the list."""
        self._info = info
        self.model.say(f" {info.provider.model} at {info.provider.url}")
        ago = f" Its last whole answer came {ago_words(info.answered_s)}." if info.answered_s is not None else ""
        self.words.setText(f"{info.words}{ago}")
        self._dot.setAccessibleName(STATES[info.state])
        self._dot.setToolTip(STATES[info.state])
        self.up.setEnabled(not first)
        self.down.setEnabled(not last)
        self.confirm.setVisible(not info.provider.confirmed)
        self.test.setVisible(info.provider.confirmed)
        self._paint()

    def show_testing(self) -> None:
        """It is being asked for one word."""
        self._say("Asking it for one word…", "muted")
        self.test.setEnabled(False)

    def show_result(self, words: str, *, well: bool) -> None:
        """What came of the last thing that was done with it."""
        self._say(words, "good" if well else "bad")
        self.test.setEnabled(True)

    def _say(self, words: str, role: str) -> None:
        set_role(self.result, role)
        self.result.setText(words)
        self.result.setVisible(bool(words))

    def _paint(self) -> None:
        self._dot.setPixmap(self._theme.dot(TONES[self._info.state]))
