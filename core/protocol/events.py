"""What the engine answers with."""

from typing import Literal

from msgspec import Struct

from core.protocol.settings import Settings
from core.protocol.values import (
    ChildInfo,
    Departure,
    FolderInfo,
    LaterInfo,
    ModelInfo,
    ProviderInfo,
    Quote,
    Said,
    SecondOpinion,
    Sentence,
    Source,
    Step,
    Suggestion,
    Timings,
)
from indexer.records import (
    CatalogItem,
    CatalogKind,
    Counts,
    Coverage,
    FileProblem,
    FileRecord,
    Finding,
    Hit,
    QueryPart,
)


class Folders(Struct, frozen=True, tag=True):
    """All watched folders."""

    folders: list[FolderInfo]


class Files(Struct, frozen=True, tag=True):
    """What became of some files."""

    files: list[FileRecord]


class Explained(Struct, frozen=True, tag=True):
    """Why a path is or is not in the index. `file` is what the ledger has about it, None when it is not there."""

    path: str
    sentence: str
    file: FileRecord | None


class Suggested(Struct, frozen=True, tag=True):
    """Folders that may hold notes, the likeliest first."""

    folders: list[Suggestion]


class Surveyed(Struct, frozen=True, tag=True):
    """What would be indexed of a folder, as far as it was gone through.

    files, bytes: of the files that count.  skipped: how many files of a type that is read will not be, by the reason.
    other: files of types that are not read.  hidden: files and directories that a rule passes over.
    by_words, by_meaning: seconds until all of it is found so, at least and at most; `measured` where they rest on what
    this machine does just now, else on other machines.
    done: it was gone through to its end.
    """

    path: str
    files: int
    bytes: int
    skipped: dict[str, int]
    other: int
    hidden: int
    by_words: tuple[float, float]
    by_meaning: tuple[float, float]
    measured: bool
    done: bool


class Progress(Struct, frozen=True, tag=True):
    """How far indexing is. Rates are per second over the last few seconds; `seconds_left` is None when unknown.

    paused: that work rests, and what ends that, in a sentence; "" while it goes on. It then counts as done.
    """

    counts: Counts
    files_per_s: float
    chunks_per_s: float
    seconds_left: float | None
    done: bool
    paused: str = ""


class Found(Struct, frozen=True, tag=True):
    """Passages, best first. `note` says when a part of the search was not available, and which words were mended.

    words: what was looked for: the text without its filters, misspelt words mended.
    parts: the filters and the mended words, and where each stands in the text as it was sent.
    """

    hits: list[Hit]
    stage: Literal["words", "fused"]
    ms: float
    note: str = ""
    words: str = ""
    parts: list[QueryPart] = []


class Quoted(Struct, frozen=True, tag=True):
    """The verbatim answer, or None: the notes do not say it (as far as can be told)."""

    quote: Quote | None
    ms: float


class Listed(Struct, frozen=True, tag=True):
    """What the catalog holds of something that was asked for: exact, and no model had a part in it.

    title: how it was understood, with the number: "3 open tasks due last week (16–22 November 2026)", or "No open task
    is due last week (…)."  kind: what is listed.  total: how many there are.  items: these, or the first of them.
    counted: the number is what was asked for.  ms: how long it took, in milliseconds.
    """

    title: str
    kind: CatalogKind
    total: int
    items: list[CatalogItem]
    counted: bool = False
    ms: float = 0.0


class RouteStep(Struct, frozen=True, tag=True):
    """A model takes its turn (`outcome` "asked"), or its turn ended. Pieces that follow are its words."""

    step: Step


class Restart(Struct, frozen=True, tag=True):
    """The model whose turn it is cannot go on from the words so far and begins anew. The pieces that follow make a
    second version, which takes the place of the first once it has become the longer one, or whole (see `Draft`)."""


class Piece(Struct, frozen=True, tag=True):
    """The next words of the prose."""

    text: str


class Answered(Struct, frozen=True, tag=True):
    """The whole answer; also the JSON that `offhand ask --json` prints.

    note: for the person, often empty.  coverage: how much of the folders it could rest on.
    offer: the service that could be asked too if the person agrees (`Ask.consent`), "" when there is none to ask.
    remembered_at: when a model wrote it (UTC, ISO 8601), where it is the answer of another time; "" where it is new.
    listed: the answer where code answered from the catalog; an empty list stands above the passages.
    number: its number in the history, 0 where it is not kept there.
    follows: the number of the answer that the question followed, 0 for none.
    read_as: the question as it was completed by the one it follows, "" where it stood by itself.
    given: every file that it may be text of: its own, and those of all the answers that it follows.
    """

    question: str
    answer: str
    quote: Quote | None
    sources: list[Source]
    sentences: list[Sentence]
    route: list[Step]
    timings: Timings
    note: str = ""
    coverage: Coverage | None = None
    offer: str = ""
    remembered_at: str = ""
    listed: Listed | None = None
    number: int = 0
    follows: int = 0
    read_as: str = ""
    given: list[str] = []


