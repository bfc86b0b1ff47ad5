"""One earlier answer, opened again: as it was given then, with ways to ask anew and to erase it."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.protocol import PastAnswer
from ui.answer_card import AnswerCard
from ui.citation import Roots
from ui.state_words import by_words, when_words
from ui.theme import READING_WIDTH, Theme
from ui.widgets import Note, button, hairline, label, row


class OpenedAnswer(QWidget):
    """The card with a head of its own.

    Signals:
        left: back to the list.
        again_requested(str): the question is to be asked anew.
        erase_requested: the person wants it gone.
        open_requested(str, int, object): path, line and page of a source.
    """

    left = Signal()
    again_requested = Signal(str)
    erase_requested = Signal()
    open_requested = Signal(str, int, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.question = label("", "title", wrap=True)
        self.when = label("", "faint")
        self.note = Note()
        self.trouble = Note("trouble")
        self._whole = ""  # the question, completed where it followed another
        self.card = AnswerCard(theme)
        self.back = button("History", "quiet", self.left.emit, "Back to the history")
        self.again = button("Ask again", "", lambda: self.again_requested.emit(self._whole))
        self.erase = button("Erase…", "quiet", self.erase_requested.emit, "Erase this answer")
        self._build()
        self.card.open_requested.connect(self.open_requested)
        self.card.copy_requested.connect(self.copy)
        self.card.notice.connect(self.note.say)
        QShortcut(QKeySequence("Esc"), self, self.left.emit, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        theme.changed.connect(self._look)
        self._look()

    def _build(self) -> None:
        head = QWidget()
        head.setMaximumWidth(READING_WIDTH + 40)
        layout = QVBoxLayout(head)
        layout.setContentsMargins(20, 20, 20, 12)
        layout.setSpacing(8)
        bar = row(self.back, None, self.again, self.erase)
        bar.layout().setContentsMargins(0, 0, 0, 0)  # type: ignore[union-attr]
        for part in (bar, self.question, self.when, self.note, self.trouble):
            layout.addWidget(part)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(head)
        whole.addWidget(hairline())
        whole.addWidget(self.card, 1)

    def show_answer(self, past: PastAnswer, roots: Roots) -> None:
        """An answer as it was given; paths are told from `roots` on."""
        answered = past.answered
        self.question.setText(answered.question)
        self.when.setText(f"{when_words(past.at)}  ·  {by_words(answered)}  ·  as it was answered then")
        self.trouble.say("")
        self.note.say("")
        self.card.clear()
        self.card.roots = roots
        self.card.show_answer(answered)
        self._whole = answered.read_as or answered.question
        for action in (self.card.try_again, self.card.shorter, self.card.follow):
            action.setVisible(False)
        self.card.ask_cloud.setVisible(False)  # what was offered then may not be there now: "Ask again" finds out
        self.card.setFocus()  # so that the arrows scroll

    def copy(self) -> None:
        """Put the quote with its citation on the clipboard."""
        words = self.card.citation()
        if words:
            QGuiApplication.clipboard().setText(words)
            self.note.say("Copied with its citation.")

    def _look(self) -> None:
        self.back.setIcon(QIcon(self._theme.pixmap("back", "muted", 16)))
        self.back.setIconSize(QSize(16, 16))
