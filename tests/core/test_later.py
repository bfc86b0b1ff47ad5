"""Answer now, better later: an outage, a local answer, and what a cloud model says when it is back.

The service is a real server on loopback; rules, redaction, ledger, budget, breakers and the history are real. The
library is a shelf in memory and the local model a script.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai  # noqa: F401  # here, so that no short wait below pays for the import
import pytest
from fault_server import FaultServer
from shelf import Shelf
from test_answer_desk import Local

from core.answering.answer import LATER, Answering
from core.answering.history import History
from core.answering.opinions import Opinions
from core.engine.answers import AnswerDesk
from core.engine.later import NO_LONGER_SAID, STAYS, Pauses, SecondOpinions
from core.engine.providers import ProviderDesk
from core.errors import CloudFailed
from core.models import breaker
from core.models.keys import Keys
from core.models.model import Finished, Token, Turn
from core.models.route import Route
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import (
    Answered,
    Ask,
    Done,
    EraseLater,
    LaterInfo,
    Provider,
    RemoveProvider,
    RouteKind,
    RouteStep,
    SecondOpinion,
    ShowLater,
    TryProvider,
)
from core.settings import SettingsFile
from indexer.records import FolderRefused, FolderRule
from indexer.worker import Cancellation

VALVE = "Heinz (heinz@example.org) replaced the pressure valve on 3 May. It cost 118 euros."
OLDER = "The pressure valve was also replaced in the winter of 1998."
QUESTION = "When was the pressure valve replaced?"
LOCAL_SAYS = "Heinz replaced it on 3 May."
CLOUD_SAYS = ("Heinz replaced it on 3 May. ", "It cost 118 euros.")
SOON = Pauses(start=0.05, first=0.05, longest=0.2)
NEVER = Pauses(start=60, first=60, longest=60)


class House:
    """Everything between a question and a cloud service; `rules` are those of the notes, `changes` counts what came."""

    def __init__(self, home: Path, server: FaultServer, pauses: Pauses) -> None:
        server.words = CLOUD_SAYS
        self.server = server
        self.shelf = Shelf([VALVE, OLDER])
        self.rules: dict[str, FolderRule] = dict.fromkeys((hit.path for hit in self.shelf.hits), "cloud")
        self.settings = SettingsFile(home / "settings.toml")
        provider = Provider("far", "openai", server.url, "big")
        self.settings.replace(second_opinions=True, prefer="cloud", providers=[provider])
        self.history = History(home / "history.sqlite3", lambda: self.later.queued())  # noqa: PLW0108  # it is made below
        self.opinions = Opinions(self.history)
        self.ledger = Ledger(home / "outgoing.sqlite3")
        outgoing = Outgoing(lambda paths: {p: self.rules[p] for p in paths}, lambda: self.settings.current, self.ledger)
        self.changes = 0
        self.complete = True
        self.later = SecondOpinions(
            self.opinions,
            lambda _: Answering(self.shelf, lambda _: self.providers.for_later(), None),
            outgoing,
            lambda: self.settings.current,
            on_change=self._changed,
            complete=lambda: self.complete,
            pauses=pauses,
        )
        gate = Gate(lambda: self.settings.current.offline, loopback=False)
        self.providers = ProviderDesk(self.settings, Keys(), gate, outgoing, self.later.answered)
        self.desk = AnswerDesk(
            lambda _: self.shelf,
            lambda ask, cut: self.providers.route(Local(), ask, cut=cut),
            outgoing,
            self.history,
            later=self.later,
        )

    def _changed(self) -> None:
        self.changes += 1

    def ask(self, ask: Ask) -> Answered:
        answered = list(self.desk.handle(ask, Cancellation()))[-1]
        assert isinstance(answered, Answered)
        return answered

    def outage(self, question: str = QUESTION, fault: str = "500") -> Answered:
        """Ask while the service is down; afterwards it is up again, and `requests` is empty."""
        self.server.fault = fault
        answered = self.ask(Ask(question))
        self.server.fault = "none"
        self.server.requests.clear()
        return answered

    def back(self) -> None:
        """The person sees that the service is back: it answers a trial."""
        list(self.providers.handle(TryProvider("far"), Cancellation()))

    def told(self) -> list[SecondOpinion]:
        (told,) = self.desk.handle(ShowLater(), Cancellation())
        return told.opinions  # type: ignore[union-attr]

    def ended(self) -> SecondOpinion:
        """The one opinion, once it waits no longer."""
        eventually(lambda: [one.state for one in self.told()] in (["arrived"], ["dropped"]))
        return self.told()[0]

    def sent(self) -> list[str]:
        """The bodies of all requests but trials."""
        bodies = [json.dumps(body, ensure_ascii=False) for _, _, body in self.server.requests]
        return [body for body in bodies if "Question:" in body]


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "second opinions"]


@pytest.fixture
def house(tmp_path: Path, faults: FaultServer) -> Iterator[House]:
    """A house in which nothing is tried by itself."""
    made = House(tmp_path, faults, NEVER)
    yield made
    made.later.end()
    eventually(lambda: not threads())


@pytest.fixture
def trying(tmp_path: Path, faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house in which the pauses are short, those of the breakers too."""
    monkeypatch.setattr(breaker, "COOL_DOWN", 0.02)
    monkeypatch.setattr(breaker, "LONGEST", 0.05)
    made = House(tmp_path, faults, SOON)
    yield made
    made.later.end()
    eventually(lambda: not threads())


