"""The promise as a property: whatever the notes, rules, consents, outages and changes of mind, in the middle of a
connection too, the bodies that real servers on loopback receive hold no text of a folder that stays here, and of one
that asks only with consent; nor do those of the second opinions that an outage has left to be asked later, for which
nobody has agreed to anything.

The catalog, the clearance, the ledger, the cloud models and their HTTP are real. The local model is scripted: it must
fail, or change a rule, at a chosen moment.
"""

import json
import socket
from collections.abc import Callable, Iterator
from email.message import Message as Headers
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import fault_server
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from shelf import Shelf

from core.answering.answer import Answering
from core.answering.history import History
from core.answering.opinions import Opinions
from core.engine.later import SecondOpinions
from core.models.breaker import Breaker
from core.models.cloud import CloudModel
from core.models.model import Finished, ModelFailed, Sender, Token, Turn
from core.models.route import Route
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import Answered, Ask, Departure, Provider, RouteKind, Settings
from indexer.folder_rules import FolderRules
from indexer.records import FolderRule
from indexer.store import folders
from indexer.store.database import Database
from indexer.worker import Cancellation

FOLDERS = ("/home/mara/work", "/home/mara/notes", "/home/mara/diary")
RULES: list[FolderRule] = ["cloud", "ask", "local"]
FAULTS = ["none", "none", "503", "429", "413", "web page", "empty", "cut", "cut chunk", "reset", "error inside"]
FAULTS += ["filtered", "no prefill"]
Kind = Literal["openai", "anthropic"]
KINDS: list[Kind] = ["openai", "anthropic"]
QUESTION = "Which word did the inspector paint on the harbour gate?"
LOOKUP = socket.getaddrinfo


class Case(NamedTuple):
    """One story: the notes' folders, the rules before, after and when the outage is over, the models in their order,
    and what goes wrong; the rules that are set while the first connection is made, and the folder that is removed while
    the first one of a second opinion is."""

    notes: list[int]
    before: list[FolderRule]
    after: list[FolderRule]
    later: list[FolderRule]
    consent: bool
    offline: bool
    order: list[str]
    faults: list[str]
    local: str
    kinds: list[Kind] = KINDS
    during: list[FolderRule] | None = None
    removed: int | None = None


some_rules = st.permutations(["cloud", "ask", "local"]) | st.lists(st.sampled_from(RULES), min_size=3, max_size=3)
cases = st.builds(
    Case,
    notes=st.lists(st.integers(0, 2), min_size=2, max_size=6),
    before=some_rules,
    after=some_rules,
    later=some_rules,
    consent=st.booleans(),
    offline=st.sampled_from([False] * 7 + [True]),
    order=st.permutations(["local", "first", "second"]),
    faults=st.lists(st.sampled_from(FAULTS), min_size=2, max_size=2),
    local=st.sampled_from(["dead", "breaks", "breaks", "whole"]),
    kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=2),
    during=st.none() | some_rules,
    removed=st.none() | st.integers(0, 2),
)


class Local:
    """A local model that repeats its prompt's canaries, changes the rules, and dies where the story says so."""

    kind: RouteKind = "local"
    name = "local"

    def __init__(self, house: "House", case: Case) -> None:
        self._house = house
        self._case = case

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        pass

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Token | Finished]:
        words = " ".join(message.content for message in turn.prompt(400))
        self._house.decide(self._case.after)
        if self._case.local != "dead":
            yield Token(words)
        if self._case.local != "whole":
            raise ModelFailed("The local model ended.")
        yield Finished("stop")


class Arrivals(list[Any]):
    """What a server receives, each with the rules of the moment it arrived."""

    def __init__(self, house: "House") -> None:
        super().__init__()
        self._house = house

    def append(self, request: tuple[str, Headers, Any]) -> None:
        super().append((request[2], list(self._house.rules)))


