"""What a person notices when one of the processes is killed: as little as possible, and always a clear word."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.client import Engine
from core.paths import Profile
from core.protocol import Answered, Ask, Event, Found, Piece, Progress, Quoted, Search
from tests.processes.conftest import eventually, family, indexed, status

QUESTION = "When is the boiler serviced?"


def child(profile: Profile, name: str) -> psutil.Process | None:
    return next((process for process in family(profile) if process.cmdline()[-1] == name), None)


def kill(profile: Profile, name: str) -> None:
    assert eventually(lambda: child(profile, name) is not None), f"{name} does not run"
    process = child(profile, name)
    assert process is not None
    process.kill()
    assert eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Three short notes with one clear answer."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "boiler.md").write_text(
        "# Boiler\n\nThe boiler is serviced every October by Mr Hale. The pressure should be 1.4 bar.\n"
    )
    (folder / "roof.md").write_text("# Roof\n\nTwo slates were replaced in May after the storm.\n")
    (folder / "garden.md").write_text("# Garden\n\nThe apple tree was planted in 2019 beside the shed.\n")
    return folder


def answered(events: list[Event]) -> Answered:
    assert isinstance(events[-1], Answered)
    return events[-1]


def until(events: Iterator[Event], kind: type) -> Event:
    return next(event for event in events if isinstance(event, kind))


def test_the_model_killed_in_mid_answer_leaves_quote_passages_and_a_clear_word(
    profile: Profile, engine: Engine, house: Path
) -> None:
    indexed(engine, house)
    events = engine.call(Ask(QUESTION))
    quoted = until(events, Quoted)
    assert isinstance(quoted, Quoted)
    assert quoted.quote is not None
    until(events, Piece)
    kill(profile, "llm")
    answer = answered(list(events))
    assert answer.quote == quoted.quote
    assert answer.sources
    local = [step for step in answer.route if step.kind == "local"]
    assert local
    assert local[0].outcome != "ok"
    assert answer.note
    again = answered(list(engine.call(Ask(QUESTION))))
    assert [step.outcome for step in again.route if step.kind == "local"] == ["ok"]


def test_without_semantics_word_search_goes_on(profile: Profile, engine: Engine, house: Path) -> None:
    indexed(engine, house)
    kill(profile, "semantics")
    stages = [event for event in engine.call(Search("slates")) if isinstance(event, Found)]
    assert stages[0].stage == "words"
    assert stages[0].hits[0].path.endswith("roof.md")
    assert eventually(lambda: list(engine.call(Search("what the storm broke")))[-1].hits != [])


def test_a_file_whose_extractor_is_killed_is_retried(profile: Profile, engine: Engine, house: Path) -> None:
    indexed(engine, house)
    kill(profile, "extractor")
    (house / "new.md").write_text("# New\n\nThe gutter was cleaned by Oksana.\n")
    assert eventually(lambda: bool(list(engine.call(Search("gutter Oksana", meaning=False)))[-1].hits))


def test_the_engine_killed_in_mid_answer_the_question_is_answered_by_the_next(
    profile: Profile, engine: Engine, house: Path
) -> None:
    indexed(engine, house)
    first = status(engine).pid
    restarts: list[bool] = []
    asking = Engine(profile, on_restart=lambda: restarts.append(True))
    events = asking.call(Ask(QUESTION))
    until(events, Quoted)
    os.kill(first, signal.SIGKILL)
    answer = answered(list(events))
    assert restarts == [True]
    assert answer.question == QUESTION
    assert answer.quote is not None
    assert "October" in answer.quote.text
    assert status(engine).pid != first
    asking.close()


def test_the_engine_killed_while_indexing_goes_on_where_it_was(profile: Profile, engine: Engine, notes: Path) -> None:
    from core.protocol import AddFolder, Index

    list(engine.call(AddFolder(str(notes))))
    seen = 0
    for event in engine.call(Index(wait=True)):
        assert isinstance(event, Progress)
        seen = event.counts.indexed
        if seen >= 10 or event.done:
            break
    os.kill(status(engine).pid, signal.SIGKILL)
    last = list(engine.call(Index(wait=True)))[-1]
    assert isinstance(last, Progress)
    assert last.done
    assert last.counts.failed == 0
    assert last.counts.indexed >= seen
    assert last.counts.vectors_owed == 0
