"""What stands behind the window's pages in the scripted engine: history, providers, keys, preview, drill.

The history and the rules for providers are the real ones; the services and the keyring are played.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
from scripted_models import PlayedModels

from core.answering.history import History
from core.models import providers
from core.paths import Profile
from core.protocol import (
    AddProvider,
    Call,
    CatalogItem,
    ConfirmProvider,
    Departure,
    Done,
    Drill,
    Drilled,
    DrillOver,
    EraseHistory,
    Event,
    HistoryPage,
    LedgerPage,
    Listed,
    ListProviders,
    ListTasks,
    ModelCall,
    OrderProviders,
    Preview,
    Previewed,
    Problem,
    Provider,
    ProviderInfo,
    Providers,
    RemoveKey,
    RemoveProvider,
    Said,
    SetKey,
    ShowHistory,
    ShowLedger,
    Timings,
    TryProvider,
)

TODAY = date(2026, 3, 14)


def task(text: str, line: int, due: str, state: str = "open") -> CatalogItem:
    """A task in the note about the roof."""
    return CatalogItem(text, "/home/mara/Notes/house/roof.md", "Roof", "Roof › Decision", line, due, state)


TASKS = [
    task("Order the tiles", 33, "2026-03-01", "done"),
    task("Pay the deposit", 34, "2026-03-12"),
    task("Call Lindqvist about the skip", 35, "2026-03-14"),
    task("Ask the council about the window", 36, "2026-03-16"),
    task("Roof first, then insulation", 37, ""),
]

PREVIEW = Previewed(
    "api.example.org",
    "big",
    [
        Said("system", "Answer from the passages alone."),
        Said("user", "Which tiles did we choose?\n\n[1] We decided on clay tiles, not slate. Ask [NAME-1]."),
    ],
    128,
    {"name": 1},
    "you agreed, for this question",
    ["/home/mara/Notes/journal/2026-03-14.md"],
)

NO_KEYRING = (
    "This system has no keyring that is running. The key groq is kept until the engine ends, and in no file. For "
    "longer, unlock or install a keyring, or put the key into the environment variable OFFHAND_KEY_GROQ."
)


def info(provider: Provider, **fields: Any) -> ProviderInfo:
    """A provider that can be asked, unless `fields` say otherwise."""
    told = ProviderInfo(provider, "ready", "It has not been asked yet.")
    if not provider.confirmed:
        told = ProviderInfo(provider, "blocked", providers.unconfirmed(provider))
    return msgspec.structs.replace(told, **fields)


class Pages:
    """Answers the calls of the pages.

    `infos` are the providers, `keys` the keyring, `said` what it says to a new key, `trouble` what a test of a provider
    fails with.
    """

    def __init__(self, profile: Profile) -> None:
        self.history = History(profile.history)
        self.infos: list[ProviderInfo] = []
        self.keys: dict[str, str] = {}
        self.said = "The key {} is in the system's keyring."
        self.trouble: Problem | None = None
        self.models = PlayedModels()
        self.previews = [PREVIEW]
        self.tasks = list(TASKS)
        self.drilled = [
            Drilled("Which tiles did we choose?", "local", "SmolLM2.Q4_1.gguf", Timings(12.0, 34.0, 410.0, 1870.0)),
            Drilled("When is the deposit due?", "quote", "", Timings(11.0, 31.0, None, 44.0)),
            Drilled(
                "When was the chimney swept?", "nobody", "", Timings(9.0, 30.0, None, 40.0), "The notes do not say it."
            ),
        ]

    def handle(self, call: Call) -> Iterator[Event]:
        """Play the script."""
        match call:
            case ShowHistory(words, most, before):
                yield HistoryPage(self.history.past(words, before or None, most))
            case EraseHistory(number):
                yield Done(f"{self.history.erase(number)} answers are erased.")
            case ListTasks():
                yield self._listed(call)
            case SetKey(name, key):
                self.keys[name] = key
                yield Done(self.said.format(name))
            case RemoveKey(name):
                self.keys.pop(name, None)
                yield Done(f"The key {name} is removed.")
            case TryProvider(name):
                if self.trouble is not None:
                    raise self.trouble
                yield Done(f"big at {name} answers; its first word came after 0.4 s.")
            case Preview():
                yield from self.previews
            case Drill(_, most):
                yield from self.drilled[:most]
                good = sum(result.answered_by != "nobody" for result in self.drilled[:most])
                asked = len(self.drilled[:most])
                yield DrillOver(asked, good, f"Without the cloud, {good} of {asked} questions were answered.")
            case _ if isinstance(call, ModelCall):
                yield self.models.handle(call)
            case ListProviders() | AddProvider() | ConfirmProvider() | RemoveProvider() | OrderProviders():
                self._change(call)
                yield Providers(self.infos)
            case _:
                raise Problem(f"{type(call).__name__} is not in the script.")

    def _listed(self, call: ListTasks) -> Listed:
        found = [
            one
            for one in self.tasks
            if one.state == call.state
            and (not (call.due_from or call.due_to) or one.date)
            and one.date >= call.due_from
            and (not call.due_to or one.date <= call.due_to)
        ]
        found.sort(key=lambda one: (not one.date, one.date))
        return Listed("", "tasks", len(found), found[call.skip :][: call.limit])

    def _change(self, call: Call) -> None:
        known = [one.provider for one in self.infos]
        match call:
            case AddProvider(provider):
                known = providers.with_added(known, providers.checked(provider))
            case ConfirmProvider(name):
                wanted = providers.named(known, name)
                known = providers.with_added(known, msgspec.structs.replace(wanted, confirmed=True))
            case RemoveProvider(name):
                known.remove(providers.named(known, name))
            case OrderProviders(names):
                known = providers.ordered(known, names)
        told = {one.provider: one for one in self.infos}
        self.infos = [told.get(provider, info(provider)) for provider in known]


def ledger_page(departures: list[Departure], call: ShowLedger) -> LedgerPage:
    """The entries that `call` asks for, newest first."""
    older = [entry for entry in departures if not call.before or entry.id < call.before]
    return LedgerPage(older[: call.most or None], 1204, 18_020)
