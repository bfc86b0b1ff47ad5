"""The answer to one question: the quote first, the prose under it, the sources, and in the foot how it was made.

It draws events and asks for things by signals; it never calls the engine.
"""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from core.protocol import (
    Answered,
    Event,
    Found,
    Listed,
    Piece,
    Problem,
    Quote,
    Quoted,
    Restart,
    RouteStep,
    Source,
    Step,
    Timings,
)
from ui.citation import Roots, cite, path_within, place, spot
from ui.listed_card import ListedCard
from ui.prose import Prose
from ui.quote_block import QuoteBlock
from ui.state_words import coverage_words, model_name, remembered_words, seconds
from ui.theme import READING_WIDTH, Theme
from ui.widgets import Note, button, clear, label, row

NOT_IN_NOTES = "Your notes do not say it."


class AnswerCard(QScrollArea):
    """One answer, from its first event to its last.

    Signals:
        open_requested(str, int, object): path, line and page of a source the person wants to see.
        cloud_requested: the person agrees to ask the cloud model about this question, once.
        again_requested: the person wants another answer to the same question.
        shorter_requested: they want it in fewer words.
        follow_requested: they want to ask on.
        copy_requested: the person wants the quote with its citation.
        related_requested: the person wants what is close to the quote in other notes.
        notice(str): a sentence for the person.
    """

    open_requested = Signal(str, int, object)
    cloud_requested = Signal()
    again_requested = Signal()
    shorter_requested = Signal()
    follow_requested = Signal()
    copy_requested = Signal()
    related_requested = Signal()
    notice = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.quote: Quote | None = None
        self.answered: Answered | None = None
        self.roots: Roots = ()  # the watched folders, for short paths
        self._sources: list[Source] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self.note = Note()
        self.trouble = Note("trouble")
        self.listing = ListedCard()
        self.missing = label(NOT_IN_NOTES, "heading")
        self.quote_block = QuoteBlock()
        self.prose = Prose(theme)
        self.waiting = label("", "muted")
        self.legend = label("Underlined with dots: not found in your notes.", "faint", wrap=True)
        self.sources_title = label("Sources", "section")
        self.foot = label("", "faint", wrap=True)
        self.ask_cloud = button("Ask the cloud model", "quiet", self.cloud_requested.emit)
        self.try_again = button("Try again", "quiet", self.again_requested.emit)
        self.shorter = button("Shorter", "quiet", self.shorter_requested.emit)
        self.follow = button("Follow up", "quiet", self.follow_requested.emit, "Ask on from here (Shift+Enter)")
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.setWidget(self._body())
        self.listing.open_requested.connect(self.open_requested)
        self.quote_block.open_requested.connect(lambda: self._open(self.place()))
        self.quote_block.copy_requested.connect(self.copy_requested)
        self.quote_block.related_requested.connect(self.related_requested)
        self.prose.view.source_clicked.connect(lambda number: self._open(self._place_of(number)))
        self.prose.view.refused.connect(self.notice)
        self.clear()

    def _body(self) -> QWidget:
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        for part in (
            self.trouble,
            self.note,
            self.listing,
            self.missing,
            self.quote_block,
            self.prose,
            self.waiting,
            self.legend,
        ):
            layout.addWidget(part)
        layout.addSpacing(4)
        layout.addWidget(self.sources_title)
        layout.addLayout(self._list)
        layout.addStretch(1)
        layout.addWidget(row(self.follow, self.ask_cloud, self.try_again, self.shorter, None))
        layout.addWidget(self.foot)
        body.setObjectName("answer")
        body.setMaximumWidth(READING_WIDTH + 40)
        return body

    def clear(self) -> None:
        """Forget the last answer."""
        self.quote, self.answered, self._sources = None, None, []
        for part in (self.missing, self.quote_block, self.legend, self.sources_title, self.foot):
            part.setVisible(False)
        for action in (self.ask_cloud, self.try_again, self.shorter, self.follow):
            action.setVisible(False)
        self.note.say("")
        self.trouble.say("")
        self.listing.clear()
        self.prose.clear()
        clear(self._list)
        self._wait("Looking through your notes…")
        self.verticalScrollBar().setValue(0)

    def show_listed(self, listed: Listed) -> None:
        """The catalog has answered, perhaps that there is nothing."""
        self.listing.show_listed(listed, self.roots)
        self._wait("" if listed.total else "Looking through your notes…")

    def take(self, event: Event) -> None:
        """Show the next part of an answer, as it comes from the engine."""
        match event:
            case Found():
                self.show_found(event)
            case Listed():
                self.show_listed(event)
            case Quoted():
                self.show_quote(event)
            case RouteStep():
                self.show_step(event)
            case Piece() | Restart():
                self.show_piece(event)
            case Answered():
                self.show_answer(event)
            case _:
                pass

    def show_found(self, found: Found) -> None:
        """The passages are there: they are the sources until the answer says which it used."""
        self._show_sources(
            [
                Source(n, h.path, h.title, h.heading, h.line, h.page, h.score, h.text)
                for n, h in enumerate(found.hits, 1)
            ]
        )
        self.note.say(found.note)

    def show_quote(self, quoted: Quoted) -> None:
        """The verbatim answer is there, or it is known that there is none."""
        self.quote = quoted.quote
        self.quote_block.setVisible(quoted.quote is not None)
        self.missing.setVisible(quoted.quote is None and self.listing.listed is None)
        self.sources_title.setText("Sources" if quoted.quote is not None else "The passages that come nearest")
        self._wait("")
        if quoted.quote is not None:
            where = path_within(quoted.quote.path, self.roots)
            self.quote_block.show_quote(quoted.quote, self._title_of(quoted.quote.path), where)

    def show_step(self, event: RouteStep) -> None:
        """A model takes its turn, or its turn ended."""
        step = event.step
        if step.kind in ("quote", "catalog"):
            return
        name = model_name(step.model)
        self.prose.take(event)
        if step.outcome == "asked":
            self._wait(f"{name} goes on…" if self.prose.text.strip() else f"{name} is writing…")
        elif step.outcome != "ok":
            self._wait("")

    def show_piece(self, event: Piece | Restart) -> None:
        """The next words of the prose, or that those to come are a new version."""
        self._wait("")
        self.prose.take(event)

    def show_answer(self, answer: Answered) -> None:
        """The whole answer, with what supports each sentence."""
        self.answered = answer
        if answer.listed is not None:
            self.show_listed(answer.listed)
        self._wait("")
        self._show_sources(answer.sources)
        self.show_quote(Quoted(answer.quote, 0.0))
        seams = {step.start: step.model for step in answer.route if step.start}
        supported = self.prose.finish(answer.answer if answer.sentences else "", answer.sentences, seams)
        self.legend.setVisible(not supported)
        remembered = remembered_words(answer.remembered_at) if answer.remembered_at else ""
        read_as = f"Read as: {answer.read_as}" if answer.read_as else ""
        self.note.say(" ".join(part for part in (read_as, remembered, answer.note) if part))
        written = any(step.kind in ("local", "cloud") for step in answer.route)
        self.try_again.setVisible(written)
        self.shorter.setVisible(written)
        self.follow.setVisible(answer.number > 0)
        covered = f"\nFrom {coverage_words(answer.coverage)}" if answer.coverage else ""
        self.foot.setText(foot_words(answer.route, answer.timings, quoted=answer.quote is not None) + covered)
        self.foot.setVisible(True)
        self.ask_cloud.setVisible(bool(answer.offer))
        self.ask_cloud.setToolTip(f"Sends this question and its passages to {answer.offer}, this once")

    def show_problem(self, problem: Problem) -> None:
        """The question could not be answered to its end; what is there stays."""
        self._wait("")
        self.trouble.say(str(problem))

    def show_stopped(self) -> None:
        """The person stopped it; what is there stays."""
        self._wait("")
        self.foot.setText("Stopped.")
        self.foot.setVisible(True)

    def start_again(self) -> None:
        """The engine died and was asked again: everything comes anew."""
        self.clear()
        self._wait("The engine was started again and is answering…")

    def citation(self) -> str | None:
        """The list, the quote or the best passage, ready to paste."""
        if self.listing.place() is not None:
            return self.listing.text()
        if self.quote is not None:
            quote = self.quote
            return cite(quote.text, self._title_of(quote.path), quote.path, quote.line, quote.page)
        if self._sources:
            best = self._sources[0]
            return cite(best.text, best.title, best.path, best.line, best.page)
        return None

    def place(self) -> tuple[str, int, int | None] | None:
        """Where the first line of the list, the quote, or the best passage stands."""
        if self.listing.place() is not None:
            return self.listing.place()
        best = self.quote or (self._sources[0] if self._sources else None)
        return (best.path, best.line, best.page) if best is not None else None

    def _wait(self, words: str) -> None:
        self.waiting.setText(words)
        self.waiting.setVisible(bool(words))

    def _show_sources(self, sources: list[Source]) -> None:
        if sources == self._sources:
            return
        self._sources = sources
        clear(self._list)
        for source in sources:
            self._list.addWidget(self._source_row(source))
        self.sources_title.setVisible(bool(sources))

    def _source_row(self, source: Source) -> QWidget:
        name = source.title or Path(source.path).stem
        made = button("", "row", lambda: self._open((source.path, source.line, source.page)))
        made.setAccessibleName(f"Source {source.n}: {name}, {place(source.path, source.line, source.page)}")
        made.setToolTip(place(source.path, source.line, source.page))
        number = label(str(source.n), "keycap")
        number.setFixedWidth(24)
        number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        trail = source.heading.removeprefix(f"{name} › ") if source.heading != name else ""
        where = label(f"{path_within(source.path, self.roots)}  ·  {spot(source.line, source.page)}", "faint")
        inner = row(number, label(name), label(trail[:60], "muted"), None, where)
        inner.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(made)
        layout.setContentsMargins(4, 5, 8, 5)
        layout.addWidget(inner)
        made.setMinimumHeight(inner.sizeHint().height() + 10)
        return made

    def _open(self, where: tuple[str, int, int | None] | None) -> None:
        if where is not None:
            self.open_requested.emit(*where)

    def _place_of(self, number: int) -> tuple[str, int, int | None] | None:
        return next(((s.path, s.line, s.page) for s in self._sources if s.n == number), None)

    def _title_of(self, path: str) -> str:
        return next((s.title for s in self._sources if s.path == path and s.title), Path(path).stem)


def foot_words(route: list[Step], timings: Timings, *, quoted: bool = True) -> str:
    """How the answer was made and how long it took, in one quiet line."""
    parts = []
    if timings.quote_ms is not None and quoted:
        parts.append(f"quote {seconds(timings.quote_ms)}")
    if timings.first_token_ms is not None:
        parts.append(f"first word {seconds(timings.first_token_ms)}")
    if timings.total_ms is not None:
        parts.append(f"all {seconds(timings.total_ms)}")
    where = {"local": "on this machine", "cloud": "in the cloud"}
    steps = []
    for step in route:
        if step.kind in ("quote", "catalog"):
            continue
        words = f"{model_name(step.model)} {where[step.kind]}"
        steps.append(words if step.outcome == "ok" else f"{words}: {step.outcome}")
    return "   ·   ".join([" → ".join(steps) or "No model was used", *parts])