def test_the_second_opinion_comes_with_its_difference_when_the_cloud_is_back(house: House) -> None:
    answered = house.outage()
    assert answered.answer == LOCAL_SAYS
    assert answered.note.endswith(LATER)
    assert house.later.info() == LaterInfo(on=True, waiting=1)
    assert [one.state for one in house.told()] == ["waiting"]
    house.back()
    came = house.ended()
    assert (came.question, came.first, came.answer) == (QUESTION, LOCAL_SAYS, "".join(CLOUD_SAYS))
    assert (came.state, came.model, came.note, came.new) == ("arrived", "big", "", True)
    assert came.difference is not None
    assert (came.difference.verdict, came.difference.both) == ("adds", [LOCAL_SAYS])
    assert came.difference.now == ["It cost 118 euros."]
    assert [sentence.source for sentence in came.sentences] != [None, None]
    assert {source.path for source in came.sources} <= set(house.rules)
    assert house.later.info() == LaterInfo(on=True, new=1)
    assert house.changes == 1
    (body,) = house.sent()
    assert "heinz@example.org" not in body, "it is redacted as any other question"
    assert house.ledger.page()[0].why == "second opinion; the folders' rule: may go to the cloud"
    eventually(lambda: not threads())
    assert len(house.history.recent(10)) == 1, "it is kept with the first answer, not as another one"


@pytest.mark.parametrize("fault", ["503", "429", "cut", "reset", "reset at once", "web page", "empty", "rubbish later"])
def test_every_kind_of_outage_makes_it_wait(house: House, fault: str) -> None:
    house.outage(fault=fault)
    assert house.later.info().waiting == 1


def test_without_any_prose_the_quote_is_what_it_is_compared_with(house: House) -> None:
    house.desk = AnswerDesk(
        lambda _: house.shelf,
        lambda ask, cut: house.providers.route(None, ask, cut=cut),
        house.desk._outgoing,
        house.history,
        later=house.later,
    )
    answered = house.outage()
    assert answered.quote is not None
    house.back()
    came = house.ended()
    assert came.first == answered.quote.text
    assert came.difference is not None
    assert came.difference.verdict == "differs"


def test_by_default_nothing_waits(house: House) -> None:
    house.settings.change("second_opinions", "off")
    assert LATER not in house.outage().note
    assert house.later.info() == LaterInfo()
    assert threads() == []