class House:
    """A catalog, two services, and the way out between them."""

    def __init__(self, home: Path, *servers: fault_server.FaultServer) -> None:
        self.servers = servers
        self.rules: list[FolderRule] = ["ask", "ask", "ask"]
        self.meanwhile: Callable[[], None] | None = None  # what happens while the next connection is made
        self.ledger = Ledger(home / "outgoing.sqlite3")
        self.history = History(home / "history.sqlite3")
        self._database = Database(home / "catalog.sqlite3")
        self._folder_rules = FolderRules(self._database, lambda: None)
        self._folders: list[int] = []
        self.outgoing = Outgoing(self._folder_rules.of, Settings, self.ledger)

    def decide(self, rules: list[FolderRule]) -> None:
        for path, rule in zip(FOLDERS, rules, strict=True):
            self._folder_rules.set(Path(path), rule)
        self.rules = list(rules)

    def remove(self, folder: int) -> None:
        with self._database.write() as connection:
            folders.mark_removed(connection, self._folders[folder])
        self.rules[folder] = "local"  # which is what it counts as
        self.history.forget(FOLDERS[folder])

    def lookup(self, *arguments: Any, **named: Any) -> Any:
        """Stands in for `socket.getaddrinfo`: the prompt is cleared, and its connection does not stand yet."""
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return LOOKUP(*arguments, **named)

    def shelve(self, notes: list[int]) -> tuple[Shelf, list[str]]:
        """Notes that all answer the question, each with a canary of its own, known to the catalog."""
        canaries = [f"canary{number}x{folder}word" for number, folder in enumerate(notes)]
        shelf = Shelf(
            [f"The inspector painted the word {c} on the harbour gate. Write to {c}@example.org." for c in canaries]
        )
        with self._database.write() as connection:
            connection.execute("DELETE FROM files")
            connection.execute("DELETE FROM folders")
            self._folders = [folders.add(connection, path).id for path in FOLDERS]
            for number, folder in enumerate(notes):
                path = f"{FOLDERS[folder]}/{number}.md"
                shelf.hits[number] = replace(shelf.hits[number], path=path)
                connection.execute(
                    "INSERT INTO files (folder_id, path, size, mtime_ns, inode, state) "
                    "VALUES (?, ?, 1, 1, 1, 'indexed')",
                    (self._folders[folder], path),
                )
        return shelf, canaries

    def ask(self, shelf: Shelf, case: Case) -> Answered:
        models: dict[str, Any] = {"local": Local(self, case)}
        models |= self._clouds(case, self.outgoing.card(consent=case.consent))
        route = Route([models[name] for name in case.order])
        answering = Answering(shelf, lambda _ask: route, self.history, owes=self._later(shelf, case).owes)
        *_, answered = answering.answer(Ask(QUESTION, limit=6, consent=case.consent), Cancellation())
        assert isinstance(answered, Answered)
        return answered

    def ask_later(self, shelf: Shelf, case: Case) -> int:
        """Put what waits to the cloud models, as the engine does; returns how much came of it."""
        later = self._later(shelf, case)
        waited = later.info().waiting
        later._round()
        came = waited - later.info().waiting
        later.erase()
        return came

    def _later(self, shelf: Shelf, case: Case) -> SecondOpinions:
        known = [Provider("any", "openai", "https://any.host/v1", "m")]
        settings = Settings(second_opinions=True, offline=case.offline, providers=known)

        def answering(_ask: Ask) -> Answering:
            models = self._clouds(case, self.outgoing.card(occasion="second opinion"))
            return Answering(shelf, lambda _: Route([models[name] for name in case.order if name in models]), None)

        return SecondOpinions(Opinions(self.history), answering, self.outgoing, lambda: settings)

    def _clouds(self, case: Case, sender: Sender) -> dict[str, CloudModel]:
        gate = Gate(lambda: case.offline, loopback=False)
        return {
            name: CloudModel(Provider(name, kind, server.url, name), lambda _: "sk-1", gate, Breaker(), sender)
            for name, kind, server in zip(("first", "second"), case.kinds, self.servers, strict=True)
        }


def written_words(entry: Departure) -> str:
    return "\n".join(said.content for said in entry.messages).rstrip()


def arrived_words(body: Any) -> str:
    said = [message["content"] for message in body["messages"]]
    return "\n".join([body["system"], *said] if "system" in body else said).rstrip()


