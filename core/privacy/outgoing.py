"""Between every cloud model and the door: nothing is asked of one but through here, and everything is written down."""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing

from core.errors import CloudFailed
from core.models.model import Anew, Cleared, Event, Finished, Message, Token, Uncleared
from core.privacy.budget import Budget, estimate
from core.privacy.clearance import Clearance, Passed
from core.privacy.ledger import Ledger, LedgerUnusable, Ticket
from core.privacy.redaction import Redactor, Restorer
from core.privacy.rules import Rules, shut
from core.protocol import Settings
from indexer.records import Problem

log = logging.getLogger(__name__)


class Outgoing:
    """What all answer cards share: the folders' rules, the settings and the ledger.

    Args:
        rules: the folders' rules.
        settings: the person's settings, as they are at each use.
        ledger: where each request is written down.
    """

    def __init__(self, rules: Rules, settings: Callable[[], Settings], ledger: Ledger) -> None:
        self.ledger = ledger
        self._rules = rules
        self._settings = settings

    def card(
        self, *, consent: bool = False, trial: bool = False, occasion: str = "", rules: Rules | None = None
    ) -> "CardSender":
        """The way out for the prompts of one answer card; see `Clearance` for the arguments.

        Args:
            rules: for prompts that carry no notes but a text of the person's own.
        """
        settings = self._settings()
        redactor = Redactor(settings.private_names, enabled=settings.redact)
        clearance = Clearance(rules or self._rules, redactor, consent=consent, trial=trial, occasion=occasion)
        return CardSender(clearance, self.ledger, self._budget)

    def may_offer(self, paths: Sequence[str]) -> bool:
        """Whether a cloud model may be given text of any of these files, at least if the person says so."""
        return len(self.kept_back(paths, consent=True)) < len(set(paths))

    def kept_back(self, paths: Sequence[str], *, consent: bool) -> list[str]:
        """Those of the files whose text may not go to a cloud model now; `consent` as in `Clearance`."""
        return shut(paths, self._rules, consent=consent)

    def standing(self, paths: Sequence[str], *, consent: bool) -> str:
        """What decides now what a cloud model is shown of these files: their rules, `consent`, and redaction."""
        settings = self._settings()
        names = sorted(settings.private_names) if settings.redact else None
        return f"{sorted(self._rules(sorted(set(paths))).items())} {consent} {names}"

    def _budget(self) -> Budget:
        settings = self._settings()
        return Budget(settings.budget_day, settings.budget_month)


class CardSender:
    """The Sender of one answer card, whichever cloud models it asks, so that its placeholders stay the same.

    Args:
        clearance: what may leave.
        ledger: where each request is written down, before it leaves.
        budget: the limits, as they are at each request.
    """

    def __init__(self, clearance: Clearance, ledger: Ledger, budget: Callable[[], Budget] = Budget) -> None:
        self._clearance = clearance
        self._ledger = ledger
        self._budget = budget

    def preview(self, messages: Sequence[Message]) -> Passed:
        """What would be sent, without sending it.

        Raises:
            Withheld: nothing would be.
        """
        return self._clearance.clear(messages)

    def send(self, request: Uncleared, ask: Callable[[Cleared], Iterator[Event]]) -> Iterator[Event]:
        """See `Sender.send`.

        Raises:
            Withheld: the folders' rules leave nothing to be sent.
            BudgetSpent: it would cost more than the person allows.
            LedgerUnusable: it cannot be written down, and so is not sent.
            Problem: what `ask` raises.
        """
        passed = self._clearance.clear(request.messages, request.so_far)
        said = list(passed.prompt.messages)
        if passed.prompt.so_far:
            said.append(Message("assistant", passed.prompt.so_far))
        asked = sum(estimate(message.content) for message in said)
        ticket = self._ledger.begin(
            request.host,
            request.model,
            said,
            tokens=asked + request.max_tokens,
            hidden=passed.hidden,
            why=passed.why,
            budget=self._budget(),
        )
        outcome, answered = "stopped", 0  # words that end without an end mark and without a problem were stopped
        finished: Finished | None = None
        try:
            with closing(_restored(ask(passed.prompt), self._clearance.restorer())) as events:
                for event in events:
                    if isinstance(event, Finished):
                        finished, outcome = event, "ok"
                        asked, answered = event.prompt_tokens or asked, event.tokens or answered
                        break
                    answered += isinstance(event, Token)
                    yield event
        except Problem as problem:
            # What is no failure of the service is a refusal of ours, and comes before the first byte leaves.
            refused = not isinstance(problem, CloudFailed) and not answered
            outcome = f"not sent: {problem.what}" if refused else problem.what
            raise
        finally:
            self._end(ticket, outcome, asked + answered)
        if finished is not None:
            yield finished

    def _end(self, ticket: Ticket, outcome: str, tokens: int) -> None:
        try:
            self._ledger.end(ticket, outcome, tokens)
        except LedgerUnusable as problem:  # that it left is written down; the answer need not suffer
            log.info("%s", problem)


def _restored(events: Iterator[Event], restorer: Restorer) -> Generator[Event, None, None]:
    """The events with the originals in the place of the placeholders."""
    try:
        for event in events:
            if isinstance(event, Token):
                text = restorer.feed(event.text)
                if text or not event.text:
                    yield Token(text)
                continue
            if isinstance(event, Finished):
                yield from _rest(restorer)
            if isinstance(event, Anew):
                restorer.forget()
            yield event
    except Problem:
        yield from _rest(restorer)
        raise
    yield from _rest(restorer)


def _rest(restorer: Restorer) -> Iterator[Token]:
    held = restorer.rest()
    if held:
        yield Token(held)