@pytest.mark.parametrize(
    ("ask", "rule", "fault", "changed"),
    [
        (Ask(QUESTION), "cloud", "none", {}),
        (Ask(QUESTION), "cloud", "401", {}),
        (Ask(QUESTION), "cloud", "400", {}),
        (Ask(QUESTION), "cloud", "filtered", {}),
        (Ask(QUESTION), "local", "500", {}),
        (Ask(QUESTION), "ask", "500", {}),
        (Ask(QUESTION, offline=True), "cloud", "500", {}),
        (Ask(QUESTION, model=False), "cloud", "500", {}),
        (Ask("Who painted the harbour gate?"), "cloud", "500", {}),
        (Ask(QUESTION), "cloud", "500", {"prefer": "local"}),
        (Ask(QUESTION), "cloud", "500", {"offline": True}),
        (Ask(QUESTION), "cloud", "500", {"budget_day": 1}),
    ],
)
def test_only_what_an_outage_alone_kept_from_the_cloud_waits(
    house: House, ask: Ask, rule: FolderRule, fault: str, changed: dict[str, Any]
) -> None:
    house.rules = dict.fromkeys(house.rules, rule)
    house.settings.replace(**changed)
    house.server.fault = fault
    for _ in range(2):  # the second time the breaker may be open
        assert LATER not in house.ask(ask).note
    assert house.later.info().waiting == 0


@pytest.mark.parametrize("rule", ["local", "ask"])
def test_a_breaker_at_rest_is_not_why_notes_that_may_not_leave_stay(house: House, rule: FolderRule) -> None:
    house.outage()
    assert list(house.desk.handle(EraseLater(), Cancellation()))
    house.rules = dict.fromkeys(house.rules, rule)
    answered = house.ask(Ask("When was the valve replaced?"))
    assert answered.route[1].outcome.startswith("far was not asked")
    assert LATER not in answered.note
    assert house.later.info().waiting == 0


def test_a_folder_that_stays_here_by_then_is_not_sent(house: House) -> None:
    house.outage()
    house.rules = dict.fromkeys(house.rules, "local")
    house.back()
    came = house.ended()
    assert came.state == "dropped"
    assert came.note.startswith("The notes that answer this stay on this machine.")
    assert house.sent() == []
    assert VALVE not in str(house.server.requests)


def test_of_two_folders_only_the_one_that_may_by_then_is_sent(house: House) -> None:
    house.outage()
    house.rules[house.shelf.hits[0].path] = "local"
    house.back()
    came = house.ended()
    assert came.state == "arrived"
    assert came.note == "The model was not shown one of these notes: the folder's rule keeps text of it here."
    (body,) = house.sent()
    assert "1998" in body
    assert "118" not in body


def test_consent_is_for_the_question_then_and_not_for_later(house: House) -> None:
    house.rules = dict.fromkeys(house.rules, "ask")
    house.server.fault = "500"
    assert LATER in house.ask(Ask(QUESTION, consent=True)).note
    house.server.fault = "none"
    house.server.requests.clear()
    house.back()
    came = house.ended()
    assert (came.state, house.sent()) == ("dropped", [])
    assert came.note.startswith("The notes that answer this go to a cloud model only if you say so.")


def test_offline_nothing_is_sent_and_back_online_it_comes(house: House) -> None:
    house.outage()
    house.settings.change("offline", "on")
    house.later.wake()
    eventually(lambda: not threads())
    assert house.server.requests == []
    assert house.later.info().waiting == 1
    house.settings.change("offline", "off")
    house.back()
    assert house.ended().state == "arrived"


def test_switched_off_what_is_being_asked_is_taken_back_and_goes_on_waiting(house: House) -> None:
    house.outage()
    house.server.fault, house.server.faulty = "silence", None
    house.providers.key_changed("")  # as if it might answer again
    house.later.wake()
    eventually(lambda: bool(house.sent()))
    house.settings.change("second_opinions", "off")
    house.later.wake()
    eventually(lambda: not threads())
    assert house.later.info() == LaterInfo(on=False, waiting=1)


def test_erased_what_is_being_asked_is_taken_back_and_never_comes(house: House) -> None:
    house.outage()
    house.server.fault = "silence"
    house.providers.key_changed("")
    house.later.wake()
    eventually(lambda: bool(house.sent()))
    assert house.later.busy
    (done,) = house.desk.handle(EraseLater(), Cancellation())
    assert isinstance(done, Done)
    eventually(lambda: not threads())
    assert house.told() == []
    assert house.changes == 0


