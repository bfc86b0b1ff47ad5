"""The order of the models, and what is said when one of them fails.

Most models here are scripted: real ones cannot be made to fail at a chosen word. A script implements the whole
`ChatModel` protocol; one test puts the real cloud model in front.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_server import FaultServer

from core.errors import CloudFailed, CloudRefused, CloudResting, CloudUnfit, CloudWithheld, Offline
from core.models.breaker import Breaker
from core.models.cloud import CloudModel
from core.models.model import (
    Anew,
    ChatModel,
    Event,
    Finished,
    FromNotes,
    Message,
    ModelFailed,
    Sender,
    Token,
    Turn,
    Waiting,
    composed,
)
from core.models.route import Route, Spoken
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import Draft, Piece, Provider, Restart, RouteKind, RouteStep, Settings, Step
from indexer.records import Problem
from indexer.worker import Cancellation

BROKEN = ModelFailed("The local model ended.", "It is started again by the next question.")
REFUSED = CloudFailed("api.host took too long.", "Ask again later.")
LOCKED_OUT = CloudRefused("api.host refused the API key.", "Set a valid key with `offhand keys set`.")


class Wait:
    """In a script: wait until `model` has begun to make ready."""

    def __init__(self, model: "Script") -> None:
        self.model = model


Line = str | Finished | Problem | Cancellation | Anew | Waiting | Wait


class Script:
    """Says what it is told to, then ends or fails; a Cancellation in the script is cancelled when it is reached."""

    def __init__(self, kind: RouteKind, *script: Line) -> None:
        self.kind = kind
        self.name = f"{kind} model"
        self.turns: list[Turn] = []
        self.prepared: list[tuple[Turn, Cancellation]] = []
        self.ready = threading.Event()
        self._script = script

    @property
    def asked(self) -> int:
        return len(self.turns)

    def prepare(self, turn: Turn, cancelled: Cancellation) -> None:
        self.prepared.append((turn, cancelled))
        self.ready.set()

    def stream(self, turn: Turn, cancelled: Cancellation) -> Iterator[Event]:
        self.turns.append(turn)
        assert turn.prompt(0)
        for line in self._script:
            match line:
                case Problem():
                    raise line
                case Cancellation():
                    line.cancel()
                    return
                case Wait():
                    assert line.model.ready.wait(5)
                case str():
                    yield Token(line)
                case _:
                    yield line


def prompt(_tokens: int) -> list[Message]:
    return [composed("user", FromNotes("The boat is blue.", ("/notes/boat.md",)), "\nWhat colour is the boat?")]


def speak(
    *models: ChatModel, cancelled: Cancellation | None = None
) -> tuple[list[RouteStep | Restart | Piece], Spoken]:
    """The events and, checked to be the last of them, what came of it."""
    *events, last = Route(models).speak(prompt, 100, cancelled or Cancellation())
    assert isinstance(last, Spoken)
    seen = [event for event in events if not isinstance(event, Spoken)]
    assert seen == events
    ended = [event.step for event in seen if isinstance(event, RouteStep) and event.step.outcome != "asked"]
    assert [(s.model, s.outcome) for s in ended] == [(s.model, s.outcome) for s in last.steps], "each is told at once"
    draft = Draft()
    for event in seen:
        draft.take(event)
    assert draft.text == last.text, "whoever follows the events has the same words in the end"
    return seen, last


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    """The way out for notes that may go to the cloud."""
    rules = Outgoing(lambda paths: dict.fromkeys(paths, "cloud"), Settings, Ledger(tmp_path / "outgoing.sqlite3"))
    return rules.card()


def cloud_at(url: str, sender: Sender, *, offline: bool = False) -> CloudModel:
    provider = Provider("test", "openai", url, "big")
    return CloudModel(provider, lambda _: "sk-1", Gate(lambda: offline), Breaker(), sender)


def test_the_first_model_that_answers_is_the_only_one_asked() -> None:
    cloud = Script("cloud", "Never.", Finished("stop"))
    events, spoken = speak(Script("local", "Blue", ".", Finished("stop")), cloud)
    assert events == [
        RouteStep(Step("local", "local model", "asked")),
        Piece("Blue"),
        Piece("."),
        RouteStep(Step("local", "local model", "ok")),
    ]
    assert spoken == Spoken("Blue.", [Step("local", "local model", "ok", 0)], "")
    assert cloud.asked == 0


def test_the_order_is_the_one_that_was_given() -> None:
    local = Script("local", "Never.", Finished("stop"))
    _, spoken = speak(Script("cloud", "Blue.", Finished("stop")), local)
    assert spoken.steps == [Step("cloud", "cloud model", "ok", 0)]
    assert local.asked == 0


def test_when_the_local_model_cannot_begin_the_cloud_answers_and_both_are_recorded() -> None:
    events, spoken = speak(Script("local", BROKEN), Script("cloud", "Blue.", Finished("stop")))
    assert spoken.text == "Blue."
    assert spoken.steps == [
        Step("local", "local model", "The local model ended"),
        Step("cloud", "cloud model", "ok", 0),
    ]
    assert spoken.note == ""
    assert events[0] == RouteStep(Step("local", "local model", "asked"))
    assert events[2] == RouteStep(Step("cloud", "cloud model", "asked"))


def test_a_model_that_breaks_off_keeps_its_words_and_the_next_goes_on_from_them() -> None:
    second = Script("cloud", "s", " blue.", Finished("stop"))
    events, spoken = speak(Script("local", "The boat ", "i", BROKEN), second)
    assert spoken.text == "The boat is blue."
    assert second.turns[0].so_far == "The boat i"
    assert not [event for event in events if isinstance(event, Restart)]
    assert spoken.steps == [
        Step("local", "local model", "stopped: The local model ended", 0),
        Step("cloud", "cloud model", "ok", 10),
    ]
    assert spoken.note == ""


def test_a_model_that_cannot_go_on_begins_anew_and_takes_the_place_of_the_first_words() -> None:
    anew = Script("cloud", Anew(), "It ", "is a blue boat.", Finished("stop"))
    events, spoken = speak(Script("local", "The boat ", "is", BROKEN), anew)
    assert spoken.text == "It is a blue boat."
    assert [event for event in events if isinstance(event, Restart)] == [Restart()]
    assert [step.start for step in spoken.steps] == [None, 0]


def test_a_new_version_that_breaks_off_sooner_leaves_the_first_words_standing() -> None:
    anew = Script("cloud", Anew(), "It ", REFUSED)
    last = Script("local", " blue.", Finished("stop"))
    _, spoken = speak(Script("cloud", "The boat is", BROKEN), anew, last)
    assert last.turns[0].so_far == "The boat is"
    assert spoken.text == "The boat is blue."
    assert [step.start for step in spoken.steps] == [0, None, 11]


def test_a_new_version_that_has_passed_the_first_is_what_the_next_goes_on_from() -> None:
    anew = Script("cloud", Anew(), "It is a blue bo", REFUSED)
    last = Script("local", "at.", Finished("stop"))
    _, spoken = speak(Script("cloud", "The boat is", BROKEN), anew, last)
    assert spoken.text == "It is a blue boat."
    assert [step.start for step in spoken.steps] == [None, 0, 15]


def test_a_whole_new_version_counts_though_it_is_the_shorter() -> None:
    anew = Script("cloud", Anew(), "Blue.", Finished("stop"))
    _, spoken = speak(Script("local", "The boat is, as far as", BROKEN), anew)
    assert spoken.text == "Blue."


def test_the_next_may_find_that_all_has_been_said() -> None:
    _, spoken = speak(Script("cloud", "The boat is blue.", BROKEN), Script("local", Finished("stop")))
    assert spoken.text == "The boat is blue."
    assert [(step.outcome, step.start) for step in spoken.steps] == [
        ("stopped: The local model ended", 0),
        ("ok", None),
    ]


def test_with_nobody_left_the_words_are_kept_and_that_is_said() -> None:
    _, spoken = speak(Script("cloud", "The boat ", "is", BROKEN), Script("local", BROKEN))
    assert spoken.text == "The boat is"
    assert spoken.note == "The local model ended. The words so far are kept; the quote stands."


def test_what_only_the_person_can_mend_is_told_though_the_next_answers() -> None:
    _, spoken = speak(Script("cloud", LOCKED_OUT), Script("local", "Blue.", Finished("stop")))
    assert spoken.text == "Blue."
    assert spoken.note == str(LOCKED_OUT)


def test_the_local_model_makes_ready_while_the_cloud_is_silent_and_stops_at_its_first_word() -> None:
    local = Script("local", "Never.", Finished("stop"))
    cloud = Script("cloud", Waiting(1.0), Waiting(1.6), Waiting(1.8), Wait(local), "Blue.", Finished("stop"))
    _, spoken = speak(cloud, local)
    assert spoken.text == "Blue."
    assert [turn.so_far for turn, _ in local.prepared] == [""], "once, and not before it was time"
    assert local.prepared[0][1].requested, "it was told to stop"
    assert local.asked == 0


def test_in_the_middle_the_local_model_makes_ready_for_the_words_so_far() -> None:
    local = Script("local", " blue.", Finished("stop"))
    cloud = Script("cloud", "The boat is", Waiting(1.6), Wait(local), REFUSED)
    _, spoken = speak(cloud, local)
    assert spoken.text == "The boat is blue."
    assert [turn.so_far for turn, _ in local.prepared] == ["The boat is"]


def test_no_second_company_is_ever_made_ready() -> None:
    other = Script("cloud", "Never.", Finished("stop"))
    speak(Script("cloud", Waiting(5.0), "Blue.", Finished("stop")), other)
    assert not other.prepared
    assert other.asked == 0


def test_white_space_alone_is_not_a_first_word() -> None:
    _, spoken = speak(Script("local", "\n", BROKEN), Script("cloud", "Blue.", Finished("stop")))
    assert spoken.text == "Blue."
    assert [step.outcome for step in spoken.steps] == ["The local model ended", "ok"]


def test_without_any_model_the_quote_is_the_answer() -> None:
    events, spoken = speak()
    assert events == []
    assert spoken == Spoken("", [], "There is no model to write with; the quote is the answer.")


def test_when_every_model_fails_the_last_reason_is_told_with_its_next_step() -> None:
    _, spoken = speak(Script("local", BROKEN), Script("cloud", REFUSED))
    assert spoken.text == ""
    assert [step.outcome for step in spoken.steps] == ["The local model ended", "api.host took too long"]
    assert spoken.note == f"{REFUSED.what} {REFUSED.next_step} The quote is the answer."


def test_a_model_that_says_nothing_gives_way_to_the_next() -> None:
    _, spoken = speak(Script("local", Finished("stop")), Script("cloud", "Blue.", Finished("stop")))
    assert spoken.text == "Blue."
    assert [step.outcome for step in spoken.steps] == ["said nothing", "ok"]


def test_a_lone_model_that_says_nothing_is_not_called_missing() -> None:
    _, spoken = speak(Script("local", Finished("stop")))
    assert spoken.text == ""
    assert "no model" not in spoken.note
    assert spoken.note.endswith("the quote is the answer.")


def test_words_without_an_end_are_never_passed_off_as_whole() -> None:
    _, spoken = speak(Script("local", "The boat "))
    assert spoken.steps[0].outcome == "broke off"
    assert spoken.note


def test_a_stop_in_the_middle_keeps_the_words_and_asks_nobody_else() -> None:
    cancelled = Cancellation()
    cloud = Script("cloud", "Never.", Finished("stop"))
    _, spoken = speak(Script("local", "The boat ", cancelled), cloud, cancelled=cancelled)
    assert spoken == Spoken("The boat ", [Step("local", "local model", "stopped", 0)], "")
    assert cloud.asked == 0


def test_a_stop_before_the_first_word_asks_nobody_else() -> None:
    cancelled = Cancellation()
    cloud = Script("cloud", "Never.", Finished("stop"))
    _, spoken = speak(Script("local", cancelled), cloud, cancelled=cancelled)
    assert spoken == Spoken("", [Step("local", "local model", "stopped")], "")
    assert cloud.asked == 0


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("500", "127.0.0.1 has a problem of its own (500)"),
        ("503", "127.0.0.1 has a problem of its own (503)"),
        ("web page", "127.0.0.1 answered with a web page instead of a model's words"),
        ("empty", "127.0.0.1 sent no answer"),
    ],
)
def test_the_local_model_answers_for_a_real_cloud_that_refuses(
    faults: FaultServer, sender: Sender, fault: str, outcome: str
) -> None:
    faults.fault = fault
    _, spoken = speak(cloud_at(faults.url, sender), Script("local", "Blue.", Finished("stop")))
    assert spoken.steps == [Step("cloud", "big", outcome), Step("local", "local model", "ok", 0)]
    assert (spoken.text, spoken.note) == ("Blue.", "")
    assert spoken.outage


@pytest.mark.parametrize(
    ("models", "outage"),
    [
        ((Script("cloud", REFUSED), Script("local", "Blue.", Finished("stop"))), True),
        ((Script("cloud", "The ", REFUSED), Script("local", "Blue.", Finished("stop"))), True),
        ((Script("local", BROKEN), Script("cloud", REFUSED)), True),
        ((Script("cloud", REFUSED), Script("cloud", LOCKED_OUT), Script("local", BROKEN)), True),
        ((Script("cloud", REFUSED), Script("cloud", "Blue.", Finished("stop"))), False),
        ((Script("local", "Blue.", Finished("stop")), Script("cloud", REFUSED)), False),
        ((Script("cloud", LOCKED_OUT), Script("local", "Blue.", Finished("stop"))), False),
        ((Script("cloud", CloudUnfit("No.", "")), Script("local", BROKEN)), False),
        ((Script("cloud", CloudWithheld("Filtered.", "")), Script("local", BROKEN)), False),
        ((Script("cloud", Offline("The door is closed.", "")), Script("local", BROKEN)), False),
        ((Script("cloud", CloudResting("Left alone.", "", outage=True)), Script("local", BROKEN)), True),
        ((Script("cloud", CloudResting("Left alone.", "", outage=False)), Script("local", BROKEN)), False),
        ((Script("local", BROKEN),), False),
    ],
)
def test_only_an_outage_that_kept_every_cloud_model_from_it_is_one(models: tuple[Script, ...], outage: bool) -> None:
    assert speak(*models)[1].outage is outage


def test_offline_goes_on_to_the_local_model_without_a_request(faults: FaultServer, sender: Sender) -> None:
    _, spoken = speak(cloud_at(faults.named_url, sender, offline=True), Script("local", "Blue.", Finished("stop")))
    assert spoken.text == "Blue."
    assert spoken.steps[0].outcome == "Offline mode is on; nothing was sent"
    assert not faults.requests


def test_from_a_real_cloud_that_breaks_off_the_next_real_cloud_takes_over(faults: FaultServer, sender: Sender) -> None:
    faults.fault, faults.faulty, faults.after = "cut", 1, 2
    events, spoken = speak(cloud_at(faults.url, sender), cloud_at(faults.url, sender))
    assert spoken.text == "The boat is blue."
    assert [(step.outcome, step.start) for step in spoken.steps] == [
        ("stopped: 127.0.0.1 broke off in the middle", None),
        ("ok", 0),
    ]
    assert [event for event in events if isinstance(event, Restart)] == [Restart()]
