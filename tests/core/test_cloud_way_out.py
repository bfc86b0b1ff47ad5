"""The cloud model behind the real way out: each of its tries is cleared and written down on its own."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fault_server import FaultServer
from msgspec import structs

from core.models.breaker import Breaker
from core.models.cloud import CloudModel
from core.models.model import Anew, Event, FromNotes, Message, Turn, composed
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import Provider, Settings
from indexer.records import FolderRule, Problem
from indexer.worker import Cancellation

BOAT = FromNotes("The boat is blue.", ("/work/boat.md",))


def way_out(path: Path, rule: FolderRule = "cloud", **settings: int) -> Outgoing:
    return Outgoing(
        lambda paths: dict.fromkeys(paths, rule), lambda: structs.replace(Settings(), **settings), Ledger(path)
    )


def model_at(url: str, outgoing: Outgoing, kind: str = "openai", breaker: Breaker | None = None) -> CloudModel:
    provider = Provider("test", kind, url, "starter")  # type: ignore[arg-type]
    return CloudModel(provider, lambda _: None, Gate(lambda: False), breaker or Breaker(), outgoing.card())


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
@pytest.mark.parametrize(("rule", "shown"), [("local", False), ("cloud", True)])
def test_words_so_far_stay_text_of_every_note_when_a_second_try_has_fewer(
    faults: FaultServer, tmp_path: Path, kind: str, rule: FolderRule, shown: bool
) -> None:
    rules: dict[str, FolderRule] = {"/work/boat.md": "cloud", "/diary/mine.md": rule}
    outgoing = Outgoing(lambda paths: {path: rules[path] for path in paths}, Settings, Ledger(tmp_path / "out.sqlite3"))
    diary = FromNotes("She wept.", ("/diary/mine.md",))

    def fitting(tokens: int) -> Sequence[Message]:
        return [composed("user", BOAT, diary) if tokens > 1000 else composed("user", BOAT)]

    faults.fault, faults.faulty = "413", 1
    turn = Turn(fitting, 100, "She wept in the")
    events: list[Event] = list(model_at(faults.url, outgoing, kind).stream(turn, Cancellation()))
    bodies = [str(body) for _, _, body in faults.requests]
    assert len(bodies) == len(outgoing.ledger.page()) == 2, "each try is written down"
    goes_on = shown and kind == "anthropic"
    assert ["She wept in the" in body for body in bodies] == [goes_on, goes_on]
    assert (Anew() in events) is not goes_on
    assert "She wept." not in bodies[1]


def test_what_is_written_down_of_a_model_that_cannot_go_on_is_what_it_was_asked(
    faults: FaultServer, tmp_path: Path
) -> None:
    faults.fault = "no prefill"
    outgoing = way_out(tmp_path / "out.sqlite3")
    turn = Turn(lambda _: [composed("user", BOAT)], 100, "The boat")
    list(model_at(faults.url, outgoing, "anthropic").stream(turn, Cancellation()))
    second, first = outgoing.ledger.page()
    for entry, (_, _, body) in zip((first, second), faults.requests, strict=True):
        assert [{"role": one.role, "content": one.content} for one in entry.messages] == body["messages"]
    assert [entry.outcome for entry in (first, second)] == ["127.0.0.1 does not go on from another's words.", "ok"]


def test_a_rule_of_the_person_does_not_count_against_the_provider(faults: FaultServer, tmp_path: Path) -> None:
    breaker = Breaker()
    (tmp_path / "broken").write_bytes(b"no database at all, but long enough to be looked at as one" * 40)
    for outgoing, kind in (
        (way_out(tmp_path / "out.sqlite3", "local"), "withheld"),
        (way_out(tmp_path / "out.sqlite3", budget_day=1), "budget"),
        (way_out(tmp_path / "broken"), "profile"),
    ):
        model = model_at(faults.url, outgoing, breaker=breaker)
        with pytest.raises(Problem) as caught:
            list(model.stream(Turn(lambda _: [composed("user", BOAT)], 100), Cancellation()))
        assert caught.value.kind == kind
        assert breaker.admit() == "closed"
    assert not faults.requests
