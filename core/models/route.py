"""The models of one question, in their order. One that cannot begin gives way to the next; one that breaks off in the
middle leaves its words, and the next goes on from them.

While a cloud model is silent the local one makes ready. Nothing is ever asked of two companies at once.
"""

import logging
from collections.abc import Iterator, Sequence

from msgspec import Struct, structs

from core.errors import CloudFailed, CloudRefused
from core.models.model import Anew, ChatModel, Finished, Prompt, Token, Turn, Waiting
from core.protocol import Draft, Piece, Restart, RouteStep, Step
from indexer.records import Problem
from indexer.worker import Cancellation, start_thread

log = logging.getLogger(__name__)

HEDGE_SECONDS = 1.5  # of silence, until the local model begins to read what it may have to answer

_KEPT = "The words so far are kept; the quote stands."


class Spoken(Struct, frozen=True):
    """What came of it. `note` is empty when all went well, otherwise one or two sentences for the person.

    failures: why models could not begin or go on.
    cut: the limit of the answer's length was reached.
    """

    text: str
    steps: list[Step]
    note: str
    failures: tuple[Problem, ...] = ()
    cut: bool = False

    @property
    def by_cloud(self) -> bool:
        """A cloud model has ended the answer."""
        return bool(self.steps) and (self.steps[-1].kind, self.steps[-1].outcome) == ("cloud", "ok")

    @property
    def outage(self) -> bool:
        """An outage kept a cloud model from it, and no other one ended the answer."""
        return not self.by_cloud and any(isinstance(one, CloudFailed) and one.outage for one in self.failures)


class Route:
    """Models in the order in which they are asked."""

    def __init__(self, models: Sequence[ChatModel]) -> None:
        self.models = list(models)

    def speak(
        self, prompt: Prompt, max_tokens: int, cancelled: Cancellation
    ) -> Iterator[RouteStep | Restart | Piece | Spoken]:
        """Let the first model that can answer answer; the last event is `Spoken`.

        Args:
            prompt: makes the prompt that suits a model.
            max_tokens: the answer's limit.
        """
        draft = Draft()
        steps: list[Step] = []
        failures: list[Problem] = []
        cut = False
        for place, model in enumerate(self.models):
            attempt = _Attempt(model, Turn(prompt, max_tokens, draft.text), draft, self._standby(place))
            for event in attempt.events(cancelled):
                draft.take(event)
                yield event
            steps.append(Step(model.kind, model.name, attempt.outcome))
            failures += [attempt.failure] if attempt.failure is not None else []
            yield _told(draft, steps[-1])
            cut = attempt.cut
            if attempt.outcome == "ok" or cancelled.requested:
                break
        starts = {span.turn: span.start for span in reversed(draft.spans)}
        ended = [Step(s.kind, s.model, s.outcome, starts.get(turn)) for turn, s in enumerate(steps)]
        note = "" if cancelled.requested else _note(draft.text, steps, failures)
        yield Spoken(draft.text, ended, note, tuple(failures), cut)

    def _standby(self, place: int) -> ChatModel | None:
        """The local model, where it comes later in the line than the model at `place`."""
        return next((model for model in self.models[place + 1 :] if model.kind == "local"), None)


def _told(draft: Draft, step: Step) -> RouteStep:
    event = RouteStep(step)
    draft.take(event)
    return event


class _Attempt:
    """One model's turn, and how it ended."""

    def __init__(self, model: ChatModel, turn: Turn, draft: Draft, standby: ChatModel | None) -> None:
        self._model = model
        self._turn = turn
        self._draft = draft
        self._hedge = _Hedge(standby)
        self.outcome = ""
        self.failure: Problem | None = None
        self.cut = False

    def events(self, cancelled: Cancellation) -> Iterator[RouteStep | Restart | Piece]:
        """What the doors are told of it; the step that ends it is the caller's to tell."""
        yield RouteStep(Step(self._model.kind, self._model.name, "asked"))
        spoke = False
        begun = bool(self._turn.so_far)
        try:
            for event in self._model.stream(self._turn, cancelled):
                match event:
                    case Finished(reason):
                        self.cut = reason == "length"
                        self.outcome = "ok" if begun else "said nothing"
                        return
                    case Waiting(seconds):
                        if seconds >= HEDGE_SECONDS:
                            self._hedge.begin(structs.replace(self._turn, so_far=self._draft.shown))
                    case Anew():
                        begun = False
                        yield Restart()
                    case Token(text):
                        # White space alone is no beginning, and places in the answer are counted from its first word.
                        words = text if begun else text.lstrip()
                        if words:
                            begun = spoke = True
                            self._hedge.end()
                            yield Piece(words)
            self.outcome = "stopped" if cancelled.requested else "broke off"
        except Problem as problem:
            self.failure = problem
            self.outcome = ("stopped: " if spoke else "") + problem.what.rstrip(".")
        finally:
            self._hedge.end()


class _Hedge:
    """Lets the local model read the prompt while another model is silent; it says nothing before its own turn."""

    def __init__(self, standby: ChatModel | None) -> None:
        self._standby = standby
        self._reading: Cancellation | None = None

    def begin(self, turn: Turn) -> None:
        """Read for `turn`, once."""
        if self._standby is not None and self._reading is None:
            self._reading = Cancellation()
            start_thread("hedge", _prepare, self._standby, turn, self._reading)

    def end(self) -> None:
        """Stop reading; what has been read stays read."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None


def _prepare(model: ChatModel, turn: Turn, cancelled: Cancellation) -> None:
    try:
        model.prepare(turn, cancelled)
    except Problem as problem:
        log.info("%s could not make ready: %s", model.name, problem)


def _note(text: str, steps: list[Step], failures: list[Problem]) -> str:
    """What the person should know: what only they can mend, and that nobody was left to finish."""
    refused = [problem for problem in failures if isinstance(problem, CloudRefused)]
    if steps and steps[-1].outcome == "ok":
        return " ".join(dict.fromkeys(map(str, refused)))
    if text:
        what = failures[-1].what if failures else f"{steps[-1].model} {steps[-1].outcome}."
        return f"{what} {_KEPT}"
    if not steps:
        return "There is no model to write with; the quote is the answer."
    if not failures:
        return f"{steps[-1].model} {steps[-1].outcome}; the quote is the answer."
    return f"{(refused or failures)[-1]} The quote is the answer."
