"""The order of the models, and what is said when one of them fails.

Most models here are scripted: real ones cannot be made to fail at a chosen word. A script implements the whole
`ChatModel` protocol; one test puts the real cloud model in front.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_server import FaultServer

from core.errors import CloudFailed
from core.models.cloud import CloudModel
from core.models.model import ChatModel, Finished, FromNotes, Message, ModelFailed, Prompt, Sender, Token, composed
from core.models.route import Route, Spoken
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import Piece, RouteKind, RouteStep, Settings, Step
from indexer.records import Problem
from indexer.worker import Cancellation

BROKEN = ModelFailed("The local model ended.", "It is started again by the next question.")
REFUSED = CloudFailed("api.host refused the API key.", "Set a valid key with `offhand keys set`.")


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    """The way out for notes that may go to the cloud."""
    rules = Outgoing(lambda paths: dict.fromkeys(paths, "cloud"), Settings, Ledger(tmp_path / "outgoing.sqlite3"))
    return rules.card()


class Script:
    """Says what it is told to, then ends or fails; a Cancellation in the script is cancelled when it is reached."""

    def __init__(self, kind: RouteKind, *script: str | Finished | Problem | Cancellation) -> None:
        self.kind = kind
        self.name = f"{kind} model"
        self.asked = 0
        self._script = script

    def stream(self, prompt: Prompt, max_tokens: int, cancelled: Cancellation) -> Iterator[Token | Finished]:
        self.asked += 1
        assert prompt(0)
        for line in self._script:
            match line:
                case Problem():
                    raise line
                case Cancellation():
                    line.cancel()
                    return
                case Finished():
                    yield line
                case str():
                    yield Token(line)


def prompt(_tokens: int) -> list[Message]:
    return [composed("user", FromNotes("The boat is blue.", ("/notes/boat.md",)), "\nWhat colour is the boat?")]


def speak(*models: ChatModel, cancelled: Cancellation | None = None) -> tuple[list[RouteStep | Piece], Spoken]:
    """The events and, checked to be the last of them, what came of it."""
    *events, last = Route(models).speak(prompt, 100, cancelled or Cancellation())
    assert isinstance(last, Spoken)
    assert not [event for event in events if isinstance(event, Spoken)]
    ended = [event.step for event in events if isinstance(event, RouteStep) and event.step.outcome != "asked"]
    assert ended == last.steps, "every step is told as it happens"
    pieces = "".join(event.text for event in events if isinstance(event, Piece))
    assert pieces.strip() == last.text.strip()
    return list(events), last  # type: ignore[arg-type]


def test_the_first_model_that_answers_is_the_only_one_asked() -> None:
    cloud = Script("cloud", "Never.", Finished("stop"))
    events, spoken = speak(Script("local", "Blue", ".", Finished("stop")), cloud)
    assert events == [
        RouteStep(Step("local", "local model", "asked")),
        Piece("Blue"),
        Piece("."),
        RouteStep(Step("local", "local model", "ok")),
    ]
    assert spoken == Spoken("Blue.", [Step("local", "local model", "ok")], "")
    assert cloud.asked == 0


def test_the_order_is_the_one_that_was_given() -> None:
    local = Script("local", "Never.", Finished("stop"))
    _, spoken = speak(Script("cloud", "Blue.", Finished("stop")), local)
    assert spoken.steps == [Step("cloud", "cloud model", "ok")]
    assert local.asked == 0


def test_when_the_local_model_cannot_begin_the_cloud_answers_and_both_are_recorded() -> None:
    events, spoken = speak(Script("local", BROKEN), Script("cloud", "Blue.", Finished("stop")))
    assert spoken.text == "Blue."
    assert spoken.steps == [
        Step("local", "local model", "The local model ended"),
        Step("cloud", "cloud model", "ok"),
    ]
    assert spoken.note == ""
    assert events[0] == RouteStep(Step("local", "local model", "asked"))
    assert events[2] == RouteStep(Step("cloud", "cloud model", "asked"))


def test_a_model_that_fails_after_its_first_word_keeps_its_words_and_is_not_replaced() -> None:
    cloud = Script("cloud", "Never.", Finished("stop"))
    _, spoken = speak(Script("local", "The boat ", "is", BROKEN), cloud)
    assert spoken.text == "The boat is"
    assert spoken.steps == [Step("local", "local model", "stopped: The local model ended")]
    assert spoken.note == "The local model ended. The words so far are kept; the quote stands."
    assert cloud.asked == 0


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
    assert [step.outcome for step in spoken.steps] == ["The local model ended", "api.host refused the API key"]
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
    assert spoken == Spoken("The boat ", [Step("local", "local model", "stopped")], "")
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
        ("401", "127.0.0.1 refused the API key"),
        ("503", "127.0.0.1 has a problem of its own (503)"),
        ("web page", "127.0.0.1 answered with a web page instead of a model's words"),
        ("empty", "127.0.0.1 sent no answer"),
    ],
)
def test_the_local_model_answers_for_a_real_cloud_that_refuses(
    sender: Sender, faults: FaultServer, fault: str, outcome: str
) -> None:
    faults.fault = fault
    cloud = CloudModel("big", faults.url, lambda: "sk-1", Gate(lambda: False), sender)
    _, spoken = speak(cloud, Script("local", "Blue.", Finished("stop")))
    assert spoken == Spoken("Blue.", [Step("cloud", "big", outcome), Step("local", "local model", "ok")], "")


def test_offline_goes_on_to_the_local_model_without_a_request(sender: Sender, faults: FaultServer) -> None:
    cloud = CloudModel("big", faults.named_url, lambda: "sk-1", Gate(lambda: True), sender)
    _, spoken = speak(cloud, Script("local", "Blue.", Finished("stop")))
    assert spoken.text == "Blue."
    assert spoken.steps[0].outcome == "Offline mode is on; nothing was sent"
    assert not faults.requests


def test_a_real_cloud_that_breaks_off_keeps_its_words(sender: Sender, faults: FaultServer) -> None:
    faults.fault = "cut"
    local = Script("local", "Never.", Finished("stop"))
    _, spoken = speak(CloudModel("big", faults.url, lambda: "sk-1", Gate(lambda: False), sender), local)
    assert spoken.text == "The boat is blue."
    assert spoken.steps[0].outcome == "stopped: 127.0.0.1 broke off in the middle"
    assert spoken.note
    assert local.asked == 0
