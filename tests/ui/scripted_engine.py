"""An engine that plays a script: the real protocol, socket and token, and answers known beforehand.

It stands in for the engine where a test needs an exact moment (an engine that is silent, dies, finds nothing), which
the real one cannot be asked for. Tests that need no such moment use the real engine.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Listener
from pathlib import Path
from textwrap import dedent

import msgspec
from scripted_pages import Pages, ledger_page

from core.paths import Profile, build_id
from core.protocol import (
    AddFolder,
    Answered,
    Ask,
    Call,
    Checked,
    ChildInfo,
    Configure,
    Counts,
    Coverage,
    CurrentSettings,
    Departure,
    Difference,
    Doctor,
    Done,
    EraseLater,
    EraseLedger,
    Event,
    Explain,
    Explained,
    FileProblem,
    FileRecord,
    Files,
    Finding,
    FolderInfo,
    Folders,
    Found,
    GetSettings,
    Hit,
    Index,
    Later,
    ListFiles,
    ListFolders,
    Piece,
    Problem,
    Progress,
    Quote,
    Quoted,
    Related,
    RemoveFolder,
    Retry,
    RouteKind,
    RouteStep,
    Said,
    Search,
    SecondOpinion,
    Sentence,
    SetRule,
    Settings,
    ShowLater,
    ShowLedger,
    Source,
    Status,
    StatusReport,
    Step,
    Suggest,
    Suggested,
    Suggestion,
    Survey,
    Surveyed,
    Timings,
    Transform,
    Transformed,
    UseModel,
    Watch,
)
from core.settings import _parse
from indexer.query import parse
from indexer.worker import Cancellation, Hello, Host, start_thread

NOTES = Path("/home/mara/Notes")

PASSAGES = """
house/roof.md | Roof | Roof › Decision | 31 |
    We decided on clay tiles, not slate: slate is 40 % dearer and the scaffolding would have to stay two
    weeks longer. Lindqvist & Sons start on 14 April; the deposit of 2,400 euros is due when the
    scaffolding stands.

meetings/2026-03-02-roofer.md | Roofer on site | Roofer on site › Notes | 12 |
    Lindqvist looked at the roof and the chimney flashing. Two rafters on the north side are soft and
    must be replaced before the tiles go on. He will send the offer for clay tiles by Friday.

house/budget.csv | budget |  | 9 |
    Roof, clay tiles, 11,850, Lindqvist & Sons, April 2026. Rafters, 1,300, Lindqvist & Sons, April
    2026.

house/survey-2025.pdf | Building survey 2025 | 3 Roof and loft | 4 | 7
    The roof covering is original (1974) and near the end of its life. Slipped tiles were seen above the
    bathroom. Recovering the roof within two years is recommended.

projects/loft-room.md | Loft room | Loft room › Order of work | 18 |
    - [ ] Roof first, then insulation, then the window
    - [ ] Ask the council whether the roof window needs consent

journal/2026-03-14.md | 14 March 2026 |  | 3 |
    Rain again, and the bucket in the loft was full by noon. The roof cannot wait until summer.

reading/how-buildings-learn.md | How Buildings Learn | How Buildings Learn › Roofs | 44 |
    Brand: the question is not whether a roof will leak but when, and whether the leak can be seen and
    reached.

inbox.txt | inbox |  | 27 |
    call Lindqvist about the roof, ask whether the skip can stand in the lane
