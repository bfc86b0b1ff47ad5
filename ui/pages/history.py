"""Earlier questions: found again by their words, opened as they were answered, asked anew, erased."""

from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QLineEdit, QStackedWidget

from core.protocol import (
    Done,
    EraseHistory,
    Event,
    PastAnswer,
    Problem,
    ShowHistory,
    StatusReport,
)
from core.protocol import (
    HistoryPage as SomeAnswers,
)
from ui.confirmation import confirmed
from ui.engine_link import EngineLink, Ticket
from ui.pages.later_card import LaterCard
from ui.pages.opened_answer import OpenedAnswer
from ui.row_list import Line, RowList
from ui.segments import Segments
from ui.state_pane import StatePane
from ui.state_words import by_words, when_words
from ui.theme import Theme
from ui.widgets import Note, Page, button

AT_ONCE = 100  # answers
GIST = 300  # characters; more is not seen of a row
TYPED_MS = 150  # a pause in typing this long, and the search begins


class HistoryPage(QStackedWidget):
    """The list of earlier questions, and the one that was opened.

    Signals:
        open_requested(str, int, object): path, line and page of a source.
        ask_requested(str): a question is to be asked anew.
    """

    open_requested = Signal(str, int, object)
    ask_requested = Signal(str)

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self._link = link
        self._ticket: Ticket | None = None
        self._open: PastAnswer | None = None
        self._entries: dict[object, PastAnswer] = {}
        self.erase_all = button("Erase all…", "quiet", self._erase_all, "Erase the whole history")
        self.page = Page("History", self.erase_all)
        self.page.subtitle.setText("Kept on this machine alone, until you erase it.")
        self.part = Segments("Show", {"answers": "Answers", "opinions": "Second opinions"})
        self.search = QLineEdit()
        self.search.setObjectName("search")
        self.search.setClearButtonEnabled(True)
        self.search.setPlaceholderText("Search earlier questions and answers")
        self.search.setAccessibleName("Search earlier questions and answers")
        self.trouble = Note("trouble")
        self.rows = RowList(theme, "Earlier questions")
        self.pane = StatePane()
        self.opinions = LaterCard(link, theme)
        self.past = OpenedAnswer(theme)
        self._soon = QTimer(self, singleShot=True, interval=TYPED_MS)
        self._build()
        self._connect()

    def _build(self) -> None:
        for part in (self.trouble, self.part, self.search):
            self.page.parts.addWidget(part)
        for whole in (self.rows, self.pane):
            self.page.parts.addWidget(whole, 1)
        self.page.parts.addWidget(self.opinions)
        self.page.parts.addStretch(0)
        self.addWidget(self.page)
        self.addWidget(self.past)
        self.setFocusProxy(self.search)
        self.part.setVisible(False)
        self._wait()

    def _connect(self) -> None:
        self.part.chosen.connect(lambda _: self._arrange())
        self.search.textEdited.connect(lambda _: self._soon.start())
        self.search.textChanged.connect(lambda words: self._soon.start() if not words else None)
        self._soon.timeout.connect(self.refresh)
        self.rows.opened.connect(self._open_again)
        self.rows.deleted.connect(lambda key: self._erase(self._entries[key]))
        self.rows.more_wanted.connect(self._fetch_more)
        self.past.left.connect(self._back)
        self.past.again_requested.connect(self.ask_requested)
        self.past.erase_requested.connect(lambda: self._erase(self._open) if self._open is not None else None)
        self.past.open_requested.connect(self.open_requested)
        self._link.reported.connect(self._reported)
        QShortcut(
            QKeySequence("Ctrl+F"), self.page, self.search.setFocus,
            context=Qt.ShortcutContext.WidgetWithChildrenShortcut,
        )  # fmt: skip
        if self._link.report is not None:
            self._reported(self._link.report)

    def refresh(self) -> None:
        """Ask for the newest entries with the words that are typed."""
        self._ask(ShowHistory(self.search.text().strip(), most=AT_ONCE), append=False)

    def show_opinions(self) -> None:
        """Turn to the second opinions."""
        self._back()
        self.part.show_value("opinions")
        self.part.setVisible(True)
        self.part.segment("opinions").setFocus()
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        """Something may have been asked since it was last in view."""
        super().showEvent(event)
        self.refresh()

    # ---- the list ----------------------------------------------------------------------------------------------

    def _ask(self, call: ShowHistory, *, append: bool) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket = self._link.call(call, partial(self._heard, append=append), self._failed)

    def _fetch_more(self) -> None:
        last = self.rows.lines.lines[-1].key
        assert isinstance(last, int)
        self._ask(ShowHistory(self.search.text().strip(), AT_ONCE, last), append=True)

    def _heard(self, event: Event, *, append: bool) -> None:
        if not isinstance(event, SomeAnswers):
            return
        if not append:
            self._entries = {}
        self._entries |= {past.id: past for past in event.answers}
        lines = [_line(past) for past in event.answers]
        more = len(event.answers) == AT_ONCE
        if append:
            self.rows.lines.append(lines, has_more=more)
        else:
            self.rows.lines.replace(lines, has_more=more)
            self._say_why_empty()
        self._arrange()

    def _say_why_empty(self) -> None:
        if self.search.text().strip():
            self.pane.say("No earlier question has these words", "Fewer words find more.")
        else:
            self.pane.say("Nothing has been asked yet", "What you ask is kept here with its answer.")

    def _wait(self) -> None:
        self.pane.say("Looking through the history…")
        self._arrange()

    def _failed(self, problem: Problem) -> None:
        self.rows.lines.replace([])
        self.pane.say("The history cannot be shown", str(problem), "Try again", self.refresh)
        self._arrange()

    def _arrange(self) -> None:
        """What is seen: the rows, or why there are none, or the second opinions."""
        opinions = self.part.value == "opinions"
        some = bool(self.rows.lines.lines)
        self.rows.setVisible(some and not opinions)
        self.pane.setVisible(not some and not opinions)
        self.search.setVisible(not opinions and (some or bool(self.search.text())))
        self.erase_all.setVisible(some and not opinions)
        self.opinions.setVisible(opinions)

    def _reported(self, report: StatusReport) -> None:
        later = report.later
        self.opinions.refresh(report)
        new = f" ({later.new:,} new)" if later.new else ""
        self.part.set_words("opinions", f"Second opinions{new}")
        wanted = later.on or bool(later.waiting or later.new) or self.part.value == "opinions"
        self.part.setVisible(wanted)

    # ---- one entry ---------------------------------------------------------------------------------------------

    def _open_again(self, key: object) -> None:
        self._open = past = self._entries[key]
        self.past.show_answer(past, self._link.roots)
        self.setCurrentWidget(self.past)

    def _back(self) -> None:
        if self._open is not None:
            self._open = None
            self.setCurrentWidget(self.page)
            self.rows.setFocus()

    def _erase(self, past: PastAnswer) -> None:
        consequence = "The question and its answer leave the history for good. Your notes are not touched."
        if confirmed(self, "Erase this answer?", f"Erase “{_short(past.answered.question)}”?", consequence, "Erase"):
            self._link.call(EraseHistory(past.id), self._erased, self._not_erased)
            self._back()

    def _erase_all(self) -> None:
        consequence = (
            "All earlier questions, their answers and the second opinions are erased for good. Your notes are not "
            "touched, and what left this machine stays in the ledger."
        )
        if confirmed(self, "Erase the history?", "Erase everything that was asked so far?", consequence, "Erase all"):
            self.search.clear()
            self._link.call(EraseHistory(), self._erased, self._not_erased)

    def _erased(self, event: Event) -> None:
        if isinstance(event, Done):
            self.trouble.say("")
            self.refresh()

    def _not_erased(self, problem: Problem) -> None:
        self.refresh()
        self.trouble.say(str(problem))


def _line(past: PastAnswer) -> Line:
    answered = past.answered
    gist = answered.quote.text if answered.quote is not None else answered.answer
    aside = f"{by_words(answered)}  ·  {when_words(past.at)}"
    return Line(past.id, answered.question, gist[:GIST] or "No words were kept of it.", aside, tip=answered.question)


def _short(question: str) -> str:
    return question if len(question) <= 80 else f"{question[:79].rstrip()}…"
