"""What a question would send to each cloud model, word for word, without sending anything."""

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from core.protocol import Event, HistoryPage, Preview, Previewed, Problem, ShowHistory
from ui.engine_link import EngineLink, Ticket
from ui.state_words import files
from ui.theme import Theme
from ui.widgets import Elided, Switch, button, clear, label, row

TEXT_HEIGHT = 180  # px
ROLES = {"system": "Instructions", "user": "Question and passages", "assistant": "Beginning of the answer"}


class PreviewCard(QFrame):
    """The card; it begins with the question that was asked last."""

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._link = link
        self._ticket: Ticket | None = None
        self.question = QLineEdit()
        self.question.setAccessibleName("Question to rehearse")
        self.question.setPlaceholderText("A question")
        self.question.returnPressed.connect(self.look)
        self.consent = Switch("As if you had agreed", theme)
        self.show_button = button("Show", "", self.look, "Show what would be sent")
        self.said = label("", "muted", wrap=True)
        self.said.setVisible(False)
        self.found = QVBoxLayout()
        self.found.setSpacing(10)
        self._texts: list[str] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 14)
        layout.setSpacing(8)
        layout.addWidget(label("What would be sent", "heading"))
        words = "A rehearsal: what this question would send, word for word. Nothing is sent."
        layout.addWidget(label(words, "muted", wrap=True))
        layout.addWidget(self.question)
        layout.addWidget(row(self.consent, None, self.show_button))
        layout.addWidget(self.said)
        layout.addLayout(self.found)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin with the last question, unless there is one already."""
        super().showEvent(event)
        if not self.question.text():
            self._link.call(ShowHistory(most=1), self._last, lambda _: None)

    def look(self) -> None:
        """Ask what would be sent."""
        question = self.question.text().strip()
        if not question:
            self.question.setFocus()
            return
        if self._ticket is not None:
            self._ticket.cancel()
        clear(self.found)
        self._texts = []
        self._say("Looking…")
        call = Preview(question, consent=self.consent.isChecked())
        self._ticket = self._link.call(call, self._heard, self._failed)

    def _last(self, event: Event) -> None:
        if isinstance(event, HistoryPage) and event.answers and not self.question.text():
            self.question.setText(event.answers[0].answered.question)
            self.question.setCursorPosition(0)

    def _heard(self, event: Event) -> None:
        if not isinstance(event, Previewed):
            return
        self._say("")
        stays = f"{files(len(event.withheld))} would stay here" if event.withheld else ""
        if not event.messages:
            self.found.addWidget(
                label(" ".join(filter(None, (event.note, f"{stays}." if stays else ""))), "", wrap=True)
            )
            return
        hidden = ", ".join(f"{count} {kind}" for kind, count in sorted(event.hidden.items()))
        facts = [
            f"{event.bytes:,} bytes",
            event.why,
            f"hidden: {hidden}" if hidden else "nothing had to be hidden",
            stays,
        ]
        self.found.addWidget(Elided(f"To {event.host}, {event.model}"))
        self.found.addWidget(label("  ·  ".join(filter(None, facts)), "faint", wrap=True))
        text = message_text([(said.role, said.content) for said in event.messages])
        if text not in self._texts:  # what several would get alike is shown once
            self._texts.append(text)
            self.found.addWidget(message_view(text))

    def _failed(self, problem: Problem) -> None:
        self._say(str(problem))

    def _say(self, words: str) -> None:
        self.said.setText(words)
        self.said.setVisible(bool(words))


def message_text(messages: list[tuple[str, str]]) -> str:
    """A request's messages, each under what it is."""
    return "\n\n".join(f"{ROLES.get(role, role)}\n{content}" for role, content in messages)


def message_view(text: str, height: int = TEXT_HEIGHT) -> QWidget:
    """The exact text of a request, to be read and copied; `height` in px."""
    view = QPlainTextEdit(text)
    view.setReadOnly(True)
    view.setTabChangesFocus(True)
    view.setAccessibleName("The exact text of the request")
    view.setFixedHeight(height)
    return view
