"""An answer is given again for as long as nothing it rests on has changed, and not a moment longer.

As in `test_answer.py`, the library is a shelf in memory and the models are scripted; the history is real.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs
from shelf import Shelf

from core.answering.answer import Answering
from core.answering.history import History
from core.engine.standing import Standing
from core.models.breaker import Breaker
from core.models.cloud import CloudModel
from core.models.model import ChatModel, Finished, ModelFailed, Token, Turn
from core.models.route import Route
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import Answered, Ask, Event, Found, Provider, Quoted, RouteKind, Settings
from indexer.records import FolderRule
from indexer.worker import Cancellation

VALVE = "Heinz replaced the pressure valve on 3 May. It cost 118 euros."
OTHER = "The chimney sweep comes every October."
QUESTION = "When was the pressure valve replaced?"


class Counting:
    """A model that counts how often it is asked, and says so; `fails` makes it fail."""

    kind: RouteKind = "local"
    name = "counting"

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        pass

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Token | Finished]:
        self.asked += 1
        if self.fails:
            raise ModelFailed("It fails.")
        yield Token(f"Heinz replaced the pressure valve on 3 May. ({self.asked})")
        yield Finished("stop")


class Home:
    """Notes, a model and a history; `standing` is what else an answer depends on."""

    def __init__(self, folder: Path) -> None:
        self.history = History(folder / "history.sqlite3")
        self.model = Counting()
        self.second = Counting()
        self.shelf = Shelf([VALVE, OTHER])
        self.standing = "the rules of today"

    def events(self, ask: Ask = Ask(QUESTION)) -> list[Event]:  # noqa: B008  # frozen value
        answering = Answering(
            self.shelf,
            lambda _ask: Route([self.model, self.second]),
            self.history,
            standing=lambda _ask, _paths: self.standing,
        )
        return list(answering.answer(ask, Cancellation()))

    def answer(self, ask: Ask = Ask(QUESTION)) -> Answered:  # noqa: B008  # frozen value
        answered = self.events(ask)[-1]
        assert isinstance(answered, Answered)
        return answered


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_asked_again_the_earlier_answer_comes_at_once_with_its_time(home: Home) -> None:
    first = home.answer()
    events = home.events()
    assert [type(event) for event in events] == [Found, Quoted, Answered]
    again = events[-1]
    assert isinstance(again, Answered)
    assert (again.answer, again.sentences, again.route) == (first.answer, first.sentences, first.route)
    passed = datetime.now(UTC) - datetime.fromisoformat(again.remembered_at)
    assert 0 <= passed.total_seconds() < 60
    assert again.timings.first_token_ms is not None
    assert (first.remembered_at, home.model.asked) == ("", 1)


def test_an_answer_that_is_given_again_is_not_kept_twice(home: Home) -> None:
    for _ in range(3):
        home.answer()
    assert len(home.history.recent(9)) == 1


@pytest.mark.parametrize("typed", [" when was the PRESSURE valve replaced", f"{QUESTION} \n", f"{QUESTION}?"])
def test_the_same_question_may_be_typed_in_another_way(home: Home, typed: str) -> None:
    home.answer()
    assert home.answer(Ask(typed)).remembered_at
    assert home.model.asked == 1


def another_text(home: Home) -> None:
    home.shelf = Shelf([VALVE.replace("118", "119"), OTHER])


def another_source(home: Home) -> None:
    home.shelf = Shelf([VALVE, OTHER, "The pressure valve was replaced by Heinz once before."])


def another_title(home: Home) -> None:
    home.shelf = Shelf([VALVE, OTHER], title="Boiler")


def another_standing(home: Home) -> None:
    home.standing = "the rules of tomorrow"


def erased(home: Home) -> None:
    home.history.erase()


def removed(home: Home) -> None:
    home.history.forget("/notes")


@pytest.mark.parametrize("change", [another_text, another_source, another_title, another_standing, erased, removed])
def test_whatever_changes_is_answered_anew(home: Home, change: Callable[[Home], None]) -> None:
    home.answer()
    change(home)
    assert home.answer().remembered_at == ""
    assert home.model.asked == 2


def test_what_changes_elsewhere_changes_nothing(home: Home) -> None:
    home.answer()
    home.shelf = Shelf([VALVE, "The hedge is cut in autumn."])
    assert home.answer().remembered_at


def test_a_line_that_moved_is_told_where_it_is_now(home: Home) -> None:
    before = home.answer()
    home.shelf.hits = [structs.replace(hit, line=hit.line + 7) for hit in home.shelf.hits]
    again = home.answer()
    assert again.remembered_at
    assert before.quote is not None
    assert again.quote is not None
    assert (again.quote.line, again.sources[0].line) == (before.quote.line + 7, before.sources[0].line + 7)


def test_whoever_wants_a_fresh_answer_gets_it_and_the_next_one_gets_that(home: Home) -> None:
    home.answer()
    fresh = home.answer(Ask(QUESTION, fresh=True))
    assert fresh.answer.endswith("(2)")
    assert home.answer().answer == fresh.answer
    assert home.model.asked == 2


def test_what_another_model_had_to_finish_is_not_given_again(home: Home) -> None:
    home.model.fails = True
    assert home.answer().answer.endswith("(1)")
    home.model.fails = False
    assert home.answer().remembered_at == ""


@pytest.mark.parametrize("ask", [Ask(QUESTION, model=False), Ask(QUESTION, keep=False)])
def test_what_no_model_wrote_or_nobody_kept_is_not_given_again(home: Home, ask: Ask) -> None:
    for _ in range(2):
        assert home.answer(ask).remembered_at == ""


def test_a_damaged_history_costs_the_memory_alone(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite3").write_bytes(b"no database " * 500)
    home = Home(tmp_path)
    for number in (1, 2):
        answered = home.answer()
        assert answered.answer.endswith(f"({number})")
        assert "could not be kept" in answered.note


# ---- what an answer depends on besides the notes ------------------------------------------------------------------


class Surroundings:
    """A route, rules and settings that can be changed, and what `Standing` says of them."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings()
        self.rule: FolderRule = "cloud"
        self.file = folder / "model.gguf"
        self.file.write_bytes(b"GGUF")
        self.url = "https://api.example.org/v1"
        self._outgoing = Outgoing(
            lambda paths: dict.fromkeys(paths, self.rule), lambda: self.settings, Ledger(folder / "outgoing.sqlite3")
        )

    def said(self, ask: Ask, *, cloud: bool, paths: Sequence[str] = ("/notes/a.md",)) -> str:
        provider = Provider("far", "openai", self.url, "big")
        sender = self._outgoing.card()
        first: ChatModel = (
            CloudModel(provider, lambda _: None, Gate(lambda: False), Breaker(), sender) if cloud else Counting()
        )
        return Standing(lambda _ask, _cut: Route([first]), self._outgoing, lambda: self.file)(ask, paths)


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def test_a_cloud_answer_holds_under_the_same_rules_alone(around: Surroundings) -> None:
    ask = Ask(QUESTION)
    known = [around.said(ask, cloud=True)]
    assert around.said(ask, cloud=True) == known[0]
    known.append(around.said(Ask(QUESTION, consent=True), cloud=True))
    around.rule = "local"
    known.append(around.said(ask, cloud=True))
    around.settings = Settings(redact=False)
    known.append(around.said(ask, cloud=True))
    around.settings = Settings(private_names=["Heinz"])
    known.append(around.said(ask, cloud=True))
    around.url = "https://other.example.org/v1"
    known.append(around.said(ask, cloud=True))
    assert len(set(known)) == len(known)


def test_a_local_answer_depends_on_the_model_file_and_on_no_rule(around: Surroundings) -> None:
    ask = Ask(QUESTION)
    before = around.said(ask, cloud=False)
    around.rule = "local"
    assert around.said(Ask(QUESTION, consent=True, offline=True), cloud=False) == before
    around.file.write_bytes(b"GGUF, another")
    assert around.said(ask, cloud=False) != before
    around.file.unlink()
    assert around.said(ask, cloud=False) != before
