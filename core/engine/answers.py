"""The calls about answers and what leaves for them: one `case` each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from core.answering.answer import Answering
from core.answering.history import History
from core.answering.library import Library
from core.answering.memory import Standing
from core.engine import filters
from core.engine.drill import OutageDrill
from core.engine.later import SecondOpinions
from core.errors import BadInput
from core.models.cloud import CloudModel
from core.models.model import ChatModel, Turn
from core.models.route import Route
from core.privacy.ledger import PAGE
from core.privacy.outgoing import Outgoing
from core.privacy.rules import Withheld
from core.protocol import (
    AnswerCall,
    Ask,
    Done,
    Drill,
    EraseHistory,
    EraseLater,
    EraseLedger,
    Event,
    HistoryPage,
    Later,
    LedgerCall,
    LedgerPage,
    Preview,
    Previewed,
    Said,
    ShowHistory,
    ShowLater,
    ShowLedger,
)
from indexer.records import EVERYWHERE, Coverage, Filter
from indexer.worker import Cancellation

ANSWERS_AT_ONCE = 100

Routes = Callable[[Ask, bool], Route]
"""The models of one question, in their order; the second argument cuts the cloud models off."""


class AnswerDesk:
    """Answers questions, and tells what leaves for the answers.

    Args:
        library: the person's notes, or those of them that a question is kept to.
        route: the models of a question.
        outgoing: what stands between the route and the cloud models.
        history: where answers are kept.
        coverage: how much of the person's folders can be found now.
        later: where questions wait for a second opinion; None where there is none.
        standing: what an earlier answer still holds by; None where none is given again.
    """

    def __init__(
        self,
        library: Callable[[Filter], Library],
        route: Routes,
        outgoing: Outgoing,
        history: History,
        coverage: Callable[[], Coverage | None] = lambda: None,
        *,
        later: SecondOpinions | None = None,
        standing: Standing | None = None,
    ) -> None:
        self._route = route
        self._outgoing = outgoing
        self._later = later
        owes = later.owes if later is not None else lambda _ask, _paths, _lent: False

        def answering(notes: Library) -> Answering:
            return Answering(
                notes, lambda ask: route(ask, False), history, self._offer, coverage, owes=owes, standing=standing
            )

        self._from = answering
        self._history = history
        self._library = library
        self._answering = self._from(library(EVERYWHERE))
        cut_off = Answering(library(EVERYWHERE), lambda ask: route(ask, True), None)
        self._drill = OutageDrill(cut_off, history)

    def ahead(self, ask: Ask) -> tuple[ChatModel, Turn] | None:
        """The local model and what it would be asked, where it is the first in the line; None where it would not be.

        Raises:
            Problem: the question cannot be asked.
        """
        first = next(iter(self._route(ask, False).models), None)
        if first is None or first.kind != "local":
            return None
        turn = self._kept_to(filters.chosen(ask)).ahead(ask)
        return (first, turn) if turn is not None else None

    @property
    def tokens_per_s(self) -> float:
        """How fast the local model wrote last, 0 while unknown."""
        return self._answering.pace.per_second

    def handle(self, call: AnswerCall | LedgerCall, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see `core.protocol` for what each yields."""
        match call:
            case Ask(bigger=True) if not self._clouds():
                raise BadInput(
                    "No bigger model is set up.",
                    "Add a cloud model with `offhand providers add`, or choose a larger model file in the settings.",
                )
            case Ask():
                yield from self._kept_to(filters.chosen(call)).answer(call, cancelled)
            case Preview():
                yield from self._preview(call)
            case Drill(questions, most):
                yield from self._drill.run(questions, most, cancelled)
            case ShowLater(seen, most):
                yield self._later.told(seen=seen, most=most) if self._later is not None else Later([], False)
            case ShowHistory():
                yield from self._past(call, cancelled)
            case EraseHistory(number):
                erased = self._history.erase(number)
                words = "1 answer is" if erased == 1 else f"{erased:,} answers are"
                yield Done(f"{words} erased, with what came later to {'it' if erased == 1 else 'them'}.")
            case EraseLater():
                erased = self._later.erase() if self._later is not None else 0
                yield Done(f"{erased:,} second opinions are erased, those that were waited for among them.")
            case ShowLedger():
                yield from self._pages(call, cancelled)
            case EraseLedger():
                erased = self._outgoing.ledger.erase()
                yield Done(f"{erased:,} entries are erased. What was spent still counts towards your budget.")

    def _kept_to(self, chosen: Filter) -> Answering:
        if chosen == EVERYWHERE:
            return self._answering
        narrowed = self._from(self._library(chosen))
        narrowed.pace = self._answering.pace
        return narrowed

    def _preview(self, call: Preview) -> Iterator[Previewed]:
        models = self._clouds()
        if not models:
            yield _nothing("No cloud model is set up; nothing would be sent.")
            return
        desk = self._kept_to(filters.chosen(Ask(call.question)))
        if desk.is_listed(call.question, call.follows):
            yield _nothing("Nothing would be sent: this is answered from the catalog, and no model is asked.")
            return
        prompt = desk.draft(call.question, call.limit, call.follows)
        if prompt is None:
            yield _nothing("Nothing would be sent: your notes do not seem to say this, and no model is asked then.")
            return
        card = self._outgoing.card(consent=call.consent)
        for model in models:
            try:
                passed = card.preview(prompt(model.notes_tokens))
            except Withheld as withheld:
                note = f"Nothing would be sent. {withheld}"
                yield Previewed(model.host, model.name, [], 0, {}, "", [], note)
                continue
            said = [Said(message.role, message.content) for message in passed.prompt.messages]
            size = sum(len(one.content.encode()) for one in said)
            yield Previewed(model.host, model.name, said, size, passed.hidden, passed.why, passed.withheld)

    def _past(self, call: ShowHistory, cancelled: Cancellation) -> Iterator[HistoryPage]:
        before, left = call.before or None, call.most or 2**62
        while not cancelled.requested:
            page = self._history.past(call.words, before, min(ANSWERS_AT_ONCE, left))
            yield HistoryPage(page)
            left -= len(page)
            if len(page) < ANSWERS_AT_ONCE or not left:
                return
            before = page[-1].id

    def _pages(self, call: ShowLedger, cancelled: Cancellation) -> Iterator[LedgerPage]:
        start, before, left = _utc(call.since), call.before or None, call.most or 2**62
        ledger = self._outgoing.ledger
        spent = ledger.spent()
        while not cancelled.requested:
            page = ledger.page(start, before, min(PAGE, left))
            yield LedgerPage(page, *spent)
            left -= len(page)
            if not page or not left:
                return
            before = page[-1].id

    def _offer(self, paths: Sequence[str]) -> str:
        model = next(iter(self._clouds()), None)
        return model.host if model is not None and model.open and self._outgoing.may_offer(paths) else ""

    def _clouds(self) -> list[CloudModel]:
        return [model for model in self._route(Ask(""), False).models if isinstance(model, CloudModel)]


def _nothing(why: str) -> Previewed:
    return Previewed("", "", [], 0, {}, "", [], why)


def _utc(since: str) -> str:
    """A date or time in the person's own zone as the ledger writes it.

    Raises:
        BadInput: it is neither.
    """
    if not since:
        return ""
    try:
        return datetime.fromisoformat(since).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{since!r} is not a date.", "Write it as 2026-11-24, or 2026-11-24T14:30.") from error
