"""Work on a text that is selected elsewhere: what to do with it, and the card with what came of it.

The text is looked at only when the palette comes up and the selection is another than the last time (X11 tells that by
itself), or when a key asks for the clipboard. What comes is a model's alone, and says so.
"""

from functools import partial

from msgspec import structs
from PySide6.QtCore import QLocale, QTimer, Signal
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtWidgets import QFrame, QVBoxLayout

from core.protocol import Event, Piece, Problem, Restart, RouteStep, Transform, TransformAction, Transformed
from ui.answer_card import AnswerCard, foot_words
from ui.engine_link import EngineLink, Ticket
from ui.theme import Theme
from ui.widgets import Elided, button, label, row

ACTIONS: dict[TransformAction, str] = {
    "explain": "Explain",
    "summarise": "Summarise",
    "translate": "Translate",
    "rewrite": "Rewrite",
    "tasks": "Tasks from this",
}
MARK = "From your selection, not from your notes: a model's words, which nothing here has checked."
READ_AFTER_MS = 30  # the palette is painted first: whoever holds the selection may be slow to hand it over
SHORTEST = 3  # characters; less is a slip of the mouse


class SelectedText(QFrame):
    """The line with the text and the buttons; hidden where there is none.

    Signals:
        chosen: something is done with it, and the card is to be shown.
        copied(str): a sentence for the person.
        shown: the line came or went.
    """

    chosen = Signal()
    copied = Signal(str)
    shown = Signal()

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self._link = link
        self._ticket: Ticket | None = None
        self._call: Transform | None = None
        self._is_new = False
        self.text = ""
        self.result = ""
        self.words = Elided("", "muted")
        self.buttons = {
            action: button(words, "chip", partial(self.do, action), f"{words}: the selected text")
            for action, words in ACTIONS.items()
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 8, 20, 8)
        layout.setSpacing(6)
        layout.addWidget(row(label("Selected", "section"), self.words))
        layout.addWidget(row(*self.buttons.values(), None))
        self.card = AnswerCard(theme)
        self.card.missing.setVisible(False)
        self.copy_button = button("Copy", "", self.copy, "Copy the result, to be pasted where the text was")
        self.card.widget().layout().insertWidget(0, row(self.copy_button, None))  # type: ignore[union-attr]
        self.card.cloud_requested.connect(self._with_cloud)
        self.card.again_requested.connect(self._again)
        clipboard = QGuiApplication.clipboard()
        if clipboard.supportsSelection():
            clipboard.selectionChanged.connect(self._selection_changed)
        self.setVisible(False)

    def look(self) -> None:
        """The palette comes up: offer the selection where it is another than the last time, else nothing."""
        if self._is_new:
            self._is_new = False
            QTimer.singleShot(READ_AFTER_MS, lambda: self.offer(_text(QClipboard.Mode.Selection)))
        elif self._ticket is None:
            self.offer("")

    def look_at_clipboard(self) -> None:
        """The person asks for the clipboard's text."""
        own = copied_here()  # that is a note's, which has a rule
        self.offer("" if own else _text(QClipboard.Mode.Clipboard))
        if not self.text:
            self.copied.emit("Offhand copied that itself." if own else "There is no text on the clipboard.")

    def offer(self, text: str) -> None:
        """Offer to work on a text, "" for none."""
        self.text = text.strip() if len(text.strip()) >= SHORTEST else ""
        self.words.say(f"“{self.text[:200]}”", f"{len(self.text):,} characters")
        self.setVisible(bool(self.text))
        self.shown.emit()

    def do(self, action: TransformAction) -> None:
        """Have a model do it; nothing leaves this machine."""
        self._ask(Transform(self.text, action, language()))

    def copy(self) -> None:
        """Put the result on the clipboard."""
        if self.result:
            QGuiApplication.clipboard().setText(self.result)
            self.copied.emit("Copied: paste it where the text was.")

    def stop(self) -> bool:
        """Stop what is under way; returns whether something was."""
        if self._ticket is None:
            return False
        self._ticket.cancel()
        self._ticket = None
        self.card.show_stopped()
        return True

    def _selection_changed(self) -> None:
        self._is_new = not QGuiApplication.clipboard().ownsSelection()

    def _with_cloud(self) -> None:
        if self._call is not None:
            call = self._call
            self._ask(Transform(call.text, call.action, call.language, consent=True))

    def _again(self) -> None:
        """Once more on this machine: what was agreed to was one request."""
        if self._call is not None:
            self._ask(structs.replace(self._call, consent=False))

    def _ask(self, call: Transform) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
        self._call, self.result = call, ""
        self.card.clear()
        self.card.waiting.setText("Reading the text…")
        self.card.note.say(MARK)
        self.copy_button.setVisible(False)
        self._ticket = self._link.call(call, self._heard, self._failed, self._over, self.card.start_again)
        self.chosen.emit()

    def _heard(self, event: Event) -> None:
        if isinstance(event, RouteStep | Piece | Restart):
            self.card.take(event)
        elif isinstance(event, Transformed):
            self._show(event)

    def _show(self, done: Transformed) -> None:
        card, self.result = self.card, done.text
        card.waiting.setVisible(False)
        card.prose.finish(done.text, [], {})
        card.trouble.say(done.note)
        card.foot.setText(foot_words(done.route, done.timings))
        card.foot.setVisible(True)
        card.ask_cloud.setVisible(bool(done.offer))
        card.ask_cloud.setToolTip(f"Sends the selected text to {done.offer}, this once")
        card.try_again.setVisible(True)
        self.copy_button.setVisible(bool(done.text))

    def _failed(self, problem: Problem) -> None:
        self._ticket = None
        self.card.show_problem(problem)

    def _over(self) -> None:
        self._ticket = None


def language() -> str:
    """The person's own language by its English name."""
    own = QLocale.system().language()
    return "English" if own == QLocale.Language.C else QLocale.languageToString(own)


def copied_here() -> bool:
    """Whether what is on the clipboard was put there by Offhand."""
    return QGuiApplication.clipboard().ownsClipboard()


def _text(mode: QClipboard.Mode) -> str:
    """What is there, where it is text."""
    held = QGuiApplication.clipboard().mimeData(mode)
    return held.text() if held is not None and held.hasText() else ""
