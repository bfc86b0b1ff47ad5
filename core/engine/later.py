"""Answer now, better later: questions that an outage kept from the cloud models are put to them when they are back.

While nothing waits, nothing runs. While something does, one thread sleeps until a cloud model has given an answer, the
settings are others, or a pause is over that grows with each try in vain. What leaves goes the way of every other
question, under the rules of that moment: nobody has agreed to anything.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import structs

from core.answering.answer import Answering, Reply
from core.answering.opinions import Opinions, Waiting, arrived, dropped
from core.errors import BadInput, CloudRefused
from core.models.model import NO_FILE
from core.privacy.outgoing import Outgoing
from core.protocol import Ask, Later, LaterInfo, SecondOpinion, Settings
from indexer.records import FolderRefused, Problem
from indexer.worker import Cancellation, start_thread

log = logging.getLogger(__name__)

NO_LONGER_SAID = "Your notes do not seem to say it any more; no model was asked."
STAYS = "It has words of an earlier question whose notes stay on this machine."
PASSING = ("offline", "keyring", "profile", "rules")  # kinds of problems that pass, besides an outage


class Pauses(NamedTuple):
    """In seconds: from the engine's start to the first try, from an outage to the first, and the longest of all.

    stay: how long the engine goes on for what waits, from its start or the last such question, if nobody else needs it.
    """

    start: float = 5.0
    first: float = 30.0
    longest: float = 900.0
    stay: float = 12 * 3600.0


class SecondOpinions:
    """Keeps asking, for as long as something waits.

    Args:
        opinions: what waits and what came.
        answering: answers a question with the words of cloud models alone, as they may be asked now.
        outgoing: knows which files' text may go to them.
        settings: the person's settings, as they are at each use.
        on_change: called when something has come.
        complete: whether all that can be read of the person's folders is in the index now.
        pauses: between the tries.
    """

    def __init__(
        self,
        opinions: Opinions,
        answering: Callable[[Ask], Answering],
        outgoing: Outgoing,
        settings: Callable[[], Settings],
        *,
        on_change: Callable[[], None] = lambda: None,
        complete: Callable[[], bool] = lambda: True,
        pauses: Pauses = Pauses(),  # noqa: B008  # frozen value
    ) -> None:
        self._opinions = opinions
        self._answering = answering
        self._outgoing = outgoing
        self._settings = settings
        self._on_change = on_change
        self._complete = complete
        self._pauses = pauses
        self._tries: Counter[int] = Counter()
        self._since = time.monotonic()
        self._came: tuple[Waiting, SecondOpinion] | None = None  # what could not be kept yet
        self._changed = threading.Condition()
        self._running = self._sooner = self._more = self._ended = False
        self._asking: Cancellation | None = None

    def owes(self, ask: Ask, paths: Sequence[str], lent: Sequence[str] = ()) -> bool:
        """Whether a question that an outage kept from the cloud models is to wait for them; see `Answering`.

        It waits if they could have been asked: text of at least one of the files might have gone there. Words that
        earlier answers have lent it wait only where all of these answers' files might, without consent.
        """
        if not self._settings().second_opinions or self._outgoing.kept_back(lent, consent=False):
            return False
        return len(self._outgoing.kept_back(paths, consent=ask.consent)) < len(set(paths))

    def queued(self) -> None:
        """One more waits now."""
        with self._changed:
            self._more = True
            self._since = time.monotonic()
            self._run_after(self._pauses.first)

    def start(self) -> None:
        """The engine serves; what waited when the last one ended is asked soon."""
        with self._changed:
            self._run_after(self._pauses.start)

    def answered(self) -> None:
        """A cloud model has answered: try at once. What it answered here is no news: the round goes on by itself, and
        one that fails afterwards is not begun again without a pause."""
        with self._changed:
            if self._asking is None:
                self.wake()

    def wake(self) -> None:
        """The settings are others: try at once, or stop."""
        with self._changed:
            self._sooner = self._may_ask
            if self._asking is not None and not self._may_ask:
                self._asking.cancel()
            self._run_after(self._pauses.first)
            self._changed.notify_all()

    def end(self) -> None:
        """The engine ends; what waits, waits for the next one."""
        with self._changed:
            self._ended = True
            if self._asking is not None:
                self._asking.cancel()
            self._changed.notify_all()

    @property
    def busy(self) -> bool:
        """Whether a cloud model is being asked, or the engine should stay because something waits that may be asked."""
        stays = self._running and time.monotonic() - self._since < self._pauses.stay
        return stays or self._asking is not None

    def info(self) -> LaterInfo:
        """How many wait and how many are new."""
        on = self._settings().second_opinions
        try:
            return LaterInfo(on, *self._opinions.counts())
        except Problem as problem:  # the calls that need the history tell it to the person
            log.info("%s", problem)
            return LaterInfo(on)

    def told(self, *, seen: bool, most: int = 0) -> Later:
        """The newest of them; `seen` and `most` as in `ShowLater`.

        Raises:
            ProfileUnusable: they cannot be read.
        """
        opinions, more = self._opinions.newest(most, seen=seen)
        return Later(opinions, self._settings().second_opinions, more)

    def erase(self) -> int:
        """Forget all of them, take back what is being asked, and return how many there were.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        erased = self._opinions.erase()
        with self._changed:
            if self._asking is not None:
                self._asking.cancel()
        return erased

    @property
    def _may_ask(self) -> bool:
        settings = self._settings()
        wanted = settings.second_opinions and not settings.offline and not self._ended
        return wanted and any(provider.confirmed for provider in settings.providers)

    def _run_after(self, pause: float) -> None:
        if self._may_ask and not self._running:
            self._running = True
            start_thread("second opinions", self._run, pause)

    def _run(self, pause: float) -> None:
        while True:
            with self._changed:
                woken = self._changed.wait_for(lambda: self._sooner or not self._may_ask, pause)
                self._sooner = self._more = False
            nothing_waits = self._round()
            with self._changed:
                if not self._may_ask or (nothing_waits and not self._sooner and not self._more):
                    self._running = False
                    return
            pause = self._pauses.first if woken else min(max(2 * pause, self._pauses.first), self._pauses.longest)

    def _round(self) -> bool:
        """Ask one after the other until one of them fails; returns whether nothing waits any more."""
        try:
            self._keep_what_came()
            while self._may_ask:
                waiting = self._opinions.waiting()
                if not waiting:
                    return True
                # the one with the fewest tries, so that one that always fails does not hold up the others
                one = min(waiting, key=lambda this: (self._tries[this.id], this.id))
                self._tries[one.id] += 1
                if not self._ask(one):
                    return False
        except Problem as problem:
            log.info("second opinions wait: %s", problem)
        return False

    def _ask(self, one: Waiting) -> bool:
        """Ask for one; returns whether it waits no longer."""
        given = one.first.given or [NO_FILE]
        if one.first.read_as and self._outgoing.kept_back(given, consent=False):  # a rule has changed since
            return self._came_to(one, dropped(one, STAYS))
        cancelled = Cancellation()
        with self._changed:
            self._asking = cancelled
        try:
            ask = structs.replace(one.ask, model=True, offline=False, consent=False)
            reply = self._answering(ask).reply(ask, cancelled)
            opinion = self._made(one, reply) if reply is not None else None
        except BadInput as problem:
            opinion = dropped(one, str(problem))
        except FolderRefused as problem:  # the folder that it is kept to was renamed, or is not read yet
            opinion = dropped(one, str(problem)) if self._complete() else None
        finally:
            with self._changed:
                self._asking = None
        if opinion is None:
            return cancelled.requested
        return self._came_to(one, opinion)

    def _came_to(self, one: Waiting, opinion: SecondOpinion) -> bool:
        self._came = one, opinion
        self._keep_what_came()
        return True

    def _keep_what_came(self) -> None:
        """Put the last opinion in its place. It was paid for: where that fails, nothing is asked before it is done."""
        if self._came is not None:
            kept = self._opinions.keep(*self._came)
            self._came = None
            if kept:
                self._on_change()

    def _made(self, one: Waiting, reply: Reply) -> SecondOpinion | None:
        """What came of it, None: it goes on waiting."""
        answered, spoken = reply.answered, reply.spoken
        if answered.quote is None:  # its note is the search's: a part of it was not available
            return dropped(one, NO_LONGER_SAID) if self._complete() and not answered.note else None
        if spoken.by_cloud:
            kept = len(self._outgoing.kept_back([source.path for source in answered.sources], consent=False))
            files = "one of these notes" if kept == 1 else f"{kept} of these notes"
            note = f"The model was not shown {files}: the folder's rule keeps text of it here." if kept else ""
            return arrived(one, answered, spoken.steps[-1].model, note)
        if spoken.outage or not spoken.steps or any(failure.kind in PASSING for failure in spoken.failures):
            return None
        refused = [failure for failure in spoken.failures if isinstance(failure, CloudRefused)]
        return dropped(one, str((refused or spoken.failures)[-1]) if spoken.failures else spoken.note)