class Transformed(Struct, frozen=True, tag=True):
    """What came of a selected text; none of it is said to be in the notes. `note` and `offer` as in Answered."""

    action: str
    text: str
    route: list[Step]
    timings: Timings
    note: str = ""
    offer: str = ""


class PastAnswer(Struct, frozen=True):
    """An answer of the history: its number there, and when it was given (UTC, ISO 8601)."""

    id: int
    at: str
    answered: Answered


class HistoryPage(Struct, frozen=True, tag=True):
    """Some of the answers given so far, newest first."""

    answers: list[PastAnswer]


class Previewed(Struct, frozen=True, tag=True):
    """What one cloud model would be sent, exactly, if it is asked, or why nothing would be.

    host, model: to whom, "" where none would be asked.  messages: the text, empty when nothing would be sent; `note`
    then says why.  bytes: of it, in UTF-8.  hidden: what is redacted, as numbers by kind.  why: the rule or click that
    lets it out.  withheld: files whose text the folders' rules keep here.
    """

    host: str
    model: str
    messages: list[Said]
    bytes: int
    hidden: dict[str, int]
    why: str
    withheld: list[str]
    note: str = ""


class LedgerPage(Struct, frozen=True, tag=True):
    """Some of what left, newest first, and the tokens that count towards the budgets of this day and this month."""

    entries: list[Departure]
    spent_day: int = 0
    spent_month: int = 0


class Drilled(Struct, frozen=True, tag=True):
    """One question of an outage drill.

    answered_by: "local", "quote", "catalog" or "nobody" (the notes do not say it, or it failed: see `note`).
    model: whose words.
    """

    question: str
    answered_by: str
    model: str
    timings: Timings
    note: str = ""


class DrillOver(Struct, frozen=True, tag=True):
    """The drill has ended: how many questions were asked and answered, in one sentence too."""

    asked: int
    answered: int
    message: str


class Later(Struct, frozen=True, tag=True):
    """The second opinions, whether the setting for them is on, and how many more there are."""

    opinions: list[SecondOpinion]
    on: bool
    more: int = 0


class StatusReport(Struct, frozen=True, tag=True):
    """The state of everything, for a person and for scripts.

    memory: resident bytes of the engine itself.  model: the local model's name.  model_state: "ready", "asleep",
    "off", "missing" or "unusable" (its file cannot be loaded).  tokens_per_s: how fast it wrote last, 0 while unknown.
    cloud: the first provider's host name, "" when none is set up.  problems: the first hundred.
    vectors: in words, what keeps the vectors and how it is; "" before it was first looked at.
    paused: why nothing is read or embedded now, in words, "" while work goes on.
    resumed: that work goes on although the machine runs on battery, in words, "" otherwise.
    embedder: the name of the model that searches by meaning.
    """

    version: str
    pid: int
    uptime_s: float
    memory: int
    counts: Counts
    coverage: Coverage
    folders: list[FolderInfo]
    problems: list[FileProblem]
    children: list[ChildInfo]
    model: str
    model_state: str
    cloud: str
    offline: bool
    notices: list[str]
    vectors: str = ""
    paused: str = ""
    resumed: str = ""
    tokens_per_s: float = 0.0
    providers: list[ProviderInfo] = []
    later: LaterInfo = LaterInfo()
    embedder: str = ""


class Checked(Struct, frozen=True, tag=True):
    """One finding of the doctor."""

    finding: Finding


class CurrentSettings(Struct, frozen=True, tag=True):
    """All settings as they are now. `note`: what was found where the changed one points to, "" for most."""

    settings: Settings
    note: str = ""


class Providers(Struct, frozen=True, tag=True):
    """All providers, in the order in which they are asked."""

    providers: list[ProviderInfo]


class Models(Struct, frozen=True, tag=True):
    """The local models, those of the catalogue first, small to large.

    memory: of this machine, in bytes.  free: bytes on the disk where models are kept.  note: what came of the call, in
    a sentence, "" for most.
    """

    models: list[ModelInfo]
    memory: int
    free: int
    note: str = ""


class Done(Struct, frozen=True, tag=True):
    """It is done; `message` is a sentence for the person."""

    message: str = ""


Event = (
    Folders
    | Files
    | Explained
    | Suggested
    | Surveyed
    | Progress
    | Found
    | Quoted
    | Listed
    | RouteStep
    | Restart
    | Piece
    | Answered
    | Transformed
    | HistoryPage
    | Previewed
    | LedgerPage
    | Drilled
    | DrillOver
    | Later
    | StatusReport
    | Checked
    | CurrentSettings
    | Providers
    | Models
    | Done
)
