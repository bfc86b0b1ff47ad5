"""What stands where results would, while there are none: why, and the one thing to do about it."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.widgets import button, label, row


class StatePane(QWidget):
    """What is said in place of results: one headline, one sentence, at most one button."""

    def __init__(self) -> None:
        super().__init__()
        self.headline = label("", "heading")
        self.sentence = label("", "muted", wrap=True)
        self.headline.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.action = button("", "primary", self._act)
        self._then: Callable[[], object] | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(48, 16, 48, 16)
        layout.setSpacing(6)
        layout.addStretch(2)
        layout.addWidget(self.headline)
        layout.addWidget(self.sentence)
        layout.addSpacing(6)
        layout.addWidget(row(None, self.action, None))
        layout.addStretch(3)

    def say(
        self, headline: str, sentence: str = "", action: str = "", then: Callable[[], object] | None = None
    ) -> None:
        """Show this; `then` is called when the button `action` is pressed."""
        self.headline.setText(headline)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        self.action.setText(action)
        self.action.setAccessibleName(action)
        self.action.setVisible(bool(action))
        self._then = then

    def _act(self) -> None:
        if self._then is not None:
            self._then()
