"""Every message between the front doors and the engine. This package is the contract; it imports plain data only.

A call is answered by a stream of events. Which events a call yields stands in its docstring; a call that cannot be
done raises `indexer.records.Problem` at the caller. Doors import from here, not from the files behind it.
"""

from core.protocol.calls import (
    AddFolder,
    Ask,
    Call,
    Configure,
    Doctor,
    GetSettings,
    Index,
    ListFolders,
    RemoveFolder,
    RemoveKey,
    Retry,
    Search,
    SetKey,
    Shutdown,
    Status,
    Watch,
)
from core.protocol.events import (
    Answered,
    Checked,
    CurrentSettings,
    Done,
    Event,
    Folders,
    Found,
    Piece,
    Progress,
    Quoted,
    RouteStep,
    StatusReport,
)
from core.protocol.settings import (
    Settings,
)
from core.protocol.values import (
    ChildInfo,
    FolderInfo,
    Quote,
    RouteKind,
    Sentence,
    Source,
    Step,
    Timings,
)
from indexer.records import Counts, FileProblem, Finding, Hit, Problem

VERSION = "0.1.0"

__all__ = [
    "VERSION",
    "AddFolder",
    "Answered",
    "Ask",
    "Call",
    "Checked",
    "ChildInfo",
    "Configure",
    "Counts",
    "CurrentSettings",
    "Doctor",
    "Done",
    "Event",
    "FileProblem",
    "Finding",
    "FolderInfo",
    "Folders",
    "Found",
    "GetSettings",
    "Hit",
    "Index",
    "ListFolders",
    "Piece",
    "Problem",
    "Progress",
    "Quote",
    "Quoted",
    "RemoveFolder",
    "RemoveKey",
    "Retry",
    "RouteKind",
    "RouteStep",
    "Search",
    "Sentence",
    "SetKey",
    "Settings",
    "Shutdown",
    "Source",
    "Status",
    "StatusReport",
    "Step",
    "Timings",
    "Watch",
]