def test_a_spent_budget_is_not_overdrawn(house: House) -> None:
    house.outage()
    house.back()
    spent = house.ended()
    assert spent.state == "arrived"
    house.server.fault = "500"
    house.ask(Ask("What did the valve cost?"))
    house.server.fault = "none"
    house.server.requests.clear()
    house.settings.change("budget_day", "50")
    house.providers.key_changed("")
    house.later.wake()
    eventually(lambda: house.later.info().waiting == 0)
    (dropped,) = [one for one in house.told() if one.state == "dropped"]
    assert dropped.note.startswith("Your limit of 50 cloud tokens a day leaves too few")
    assert house.server.requests == []


def test_what_the_notes_no_longer_say_is_not_asked(house: House, embedder: Any) -> None:
    house.outage()
    house.shelf.embed = embedder
    house.shelf.hits.clear()
    house.back()
    assert house.ended().note == NO_LONGER_SAID
    assert house.sent() == []


def test_notes_that_are_not_read_yet_or_not_searched_by_meaning_are_waited_for(house: House, embedder: Any) -> None:
    house.outage()
    hits = list(house.shelf.hits)
    house.shelf.hits.clear()
    assert not house.later._round(), "a search by words alone may have missed it"
    house.shelf.embed, house.complete = embedder, False
    assert not house.later._round(), "a catalog that was made anew is still being filled"
    assert house.later.info().waiting == 1
    assert house.sent() == []
    house.complete = True
    house.shelf.hits.extend(hits)
    house.back()
    assert house.ended().state == "arrived"


def test_a_key_that_is_refused_by_then_ends_it_with_the_reason(house: House) -> None:
    house.outage()
    house.server.fault = "401"
    house.providers.key_changed("")
    house.later.wake()
    assert house.ended().note == "127.0.0.1 refused the API key. Set a valid key with `offhand keys set`."


def test_while_the_outage_lasts_it_is_tried_now_and_then_and_comes_by_itself(trying: House) -> None:
    trying.server.fault = "500"
    trying.ask(Ask(QUESTION))
    trying.ask(Ask("What did the valve cost?"))
    eventually(lambda: len(trying.server.requests) > 4)
    assert trying.later.info().waiting == 2
    trying.server.fault = "none"
    eventually(lambda: trying.later.info() == LaterInfo(on=True, new=2))
    eventually(lambda: not threads())


def test_what_came_and_cannot_be_kept_is_not_asked_and_paid_for_again(
    trying: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "core.engine.later")
    with trying.history.opened("The history", "") as file:
        file.execute("CREATE TRIGGER refuse BEFORE INSERT ON opinions BEGIN SELECT RAISE(FAIL, 'no room'); END")
    trying.outage()
    eventually(lambda: "A second opinion could not be kept" in caplog.text)
    sent = len(trying.sent())
    eventually(lambda: caplog.text.count("A second opinion could not be kept") > 4)
    assert len(trying.sent()) == sent
    assert trying.later.info().waiting == 1
    with trying.history.opened("The history", "") as file:
        file.execute("DROP TRIGGER refuse")
    assert trying.ended().state == "arrived"
    assert len(trying.sent()) == sent
    eventually(lambda: not threads())


def test_the_engine_stays_for_what_waits_but_not_for_ever(house: House) -> None:
    assert not house.later.busy
    house.outage()
    assert house.later.busy
    house.later._pauses = NEVER._replace(stay=0.0)
    assert not house.later.busy
    house.later._pauses = NEVER
    house.settings.change("offline", "on")
    house.later.wake()
    eventually(lambda: not house.later.busy)


def test_an_engine_that_starts_goes_on_where_the_last_one_ended(house: House, tmp_path: Path) -> None:
    house.outage()
    house.later.end()
    again = House(tmp_path, house.server, SOON)
    again.later.start()
    assert again.ended().state == "arrived"