"""

PROSE = [
    Sentence("You chose clay tiles: slate would cost 40 % more and keep the scaffolding up two weeks longer.", 1),
    Sentence("Lindqvist & Sons begin on 14 April, once two soft rafters on the north side are replaced.", 2),
    Sentence("The tiles come with a guarantee of thirty years.", None),
]  # fmt: skip


def hits() -> list[Hit]:
    """The passages as a search finds them."""
    found = []
    for number, entry in enumerate(PASSAGES.strip().split("\n\n")):
        head, body = entry.split("\n", 1)
        path, title, heading, line, page = (part.strip() for part in head.split("|"))
        # in prose a line break is a space; the list keeps its lines
        text = dedent(body) if "- [" in body else " ".join(body.split())
        found.append(
            Hit(
                number, str(NOTES / path), title, heading, int(line), int(line) + 2, int(page) if page else None,
                0, len(text), 1 - number / 20, text,
            )
        )  # fmt: skip
    return found


def sources(count: int = 4) -> list[Source]:
    """The passages as an answer cites them."""
    return [
        Source(n, h.path, h.title, h.heading, h.line, h.page, h.score, h.text) for n, h in enumerate(hits()[:count], 1)
    ]


QUOTE = Quote(hits()[0].text.split(" Lindqvist")[0], str(NOTES / "house/roof.md"), 31, None, 0, 113)

COUNTS = Counts(files=214, indexed=211, waiting=0, skipped=1, failed=2, chunks=3168, vectors_owed=0)

REPORT = StatusReport(
    version="0.1.0",
    pid=4711,
    uptime_s=5400.0,
    memory=71_000_000,
    counts=COUNTS,
    coverage=Coverage(files=214, indexed=211, waiting=0, skipped=1, failed=2),
    folders=[
        FolderInfo(str(NOTES), True, 198, 196, 0, 2),
        FolderInfo("/home/mara/Documents/House", True, 16, 15, 0, 0, 1),
    ],
    problems=[
        FileProblem(str(NOTES / "house/offer-scan.pdf"), "failed", "It holds pictures of pages, no text."),
        FileProblem(str(NOTES / "meetings/old.docx"), "failed", "The file is damaged: it ends in the middle."),
        FileProblem("/home/mara/Documents/House/plans.iso", "skipped", "Larger than 50 MB."),
    ],
    children=[
        ChildInfo("semantics", "ready", 4720, 212_000_000),
        ChildInfo("llm", "ready", 4731, 348_000_000),
        ChildInfo("extractors", "asleep", None, 0),
    ],
    model="SmolLM2-135M-Instruct.Q4_1.gguf",
    model_state="ready",
    cloud="",
    offline=False,
    notices=[],
)

LEDGER = [
    FileRecord(str(NOTES / "house/roof.md"), "indexed", "", 900, 1_700_000_000, None),
    FileRecord(str(NOTES / "meetings/old.docx"), "failed", "The file is damaged.", 9, 1_700_000_000, 1_900_000_000),
]

FINDINGS = [
    Finding("Profile", True, "The profile can be written."),
    Finding("Catalog", True, "The catalog is sound: 3,168 passages."),
    Finding("Vectors", False, "Twelve passages have no vector.", "Repair makes them anew; it takes a few seconds."),
    Finding("Model", True, "SmolLM2-135M-Instruct is complete."),
]


DEPARTURE = Departure(
    7, "2026-03-14T09:30:00Z", "api.example.org", "big", [Said("system", "Answer."), Said("user", "Ask [NAME-1]")],
    19, 64, {"name": 1}, "you agreed, for this question", "ok",
)  # fmt: skip


OPINION = SecondOpinion(
    "Clay or slate?", "2026-03-14T09:30:00Z", "You chose clay tiles.", "arrived", "2026-03-14T10:00:00Z",
    "You chose clay tiles. Slate is dearer.", "big",
    [Sentence("You chose clay tiles.", 1), Sentence("Slate is dearer.", None)], [],
    Difference("adds", ["You chose clay tiles."], ["Slate is dearer."], []), new=True,
)  # fmt: skip


TRANSFORMED = "The roof gets clay tiles in April."

SUGGESTED = [
    Suggestion(str(NOTES), vault=True), Suggestion("/home/mara/Dropbox/Journal", vault=False),
    Suggestion("/home/mara/Documents", vault=False),
]  # fmt: skip


def survey(path: str) -> Surveyed:
    """What would be indexed of a folder: the longer its path, the more."""
    count = 40 * len(path)
    skipped = {"larger than the limit of 50 MB": 2} if "Documents" in path else {}
    return Surveyed(path, count, count * 9_000, skipped, count // 3, 1, (1, count / 20), (20, count / 2), False, True)


@dataclass
class Script:
    """What the engine says and how; a test changes it while it runs."""

    report: StatusReport = REPORT
    settings: Settings = field(default_factory=Settings)
    hits: list[Hit] = field(default_factory=hits)
    quote: Quote | None = QUOTE
    sentences: list[Sentence] = field(default_factory=lambda: list(PROSE))
    note: str = ""
    pause: float = 0.0  # seconds between two pieces of prose
    silent: bool = False  # an asked question is not answered until cancelled
    reads_on: bool = False  # a search that lets the model read ahead is not over until cancelled
    departures: list[Departure] = field(default_factory=lambda: [DEPARTURE])
    opinions: list[SecondOpinion] = field(default_factory=list)
    suggested: list[Suggestion] = field(default_factory=lambda: list(SUGGESTED))
    problem: Problem | None = None  # what any call but Watch is refused with
    meaning_after: Callable[[str], float] = lambda words: 0.0  # seconds before the fused stage


class ScriptedEngine:
    """Serves `script` at the profile's address. `calls` lists what was asked, `cancelled` what was taken back."""

    def __init__(self, profile: Profile, script: Script | None = None) -> None:
        self.script = script or Script()
        self.calls: list[Call] = []
        self.cancelled: list[Call] = []
        self._profile = profile
        self._changed = threading.Condition()
        self._version = 0
        self._listener: Listener | None = None
        self._open: list[Cancellation] = []
        self.pages = Pages(profile)

    def start(self) -> "ScriptedEngine":
        """Listen, as a fresh engine process would."""
        self._profile.create()
        key = secrets.token_bytes(32)
        Path(self._profile.engine_address).unlink(missing_ok=True)
        self._profile.token.write_text(key.hex())
        self._listener = Listener(self._profile.engine_address, backlog=64)
        host: Host[Call, Event] = Host(self, Call, Hello(build_id(), os.getpid()))
        self._host = host
        start_thread("scripted engine", host.serve, self._listener, key)
        return self

    def stop(self) -> None:
        """End, as a killed process would: every line is cut."""
        if self._listener is not None:
            # Closing alone does not wake the thread in accept(); its private socket can be woken.
            self._listener._listener._socket.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Cut every line but go on listening: an engine that died and is already back."""
        from indexer.worker import _hang_up

        for connection in list(self._host._open):
            _hang_up(connection)

    def change(self, **fields: object) -> None:
        """Change the report and tell everybody who watches."""
        with self._changed:
            self.script.report = msgspec.structs.replace(self.script.report, **fields)
            self._version += 1
            self._changed.notify_all()

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Event]:
        """Play the script."""
        self.calls.append(call)
        if self.script.problem is not None and not isinstance(call, Watch):
            raise self.script.problem
        match call:
            case Watch():
                yield from self._watch(cancelled)
            case Search() | Related():
                yield from self._search(call, cancelled) if isinstance(call, Search) else self._related(call)
            case Ask() | Transform():
                yield from self._write(call, cancelled)
            case AddFolder() | RemoveFolder() | ListFolders() | SetRule():
                yield self._folders(call)
            case ListFiles() | Explain():
                yield _told_of_files(call)
            case Suggest() | Survey() | Status():
                yield self._looked(call)
            case ShowLedger() | EraseLedger() | ShowLater() | EraseLater():
                yield self._kept(call)
            case Index() | Retry():
                yield Progress(self.script.report.counts, 0.0, 0.0, None, True)
            case GetSettings():
                yield CurrentSettings(self.script.settings)
            case Configure():
                yield self._configure(call)
            case Doctor():
                for finding in FINDINGS:
                    yield Checked(
                        msgspec.structs.replace(finding, ok=True, fixed=not finding.ok) if call.fix else finding
                    )
            case _:
                yield from self._of_pages(call)

    def _watch(self, cancelled: Cancellation) -> Iterator[Event]:
        seen = -1
        while not cancelled.requested:
            with self._changed:
                if seen == self._version:
                    self._changed.wait(0.05)
                    continue
                seen = self._version
            yield self.script.report

    def _related(self, call: Related) -> Iterator[Event]:
        yield Found([hit for hit in self.script.hits if hit.path != call.path][: call.limit], "fused", 3.0)

    def _search(self, call: Search, cancelled: Cancellation) -> Iterator[Event]:
        found = self.script.hits[: call.limit]
        query = parse(call.words, unfinished=call.unfinished)
        yield Found(found, "words", 1.2, "", query.words, query.parts)
        if call.meaning:
            cancelled.wait(self.script.meaning_after(call.words))
            yield Found(found, "fused", 9.0, "", query.words, query.parts)
        if call.ahead and self.script.reads_on:
            while not cancelled.wait(0.02):
                pass
            self.cancelled.append(call)

    def _ask(self, call: Ask, cancelled: Cancellation) -> Iterator[Event]:
        script = self.script
        if script.silent:
            while not cancelled.wait(0.02):
                pass
            self.cancelled.append(call)
            return
        kept = [
            Source(n, h.path, h.title, h.heading, h.line, h.page, h.score, h.text)
            for n, h in enumerate(script.hits[:4], 1)
        ]
        yield Found(script.hits[:4], "fused", 12.0, "", call.question, parse(call.question).parts)
        yield Quoted(script.quote, 34.0)
        route = [Step("quote", "", "ok")]
        text = " ".join(sentence.text for sentence in script.sentences)
        if text:
            yield RouteStep(Step("local", script.report.model, "asked"))
            for word in text.split(" "):
                if cancelled.wait(script.pause):
                    self.cancelled.append(call)
                    return
                yield Piece(word + " ")
            route.append(Step("local", script.report.model, "ok"))
            yield RouteStep(route[-1])
        timings = Timings(12.0, 34.0, 410.0 if text else None, 1870.0 if text else 41.0)
        covered = script.report.coverage
        yield Answered(
            call.question, text, script.quote, kept, script.sentences, route, timings, script.note, covered, number=7
        )

    def _write(self, call: Ask | Transform, cancelled: Cancellation) -> Iterator[Event]:
        yield from self._ask(call, cancelled) if isinstance(call, Ask) else self._transform(call, cancelled)

    def _transform(self, call: Transform, cancelled: Cancellation) -> Iterator[Event]:
        kind: RouteKind = "cloud" if call.consent else "local"
        yield RouteStep(Step(kind, self.script.report.model, "asked"))
        while self.script.silent:
            if cancelled.wait(0.02):
                self.cancelled.append(call)
                return
        yield Piece(TRANSFORMED)
        offer = "" if call.consent else "api.example.org"
        route = [Step(kind, self.script.report.model, "ok")]
        yield Transformed(call.action, TRANSFORMED, route, Timings(None, None, 200.0, 900.0), "", offer)

    def _looked(self, call: Suggest | Survey | Status) -> Event:
        if isinstance(call, Status):
            return self.script.report
        return survey(call.path) if isinstance(call, Survey) else Suggested(self.script.suggested)

    def _of_pages(self, call: Call) -> Iterator[Event]:
        yield from self.pages.handle(call)
        if isinstance(call, UseModel):
            self.script.settings = msgspec.structs.replace(self.script.settings, local_model=call.name)
        if self.pages.infos != self.script.report.providers:
            self.change(providers=self.pages.infos)

    def _folders(self, call: Call) -> Folders:
        known = list(self.script.report.folders)
        if isinstance(call, AddFolder):
            known.append(FolderInfo(call.path, True, 0, 0, 0, 0, links=call.links))
        if isinstance(call, RemoveFolder):
            known = [folder for folder in known if folder.path != call.path]
        if isinstance(call, SetRule):
            known = [msgspec.structs.replace(f, rule=call.rule) if f.path == call.path else f for f in known]
        self.change(folders=known)
        return Folders(known)

    def _kept(self, call: Call) -> Event:
        if isinstance(call, ShowLater | EraseLater):
            return self._later(call)
        if isinstance(call, EraseLedger):
            self.script.departures = []
            return Done("1 entries are erased.")
        assert isinstance(call, ShowLedger)
        return ledger_page(self.script.departures, call)

    def _later(self, call: Call) -> Event:
        info = self.script.report.later
        if isinstance(call, EraseLater):
            self.script.opinions = []
            return Done("1 second opinions are erased, those that were waited for among them.")
        assert isinstance(call, ShowLater)
        told = self.script.opinions[: call.most or None]
        more = len(self.script.opinions) - len(told)
        if call.seen and info.new:
            self.change(later=msgspec.structs.replace(info, new=min(info.new, more)))
        return Later(told, info.on, more)

    def _configure(self, call: Configure) -> CurrentSettings:
        value = _parse(call.name, call.value)
        self.script.settings = msgspec.structs.replace(self.script.settings, **{call.name: value})
        if call.name == "second_opinions":
            self.change(later=msgspec.structs.replace(self.script.report.later, on=value))
        if call.name == "offline":
            self.change(offline=value)
        return CurrentSettings(self.script.settings)


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until the condition holds; fails when it does not in time. For threads; in Qt use qtbot.waitUntil."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def _told_of_files(call: ListFiles | Explain) -> Files | Explained:
    if isinstance(call, ListFiles):
        return Files([file for file in LEDGER if call.state in (None, file.state)])
    return Explained(call.path, f"{call.path} is not in the index: it lies in none of your folders.", None)
