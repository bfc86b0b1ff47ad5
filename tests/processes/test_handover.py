"""Answers that change hands in the middle: a real engine, its real local model, and real servers that break off."""

import os
import signal
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.client import Engine
from core.protocol import (
    AddProvider,
    Answered,
    Ask,
    Configure,
    Draft,
    Event,
    LedgerPage,
    ListProviders,
    Piece,
    Provider,
    Providers,
    Restart,
    RouteStep,
    SetRule,
    ShowLedger,
    TryProvider,
)
from tests.core import fault_server
from tests.core.conftest import cloud, starter_model  # noqa: F401  # fixtures
from tests.core.fault_server import FaultServer
from tests.processes.conftest import eventually, indexed, status

QUESTION = "When is the boiler serviced?"

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "boiler.md").write_text(
        "# Boiler\n\nThe boiler is serviced every October by Mr Hale. The pressure should be 1.4 bar.\n"
    )
    return folder


@pytest.fixture
def faulty() -> Iterator[FaultServer]:
    with fault_server.running() as server:
        yield server


def read(engine: Engine, house: Path) -> None:
    """Read the house's notes, which may go to the cloud."""
    indexed(engine, house)
    list(engine.call(SetRule(str(house), "cloud")))


def add(engine: Engine, name: str, url: str) -> None:
    list(engine.call(AddProvider(Provider(name, "openai", url, f"{name}-model"))))


def followed(engine: Engine, events: Iterator[Event]) -> tuple[Answered, list[Event]]:
    """The answer, checked to be what whoever followed its events has read."""
    seen = list(events)
    answered = seen[-1]
    assert isinstance(answered, Answered)
    draft = Draft()
    for event in seen:
        if isinstance(event, RouteStep | Restart | Piece):
            draft.take(event)
    assert draft.text.strip() == answered.answer
    return answered, seen


def warmed(engine: Engine, url: str) -> None:
    """Let the server read the question's prompt once: on a busy machine that alone can take longer than the engine
    waits for a first word. Asked under another model's name, so that a failure now does not count later."""
    list(engine.call(AddProvider(Provider("far", "openai", url, "warming"))))
    list(engine.call(Configure("prefer", "cloud")))
    list(engine.call(Ask(QUESTION)))


def models(answered: Answered) -> list[tuple[str, str, int | None]]:
    return [(step.model, step.outcome, step.start) for step in answered.route if step.kind != "quote"]


def words(events: list[Event], model: str) -> str:
    """What this model said."""
    said, speaks = "", False
    for event in events:
        if isinstance(event, RouteStep) and event.step.outcome == "asked":
            speaks = event.step.model == model
        elif isinstance(event, Piece) and speaks:
            said += event.text
    return said


def test_the_cloud_breaks_off_and_the_local_model_goes_on_from_its_very_words(
    engine: Engine,
    house: Path,
    faulty: FaultServer,
    cloud: str,  # noqa: F811
) -> None:
    read(engine, house)
    warmed(engine, cloud)
    faulty.upstream, faulty.fault, faulty.after = cloud, "cut", 3
    add(engine, "far", faulty.url)
    answered, events = followed(engine, engine.call(Ask(QUESTION)))
    first, second = models(answered)
    assert first == ("far-model", "stopped: 127.0.0.1 broke off in the middle", 0)
    assert second[1] == "ok"
    assert not [event for event in events if isinstance(event, Restart)]
    kept = words(events, "far-model")
    assert kept
    assert answered.answer.startswith(kept.strip())
    assert answered.answer == (kept + words(events, second[0])).strip(), "no word is lost or said twice"
    assert answered.quote is not None
    again, _ = followed(engine, engine.call(Ask(QUESTION)))
    assert models(again)[0][1].startswith("far was not asked: 127.0.0.1 broke off in the middle. It is left alone")
    assert len(faulty.requests) == 1


def test_the_local_model_is_killed_in_mid_answer_and_the_cloud_begins_anew(
    engine: Engine,
    house: Path,
    cloud: str,  # noqa: F811
) -> None:
    read(engine, house)
    warmed(engine, cloud)
    add(engine, "far", cloud)
    list(engine.call(Configure("prefer", "local")))
    assert eventually(lambda: any(child.name == "llm" and child.pid for child in status(engine).children), 60)
    pid = next(child.pid for child in status(engine).children if child.name == "llm")
    assert pid is not None
    killed: list[int] = []

    def killing(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            if isinstance(event, Piece) and not killed:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            yield event

    answered, events = followed(engine, killing(engine.call(Ask(QUESTION))))
    first, second = models(answered)
    assert first[1:] == ("stopped: The local model ended unexpectedly", None)
    assert second == ("far-model", "ok", 0)
    assert [event for event in events if isinstance(event, Restart)] == [Restart()]
    assert answered.answer == words(events, "far-model").strip()


def test_one_cloud_breaks_off_and_the_next_begins_anew(engine: Engine, house: Path, faulty: FaultServer) -> None:
    faulty.fault, faulty.faulty, faulty.after = "reset", 1, 2
    faulty.words = ("The boiler ", "is serviced ", "every October ", "by Mr Hale.")
    read(engine, house)
    add(engine, "first", faulty.url)
    add(engine, "second", faulty.url)
    list(engine.call(Configure("prefer", "cloud")))
    answered, events = followed(engine, engine.call(Ask(QUESTION)))
    assert models(answered) == [
        ("first-model", "stopped: The connection to 127.0.0.1 broke", None),
        ("second-model", "ok", 0),
    ]
    assert [event for event in events if isinstance(event, Restart)] == [Restart()]
    assert answered.answer == "The boiler is serviced every October by Mr Hale."


def test_with_nobody_left_the_words_the_quote_and_the_passages_close_the_card(
    engine: Engine, house: Path, faulty: FaultServer, tmp_path: Path
) -> None:
    faulty.fault, faulty.after = "cut", 2
    read(engine, house)
    none = tmp_path / "none.gguf"
    none.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 1, 1))
    list(engine.call(Configure("local_model", str(none))))
    add(engine, "far", faulty.url)
    answered, _ = followed(engine, engine.call(Ask(QUESTION)))
    assert answered.answer == "The boat is"
    assert answered.note.endswith("The words so far are kept; the quote stands.")
    assert answered.quote is not None
    assert answered.sources


def test_a_test_ends_the_rest_of_a_provider_that_is_back(engine: Engine, faulty: FaultServer, house: Path) -> None:
    faulty.fault = "500"
    read(engine, house)
    add(engine, "far", faulty.url)
    list(engine.call(Configure("prefer", "cloud")))
    followed(engine, engine.call(Ask(QUESTION)))
    (listed,) = engine.call(ListProviders())
    assert isinstance(listed, Providers)
    assert listed.providers[0].state == "resting"
    faulty.fault = "none"
    list(engine.call(TryProvider("far")))
    (report,) = status(engine).providers
    assert (report.state, report.words) == ("ready", "It answers.")
    assert faulty.requests[-1][2]["messages"] == [{"role": "user", "content": "Answer with the one word: ready"}]
    written = [entry for page in engine.call(ShowLedger()) if isinstance(page, LedgerPage) for entry in page.entries]
    assert [(entry.why, entry.outcome) for entry in written] == [
        ("a trial of the service, with none of your notes in it", "ok"),
        ("the folders' rule: may go to the cloud", "127.0.0.1 has a problem of its own (500)."),
    ]
