"""The models of one question, in their order: the next in line speaks when one cannot begin.

A model that breaks off in the middle is not replaced: its words stay, and the end is marked.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from core.models.model import ChatModel, Finished, Prompt
from core.protocol import Piece, RouteStep, Step
from indexer.records import Problem
from indexer.worker import Cancellation

_KEPT = "The words so far are kept; the quote stands."


class Spoken(Struct, frozen=True):
    """What came of it. `note` is empty when all went well, otherwise one or two sentences for the person."""

    text: str
    steps: list[Step]
    note: str


class Route:
    """Models in the order in which they are asked."""

    def __init__(self, models: Sequence[ChatModel]) -> None:
        self.models = list(models)

    def speak(self, prompt: Prompt, max_tokens: int, cancelled: Cancellation) -> Iterator[RouteStep | Piece | Spoken]:
        """Let the first model that can answer answer; the last event is `Spoken`.

        Args:
            prompt: makes the prompt that suits a model.
            max_tokens: the answer's limit.
        """
        steps: list[Step] = []
        failures: list[Problem] = []
        for model in self.models:
            yield RouteStep(Step(model.kind, model.name, "asked"))
            text = ""
            outcome = note = ""
            try:
                for event in model.stream(prompt, max_tokens, cancelled):
                    if isinstance(event, Finished):
                        outcome = "ok" if text.strip() else "said nothing"
                        break
                    text += event.text
                    yield Piece(event.text)
                else:
                    outcome = "stopped" if cancelled.requested else "broke off"
                    note = "" if cancelled.requested else f"{model.name} broke off. {_KEPT}"
            except Problem as problem:
                failures.append(problem)
                outcome = ("stopped: " if text.strip() else "") + problem.what.rstrip(".")
                note = f"{problem.what} {_KEPT}" if text.strip() else ""
            step = Step(model.kind, model.name, outcome)
            steps.append(step)
            yield RouteStep(step)
            if text.strip() or cancelled.requested:
                yield Spoken(text, steps, note)
                return
        yield Spoken("", steps, _nobody(steps, failures))


def _nobody(steps: list[Step], failures: list[Problem]) -> str:
    if not steps:
        return "There is no model to write with; the quote is the answer."
    if not failures:
        return f"{steps[-1].model} {steps[-1].outcome}; the quote is the answer."
    return f"{failures[-1]} The quote is the answer."
