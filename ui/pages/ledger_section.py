"""What left this machine: every request, its exact words, a copy in a file, and forgetting it."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from core.protocol import Departure, Done, EraseLedger, Event, LedgerPage, Problem, ShowLedger, StatusReport
from ui import ledger_file
from ui.confirmation import confirmed
from ui.engine_link import EngineLink, Ticket
from ui.pages.budget_card import answered_at
from ui.pages.preview_card import message_text, message_view
from ui.row_list import Line, RowList
from ui.state_pane import StatePane
from ui.state_words import when_words
from ui.theme import Theme
from ui.widgets import Elided, Note, button, clear, label, row

AT_ONCE = 100  # entries
LOWEST = 320  # px, of the list
NOTHING = "Every request to a cloud model is written down here, word for word, before it leaves."


class _Writer(QObject):
    """Writes a file on another thread, because a disk may be slow; tells a sentence when it is done."""

    written = Signal(str)
    refused = Signal(str)

    def write(self, path: Path, entries: list[Departure]) -> None:
        QThreadPool.globalInstance().start(partial(self._write, path, entries))

    def _write(self, path: Path, entries: list[Departure]) -> None:
        try:
            ledger_file.write(path, entries)
        except Problem as problem:
            self.refused.emit(str(problem))
        else:
            self.written.emit(f"{len(entries):,} entries are in {path}.")


class LedgerSection(QStackedWidget):
    """The list of requests, and the one that was opened."""

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self._link = link
        self._ticket: Ticket | None = None
        self._seen: object = None
        self._entries: dict[object, Departure] = {}
        self._writer = _Writer(self)
        self.note = Note()
        self.trouble = Note("trouble")
        self.rows = RowList(theme, "Requests that left this machine")
        self.rows.setMinimumHeight(LOWEST)
        self.pane = StatePane()
        self.pane.setMinimumHeight(LOWEST)
        self.export = button("Export…", "quiet", self._choose_file, "Write all of it into a file")
        self.erase = button("Erase all…", "quiet", self._erase, "Forget what left")
        self.back = button("Back to the list", "quiet", self._close)
        self.to = Elided("", "heading")
        self.facts = label("", "muted", wrap=True)
        self._text = QVBoxLayout()
        self._build()
        self._connect()

    def _build(self) -> None:
        whole, one = QWidget(), QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self.note, self.trouble):
            layout.addWidget(part)
        layout.addWidget(self.rows, 1)
        layout.addWidget(self.pane, 1)
        layout.addWidget(row(None, self.export, self.erase))
        inner = QVBoxLayout(one)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        inner.addWidget(row(self.back, None))
        for said in (self.to, self.facts):
            inner.addWidget(said)
        inner.addLayout(self._text, 1)
        self.addWidget(whole)
        self.addWidget(one)
        self.pane.say("Looking at the ledger…")
        self._arrange()

    def _connect(self) -> None:
        self.rows.opened.connect(self._open)
        self.rows.more_wanted.connect(self._fetch_more)
        self._writer.written.connect(self.note.say)
        self._writer.refused.connect(self.trouble.say)
        QShortcut(QKeySequence("Esc"), self, self._close, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def refresh(self, report: StatusReport) -> None:
        """A report says whether anything may have left since."""
        seen = [(info.provider, info.state, answered_at(report, info)) for info in report.providers]
        if seen != self._seen:
            self._seen = seen
            if self.isVisible():
                self.look()

    def showEvent(self, event: QShowEvent) -> None:
        """Something may have left since it was last in view."""
        super().showEvent(event)
        self.look()

    def look(self) -> None:
        """Ask for the newest entries."""
        self._ask(ShowLedger(most=AT_ONCE), append=False)

    def _ask(self, call: ShowLedger, *, append: bool) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket = self._link.call(call, partial(self._heard, append=append), self._failed)

    def _fetch_more(self) -> None:
        last = self.rows.lines.lines[-1].key
        assert isinstance(last, int)
        self._ask(ShowLedger(most=AT_ONCE, before=last), append=True)

    def _heard(self, event: Event, *, append: bool) -> None:
        if not isinstance(event, LedgerPage):
            return
        more = len(event.entries) == AT_ONCE
        lines = [_line(entry) for entry in event.entries]
        if append:
            self._entries |= {entry.id: entry for entry in event.entries}
            self.rows.lines.append(lines, has_more=more)
        else:
            self._entries = {entry.id: entry for entry in event.entries}
            self.rows.lines.replace(lines, has_more=more)
            self.pane.say("Nothing has left this machine", NOTHING)
        self._arrange()

    def _failed(self, problem: Problem) -> None:
        self.rows.lines.replace([])
        self.pane.say("The ledger cannot be shown", str(problem), "Try again", self.look)
        self._arrange()

    def _arrange(self) -> None:
        some = bool(self.rows.lines.lines)
        for part in (self.rows, self.export, self.erase):
            part.setVisible(some)
        self.pane.setVisible(not some)

    def _open(self, key: object) -> None:
        entry = self._entries[key]
        self.to.say(f"To {entry.host}, {entry.model}")
        self.facts.setText("\n".join(fact_lines(entry)))
        clear(self._text)
        text = message_text([(said.role, said.content) for said in entry.messages])
        view = message_view(text, LOWEST)
        self._text.addWidget(view)
        self.setCurrentIndex(1)
        self.back.setFocus()

    def _close(self) -> None:
        if self.currentIndex():
            self.setCurrentIndex(0)
            self.rows.setFocus()

    def _choose_file(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Write what left into a new file", str(Path.home() / "offhand-ledger.jsonl"), "",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )  # fmt: skip
        if chosen:
            self.write_to(Path(chosen))

    def write_to(self, path: Path) -> None:
        """Write all entries, whether they are in view or not, into a new file."""
        entries: list[Departure] = []

        def take(event: Event) -> None:
            if isinstance(event, LedgerPage):
                entries.extend(event.entries)

        self.trouble.say("")
        self.note.say("Writing…")
        self._link.call(ShowLedger(), take, self._not_done, lambda: self._writer.write(path, entries))

    def _erase(self) -> None:
        consequence = "What was said is forgotten for good. What was spent still counts towards your budget."
        if confirmed(self, "Erase the ledger?", "Erase everything that is written down here?", consequence, "Erase"):
            self._link.call(EraseLedger(), self._erased, self._not_done)

    def _erased(self, event: Event) -> None:
        if isinstance(event, Done):
            self.note.say(event.message)
            self.look()

    def _not_done(self, problem: Problem) -> None:
        self.note.say("")
        self.trouble.say(str(problem))


def fact_lines(entry: Departure) -> list[str]:
    """When, why, how much, what was hidden and how it ended, a line each."""
    hidden = ", ".join(f"{count} {kind}" for kind, count in sorted(entry.hidden.items()))
    return [
        f"Sent: {when_words(entry.at)}",
        f"Allowed by: {entry.why}",
        f"Size: {entry.bytes:,} bytes, {entry.tokens:,} tokens with the answer",
        f"Hidden: {hidden or 'nothing had to be'}",
        f"Ended: {'answered' if entry.outcome == 'ok' else entry.outcome or 'under way'}",
    ]


def _line(entry: Departure) -> Line:
    ended = "answered" if entry.outcome == "ok" else entry.outcome.rstrip(".") or "under way"
    tone = "good" if entry.outcome == "ok" else "bad" if entry.outcome else "busy"
    hidden = sum(entry.hidden.values())
    kept = f"  ·  {hidden:,} hidden" if hidden else ""
    detail = f"{entry.bytes:,} bytes{kept}  ·  {entry.why}  ·  {ended}"
    return Line(entry.id, f"{entry.host}, {entry.model}", detail, when_words(entry.at), tone)
