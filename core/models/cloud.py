"""A model behind a provider: asked in a thread of its own under limits of ours, once more where that is worth it, and
left alone while its breaker is open.

The SDKs retry nothing: this is the only loop. A stream that ends without its end mark is a failure, never a short
answer.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing

from msgspec import Struct

from core.errors import BadInput, CloudBusy, CloudCannotGoOn, CloudFailed, CloudResting, CloudTooLong
from core.models import anthropic_service, openai_service
from core.models.access import key_for
from core.models.breaker import Breaker
from core.models.failures import NEXT
from core.models.model import Anew, Cleared, Event, Finished, FromNotes, Sender, Token, Turn, Uncleared, Waiting
from core.models.service import Line, Request, Service, settle
from core.network import Gate, checked_host
from core.protocol import Provider, RouteKind
from indexer.records import Problem
from indexer.worker import Cancellation, start_thread

POLL_SECONDS = 0.02
WAITING_SECONDS = 0.25  # between two `Waiting` of a silent service
NOTES_TOKENS = 1500
ALL_NOTES = 1 << 30  # tokens; no model was given more of the notes
SHRUNK = 0.3  # of the notes, for a model that found them too long
TRIES = 2
TRY_WITHIN = 3.0  # seconds; a service that wants a longer pause is not waited for

SERVICES: dict[str, Service] = {"openai": openai_service.ask, "anthropic": anthropic_service.ask}
GO_ON = ("anthropic",)  # those whose models can be given the beginning of their own answer


class Patience(Struct, frozen=True):
    """How long a provider is waited for, in seconds.

    prepare: until the SDK is loaded; its first import can be slow.
    connect: until the connection stands: name, TCP and TLS. A name server that is silent is no exception.
    first_word: from there to the first word.
    probe: the same, for the question that tries a provider again after a failure.
    stall: between two words.
    total: for all tries together.
    """

    prepare: float = 30.0
    connect: float = 5.0
    first_word: float = 10.0
    probe: float = 3.0
    stall: float = 8.0
    total: float = 60.0


class CloudModel:
    """The ChatModel behind a provider.

    Args:
        provider: where it is and what it speaks.
        key: looks an API key up by its name when it is needed.
        gate: the door to the network.
        breaker: what is known about the provider; it outlives this object.
        sender: what clears each prompt and writes down that it left.
        listed: whether the person still wants this very provider to be asked.
        patience: the time limits.
    """

    kind: RouteKind = "cloud"
    notes_tokens = NOTES_TOKENS

    def __init__(
        self,
        provider: Provider,
        key: Callable[[str], str | None],
        gate: Gate,
        breaker: Breaker,
        sender: Sender,
        *,
        listed: Callable[[], bool] = lambda: True,
        patience: Patience = Patience(),  # noqa: B008  # frozen value
    ) -> None:
        self.name = provider.model
        self._provider = provider
        self._key = key
        self._gate = gate
        self._breaker = breaker
        self._sender = sender
        self._listed = listed
        self._patience = patience

    @property
    def host(self) -> str:
        """To whom its prompts go.

        Raises:
            BadInput: the address cannot be used.
        """
        return checked_host(self._provider.url)

    @property
    def open(self) -> bool:
        """Whether the network door lets its requests pass now."""
        try:
            self._gate.check(self.host)
        except Problem:
            return False
        return True

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Event]:
        """See `ChatModel.stream`. The network is read in a thread of its own, so that a stop never waits for it.

        Raises:
            Offline: the door is closed; nothing was tried.
            CloudResting: the breaker is open; nothing was tried.
            CloudFailed, and its kinds: its key is missing, the service refused, was out of reach, or broke off.
            BadInput: the address cannot be used, or the provider was removed or changed.
            KeyringUnusable: the key cannot be read.
        """
        self._check()
        admitted = self._breaker.admit()
        if admitted == "open":
            words = f"{self._provider.name} was not asked: {self._breaker.words}"
            raise CloudResting(words, "", outage=self._breaker.outage)
        patience = self._patience.probe if admitted == "half-open" else self._patience.first_word
        try:
            yield from self._tries(turn, patience, cancelled)
        except Problem as problem:
            self._breaker.failed(problem)
            raise
        finally:
            if admitted == "half-open":
                self._breaker.let_go()

    def _check(self) -> None:
        if not self._listed():
            what = f"{self._provider.name} was removed or changed since you asked; nothing was sent to it."
            raise BadInput(what, "Ask again.")
        self._gate.check(self.host)

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        """Nothing: whatever could be done ahead would send something."""

    def _tries(self, turn: Turn, first_word: float, cancelled: Cancellation) -> Iterator[Event]:
        host = self.host
        key = key_for(self._provider, self._key) or "none"  # the SDKs want one
        deadline = time.monotonic() + self._patience.total
        notes = NOTES_TOKENS
        so_far = _given(turn) if self._provider.kind in GO_ON else None

        def ask(cleared: Cleared) -> Iterator[Event]:
            request = Request(host, key, self._provider.url, self.name, cleared, turn.max_tokens)
            words = self._once(request, first_word, deadline, cancelled)
            return words if cleared.so_far or not turn.so_far else _begun_anew(words)

        for number in range(1, TRIES + 1):
            said = False
            request = Uncleared(host, self.name, turn.prompt(notes), turn.max_tokens, so_far)
            try:
                for event in self._sender.send(request, ask):
                    said = said or isinstance(event, Token)
                    yield event
                return
            except CloudTooLong:
                if said or number == TRIES:
                    raise
                notes = int(NOTES_TOKENS * SHRUNK)
            except CloudCannotGoOn:
                if said or number == TRIES:
                    raise
                so_far = None
            except CloudBusy as busy:
                in_time = busy.after <= TRY_WITHIN and time.monotonic() + busy.after < deadline
                if said or number == TRIES or not in_time:
                    raise
                yield Waiting(busy.after)
                if cancelled.wait(busy.after):
                    return

    def _once(self, request: Request, first_word: float, deadline: float, cancelled: Cancellation) -> Iterator[Event]:
        """One request, read in a thread; ends it when nobody wants it any more or it takes too long."""
        reading = _Reading(SERVICES[self._provider.kind], self._gate, request, self._patience, self._check)
        thread = start_thread("cloud", reading.run, self._provider.kind)
        limits = _Limits(self._patience, first_word, deadline)
        written = 0
        told = time.monotonic()
        try:
            while not cancelled.requested:
                alive = thread.is_alive()  # looked at first: what it left behind is complete once it is dead
                while reading.inbox:
                    event = reading.inbox.popleft()
                    if isinstance(event, Problem):
                        raise event
                    limits.alive()
                    if isinstance(event, Finished):
                        self._breaker.succeeded()
                    yield event
                    if isinstance(event, Finished):
                        return
                    written += isinstance(event, Token) and bool(event.text)
                    if written == request.max_tokens:
                        self._breaker.succeeded()
                        yield Finished("length", tokens=written)
                        return
                if not alive:
                    raise CloudFailed(f"{request.host} broke off in the middle.", NEXT)
                limits.check(request.host, reading)
                if time.monotonic() - told > WAITING_SECONDS:
                    told = time.monotonic()
                    yield Waiting(limits.silence)
                cancelled.wait(POLL_SECONDS)
        finally:
            reading.unwanted.cancel()


def _given(turn: Turn) -> FromNotes | None:
    """The words so far, as text of every note that the model who wrote them can have been given."""
    if not turn.so_far.strip():
        return None
    paths = {path for message in turn.prompt(ALL_NOTES) for excerpt in message.excerpts for path in excerpt.paths}
    return FromNotes(turn.so_far, tuple(sorted(paths)))


def _begun_anew(words: Iterator[Event]) -> Iterator[Event]:
    """An answer by a model that was not shown the words so far: it begins again with its first word."""
    said = False
    for event in words:
        if isinstance(event, Token) and event.text and not said:
            said = True
            yield Anew()
        yield event


class _Reading:
    """What the thread does and what it leaves behind."""

    def __init__(
        self, service: Service, gate: Gate, request: Request, patience: Patience, may_ask: Callable[[], None]
    ) -> None:
        self.inbox: deque[Token | Finished | Problem] = deque()
        self.unwanted = Cancellation()
        self.line: Line | None = None
        self._service = service
        self._gate = gate
        self._request = request
        self._patience = patience
        self._may_ask = may_ask

    def run(self, interface: str) -> None:
        """Read the whole stream into `inbox`; ends early when nobody wants it any more."""
        try:
            self._read()
        finally:
            settle(interface)

    def _read(self) -> None:
        connect = self._patience.connect
        read = max(self._patience.first_word, self._patience.stall) + 1  # ours come first; this ends the thread
        try:
            with self._gate.client(self._request.base_url, connect=connect, read=read) as http:
                self.line = Line(http, self._request.host, self._check, lambda: self.unwanted.requested)
                with closing(self._service(http, self._request)) as events:  # type: ignore[type-var]
                    for event in events:
                        if self.unwanted.requested:
                            return
                        self.inbox.append(event)
        except Problem as problem:
            self.inbox.append(problem)

    def _check(self) -> None:
        """The last moment at which the prompt can be kept here.

        Raises:
            CloudFailed: nobody waits for its answer any more, and another model may have been asked instead.
            Problem: the door was closed, the provider removed, or the notes may not leave any more.
        """
        if self.unwanted.requested:
            raise CloudFailed(f"{self._request.host} is not asked any more.", NEXT)
        self._may_ask()
        self._request.cleared.check()


class _Limits:
    """The clock of one request. It counts what matters, not bytes: a service can drip those for ever."""

    def __init__(self, patience: Patience, first_word: float, deadline: float) -> None:
        self._patience = patience
        self._first_word = first_word
        self._deadline = deadline
        self._asked_at: float | None = None
        self._stood_at: float | None = None
        self._said = False
        self._last = self._started = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since something came."""
        return time.monotonic() - self._last

    def alive(self) -> None:
        """Something came."""
        self._said = True
        self._last = time.monotonic()

    def check(self, host: str, reading: _Reading) -> None:
        """Compare the clock with the limits.

        Raises:
            CloudFailed: one of them has passed.
        """
        now = time.monotonic()
        if self._asked_at is None and reading.line is not None and reading.line.begun:
            self._asked_at = now
        if self._stood_at is None and reading.line is not None and reading.line.stands:
            self._stood_at = now
        if self._said:
            late, what = now - self._last > self._patience.stall, "stopped in the middle of its answer"
        elif self._stood_at is not None:
            late, what = now - self._stood_at > self._first_word, "did not begin to answer in time"
        elif self._asked_at is not None:
            late, what = now - self._asked_at > self._patience.connect, "could not be reached in time"
        else:
            late, what = now - self._started > self._patience.prepare, "could not be asked in time"
        if late:
            raise CloudFailed(f"{host} {what}.", NEXT)
        if now > self._deadline:
            raise CloudFailed(f"{host} took too long for its answer.", NEXT)
