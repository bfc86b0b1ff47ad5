"""Preview, ledger, offer and drill as the engine answers them, with a real service on loopback and a local script."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer
from shelf import Shelf

from core.answering.history import History
from core.engine.answers import AnswerDesk
from core.errors import BadInput
from core.models.breaker import Breaker
from core.models.cloud import CloudModel
from core.models.model import ChatModel, Finished, Token, Turn
from core.models.route import Route
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import (
    Answered,
    Ask,
    Call,
    Done,
    Drill,
    Drilled,
    DrillOver,
    EraseHistory,
    EraseLedger,
    HistoryPage,
    LedgerPage,
    Preview,
    Previewed,
    Provider,
    RouteKind,
    Settings,
    ShowHistory,
    ShowLedger,
)
from indexer.records import FolderRule
from indexer.worker import Cancellation

VALVE = "Heinz (heinz@example.org) replaced the pressure valve on 3 May. It cost 118 euros."
QUESTION = "When was the pressure valve replaced?"
NOT_THERE = "Who painted the harbour gate?"


class Local:
    """A local model that says one sentence."""

    kind: RouteKind = "local"
    name = "small"

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        pass

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Token | Finished]:
        yield Token("Heinz replaced it on 3 May.")
        yield Finished("stop")


class Desk:
    """An AnswerDesk with its surroundings; `rule` is that of every note, `local` whether there is a local model."""

    def __init__(self, home: Path, server: FaultServer) -> None:
        self.rule: FolderRule = "ask"
        self.local = True
        self.history = History(home / "history.sqlite3")
        self._server = server
        self._outgoing = Outgoing(
            lambda paths: dict.fromkeys(paths, self.rule), Settings, Ledger(home / "outgoing.sqlite3")
        )
        self.desk = AnswerDesk(lambda _: Shelf([VALVE]), self._route, self._outgoing, self.history)

    def __call__(self, call: Call) -> list[Any]:
        return list(self.desk.handle(call, Cancellation()))  # type: ignore[arg-type]

    def _route(self, ask: Ask, cut: bool) -> Route:
        gate = Gate(lambda: ask.offline or cut, reason="An outage drill is on" if cut else "Offline", loopback=False)
        provider, sender = Provider("far", "openai", self._server.url, "big"), self._outgoing.card(consent=ask.consent)
        cloud = CloudModel(provider, lambda _: None, gate, Breaker(), sender)
        here: list[ChatModel] = [Local()] if self.local else []
        return Route([cloud, *here] if ask.consent else [*here, cloud])


@pytest.fixture
def desk(tmp_path: Path, faults: FaultServer) -> Desk:
    return Desk(tmp_path, faults)


def test_a_preview_is_the_very_text_that_the_question_then_sends(desk: Desk, faults: FaultServer) -> None:
    (would,) = desk(Preview(QUESTION, consent=True))
    assert isinstance(would, Previewed)
    assert not faults.requests
    assert (would.host, would.model, would.hidden) == ("127.0.0.1", "big", {"email": 1})
    assert "[EMAIL-1]" in would.messages[-1].content
    desk(Ask(QUESTION, consent=True))
    ((_, _, body),) = faults.requests
    assert [(said.role, said.content) for said in would.messages] == [
        (said["role"], said["content"]) for said in body["messages"]
    ]


def test_a_preview_of_a_follow_up_is_the_very_text_that_it_then_sends(desk: Desk, faults: FaultServer) -> None:
    first = desk(Ask(QUESTION))[-1].number
    (would,) = desk(Preview("how much was it?", consent=True, follows=first))
    assert "Earlier question: When was" in would.messages[-1].content
    assert "\nQuestion: how much was it: " in would.messages[-1].content
    desk(Ask("how much was it?", consent=True, follows=first))
    ((_, _, body),) = faults.requests
    assert [said.content for said in would.messages] == [said["content"] for said in body["messages"]]
    with pytest.raises(BadInput, match="in the history no more"):
        desk(Preview("how much was it?", consent=True, follows=99))


def test_a_preview_shows_what_each_cloud_model_would_get(desk: Desk, faults: FaultServer) -> None:
    class Tight(CloudModel):
        """A cloud model that is given the quote alone."""

        notes_tokens = 0

    first = desk._route(Ask(QUESTION, consent=True), False).models[0]
    assert isinstance(first, CloudModel)
    tight = Tight(
        Provider("near", "openai", faults.url, "tight"), lambda _: None, Gate(lambda: False), Breaker(), first._sender
    )
    desk.desk._route = lambda ask, cut: Route([Local(), first, tight])
    one, other = desk(Preview(QUESTION, consent=True))
    assert (one.model, other.model) == ("big", "tight")
    assert "[EMAIL-1]" in one.messages[-1].content
    assert "It cost 118 euros" in one.messages[-1].content
    assert "It cost 118 euros" not in other.messages[-1].content
    desk.rule = "local"
    assert [would.messages for would in desk(Preview(QUESTION, consent=True))] == [[], []]
    assert not faults.requests


def test_a_preview_says_why_nothing_would_be_sent(desk: Desk) -> None:
    assert "only if you say so" in desk(Preview(QUESTION))[0].note
    assert "do not seem to say" in desk(Preview(NOT_THERE, consent=True))[0].note
    desk.rule = "local"
    (would,) = desk(Preview(QUESTION, consent=True))
    assert "stay on this machine" in would.note
    assert would.messages == []


@pytest.mark.parametrize(
    ("ask", "rule", "offer"),
    [
        (Ask(QUESTION), "ask", "127.0.0.1"),
        (Ask(QUESTION), "cloud", "127.0.0.1"),
        (Ask(QUESTION), "local", ""),
        (Ask(QUESTION, consent=True), "ask", ""),
        (Ask(QUESTION, offline=True), "ask", ""),
        (Ask(QUESTION, model=False), "ask", ""),
        (Ask(NOT_THERE), "ask", ""),
    ],
)
def test_a_cloud_model_is_offered_only_where_it_could_be_asked(
    desk: Desk, ask: Ask, rule: FolderRule, offer: str
) -> None:
    desk.rule = rule
    answered = desk(ask)[-1]
    assert isinstance(answered, Answered)
    assert answered.offer == offer


def test_a_cloud_model_that_just_failed_is_not_offered(desk: Desk, faults: FaultServer) -> None:
    desk.local, desk.rule, faults.fault = False, "cloud", "503"
    assert desk(Ask(QUESTION))[-1].offer == ""
    desk.rule = "ask"
    answered = desk(Ask(QUESTION))[-1]
    assert answered.offer == "127.0.0.1"
    assert "only if you say so" in answered.note


def test_placeholders_come_back_in_the_answer(desk: Desk, faults: FaultServer) -> None:
    faults.words = ("Ask [EMA", "IL-1", "].")
    answered = desk(Ask(QUESTION, consent=True))[-1]
    assert answered.answer == "Ask heinz@example.org."


def test_what_left_is_listed_counted_and_erased(desk: Desk) -> None:
    for _ in range(3):
        desk(Ask(QUESTION, consent=True))
    pages = desk(ShowLedger())
    assert [len(page.entries) for page in pages] == [3, 0]
    assert [len(page.entries) for page in desk(ShowLedger(most=2))] == [2]
    (done,) = desk(EraseLedger())
    assert isinstance(done, Done)
    (page,) = desk(ShowLedger())
    assert isinstance(page, LedgerPage)
    assert page.entries == []
    assert page.spent_day > 0, "what is erased was spent all the same"


def test_the_ledger_is_asked_for_from_a_day_on(desk: Desk) -> None:
    desk(Ask(QUESTION, consent=True))
    today = datetime.now().astimezone().date()
    assert desk(ShowLedger(since=str(today)))[0].entries
    assert not desk(ShowLedger(since=str(today + timedelta(days=2))))[0].entries
    with pytest.raises(BadInput, match="'yesterday' is not a date"):
        desk(ShowLedger(since="yesterday"))


def test_a_drill_asks_without_the_cloud_and_keeps_nothing(desk: Desk, faults: FaultServer) -> None:
    desk(Ask(QUESTION))
    desk(Ask(NOT_THERE))
    before = desk.history.recent(10)
    first, second, over = desk(Drill([]))
    assert isinstance(first, Drilled)
    assert (first.question, first.answered_by) == (NOT_THERE, "nobody")
    assert (second.question, second.answered_by, second.model) == (QUESTION, "local", "small")
    assert second.timings.total_ms is not None
    assert over == DrillOver(2, 1, "Without the cloud, 1 of 2 questions were answered.")
    assert desk.history.recent(10) == before
    assert not faults.requests


def test_without_any_model_the_quote_answers_a_drill(desk: Desk, faults: FaultServer) -> None:
    desk.local = False
    result, _ = desk(Drill([QUESTION]))
    assert result.answered_by == "quote"
    assert "outage drill" in result.note
    assert not faults.requests


def test_questions_of_a_drill_that_cannot_be_asked_do_not_end_it(desk: Desk) -> None:
    bad, good, over = desk(Drill(["?!", QUESTION]))
    assert (bad.answered_by, good.answered_by) == ("nobody", "local")
    assert "no words" in bad.note
    assert over.asked == 2


def test_a_profile_without_a_history_drills_examples(desk: Desk) -> None:
    *_, over = desk(Drill([], most=2))
    assert isinstance(over, DrillOver)
    assert over.asked > 0


def test_the_history_is_shown_page_by_page_and_erased(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.answers.ANSWERS_AT_ONCE", 2)
    assert desk(ShowHistory()) == [HistoryPage([])]
    for _ in range(2):
        desk(Ask(QUESTION))
        desk(Ask(NOT_THERE))
    pages = desk(ShowHistory())
    assert [len(page.answers) for page in pages] == [2, 2, 0]
    assert [past.answered.question for past in pages[0].answers] == [NOT_THERE, QUESTION]
    (found,) = desk(ShowHistory("valve", 1))
    assert [past.answered.question for past in found.answers] == [QUESTION]
    assert desk(EraseHistory(found.answers[0].id)) == [Done("1 answer is erased, with what came later to it.")]
    assert desk(EraseHistory()) == [Done("3 answers are erased, with what came later to them.")]
    assert desk(ShowHistory()) == [HistoryPage([])]
