"""One line in, passages and answers below: the heart of the palette and of the main window's first page.

Every keystroke searches; an answer that comes too late for what is typed now is dropped. What is typed is never
cleared by anything but the person.
"""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from core.protocol import Ask, Event, Found, Hit, Problem, QueryPart, Search
from ui import panel_actions
from ui.action_list import ActionList
from ui.answer_card import AnswerCard
from ui.ask_state import say_state
from ui.citation import cite
from ui.engine_link import EngineLink, Ticket
from ui.filter_chips import FilterChips, without
from ui.following import FollowChip
from ui.related_view import RelatedView
from ui.results_list import ResultsView
from ui.selected_text import SelectedText
from ui.state_pane import StatePane
from ui.state_words import state_words
from ui.theme import Theme
from ui.widgets import button, hairline, label, row

LIMIT = 8
MEANING_AFTER_MS = 140  # a pause in typing this long, and the search by meaning joins
NOTICE_MS = 4000
Keys = Qt.Key


class AskPanel(QWidget):
    """The question line with everything under it.

    Args:
        embedded: it is part of a window that shows the engine's state itself.

    Signals:
        open_requested(str, int, object): path, line and page of a file to be opened.
        close_requested: Esc, with nothing left to stop.
        add_folder_requested: there is no folder yet and the person wants to add one.
        showing(str): what is under the line changed: "state", "results", "answer" or "related".
    """

    open_requested = Signal(str, int, object)
    close_requested = Signal()
    add_folder_requested = Signal()
    showing = Signal(str)

    def __init__(self, link: EngineLink, theme: Theme, *, embedded: bool = False) -> None:
        super().__init__()
        self._link = link
        self.embedded = embedded
        self._theme = theme
        self.selected: SelectedText | None = None  # the palette has one
        self.roots: Callable[[], list[str]] = lambda: link.roots
        self.asking: Callable[[], bool] = lambda: self._asking is not None
        self._search: Ticket | None = None
        self._asking: Ticket | None = None
        self._asked_again = False
        self._painted = ""  # the words whose hits are on the screen
        self._read_ahead: Ticket | None = None  # a search that is over but for what it lets the model read
        self.question = QLineEdit()
        self.question.setObjectName("question")
        self.question.setPlaceholderText("Ask your notes, or type to find a passage")
        self.question.setAccessibleName("Question")
        self.question.installEventFilter(self)
        self._glass = QLabel()
        self._chip = label("Offline", "chip")
        self._chip.setToolTip("Offline: nothing leaves this machine")
        self.chips = FilterChips()
        self.following = FollowChip()
        self.pane = StatePane()
        self.results = ResultsView(theme)
        self.card = AnswerCard(theme)
        self.close_by = RelatedView(link, theme)
        self._before: QWidget = self.pane  # what the related passages took the place of
        self.body = QStackedWidget()
        self._foot = label("", "faint")
        self._stop = button("Stop", "quiet", self.stop, "Stop answering")
        self._hints = row(*panel_actions.hints("Back" if embedded else "Close"), spacing=6)
        self._build()
        self._meaning = QTimer(self, singleShot=True, interval=MEANING_AFTER_MS)
        self._notice_over = QTimer(self, singleShot=True, interval=NOTICE_MS)
        self._connect()
        self._look()
        self._refresh()

    def _build(self) -> None:
        line = row(self._glass, self.question, self._chip, spacing=12)
        line.layout().setContentsMargins(20, 16, 20, 16)  # type: ignore[union-attr]
        foot = row(self._foot, None, self._stop, self._hints)
        foot.layout().setContentsMargins(20, 7, 14, 7)  # type: ignore[union-attr]
        foot.setMinimumHeight(38)
        for part in (self.pane, self.results, self.card, self.close_by):
            self.body.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(line)
        layout.addWidget(self.chips)
        follow = QHBoxLayout()  # which takes no room while its one part is hidden
        follow.setContentsMargins(20, 0, 20, 0)
        follow.addWidget(self.following)
        follow.addStretch(1)
        layout.addLayout(follow)
        layout.addWidget(hairline())
        layout.addWidget(self.body, 1)
        layout.addWidget(hairline())
        layout.addWidget(foot)
        self.setFocusProxy(self.question)
        self.action_list = ActionList(self)

    def _connect(self) -> None:
        self.question.textEdited.connect(self._typed)
        self.chips.removed.connect(self._remove)
        self._meaning.timeout.connect(lambda: self._find(meaning=True))
        self._notice_over.timeout.connect(self._refresh)
        for listed in (self.results, self.close_by):
            listed.open_requested.connect(lambda hit: self.open_requested.emit(hit.path, hit.line, hit.page))
        self.close_by.back_requested.connect(lambda: self._show(self._before))
        self.card.related_requested.connect(self.related)
        self.card.open_requested.connect(self.open_requested)
        self.card.copy_requested.connect(self.copy)
        self.card.cloud_requested.connect(self.ask_cloud)
        self.card.again_requested.connect(self.ask_again)
        self.card.shorter_requested.connect(lambda: self.ask_again(shorter=True))
        self.card.follow_requested.connect(self.follow)
        self.following.ended.connect(self.question.setFocus)
        self.card.notice.connect(self.notice)
        self._link.state_changed.connect(self._refresh)
        self._link.reported.connect(self._refresh)
        self._theme.changed.connect(self._look)

    # ---- what the person does ----------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keys that mean something beyond the line itself."""
        if watched is self.question and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return panel_actions.press(self, event)
        return super().eventFilter(watched, event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Whoever leaves does not ask next."""
        super().hideEvent(event)
        self._meaning.stop()
        for ticket in (self._search, self._read_ahead):
            if ticket is not None:
                ticket.cancel()
        self._read_ahead = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The same keys work wherever in the panel the focus is."""
        if event.key() not in (Keys.Key_Return, Keys.Key_Enter) and panel_actions.press(self, event):
            return
        super().keyPressEvent(event)

    def ask(self) -> None:
        """Answer what is typed."""
        self._begin(Ask(self._words(), follows=self.following.number))

    def ask_again(self, *, shorter: bool = False) -> None:
        """Answer it anew, whatever was answered before."""
        self._begin(Ask(self._words(), fresh=True, follows=self.following.number, shorter=shorter))

    def ask_cloud(self) -> None:
        """Answer it once more, with the cloud model: the person has agreed to that for this question."""
        self._begin(Ask(self._words(), consent=True, follows=self.following.number))

    def follow(self) -> None:
        """Let the next question follow the answer that is shown."""
        answered = self.card.answered
        if answered is not None:
            self.following.begin(answered.number, answered.read_as or answered.question)
            self.question.selectAll()
            self.question.setFocus()

    def stop(self) -> None:
        """Stop the answer; what is there stays."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
            self.card.show_stopped()
            self._refresh()

    def escape(self) -> None:
        """Stop what is running, else leave."""
        if self._asking is not None:
            self.stop()
        elif self.body.currentWidget() is self.close_by:
            self._show(self._before)
        elif self.selected is None or not self.selected.stop():
            self.close_requested.emit()

    def open(self) -> None:
        """Open the file at the chosen passage, or at the quote."""
        if (where := self.place()) is not None:
            self.open_requested.emit(*where)

    def related(self) -> None:
        """Show what in other notes is close to the chosen passage, or to the quote."""
        where, shown = self.place(), self.body.currentWidget()
        if where is None or shown is None:
            return
        self._meaning.stop()
        if self._search is not None:
            self._search.cancel()  # what it finds later must not take the place
        self._before = shown if shown is not self.close_by else self._before
        self.close_by.look(where[0], where[1])
        self._show(self.close_by)

    def copy(self) -> None:
        """Put the quote or the chosen passage with its citation on the clipboard."""
        if self.selected is not None and self.body.currentWidget() is self.selected.card:
            self.selected.copy()
            return
        hit = self._hit()
        words = cite(hit.text, hit.title, hit.path, hit.line, hit.page) if hit is not None else None
        if self.body.currentWidget() is self.card:
            words = self.card.citation()
        if words:
            QGuiApplication.clipboard().setText(words)
            self.notice("Copied with its citation.")

    def _hit(self) -> Hit | None:
        """The passage that is chosen in the list that is shown."""
        shown = self.body.currentWidget()
        return shown.chosen() if isinstance(shown, ResultsView | RelatedView) else None

    def place(self) -> tuple[str, int, int | None] | None:
        """Path, line and page of the chosen passage, or of the quote; None where there is neither."""
        if self.body.currentWidget() is self.card:
            return self.card.place()
        hit = self._hit()
        return (hit.path, hit.line, hit.page) if hit is not None else None

    def notice(self, words: str) -> None:
        """Say something in the foot for a few seconds."""
        self._foot.setText(words)
        self._notice_over.start()

    def back(self) -> bool:
        """From an answer back to the passages; False where there is no way back."""
        if self.body.currentWidget() is not self.card:
            return False
        self._typed()
        return True

    # ---- searching ---------------------------------------------------------------------------------------------

    def _typed(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        self._meaning.stop()
        if self._search is not None:
            self._search.cancel()
        if not self._words():
            self._search = None
            self.chips.show_parts([])
            self._show_state()
            return
        self._find(meaning=False)
        self._meaning.start()

    def _find(self, *, meaning: bool) -> None:
        words = self._words()
        if not words:
            return
        if self._search is not None:
            self._search.cancel()
        if self._link.state != "ready":
            self._show_state()

        def found(event: Event) -> None:
            if isinstance(event, Found) and event.stage == "fused":
                self._read_ahead = self._search
            if isinstance(event, Found) and (event.stage == "fused" or self._painted != words):
                self._show_hits(event, words)

        call = Search(words, limit=LIMIT, meaning=meaning, unfinished=True, ahead=meaning)
        self._search = self._link.call(call, found, self._search_failed)

    def search_for(self, words: str) -> None:
        """Look for other words than those that are typed."""
        self.question.setText(words)
        self.question.setFocus()
        self._typed()

    def _remove(self, part: QueryPart) -> None:
        self.search_for(without(self._words(), part))

    def _show_hits(self, found: Found, words: str) -> None:
        refined = self._painted == words
        self._painted = words
        self.chips.show_parts(found.parts)
        if not found.hits:
            if found.stage == "fused" or self.body.currentWidget() is not self.results:
                self.results.show_hits([], words, follow=False)
                self.pane.say("No passage found", "Press Enter to ask anyway, or try other words.")
                self._show(self.pane)
            return
        marked = found.words if found.words or found.parts else words
        self.results.show_hits(found.hits, marked, self._link.roots, follow=refined)
        self._show(self.results)
        if found.note:
            self.notice(found.note)

    def _search_failed(self, problem: Problem) -> None:
        self._painted = ""
        self.pane.say("The search did not work", str(problem), "Try again", self._typed)
        self._show(self.pane)

    # ---- asking ------------------------------------------------------------------------------------------------

    def _begin(self, call: Ask, *, again: bool = False) -> None:
        if not call.question:
            return
        self._asked_again = again
        self._meaning.stop()
        for ticket in (self._search, self._asking):
            if ticket is not None:
                ticket.cancel()
        self._painted = ""
        self.card.roots = self._link.roots
        self.card.clear()
        failed = partial(self._ask_failed, call)
        self._asking = self._link.call(call, self._answering, failed, self._ask_over, self.card.start_again)
        if self._link.state == "ready":
            self._show(self.card)
        else:
            self._show_state()
        self._refresh()

    def _answering(self, event: Event) -> None:
        self._show_card()
        if isinstance(event, Found):
            self.chips.show_parts(event.parts)
        self.card.take(event)

    def _show_card(self) -> None:
        """Turn to the answer, or have it wait behind the related passages that the person looks at meanwhile."""
        if self.body.currentWidget() is self.close_by:
            self._before = self.card
        else:
            self._show(self.card)

    def _ask_failed(self, call: Ask, problem: Problem) -> None:
        self._asking = None
        if problem.kind in ("gone", "engine") and not self._asked_again:
            self._begin(call, again=True)  # once: a question that ends every engine must not be asked for ever
            return
        self.following.refused(call, problem)
        self._show_card()
        self.card.show_problem(problem)
        self._refresh()

    def _ask_over(self) -> None:
        self._asking = None
        self._refresh()

    # ---- what is shown -----------------------------------------------------------------------------------------

    def _words(self) -> str:
        return self.question.text().strip()

    def _refresh(self, *_: object) -> None:
        report = self._link.report
        self._chip.setVisible(report is not None and report.offline)
        self._stop.setVisible(self._asking is not None)
        if not self._notice_over.isActive():
            self._foot.setText("" if self.embedded else state_words(self._link.state, report))
        if self.body.currentWidget() is self.pane and (not self._words() or self._painted != self._words()):
            self._show_state()

    def _show_state(self) -> None:
        if say_state(self.pane, self._link, self.add_folder_requested.emit, typed=bool(self._words())):
            self._show(self.pane)

    def _show(self, part: QWidget) -> None:
        self.body.setCurrentWidget(part)
        names = {self.pane: "state", self.results: "results", self.card: "answer", self.close_by: "related"}
        self.showing.emit(names[part])

    def move_by(self, rows: int) -> None:
        """Move the choice among the passages by so many, or the answer on the screen."""
        shown = self.body.currentWidget()
        if isinstance(shown, AnswerCard):
            bar = shown.verticalScrollBar()
            bar.setValue(bar.value() + rows * 48)
        else:
            (self.close_by if shown is self.close_by else self.results).step(rows)

    def _look(self) -> None:
        self._glass.setPixmap(self._theme.pixmap("ask", "faint", 20))
