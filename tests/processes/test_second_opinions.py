"""A question that an outage kept from the cloud outlives the engine: killed in between, the next one asks it."""

import os
from pathlib import Path

import pytest

from core.client import Engine
from core.paths import Profile
from core.protocol import (
    AddProvider,
    Answered,
    Ask,
    Configure,
    Later,
    Provider,
    SecondOpinion,
    SetRule,
    ShowLater,
    Status,
    StatusReport,
    Watch,
)
from tests.core import fault_server
from tests.processes.conftest import eventually, family, indexed, status

pytestmark = pytest.mark.slow

QUESTION = "When was the pressure valve replaced?"
NOTE = "# Boiler\n\nHeinz replaced the pressure valve on 3 May. It cost 118 euros.\n"


def told(engine: Engine) -> list[SecondOpinion]:
    later = list(engine.call(ShowLater()))[-1]
    assert isinstance(later, Later)
    return later.opinions


def test_killed_in_an_outage_the_next_engine_asks_when_the_cloud_is_back(
    engine: Engine, profile: Profile, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "boiler.md").write_text(NOTE)
    with fault_server.running() as server:
        for name, value in (("second_opinions", "on"), ("prefer", "cloud")):
            list(engine.call(Configure(name, value)))
        list(engine.call(AddProvider(Provider("far", "openai", server.url, "big"))))
        indexed(engine, notes)
        list(engine.call(SetRule(str(notes), "cloud")))
        server.fault = "500"
        answered = list(engine.call(Ask(QUESTION)))[-1]
        assert isinstance(answered, Answered)
        assert "offhand later" in answered.note
        assert answered.route[-1].kind == "local"
        assert [one.state for one in told(engine)] == ["waiting"]

        os.kill(status(engine).pid, 9)
        assert eventually(lambda: not family(profile))
        server.fault, server.words = "none", ("Heinz replaced the pressure valve on 3 May.",)
        server.requests.clear()
        assert [one.first for one in told(engine)] == [answered.answer], "the next engine knows of it"
        arrived = False
        watching = engine.call(Watch())
        for report in watching:
            assert isinstance(report, StatusReport)
            arrived = report.later.new == 1
            if arrived:
                break
        assert arrived
        (came,) = told(engine)
        assert (came.state, came.answer) == ("arrived", server.words[0])
        assert came.sentences[0].source == 1
        assert len(server.requests) == 1
        (report,) = engine.call(Status())
        assert isinstance(report, StatusReport)
        assert report.later.waiting == 0
