"""The engine is killed in the middle of a download: the next one goes on, and the model is used without a restart."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.client import Engine
from core.models import catalogue
from core.protocol import GetModel, ListModels, ModelInfo, Models, PauseModel, UseModel
from tests.processes.conftest import eventually, status

sys.path.insert(0, str(Path(__file__).parent.parent / "core"))
import hub_server

FILE = "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture
def hub(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hub_server.HubServer]:
    """A hub with the real starter model, which it gives slowly."""
    if not (models / FILE).exists():
        pytest.skip("the starter language model is not installed: run `make setup`")
    with hub_server.running((models / FILE).read_bytes()) as server:
        server.fault = "drip"
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def info(engine: Engine, name: str) -> ModelInfo:
    last = list(engine.call(ListModels()))[-1]
    assert isinstance(last, Models)
    return next(one for one in last.models if one.name == name)


def test_a_killed_engine_costs_nothing_of_a_download(engine: Engine, hub: hub_server.HubServer) -> None:
    url = f"{hub.url}/org/repo/resolve/main/mine.gguf"
    list(engine.call(GetModel(url)))
    assert eventually(lambda: info(engine, "mine").done > 2_000_000)
    psutil.Process(status(engine).pid).kill()
    # The next question starts an engine, which goes on by itself.
    assert eventually(lambda: info(engine, "mine").state == "running")
    assert 2_000_000 < info(engine, "mine").done < len(hub.content)
    assert eventually(lambda: len(hub.ranges()) == 2)
    assert int(hub.ranges()[1].removeprefix("bytes=").rstrip("-")) > 2_000_000
    list(engine.call(PauseModel("mine")))
    hub.fault = "none"
    last = list(engine.call(GetModel(url, wait=True)))[-1]
    assert isinstance(last, Models)
    assert last.note == "mine is here (0.10 GB); its checksum is the one that its server states."
    used = list(engine.call(UseModel("mine")))[-1]
    assert isinstance(used, Models)
    assert used.note == "mine writes from now on."
    report = status(engine)
    assert (report.model, report.model_state) == ("mine", "ready")
    assert hub.sha256 == next(entry for entry in catalogue.entries() if FILE.endswith(entry.file)).sha256
