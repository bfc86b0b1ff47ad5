"""Every message between the front doors and the engine. This file is the contract; it imports plain data only.

A call is answered by a stream of events. Which events a call yields stands in its docstring; a call that cannot be
done raises `indexer.records.Problem` at the caller.
"""

from typing import Literal

from msgspec import Struct, field

from indexer.records import Counts, FileProblem, Finding, Hit, Problem

VERSION = "0.1.0"

RouteKind = Literal["quote", "local", "cloud"]


# ---- plain values ---------------------------------------------------------------------------------------------------


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
    """A sentence of the prose and the number of the source that supports it, or None: not found in the notes."""

    text: str
    source: int | None


class Step(Struct, frozen=True):
    """One stop on the way to the answer. `outcome` is "ok" or a few words that say why it went on to the next."""

    kind: RouteKind
    model: str
    outcome: str


class Timings(Struct, frozen=True):
    """Milliseconds since the question reached the engine; None where that stage was not reached."""

    passages_ms: float | None = None
    quote_ms: float | None = None
    first_token_ms: float | None = None
    total_ms: float | None = None


def _default_ignore() -> list[str]:
    return [".git/", "node_modules/", ".venv/", "__pycache__/", ".ssh/", ".gnupg/", "*.kdbx", "*.pem", ".env"]


class FolderInfo(Struct, frozen=True):
    """A watched folder and where it stands."""

    path: str
    reachable: bool
    files: int
    indexed: int
    waiting: int
    failed: int


class ChildInfo(Struct, frozen=True):
    """One of the engine's child processes. `state` is "ready", "asleep" or "off"."""

    name: str
    state: str
    pid: int | None
    memory: int


class Settings(Struct, frozen=True):
    """Everything a person can change. The engine is the only writer.

    offline: the network door is closed.
    prefer: which model speaks first, "local" or "cloud".
    local_model: path of a GGUF file, "" for the starter model.
    cloud_url: base URL of an OpenAI-compatible service, "" for none.
    cloud_model: the model's name at that service.
    ignore: patterns in .gitignore form, besides each folder's own .gitignore.
    hidden_files: whether names that begin with a dot are indexed too.
    largest_file_mb: files above this many MiB are skipped.
    hotkey: the key combination that opens the palette.
    theme: "system", "light" or "dark".
    idle_minutes: the engine ends after this long with no client.
    threads: processor threads a model may use, 0 for all cores.
    """

    offline: bool = False
    prefer: Literal["local", "cloud"] = "local"
    local_model: str = ""
    cloud_url: str = ""
    cloud_model: str = ""
    ignore: list[str] = field(default_factory=_default_ignore)
    hidden_files: bool = False
    largest_file_mb: int = 50
    hotkey: str = "Ctrl+Alt+Space"
    theme: Literal["system", "light", "dark"] = "system"
    idle_minutes: int = 15
    threads: int = 0


# ---- calls ----------------------------------------------------------------------------------------------------------


class AddFolder(Struct, frozen=True, tag=True):
    """Watch a folder (absolute path) → Folders."""

    path: str


class RemoveFolder(Struct, frozen=True, tag=True):
    """Forget a folder and everything indexed from it; the folder itself is not touched → Folders."""

    path: str


class ListFolders(Struct, frozen=True, tag=True):
    """→ Folders."""


class Index(Struct, frozen=True, tag=True):
    """Look at all folders again. With `wait`: Progress about ten times a second until nothing is owed → Progress+."""

    wait: bool = False


class Retry(Struct, frozen=True, tag=True):
    """Try the failed files again, or just the one at `path` → Progress."""

    path: str = ""


class Search(Struct, frozen=True, tag=True):
    """Find passages → Found(stage="words"), and with `meaning` then Found(stage="fused")."""

    words: str
    limit: int = 10
    meaning: bool = True


class Ask(Struct, frozen=True, tag=True):
    """Answer a question → Found(stage="fused"), Quoted, [RouteStep, Piece*]*, Answered.

    model: let a model write prose under the quote.  offline: close the network door for this question.
    """

    question: str
    model: bool = True
    offline: bool = False
    limit: int = 6


