"""A field that takes a key combination by its being pressed."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QKeySequenceEdit, QLineEdit

PORTABLE = QKeySequence.SequenceFormat.PortableText
WIDTH = 190  # px


class KeyField(QKeySequenceEdit):
    """Shows a combination; the next one that is pressed while it has the focus takes its place. Esc takes nothing.

    Signals:
        taken(str): the combination that was pressed, "Ctrl+Alt+Space".
    """

    taken = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._kept = QKeySequence()
        self.setMaximumSequenceLength(1)
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(name)
        inner = self.findChild(QLineEdit)
        assert isinstance(inner, QLineEdit)
        inner.setAccessibleName(name)
        inner.setPlaceholderText("Press the keys")
        self.editingFinished.connect(self._finished)

    def show_combination(self, words: str) -> None:
        """Show this one, as it is kept."""
        self._kept = QKeySequence.fromString(words, PORTABLE)
        self.setKeySequence(self._kept)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc alone takes nothing."""
        if event.key() == Qt.Key.Key_Escape and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.setKeySequence(self._kept)
        else:
            super().keyPressEvent(event)

    def _finished(self) -> None:
        pressed = self.keySequence()
        if pressed.isEmpty():
            self.setKeySequence(self._kept)
        elif pressed != self._kept:
            self.taken.emit(pressed.toString(PORTABLE))
