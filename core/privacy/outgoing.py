"""Between the route and every cloud model: nothing is asked of one but through here, and everything is written down."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from core.models.model import CloudProvider, Finished, Message, Prompt, Token
from core.network import Gate
from core.privacy.budget import Budget, estimate
from core.privacy.clearance import Clearance, Passed
from core.privacy.ledger import Ledger, LedgerUnusable
from core.privacy.redaction import Redactor
from core.privacy.rules import Rules
from core.protocol import RouteKind, Settings
from indexer.records import Problem
from indexer.worker import Cancellation

log = logging.getLogger(__name__)

NOT_SENT = ("offline", "keyring", "input")  # kinds of problems that come before the first byte leaves


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

    def clearance(self, *, consent: bool) -> Clearance:
        """What clears the prompts of one answer card."""
        settings = self._settings()
        redactor = Redactor(settings.private_names, enabled=settings.redact)
        return Clearance(self._rules, redactor, consent=consent)

    def guarded(self, provider: CloudProvider, clearance: Clearance, gate: Gate) -> "GuardedModel":
        """A cloud model as the route may ask it, for one answer card."""
        return GuardedModel(provider, clearance, gate, self.ledger, self._budget)

    def may_offer(self, paths: Sequence[str]) -> bool:
        """Whether a cloud model may be given text of any of these files, at least if the person says so."""
        return any(rule in ("cloud", "ask") for rule in self._rules(paths).values())

    def _budget(self) -> Budget:
        settings = self._settings()
        return Budget(settings.budget_day, settings.budget_month)


class GuardedModel:
    """A cloud model behind clearance, ledger and budget: the only form in which the route gets one.

    Args:
        provider: the service.
        clearance: what may leave; one for the whole answer card, so that its placeholders stay the same.
        gate: the network door as it stands for this question.
        ledger: where the request is written down, before it leaves.
        budget: the limits, as they are at each request.
    """

    kind: RouteKind = "cloud"

    def __init__(
        self,
        provider: CloudProvider,
        clearance: Clearance,
        gate: Gate,
        ledger: Ledger,
        budget: Callable[[], Budget] = Budget,
    ) -> None:
        self.provider = provider
        self.name = provider.name
        self._clearance = clearance
        self._gate = gate
        self._ledger = ledger
        self._budget = budget

    @property
    def open(self) -> bool:
        """Whether the network door lets requests to this model pass now."""
        try:
            self._gate.check(self.provider.host)
        except Problem:
            return False
        return True

    def preview(self, prompt: Prompt) -> Passed:
        """What would be sent, without sending it.

        Raises:
            Withheld: nothing would be.
        """
        return self._clearance.clear(prompt(self.provider.notes_tokens))

    def stream(self, prompt: Prompt, max_tokens: int, cancelled: Cancellation) -> Iterator[Token | Finished]:
        """See `ChatModel.stream`. Each call is one request and one entry in the ledger.

        Raises:
            Offline: the door is closed.
            Withheld: the folders' rules leave nothing to be sent.
            BudgetSpent: it would cost more than the person allows.
            LedgerUnusable: it cannot be written down, and so is not sent.
            Problem: what the service raises.
        """
        host = self.provider.host
        self._gate.check(host)
        passed = self.preview(prompt)
        needed = _tokens(passed.prompt.messages)
        ticket = self._ledger.begin(
            host, self.name, passed.prompt.messages, tokens=needed + max_tokens, hidden=passed.hidden, why=passed.why,
            budget=self._budget(),
        )  # fmt: skip
        restorer = self._clearance.restorer()
        outcome, written = "stopped", 0
        finished: Finished | None = None
        try:
            with closing(self.provider.stream(passed.prompt, max_tokens, cancelled)) as events:  # type: ignore[type-var]
                for event in events:
                    if isinstance(event, Finished):
                        finished = event
                        break
                    written += 1
                    yield from _words(restorer.feed(event.text))
            if finished is not None:
                outcome = "ok"
                needed, written = finished.prompt_tokens or needed, finished.tokens or written
            elif not cancelled.requested:
                outcome = "broke off"
        except Problem as problem:
            outcome = ("not sent: " if problem.kind in NOT_SENT else "") + problem.what
            yield from _words(restorer.rest())
            raise
        finally:
            try:
                self._ledger.end(ticket, outcome, needed + written)
            except LedgerUnusable as problem:
                log.info("%s", problem)
        yield from _words(restorer.rest())
        if finished is not None:
            yield finished


def _words(text: str) -> Iterator[Token]:
    if text:
        yield Token(text)


def _tokens(messages: Sequence[Message]) -> int:
    return sum(estimate(message.content) for message in messages)