class Status(Struct, frozen=True, tag=True):
    """→ StatusReport."""


class Watch(Struct, frozen=True, tag=True):
    """→ StatusReport now and after each change (at most four a second), until cancelled. Keeps the engine awake."""


class Doctor(Struct, frozen=True, tag=True):
    """Check the whole set-up; with `fix` repair what can be repaired → Checked+."""

    fix: bool = False


class GetSettings(Struct, frozen=True, tag=True):
    """→ CurrentSettings."""


class Configure(Struct, frozen=True, tag=True):
    """Change one setting; `value` is text as a person types it (lists: comma-separated) → CurrentSettings."""

    name: str
    value: str


class SetKey(Struct, frozen=True, tag=True):
    """Put a service's API key into the system keyring → Done."""

    name: str
    key: str


class RemoveKey(Struct, frozen=True, tag=True):
    """Take a key out of the system keyring → Done."""

    name: str


class Shutdown(Struct, frozen=True, tag=True):
    """End the engine → Done. Its shape never changes: a newer client must be able to end an older engine."""


Call = (
    AddFolder
    | RemoveFolder
    | ListFolders
    | Index
    | Retry
    | Search
    | Ask
    | Status
    | Watch
    | Doctor
    | GetSettings
    | Configure
    | SetKey
    | RemoveKey
    | Shutdown
)


# ---- events ---------------------------------------------------------------------------------------------------------


class Folders(Struct, frozen=True, tag=True):
    """All watched folders."""

    folders: list[FolderInfo]


class Progress(Struct, frozen=True, tag=True):
    """How far indexing is. Rates are per second over the last few seconds; `seconds_left` is None when unknown."""

    counts: Counts
    files_per_s: float
    chunks_per_s: float
    seconds_left: float | None
    done: bool


class Found(Struct, frozen=True, tag=True):
    """Passages, best first. `note` says in one sentence when a part of the search was not available."""

    hits: list[Hit]
    stage: Literal["words", "fused"]
    ms: float
    note: str = ""


class Quoted(Struct, frozen=True, tag=True):
    """The verbatim answer, or None: the notes do not say it (as far as can be told)."""

    quote: Quote | None
    ms: float


class RouteStep(Struct, frozen=True, tag=True):
    """A model takes its turn (`outcome` "asked"), or its turn ended. Pieces that follow are its words."""

    step: Step


class Piece(Struct, frozen=True, tag=True):
    """The next words of the prose."""

    text: str


class Answered(Struct, frozen=True, tag=True):
    """The whole answer; also the JSON that `offhand ask --json` prints. `note` is for the person, often empty."""

    question: str
    answer: str
    quote: Quote | None
    sources: list[Source]
    sentences: list[Sentence]
    route: list[Step]
    timings: Timings
    note: str = ""


class StatusReport(Struct, frozen=True, tag=True):
    """The state of everything, for a person and for scripts.

    memory: resident bytes of the engine itself.  model: the local model's name.  model_state: "ready", "asleep",
    "off" or "missing".  cloud: the service's host name, "" when none is set up.  problems: the first hundred.
    """

    version: str
    pid: int
    uptime_s: float
    memory: int
    counts: Counts
    folders: list[FolderInfo]
    problems: list[FileProblem]
    children: list[ChildInfo]
    model: str
    model_state: str
    cloud: str
    offline: bool
    notices: list[str]


class Checked(Struct, frozen=True, tag=True):
    """One finding of the doctor."""

    finding: Finding


class CurrentSettings(Struct, frozen=True, tag=True):
    """All settings as they are now."""

    settings: Settings


class Done(Struct, frozen=True, tag=True):
    """It is done; `message` is a sentence for the person."""

    message: str = ""


Event = (
    Folders | Progress | Found | Quoted | RouteStep | Piece | Answered | StatusReport | Checked | CurrentSettings | Done
)

__all__ = ["Call", "Counts", "Event", "FileProblem", "Finding", "Hit", "Problem"]
