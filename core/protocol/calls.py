"""What a front door can ask. Which events a call yields stands in its docstring.

`again` says that the call is sent once more because the engine ended in the middle of it: what that engine had done
already is no reason to refuse. Calls without it can be repeated as they are.
"""

from msgspec import Struct

from core.protocol.selection import Transform
from core.protocol.settings import Provider
from indexer.records import FileState, FolderRule, TaskState


class AddFolder(Struct, frozen=True, tag=True):
    """Watch a folder (absolute path) → Folders. `links`: what links in it lead to outside is read too."""

    path: str
    links: bool = False
    again: bool = False


class RemoveFolder(Struct, frozen=True, tag=True):
    """Forget a folder and everything indexed from it; the folder itself is not touched → Folders."""

    path: str
    again: bool = False


class SetRule(Struct, frozen=True, tag=True):
    """Say what may become of a watched folder's text, from this moment on → Folders."""

    path: str
    rule: FolderRule


class ListFolders(Struct, frozen=True, tag=True):
    """→ Folders."""


class Index(Struct, frozen=True, tag=True):
    """Look at all folders again. With `wait`: Progress about ten times a second until nothing is owed → Progress+."""

    wait: bool = False


class Retry(Struct, frozen=True, tag=True):
    """Try the failed files again, or just those at and below `path` → Progress. Nothing to try there is a Problem."""

    path: str = ""


class ListFiles(Struct, frozen=True, tag=True):
    """What became of each file → Files+, in the order of their paths, a thousand at a time (one empty one for none).

    state: only those in this state.  path: only this file, or those below this directory (absolute).
    """

    state: FileState | None = None
    path: str = ""


class Suggest(Struct, frozen=True, tag=True):
    """Folders on this machine that look as if notes were in them, and are not watched → Suggested."""


class Survey(Struct, frozen=True, tag=True):
    """What would be indexed of a folder (absolute path), without adding it → Surveyed+, a few times a second while it
    is gone through. One that may not be added is a Problem."""

    path: str


class ListTasks(Struct, frozen=True, tag=True):
    """The tasks in the notes → Listed, by their due days, those without one last.

    state: "open", "done" or "all".  due_from, due_to: only those due on this day (year-month-day) or later, or earlier,
    "" for no limit; with either, those without a due day are left out.  folder: as in Search.
    limit, skip: how many are listed, and how many before them are not; `Listed.total` counts all.
    """

    state: TaskState = "open"
    due_from: str = ""
    due_to: str = ""
    folder: str = ""
    limit: int = 500
    skip: int = 0


class Explain(Struct, frozen=True, tag=True):
    """Why a path (absolute) is or is not in the index → Explained."""

    path: str


class Search(Struct, frozen=True, tag=True):
    """Find passages → Found(stage="words"), and with `meaning` then Found(stage="fused").

    words: as a person types them, filters among them (`indexer.query` says which); without any words the newest of the
    admitted files are listed.
    folder: only in files at or below this absolute path.  after, before: only in files that were modified on this day
    (year-month-day), in this month or year, or later, or earlier. Each "" for no limit.
    unfinished: the person is still typing, so the last word may be the beginning of a longer one.
    ahead: the person has paused and may ask this next, so after the last event the local model reads what it would be
    given. The call then stays open until it has, or the machine has better things to do; whoever sent it cancels it.
    """

    words: str
    limit: int = 10
    meaning: bool = True
    folder: str = ""
    after: str = ""
    before: str = ""
    unfinished: bool = False
    ahead: bool = False


class Related(Struct, frozen=True, tag=True):
    """The passages of other files that are closest to a file (absolute path), or to what stands at a line of it
    → Found: of the stage "fused" by meaning, from vectors that are stored already; while there are none, "words".
    """

    path: str
    line: int = 0
    limit: int = 8


class Ask(Struct, frozen=True, tag=True):
    """Answer a question → Found(stage="fused"), Quoted, [RouteStep, Restart?, Piece*]*, Answered.

    A question about the catalog itself ("what is due this week?") → Listed, Answered; where it lists nothing, the
    passages follow: Listed, Found(stage="fused"), Answered. No model has a part in either.

    model: let a model write prose under the quote.  offline: close the network door for this question.
    consent: for this question the cloud model is asked first, and folders of the rule "ask" may go to it.
    folder, after, before: answer from these files alone, as in Search; so do filters in the question.
    cloud: the cloud models may be asked at all, as the settings and the folders' rules have it.
    keep: the answer goes into the history.
    fresh: answer anew, also where an earlier answer rests on nothing that has changed (`Answered.remembered_at`).
    follows: the number in the history of the answer that the question follows ("and in March?"), 0 for none.
    shorter: the prose in fewer words, two sentences at most.  bigger: by a cloud model alone, not by the local one.
    What either brings is kept in the history, and never given again in the place of the ordinary answer.
    """

    question: str
    model: bool = True
    offline: bool = False
    limit: int = 6
    consent: bool = False
    folder: str = ""
    after: str = ""
    before: str = ""
    cloud: bool = True
    keep: bool = True
    fresh: bool = False
    follows: int = 0
    shorter: bool = False
    bigger: bool = False


class Preview(Struct, frozen=True, tag=True):
    """What a question would send, without sending anything → Previewed+, one for each cloud model that could be asked,
    in their order. `consent` and `follows` as in Ask."""

    question: str
    limit: int = 6
    consent: bool = False
    follows: int = 0


