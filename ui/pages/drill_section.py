"""The outage drill: the person's last questions, asked as if no cloud model could be reached."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.protocol import Drill, Drilled, DrillOver, Event, Problem
from ui.engine_link import EngineLink, Ticket
from ui.row_list import Line, RowList
from ui.state_words import model_name, seconds
from ui.theme import Theme
from ui.widgets import Note, button, card, label, number_field, row

MOST = 20  # questions
ROWS = 8  # in view
WHAT = (
    "Your last questions are asked once more as if no cloud model could be reached, and each answer is told. "
    "Nothing is sent and nothing is kept."
)


class DrillSection(QWidget):
    """The section."""

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self._link = link
        self._ticket: Ticket | None = None
        self._lines: list[Line] = []
        self.most = number_field("How many of the last questions", 1, MOST, 72)
        self.most.setValue(5)
        self.begin = button("Rehearse an outage", "primary", self.run)
        self.stop = button("Stop", "", self._stop, "Stop the rehearsal")
        self.stop.setVisible(False)
        self.said = label("", "muted", wrap=True)
        self.trouble = Note("trouble")
        self.rows = RowList(theme, "Questions of the rehearsal")
        self.rows.setVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        controls = row(label("Last questions"), self.most, None, self.stop, self.begin)
        layout.addWidget(self.trouble)
        layout.addWidget(card(label("Rehearse an outage", "heading"), label(WHAT, "muted", wrap=True), controls))
        layout.addWidget(self.said)
        layout.addWidget(self.rows)
        layout.addStretch(1)

    def run(self) -> None:
        """Begin."""
        self.trouble.say("")
        self._lines = []
        self._show()
        self._busy(on=True)
        self.said.setText("Asking…")
        self._ticket = self._link.call(Drill([], self.most.value()), self._heard, self._failed, self._over, self._again)

    def _again(self) -> None:
        self._lines = []
        self._show()

    def _heard(self, event: Event) -> None:
        if isinstance(event, Drilled):
            self._lines.append(_line(len(self._lines), event))
            self._show()
        elif isinstance(event, DrillOver):
            self.said.setText(event.message)

    def _show(self) -> None:
        self.rows.lines.replace(self._lines)
        self.rows.setVisible(bool(self._lines))
        self.rows.setFixedHeight(self.rows.row_height() * min(ROWS, max(1, len(self._lines))))

    def _stop(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
        self.said.setText("Stopped.")
        self._busy(on=False)

    def _over(self) -> None:
        self._busy(on=False)

    def _failed(self, problem: Problem) -> None:
        self.said.setText("")
        self.trouble.say(str(problem))
        self._busy(on=False)

    def _busy(self, *, on: bool) -> None:
        self.begin.setVisible(not on)
        self.stop.setVisible(on)
        (self.stop if on else self.begin).setFocus()


def _line(number: int, result: Drilled) -> Line:
    by = {"local": f"by {model_name(result.model)} on this machine", "quote": "by the quote"}
    words = f"Answered {by[result.answered_by]}" if result.answered_by in by else "Not answered"
    if result.note:
        words = f"{words}: {result.note}"
    time = seconds(result.timings.total_ms) if result.timings.total_ms is not None else ""
    return Line(number, result.question, words, time, "good" if result.answered_by in by else "bad")
