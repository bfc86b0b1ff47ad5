"""The local model as the engine sees it: a ChatModel at the other end of the line to the llm child."""

from collections.abc import Callable, Iterator
from contextlib import closing

from core.models.llama import Call, Event, Generate, Ready, Warm
from core.models.model import Finished, ModelFailed, Token, Turn
from core.models.speed import Meter, Speed
from core.protocol import RouteKind
from indexer.child import Child, ChildOff
from indexer.worker import Cancellation, Gone, Overdue

LOAD_SECONDS = 120.0
SILENCE_SECONDS = 30.0
OWN_TOKENS = 120  # of a prompt, about: instructions, marks and the question
NOTES_TOKENS = 380  # while it is not known how fast the model reads
# A few sizes, not any: one that changes with each measure changes the sentences too, and what was read ahead is lost.
SIZES = (100, 180, 260, 380, 560, 820)
SMALL = 300_000_000  # parameters; the 135M starter model gets lost in several passages and is given the quote alone


class LocalModel:
    """The ChatModel that lives in the llm child.

    Args:
        child: the supervised process.
        name: the model's name, for the person.
        measured: told after each call how fast it was.
        notes_tokens: how much of the notes it is given, unless it is a small one, see `fitting`.
    """

    kind: RouteKind = "local"

    def __init__(
        self,
        child: Child[Call, Event],
        name: str,
        measured: Callable[[Speed], None] = lambda _: None,
        *,
        notes_tokens: int = NOTES_TOKENS,
    ) -> None:
        self._child = child
        self._measured = measured
        self.name = name
        self._notes_tokens = notes_tokens

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Token | Finished]:
        """See `ChatModel.stream`."""
        yield from self._ask(turn, cancelled, only_read=False)

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        """Load the model and read the prompt: what it has read it does not read again, stopped in between or not."""
        for _ in self._ask(turn, cancelled, only_read=True):
            pass

    def _ask(self, turn: Turn, cancelled: Cancellation, *, only_read: bool) -> Iterator[Token | Finished]:
        meter = Meter()
        try:
            ready = self._child.ask(Warm(), patience=LOAD_SECONDS)
            assert isinstance(ready, Ready)
            messages = list(turn.prompt(self._notes_tokens if ready.parameters > SMALL else 0))
            call = Generate(messages, turn.max_tokens, turn.so_far, only_read)
            with closing(self._child.call(call, patience=SILENCE_SECONDS, cancelled=cancelled)) as events:
                for event in events:
                    meter.take(event)
                    if cancelled.requested:
                        return
                    if isinstance(event, Token | Finished):
                        yield event
        except ChildOff as off:
            raise ModelFailed(off.what, off.next_step) from off
        except Gone as gone:
            next_step = "It starts again with the next question."
            raise ModelFailed("The local model ended unexpectedly.", next_step) from gone
        except Overdue as overdue:
            next_step = "Ask again, or choose a smaller model."
            raise ModelFailed("The local model did not answer in time.", next_step) from overdue
        finally:
            self._measured(meter.speed)


def fitting(rate: float, seconds: float) -> int:
    """How many tokens of the notes a model is given: the largest of `SIZES` that it reads within the time beside the
    rest of the prompt, the smallest where there is none.

    Args:
        rate: tokens read in a second, 0 where it is not known.
        seconds: until the first word.
    """
    if not rate:
        return NOTES_TOKENS
    room = rate * seconds - OWN_TOKENS
    return max((size for size in SIZES if size <= room), default=SIZES[0])
