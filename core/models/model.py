"""What every model that writes prose looks like to the rest, wherever it runs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from core.protocol import RouteKind
from indexer.records import Problem
from indexer.worker import Cancellation

Role = Literal["system", "user", "assistant"]


NO_FILE = ""
"""Among the paths of a text that may come from files nobody knows any more: it stays here."""


class Excerpt(Struct, frozen=True):
    """Where a message carries text from notes: its characters `[start:end]`, and the files that text comes from.

    instead, context: as in FromNotes.
    """

    start: int
    end: int
    paths: tuple[str, ...]
    instead: str = ""
    context: str = ""


class Message(Struct, frozen=True):
    """One turn of the conversation that a model is given. All text in it that comes from notes is in `excerpts`."""

    role: Role
    content: str
    excerpts: tuple[Excerpt, ...] = ()


class FromNotes(Struct, frozen=True):
    """Text that comes from notes, with the files it comes from: it is never a bare string on its way to a model.

    instead: what stands in its place where it may not leave. Text that has it only asks: alone, it lets nothing leave.
    context: what it was written from. It may repeat something sensitive from there, without what gave it away there.
    """

    text: str
    paths: tuple[str, ...]
    instead: str = ""
    context: str = ""


def composed(role: Role, *parts: str | FromNotes) -> Message:
    """One message of words of our own and text from notes, which keeps apart which is which."""
    content = ""
    excerpts = []
    for part in parts:
        start = len(content)
        content += part if isinstance(part, str) else part.text
        if isinstance(part, FromNotes):
            excerpts.append(Excerpt(start, len(content), part.paths, part.instead, part.context))
    return Message(role, content, tuple(excerpts))


class Cleared(Struct, frozen=True):
    """A prompt that may leave this machine: without the text of notes that may not, and redacted.

    Only `core.privacy.clearance` makes one (a house rule with a test), and a cloud model takes nothing else.
    `check` is called at the last moment, when the connection stands; it raises if the notes may not leave any more.
    `so_far` are the words of the answer that exist already and may be shown; "" where they may not.
    """

    messages: tuple[Message, ...]
    check: Callable[[], None]
    so_far: str = ""


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


class Uncleared(Struct, frozen=True):
    """What a cloud model would like to be asked.

    host, model: to whom it goes.
    max_tokens: the answer's limit.
    so_far: words of the answer that exist already, with every file that whoever wrote them was given text of: that may
    be more than is in `messages`.
    """

    host: str
    model: str
    messages: Sequence[Message]
    max_tokens: int
    so_far: FromNotes | None = None


class Sender(Protocol):
    """The way out for a cloud model's prompts: `core.privacy.outgoing` clears them and writes down what leaves."""

    def send(self, request: Uncleared, ask: Callable[[Cleared], Iterator[Event]]) -> Iterator[Event]:
        """Clear the prompt as the rules are now, write it down, `ask`, and give back the words as the person may read
        them. Once for each request: one that is tried again is cleared and written down again.

        Raises:
            Problem: nothing may leave, or what `ask` raises.
        """
        ...