def test_no_text_leaves_that_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fault_server.running() as first, fault_server.running() as second:
        house = House(tmp_path, first, second)
        monkeypatch.setattr(socket, "getaddrinfo", house.lookup)
        arrived = kept = came = held = 0

        @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(case=cases)
        def story(case: Case) -> None:
            nonlocal arrived, kept, came, held
            shelf, canaries = house.shelve(case.notes)
            before = len(house.ledger.page(limit=10**6))
            for server, fault in zip(house.servers, case.faults, strict=True):
                server.fault, server.requests = fault, Arrivals(house)
            house.decide(case.before)
            house.meanwhile = None if case.during is None else partial(house.decide, case.during)
            for _ in range(2):  # the second time it is a question that has waited: the rules may be others by now
                house.ask(shelf, case)
            house.meanwhile = None
            bodies = [*first.requests, *second.requests]
            for server in house.servers:
                server.fault = "none"
            house.decide(case.later)
            house.meanwhile = None if case.removed is None else partial(house.remove, case.removed)
            came += house.ask_later(shelf, case)
            house.meanwhile = None
            later = [*first.requests, *second.requests]
            later = [body for body in later if not any(body is one for one in bodies)]
            for sent, rules in [*bodies, *later]:
                body = json.dumps(sent, ensure_ascii=False)
                with_consent = case.consent and not any(sent is one for one, _ in later)
                open_rules = ("cloud", "ask") if with_consent else ("cloud",)
                for folder, canary in zip(case.notes, canaries, strict=True):
                    assert canary not in body or rules[folder] in open_rules
                    kept += canary not in body
                assert "@example.org" not in body, "addresses are redacted"
            bodies += later
            assert not (case.offline and bodies)
            page = house.ledger.page(limit=10**6)
            written = page[: len(page) - before]
            left = [entry for entry in written if not entry.outcome.startswith("not sent: ")]
            assert sorted(map(written_words, left)) == sorted(arrived_words(sent) for sent, _ in bodies)
            held += len(written) - len(left)
            arrived += len(bodies)

        story()
        assert arrived > 20, "the test would see what leaves"
        assert kept > 10
        assert came > 3
        assert held > 0, "rules did change between clearing and sending"


def test_the_ledger_holds_the_very_words_that_arrived(tmp_path: Path) -> None:
    with fault_server.running() as first, fault_server.running() as second:
        house = House(tmp_path, first, second)
        shelf, canaries = house.shelve([0, 2])
        house.decide(["cloud", "cloud", "local"])
        case = Case([0, 2], [], house.rules, [], False, False, ["first", "second", "local"], [], "dead")
        answered = house.ask(shelf, case)
        assert answered.answer == "The boat is blue."
        ((_, _, body),) = first.requests
        (entry,) = house.ledger.page()
        assert [{"role": said.role, "content": said.content} for said in entry.messages] == body["messages"]
        assert (entry.host, entry.model, entry.outcome) == ("127.0.0.1", "first", "ok")
        assert entry.bytes == sum(len(said["content"].encode()) for said in body["messages"])
        assert entry.hidden == {"email": 1}
        assert canaries[0] in str(entry.messages)
        assert canaries[1] not in str(entry.messages)
        assert "sk-1" not in (tmp_path / "outgoing.sqlite3").read_bytes().decode(errors="replace")


@pytest.mark.parametrize(("consent", "asked"), [(False, 0), (True, 1)])
def test_a_folder_that_asks_is_sent_with_consent_and_otherwise_offered(
    tmp_path: Path, consent: bool, asked: int
) -> None:
    with fault_server.running() as first, fault_server.running() as second:
        house = House(tmp_path, first, second)
        shelf, _ = house.shelve([1])
        case = Case([1], [], ["cloud", "ask", "local"], [], consent, False, ["first", "local", "second"], [], "dead")
        house.decide(case.after)
        answered = house.ask(shelf, case)
        assert len(first.requests) == asked
        outcomes = [step.outcome for step in answered.route if step.model == "first"]
        assert outcomes == (
            ["ok"] if consent else ["The notes that answer this go to a cloud model only if you say so"]
        )
        assert answered.quote is not None
