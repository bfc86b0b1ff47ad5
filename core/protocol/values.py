"""The plain values inside calls and events."""

from typing import Literal

from msgspec import Struct

from core.protocol.settings import Provider
from indexer.records import FolderRule

RouteKind = Literal["quote", "local", "cloud", "catalog"]


class Quote(Struct, frozen=True):
    """Verbatim sentences of a source: `text` equals the source's extracted text at `[start:end]` (characters)."""

    text: str
    path: str
    line: int
    page: int | None
    start: int
    end: int


class Source(Struct, frozen=True):
    """A passage the answer rests on, numbered from 1 in the order shown."""

    n: int
    path: str
    title: str
    heading: str
    line: int
    page: int | None
    score: float
    text: str


class Sentence(Struct, frozen=True):
    """A sentence of the prose and the number of the source that supports it, or None: not found in the notes.

    foreign: of such a sentence, the numbers, dates and names that stand in none of the sources, as it has them.
    """

    text: str
    source: int | None
    foreign: list[str] = []


class Step(Struct, frozen=True):
    """One stop on the way to the answer. `outcome` is "ok" or a few words that say why it went on to the next.

    start: in a whole answer, where in its text this model's words begin (characters); None when none of them are in it.
    """

    kind: RouteKind
    model: str
    outcome: str
    start: int | None = None


class Timings(Struct, frozen=True):
    """Milliseconds since the question reached the engine; None where that stage was not reached."""

    passages_ms: float | None = None
    quote_ms: float | None = None
    first_token_ms: float | None = None
    total_ms: float | None = None


class ProviderInfo(Struct, frozen=True):
    """A provider and where it stands.

    state: "ready", "resting" (it failed lately and is left alone for a while), "trying" (one question is trying it
        again), "blocked" (it refuses, or lacks its key, until the person changes something) or "offline" (the network
        door is closed, and it is not on this machine).
    words: the same as a sentence for the person.
    answered_s: seconds since it last gave a whole answer, None when it has not since the engine started.
    """

    provider: Provider
    state: Literal["ready", "resting", "trying", "blocked", "offline"]
    words: str
    answered_s: float | None = None


class ModelInfo(Struct, frozen=True):
    """A local model and where it stands.

    good_for, licence: in a few words, "" where they are not known.  size, memory: bytes of its file, and of RAM that it
    needs.  context: tokens it was trained for, 0 where that is not known.  path: its file, "" while it is not here.
    state: "in use"; "here"; being fetched ("running", "checking" at the end, "paused", "failed"); or "available".
    fits: this machine has the memory.  own: the file lies elsewhere and is the person's own.  stays: it came with
    Offhand and cannot be removed.
    done, rate, seconds_left: bytes that have come, bytes a second, None while it is not known how long.
    note: why it rests or failed.
    reading, writing: tokens a second on this machine, 0 where nothing is known; `measured` at answers, else estimated
    by size from a model that was.  wait: seconds that a usual answer takes by that, None where nothing is known.
    """

    name: str
    size: int
    state: Literal["in use", "here", "running", "checking", "paused", "failed", "available"]
    good_for: str = ""
    licence: str = ""
    memory: int = 0
    context: int = 0
    path: str = ""
    fits: bool = True
    own: bool = False
    done: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    note: str = ""
    reading: float = 0.0
    writing: float = 0.0
    measured: bool = False
    wait: float | None = None
    stays: bool = False


class FolderInfo(Struct, frozen=True):
    """A watched folder and where it stands. `links`: what links in it lead to outside is read too."""

    path: str
    reachable: bool
    files: int
    indexed: int
    waiting: int
    failed: int
    skipped: int = 0
    links: bool = False
    rule: FolderRule = "ask"


class Said(Struct, frozen=True):
    """One message of a request, exactly as it is sent."""

    role: str
    content: str


class Departure(Struct, frozen=True):
    """A request that left this machine, or was about to.

    at: when, UTC, ISO 8601.  host, model: to whom.  messages: the exact text.  bytes: of that text in UTF-8.
    tokens: of request and answer; an estimate where the service does not say.  hidden: what was redacted, as numbers
    by kind, never the values.  why: the rule or the click that let it out.  outcome: "ok" or what went wrong, "" while
    it is under way (or when nobody lived to write its end).
    """

    id: int
    at: str
    host: str
    model: str
    messages: list[Said]
    bytes: int
    tokens: int
    hidden: dict[str, int]
    why: str
    outcome: str


class Difference(Struct, frozen=True):
    """How a later answer differs from the first one, in whole sentences: said by both, only now, only then.

    verdict: the same in a word; "adds" and "leaves out" where nothing else is different.
    """

    verdict: Literal["agrees", "adds", "leaves out", "differs"]
    both: list[str]
    now: list[str]
    then: list[str]


class SecondOpinion(Struct, frozen=True):
    """A question that an outage kept from the cloud models, and what one of them said when it was back.

    question, asked_at, first: what was asked, when (UTC, ISO 8601), and how it was answered then.
    state: "waiting"; "arrived"; or "dropped": no model was asked, or none answered, and `note` says why.
    at: when it arrived or was dropped, as `asked_at`.
    answer, model, sentences, sources: what was said, by which model, and what it rests on.
    new: nobody has looked at it yet.
    """

    question: str
    asked_at: str
    first: str
    state: Literal["waiting", "arrived", "dropped"]
    at: str = ""
    answer: str = ""
    model: str = ""
    sentences: list[Sentence] = []
    sources: list[Source] = []
    difference: Difference | None = None
    note: str = ""
    new: bool = False


class LaterInfo(Struct, frozen=True):
    """Second opinions at a glance: whether they are asked for, how many questions wait, how many opinions are new."""

    on: bool = False
    waiting: int = 0
    new: int = 0


class ChildInfo(Struct, frozen=True):
    """One of the engine's child processes. `state` is "ready", "asleep" or "off"."""

    name: str
    state: str
    pid: int | None
    memory: int


class Suggestion(Struct, frozen=True):
    """A folder that may hold notes. `vault`: an app for notes keeps them there."""

    path: str
    vault: bool
