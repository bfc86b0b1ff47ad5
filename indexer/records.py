"""The words of the indexer: plain values that cross its borders, and its one error family. Imports nothing heavy."""

from typing import Literal

from msgspec import Struct

FileState = Literal["waiting", "indexed", "skipped", "failed"]
FolderRule = Literal["cloud", "ask", "local"]
"""What may become of a folder's text: it may go to a cloud model; only when the person says so; never."""
STRICTEST: tuple[FolderRule, ...] = ("local", "ask", "cloud")
FactKind = Literal["task", "date", "tag", "link", "heading"]
PartKind = Literal["phrase", "without", "folder", "tag", "file", "after", "before", "spelling"]
CatalogKind = Literal["tasks", "files", "headings", "tags", "links"]
TaskState = Literal["open", "done", "all"]


class Problem(Exception):
    """Something failed in a way a person can understand and act on.

    Args:
        what: one sentence, what failed and what still works.
        next_step: one sentence, what the person can do.

    `kind` is the stable word that travels over the wire and decides exit codes and notices.
    """

    kind = "failed"

    def __init__(self, what: str, next_step: str = "", *, kind: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        if kind is not None:
            self.kind = kind

    def __str__(self) -> str:
        return f"{self.what} {self.next_step}".strip()


class FolderRefused(Problem):
    """A folder cannot be added or removed: it is missing, a file, unreadable, nested, or the profile itself."""

    kind = "folder"


class FolderKnown(FolderRefused):
    """The folder is one of those that are watched already: nothing needs to be done."""

    kind = "known"


class ModelUnusable(Problem):
    """A model file is missing, truncated, or not the model it should be."""

    kind = "model"


class CatalogUnusable(Problem):
    """The profile's database cannot be opened or written: no permission, disk full, damaged."""

    kind = "profile"


class CatalogDamaged(CatalogUnusable):
    """The profile's database cannot be read for what stands in it; it has to give way to a new one."""

    kind = "damaged"


class Folder(Struct, frozen=True):
    """A watched folder. `reachable` is false while its disk or directory is away; its index entries are kept.

    `links`: links that lead out of it are followed.
    """

    id: int
    path: str
    reachable: bool = True
    links: bool = False


class Filter(Struct, frozen=True):
    """What a search looks into; by default everything.

    folder: absolute path of a folder, or of one file; "" for everywhere.
    after, before: the file was modified at this moment or later, and before that one; nanoseconds since 1970.
    within: it stands in folders of all these names, or whose names begin so where none is called that.
    tags: it has all these tags, or some that begin so where none is called that.
    names: its name holds all of these.
    having, lacking: FTS5 expressions; the passage matches each of the first and none of the second.
    """

    folder: str = ""
    after: int | None = None
    before: int | None = None
    within: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    having: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


EVERYWHERE = Filter()
LISTED = 200  # items of an answer from the catalog; it counts all


class Days(Struct, frozen=True):
    """A stretch of the calendar, both ends included; ISO days, "" where it has no end."""

    first: str = ""
    last: str = ""


class CatalogQuery(Struct, frozen=True):
    """What is asked of the catalog, exactly. Each filter's empty value admits everything.

    within: only from these files.
    state: of tasks.  due: only tasks due in it; None with and without a due day.  undated: only those without one.
    changed: files that were last changed in it.
    dated: files that carry a day in it in their name, their properties or a heading; files without any such day, by
        the day they were last changed.
    tag: lower case, without "#"; what is tagged `tag/below` counts.  untagged: only files without any tag.
    words: only files with a passage that has these words, one behind the other.
    name: files with this title or name; headings and links in them.  links_to: files that link to a file of this name.
    suffixes: files whose names end so, ".pdf".
    order: "due" (tasks by their due day, those without one last), "place" (by path and line), "newest" and "oldest"
        (by the time of change).
    limit, skip: how many items, and how many before them are left out.
    """

    kind: CatalogKind
    within: Filter = EVERYWHERE
    state: TaskState = "all"
    due: Days | None = None
    undated: bool = False
    changed: Days | None = None
    dated: Days | None = None
    tag: str = ""
    untagged: bool = False
    words: str = ""
    name: str = ""
    links_to: str = ""
    suffixes: tuple[str, ...] = ()
    order: Literal["due", "place", "newest", "oldest"] = "place"
    limit: int = LISTED
    skip: int = 0


class CatalogItem(Struct, frozen=True):
    """Something the catalog holds, and where it stands.

    text: a task's or heading's words, a file's title, a tag with "#", a link's words.
    heading: the one it stands under, "" where there is none.
    date: a task's due day, a file's day of change (ISO); "" for none.  state: of a task, "open" or "done"; else "".
    count: of a tag, how many files have it; else 0.
    """

    text: str
    path: str
    title: str
    heading: str
    line: int
    date: str = ""
    state: str = ""
    count: int = 0


class QueryPart(Struct, frozen=True):
    """A part of what was typed that is not simply a word: its kind, its value, where it stands (characters).

    phrase: these words, one directly after the other.  without: passages that lack them.  folder, tag, file: files in
    such a folder, with such a tag, of such a name.  after, before: an ISO 8601 day, month or year, itself included.
    spelling: a word that no passage has; the value is looked for in its place.
    """

    kind: PartKind
    value: str
    start: int
    end: int


class Chunk(Struct, frozen=True):
    """A passage of one file.

    `text` equals the file's extracted text at `[start:end]` (characters); lines count from 1, pages from 1 or None.
    `headings` is the trail from the outermost heading to the innermost, joined with " › ".
    """

    ordinal: int
    headings: str
    text: str
    start: int
    end: int
    line: int
    line_end: int
    page: int | None = None


class Fact(Struct, frozen=True):
    """Something the parser read off the structure of a note: a task, a date, a tag, a link or a heading, at a line.

    `text` is what a person reads; `value` is the normalised form (a task's "open" or "done", an ISO date, a tag's
    lower-case name without `#`, a link's target); `due` is a task's ISO date or None.
    """

    kind: FactKind
    text: str
    value: str
    line: int
    due: str | None = None


class Extracted(Struct, frozen=True, tag="extracted"):
    """One file, read: its content hash (BLAKE2b-128 hex of the bytes), title, tags, passages and facts."""

    content_hash: str
    title: str
    tags: list[str]
    chunks: list[Chunk]
    facts: list[Fact]
    characters: int


class Skipped(Struct, frozen=True, tag="skipped"):
    """The file is left out on purpose; `reason` names the rule."""

    reason: str


class Failed(Struct, frozen=True, tag="failed"):
    """The file could not be read; `reason` is one sentence for a person, `content_hash` "" when no byte could be."""

    reason: str
    content_hash: str = ""


class Hit(Struct, frozen=True):
    """A passage that answers a search. `score` is comparable within one result list only."""

    chunk_id: int
    path: str
    title: str
    heading: str
    line: int
    line_end: int
    page: int | None
    start: int
    end: int
    score: float
    text: str


class FileProblem(Struct, frozen=True):
    """A file that is not in the index, and why. `retry_at` as in `FileRecord`."""

    path: str
    state: FileState
    reason: str
    retry_at: int | None = None


class FileRecord(Struct, frozen=True):
    """What became of one file.

    reason: which rule skipped it, or why it could not be read; "" for the others.
    size: bytes, as last seen.
    at: when it came into this state, 0 when that is not known.
    retry_at: when a failed file is read again by itself, None for when it changes. Both in seconds since 1970.
    """

    path: str
    state: FileState
    reason: str
    size: int
    at: int
    retry_at: int | None


class Coverage(Struct, frozen=True):
    """How much of the folders can be found now. `newest` is when the last file came in (seconds since 1970, or 0)."""

    files: int
    indexed: int
    waiting: int
    skipped: int
    failed: int
    newest: int = 0


class Counts(Struct, frozen=True):
    """Where the library stands. `vectors_owed` counts passages without a vector in the vector store yet.

    scans: of those that wait, the scanned documents, which are recognised when all else is read.
    """

    files: int
    indexed: int
    waiting: int
    skipped: int
    failed: int
    chunks: int
    vectors_owed: int
    scans: int = 0


class Finding(Struct, frozen=True):
    """One line of a check-up: what was looked at, whether it is well, what to do, and whether it was repaired."""

    name: str
    ok: bool
    what: str
    next_step: str = ""
    fixed: bool = False
