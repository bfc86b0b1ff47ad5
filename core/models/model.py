"""What every model that writes prose looks like to the rest, wherever it runs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from core.protocol import RouteKind
from indexer.records import Problem
from indexer.worker import Cancellation


class Message(Struct, frozen=True):
    """One turn of the conversation that a model is given."""

    role: Literal["system", "user", "assistant"]
    content: str


class Token(Struct, frozen=True, tag=True):
    """The next characters, as they come; never an incomplete one. Empty where a model only shows that it is at work."""

    text: str


class Finished(Struct, frozen=True, tag=True):
    """The model is done: it stopped by itself, or reached the limit. Counts are in tokens, 0 where unknown."""

    reason: Literal["stop", "length"]
    prompt_tokens: int = 0
    tokens: int = 0


class Anew(Struct, frozen=True, tag=True):
    """The model cannot go on from the words so far: its tokens, which follow, are an answer from the beginning."""


class Waiting(Struct, frozen=True, tag=True):
    """Nothing has come from the model for `seconds`. It is told a few times a second, so that others can make ready."""

    seconds: float


Event = Token | Finished | Anew | Waiting


class ModelFailed(Problem):
    """The local model gave no further words: its process died, hung, or is switched off."""

    kind = "model"


Prompt = Callable[[int], Sequence[Message]]
"""Makes the prompt, told how many tokens of the notes the model can make good use of; 0 means the quote alone."""


class Turn(Struct, frozen=True):
    """What a model is asked for.

    prompt: makes the prompt that suits the model.
    max_tokens: the whole answer's limit.
    so_far: words of the answer that others have written; the model goes on from them, in the middle of a word if need
        be, or says `Anew`.
    """

    prompt: Prompt
    max_tokens: int
    so_far: str = ""


class ChatModel(Protocol):
    """A model that can be asked."""

    @property
    def kind(self) -> RouteKind:
        """Where it runs."""
        ...

    @property
    def name(self) -> str:
        """The model's name, for the person."""
        ...

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Event]:
        """Write the next message. An answer is whole only when it ends with `Finished`; it just ends when cancelled.

        Raises:
            Problem: it cannot answer, or cannot go on. Whoever calls knows whether words have come before.
        """
        ...

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        """Do what can be done ahead of `stream` with the same turn, without sending anything anywhere.

        Raises:
            Problem: it could not.
        """
        ...