class ShowLedger(Struct, frozen=True, tag=True):
    """Everything that left, newest first, a page at a time → LedgerPage+.

    since: ISO 8601 date or time, in the person's zone unless it names another, "" for the beginning.
    most: how many entries at most, 0 for all.
    before: only older ones than the entry of this number, 0 to begin with the newest.
    """

    since: str = ""
    most: int = 0
    before: int = 0


class EraseLedger(Struct, frozen=True, tag=True):
    """Forget everything that is written about what left; budgets still count it → Done."""


class Drill(Struct, frozen=True, tag=True):
    """Ask questions as if no cloud model could be reached → Drilled*, one for each question, DrillOver.

    questions: which; empty for the last `most` different ones of the history, or without any, for some examples.
    """

    questions: list[str]
    most: int = 5


class ShowHistory(Struct, frozen=True, tag=True):
    """The answers given so far, newest first, a page at a time → HistoryPage+.

    words: only those in which all of these occur.  most: how many at most, 0 for all.
    before: only older ones than the answer of this number, 0 to begin with the newest.
    """

    words: str = ""
    most: int = 0
    before: int = 0


class EraseHistory(Struct, frozen=True, tag=True):
    """Forget the answer of this number, with `id` 0 all of them; second opinions on them go too → Done."""

    id: int = 0


class ShowLater(Struct, frozen=True, tag=True):
    """The second opinions, the newest first, then what still waits → Later.

    seen: a person reads them now; those that are told are not new any more.  most: how many are told, 0 for all.
    """

    seen: bool = False
    most: int = 0


class EraseLater(Struct, frozen=True, tag=True):
    """Forget the second opinions, and what waits for one; the first answers stay → Done."""


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
    """Change one setting; `value` is text as a person types it (lists: comma-separated) → CurrentSettings.

    A place for the vectors is tried at once, which can take seconds.
    """

    name: str
    value: str


class SetKey(Struct, frozen=True, tag=True):
    """Put a service's API key into the system keyring → Done."""

    name: str
    key: str


class RemoveKey(Struct, frozen=True, tag=True):
    """Take a key out of the system keyring → Done."""

    name: str


class Export(Struct, frozen=True, tag=True):
    """Write the whole profile, keys left out, into a new archive at an absolute path → Done."""

    path: str
    again: bool = False


class Import(Struct, frozen=True, tag=True):
    """Put an archive in the place of the profile → Done. Done by the client beside the engine, which it ends.

    replace: the profile may have folders of its own; it is kept in a folder beside the new one.
    map: "OLD=NEW" for each folder that lies elsewhere on this machine.
    """

    path: str
    replace: bool = False
    map: list[str] = []


class ListProviders(Struct, frozen=True, tag=True):
    """→ Providers."""


class AddProvider(Struct, frozen=True, tag=True):
    """Add a provider at the end of the list, or change the one of that name in its place → Providers."""

    provider: Provider


class ConfirmProvider(Struct, frozen=True, tag=True):
    """Let a provider be asked that came with an import → Providers."""

    name: str


class RemoveProvider(Struct, frozen=True, tag=True):
    """Take a provider off the list; its key stays in the keyring → Providers."""

    name: str
    again: bool = False


class OrderProviders(Struct, frozen=True, tag=True):
    """Put these names first, in this order; the others follow in theirs → Providers."""

    names: list[str]


class TryProvider(Struct, frozen=True, tag=True):
    """Ask a provider for one word, without any notes, and end its rest when it answers → Done."""

    name: str


class ListModels(Struct, frozen=True, tag=True):
    """The local models: those that are here, are being fetched, or can be → Models."""


class GetModel(Struct, frozen=True, tag=True):
    """Fetch a model, or go on with one that rests → Models; with `wait` about four times a second until it ends
    → Models+. It goes on without the caller, and an engine that starts goes on with what ran when the last one ended.

    source: a name of the catalogue, a web address, or the absolute path of a file, which is looked at and stays there.
    """

    source: str
    wait: bool = False


class PauseModel(Struct, frozen=True, tag=True):
    """Let a download rest until it is got again → Models."""

    name: str


class UseModel(Struct, frozen=True, tag=True):
    """Let this model write from now on, which loads it → Models. What cannot be loaded is a Problem, and the one before
    goes on.

    name: of a model that is here, the absolute path of a file, or "" for the one that came with Offhand.
    """

    name: str


class RemoveModel(Struct, frozen=True, tag=True):
    """Delete a model, or what is here of it; of a file that lies elsewhere only what Offhand knows of it → Models."""

    name: str


class Shutdown(Struct, frozen=True, tag=True):
    """End the engine → Done. Its shape never changes: a newer client must be able to end an older engine."""


LibraryCall = (
    AddFolder
    | RemoveFolder
    | SetRule
    | ListFolders
    | Index
    | Retry
    | ListFiles
    | ListTasks
    | Explain
    | Search
    | Related
)
FirstCall = Suggest | Survey
AnswerCall = Ask | Preview | Drill | ShowHistory | EraseHistory | ShowLater | EraseLater
LedgerCall = ShowLedger | EraseLedger
ReportCall = Status | Watch | Doctor
SettingsCall = GetSettings | Configure | SetKey | RemoveKey
ProviderCall = ListProviders | AddProvider | ConfirmProvider | RemoveProvider | OrderProviders | TryProvider
ModelCall = ListModels | GetModel | PauseModel | UseModel | RemoveModel
RefusedTwice = AddFolder | RemoveFolder | RemoveProvider | Export
Call = (
    LibraryCall
    | FirstCall
    | AnswerCall
    | Transform
    | LedgerCall
    | ReportCall
    | SettingsCall
    | ProviderCall
    | ModelCall
    | Export
    | Import
    | Shutdown
)
