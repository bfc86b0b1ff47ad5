"""The chip that says which question the next one follows; a click on it, or Delete, and it follows none."""

from PySide6.QtCore import Signal

from core.protocol import Ask, Problem
from ui.filter_chips import LONGEST, Chip


class FollowChip(Chip):
    """There while the next question follows an answer. `number` is that answer's in the history, 0 for none.

    Signals:
        ended: the person wants the next question to stand by itself.
    """

    ended = Signal()

    def __init__(self) -> None:
        super().__init__("")
        self.number = 0
        self.setVisible(False)
        self.clicked.connect(self.end)

    def begin(self, number: int, question: str) -> None:
        """The next question follows this one."""
        short = question if len(question) <= LONGEST else f"{question[: LONGEST - 1]}…"
        self.number = number
        self.setText(f"following: {short}  ×".replace("&", "&&"))
        self.setAccessibleName(f"Stop following {question}")
        self.setToolTip("The next question is read together with this one; click to ask it by itself")
        self.setVisible(True)

    def refused(self, call: Ask, problem: Problem) -> None:
        """A question was refused: what it followed was erased, most likely, and the next one must not fail as well."""
        if call.follows and problem.kind == "input":
            self.end()

    def end(self) -> None:
        """The next question stands by itself."""
        self.number = 0
        self.setVisible(False)
        self.ended.emit()