def test_with_nothing_waiting_a_start_and_an_answer_leave_no_thread(trying: House) -> None:
    trying.later.start()
    assert trying.ask(Ask(QUESTION)).answer == "".join(CLOUD_SAYS)
    eventually(lambda: not threads())
    assert trying.told() == []


class Choosy:
    """A cloud model that is out of reach for one question alone."""

    kind: RouteKind = "cloud"
    name = "choosy"

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        pass

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Token | Finished]:
        if QUESTION in str(turn.prompt(100)):
            raise CloudFailed("It fell over.")
        yield Token("118 euros.")
        yield Finished("stop")


def test_one_that_always_fails_does_not_hold_up_the_others(trying: House) -> None:
    trying.later._answering = lambda _: Answering(trying.shelf, lambda _: Route([Choosy()]), None)
    trying.server.fault = "500"
    trying.ask(Ask(QUESTION))
    trying.ask(Ask("What did the valve cost?"))
    eventually(lambda: trying.later.info() == LaterInfo(on=True, waiting=1, new=1))


def test_a_removed_provider_leaves_the_questions_waiting(house: House) -> None:
    house.outage()
    house.settings.replace(providers=[])
    house.later.wake()
    eventually(lambda: not threads())
    assert house.later.info().waiting == 1


def test_a_provider_that_is_removed_in_the_middle_of_a_question_is_not_asked_any_more(house: House) -> None:
    house.settings.replace(
        providers=[*house.settings.current.providers, Provider("near", "openai", house.server.url, "other")]
    )
    house.server.fault = "500"
    for event in house.desk.handle(Ask(QUESTION), Cancellation()):
        if isinstance(event, RouteStep) and (event.step.model, event.step.outcome) == ("big", "asked"):
            list(house.providers.handle(RemoveProvider("near"), Cancellation()))
    assert isinstance(event, Answered)
    assert [body["model"] for _, _, body in house.server.requests] == ["big"]
    assert event.route[2].outcome == "near was removed or changed since you asked; nothing was sent to it"


def test_what_a_question_was_kept_to_it_is_kept_to_later(house: House) -> None:
    house.server.fault = "500"
    house.ask(Ask(QUESTION, limit=3, folder="/notes", after="2026-01-02"))
    (one,) = house.opinions.waiting()
    assert (one.ask.limit, one.ask.folder, one.ask.after) == (3, "/notes", "2026-01-02")


class Renamed(Shelf):
    """A folder that a question was kept to, under its old name."""

    def search(self, *_: Any, **__: Any) -> Iterator[Any]:
        raise FolderRefused("Nothing is indexed in /notes/2025.", "`offhand folders` lists your folders.")


def test_a_folder_that_was_renamed_ends_its_question_and_holds_up_no_other(house: House) -> None:
    house.outage()
    house.shelf, house.complete = Renamed([]), False
    assert not house.later._round()
    assert house.later.info().waiting == 1, "it may only not be read yet"
    house.complete = True
    assert house.later._round()
    assert house.ended().note == "Nothing is indexed in /notes/2025. `offhand folders` lists your folders."
    assert house.sent() == []


def lent(house: House) -> Answered:
    """A question that takes words from the one before it, which rests on the first note alone, asked in an outage."""
    hits = house.shelf.hits
    house.shelf.hits = hits[:1]
    first = house.ask(Ask("Who replaced the pressure valve on 3 May?", offline=True))
    house.shelf.hits = hits
    house.server.fault = "500"
    answered = house.ask(Ask("and in the winter?", follows=first.number))
    house.server.fault = "none"
    house.server.requests.clear()
    assert "valve" in answered.read_as
    assert answered.quote is not None
    return answered


def test_a_question_with_words_of_one_that_stays_here_does_not_wait(house: House) -> None:
    house.rules["/notes/0.md"] = "ask"
    assert LATER not in lent(house).note
    assert house.later.info().waiting == 0


def test_a_question_whose_lent_words_stay_here_by_then_is_not_sent(house: House) -> None:
    assert lent(house).note.endswith(LATER)
    house.rules["/notes/0.md"] = "local"
    house.back()
    came = house.ended()
    assert (came.state, came.note) == ("dropped", STAYS)
    assert not house.sent()
