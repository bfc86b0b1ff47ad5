"""A few words side by side of which one is chosen: a page's parts, or the values of a setting."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget


class Segments(QWidget):
    """One row of exclusive buttons; the arrow keys move among them.

    Args:
        name: what is chosen, for screen readers.
        words: what each value is called.

    Signals:
        chosen(str): the person chose this value.
    """

    chosen = Signal(str)

    def __init__(self, name: str, words: Mapping[str, str]) -> None:
        super().__init__()
        self.setObjectName("segments")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(2)
        for value, text in words.items():
            made = QPushButton(text)
            made.setProperty("kind", "segment")
            made.setCheckable(True)
            made.setAutoExclusive(True)  # so that it is told as a choice among several
            made.setAutoDefault(False)
            made.setAccessibleName(f"{name}: {text}")
            made.setCursor(Qt.CursorShape.PointingHandCursor)
            self._group.addButton(made)
            self._buttons[value] = made
            layout.addWidget(made)
        for value, made in self._buttons.items():
            made.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            made.toggled.connect(lambda on, value=value: self._toggled(value, on=on))
        self.show_value(next(iter(words)))

    @property
    def value(self) -> str:
        """Which one is chosen."""
        return next(value for value, made in self._buttons.items() if made.isChecked())

    def segment(self, value: str) -> QPushButton:
        """The button of a value."""
        return self._buttons[value]

    def show_value(self, value: str) -> None:
        """Show another one as chosen, without saying that the person chose it."""
        blocked = self.blockSignals(True)
        self._buttons[value].setChecked(True)
        self.blockSignals(blocked)

    def set_words(self, value: str, text: str) -> None:
        """Call a value something else."""
        self._buttons[value].setText(text)

    def _toggled(self, value: str, *, on: bool) -> None:
        # Tab reaches the chosen one, arrows the others. Qt does so itself only where a person has chosen.
        self._buttons[value].setFocusPolicy(Qt.FocusPolicy.StrongFocus if on else Qt.FocusPolicy.ClickFocus)
        if on:
            self.chosen.emit(value)
