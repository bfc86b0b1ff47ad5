"""The local models as the engine has them: listed, fetched, added, used and removed; the real starter model loads."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hub_server
import psutil
import pytest
from gguf_files import small_model
from hub_server import HubServer

from core.engine.children import STARTER as PLACE
from core.engine.engine import Engine
from core.errors import BadInput, DownloadFailed, ModelMissing, Offline
from core.models import catalogue
from core.models.speed import Speed
from core.paths import Profile
from core.protocol import (
    Call,
    Configure,
    GetModel,
    ListModels,
    ModelInfo,
    Models,
    PauseModel,
    RemoveModel,
    UseModel,
)
from indexer.worker import Cancellation

STARTER = "SmolLM2-135M-Instruct"
OTHER = "Qwen2.5-0.5B-Instruct"
SMALL = small_model(data=2_000_000)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_server.running(SMALL) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def asked(engine: Engine, call: Call) -> list[Any]:
    return list(engine.handle(call, Cancellation()))


def told(engine: Engine, call: Call | None = None) -> Models:
    last = asked(engine, call or ListModels())[-1]
    assert isinstance(last, Models)
    return last


def of(models: Models, name: str) -> ModelInfo:
    return next(info for info in models.models if info.name == name)


def test_the_catalogue_is_sound() -> None:
    entries = catalogue.entries()
    assert len({entry.name.casefold() for entry in entries}) == len({entry.file for entry in entries}) == len(entries)
    assert [entry.memory for entry in entries] == sorted(entry.memory for entry in entries)
    for entry in entries:
        assert entry.file.endswith(".gguf")
        assert entry.size < entry.memory
        assert not entry.sha256 or catalogue.is_sha256(entry.sha256)
        assert catalogue.source(entry).url == f"{catalogue.HUB}/{entry.repo}/resolve/{entry.revision}/{entry.file}"


def test_the_list_says_what_runs_what_can_be_had_and_what_fits(engine: Engine, starter_model: Path) -> None:
    models = told(engine)
    assert models.memory == psutil.virtual_memory().total
    assert models.free > 0
    starter, other = of(models, STARTER), of(models, OTHER)
    assert (starter.state, starter.path, starter.own) == (
        "in use",
        str(engine.children.find(PLACE)),
        False,
    )
    assert (other.state, other.path, other.licence) == ("available", "", "Apache-2.0")
    assert starter.stays
    assert not other.stays
    assert starter.wait is None, "nothing was measured yet"
    assert all(info.fits == (info.memory <= models.memory) for info in models.models)


def test_a_model_that_did_not_run_yet_is_estimated_from_one_that_did(engine: Engine, starter_model: Path) -> None:
    engine._speeds.add(engine.children.model_file, Speed(300.0, 60.0))
    models = told(engine)
    starter, other = of(models, STARTER), of(models, OTHER)
    assert (starter.reading, starter.writing, starter.measured) == (300.0, 60.0, True)
    assert not other.measured
    assert other.writing == pytest.approx(60 * starter.size / other.size, abs=0.1)
    assert starter.wait is not None
    assert other.wait is not None
    assert other.wait > 3 * starter.wait


def test_a_model_is_fetched_by_name_or_address_and_removed(
    engine: Engine, hub: HubServer, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{hub.url}/org/repo/blob/main/tiny-Q4.gguf"
    first, *_, last = asked(engine, GetModel(url, wait=True))
    assert of(first, "tiny-Q4").state == "running"
    assert last.note == "tiny-Q4 is here (0.00 GB); its checksum is the one that its server states."
    assert hub.requests[0][0] == "/org/repo/resolve/main/tiny-Q4.gguf", "a page of the hub is the file it shows"
    info = of(last, "tiny-Q4")
    assert (info.state, info.size, info.own) == ("here", len(SMALL), False)
    assert told(engine, GetModel(url)).note == "tiny-Q4 is here already."
    assert told(engine, RemoveModel("tiny-q4")).note == "tiny-Q4 is deleted."
    assert "tiny-Q4" not in [one.name for one in told(engine).models]
    assert not list((profile.data / "models").glob("*.gguf*"))


def test_a_file_whose_ending_is_large_can_be_used_and_removed(engine: Engine, hub: HubServer) -> None:
    last = told(engine, GetModel(f"{hub.url}/files/tiny.GGUF", wait=True))
    assert of(last, "tiny").state == "here"
    assert told(engine, RemoveModel("tiny")).note == "tiny is deleted."


def test_a_server_that_states_no_checksum_is_said(engine: Engine, hub: HubServer) -> None:
    hub.stated = ""
    last = told(engine, GetModel(f"{hub.url}/files/tiny.gguf", wait=True))
    assert last.note.endswith("nobody states its checksum, and only its form was checked.")


def test_a_hub_with_another_file_than_the_catalogue_knows_is_refused(engine: Engine, hub: HubServer) -> None:
    with pytest.raises(DownloadFailed, match=f"now has another file in the place of {OTHER}"):
        asked(engine, GetModel(OTHER.lower(), wait=True))
    info = of(told(engine), OTHER)
    assert info.state == "failed"
    assert "another file" in info.note


def test_a_download_is_paused_and_thrown_away(engine: Engine, hub: HubServer) -> None:
    hub.fault = "drip"
    asked(engine, GetModel(f"{hub.url}/org/repo/resolve/main/tiny.gguf"))
    paused = of(told(engine, PauseModel("tiny")), "tiny")
    assert paused.state == "paused"
    assert told(engine, RemoveModel("tiny")).note == "What was here of tiny is deleted."
    with pytest.raises(BadInput, match="There is no model called tiny"):
        asked(engine, RemoveModel("tiny"))


def test_offline_nothing_is_tried_and_that_is_said(engine: Engine, hub: HubServer) -> None:
    asked(engine, Configure("offline", "on"))
    with pytest.raises(Offline, match="Offline mode is on; no download was tried"):
        asked(engine, GetModel(f"http://localhost:{hub.server_address[1]}/files/tiny.gguf", wait=True))
    assert not hub.requests


def test_a_file_of_ones_own_is_used_where_it_lies(engine: Engine, starter_model: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    shutil.copy(starter_model, mine)
    assert told(engine, GetModel(str(mine))).note == "mine can be used; its file stays where it is."
    models = told(engine, UseModel("mine"))
    assert models.note == "mine writes from now on."
    assert (of(models, "mine").state, of(models, STARTER).state) == ("in use", "here")
    assert engine.settings.current.local_model == str(mine)
    with pytest.raises(BadInput, match="mine is in use"):
        asked(engine, RemoveModel("mine"))
    assert of(told(engine, UseModel("")), STARTER).state == "in use"
    assert engine.settings.current.local_model == ""
    assert told(engine, RemoveModel("mine")).note == "mine is not listed any more; its file was not touched."
    assert mine.exists()


def test_a_model_that_cannot_be_loaded_leaves_the_one_before(
    engine: Engine, starter_model: Path, tmp_path: Path
) -> None:
    hollow = tmp_path / "hollow.gguf"
    hollow.write_bytes(SMALL)  # sound by its form, and nothing in it
    with pytest.raises(ModelMissing) as refused:
        asked(engine, UseModel(str(hollow)))
    assert refused.value.what.startswith("hollow.gguf cannot be loaded:")
    assert refused.value.what.endswith("SmolLM2-135M-Instruct goes on writing.")
    assert engine.settings.current.local_model == ""
    engine.children.wake_model()
    assert engine.children.model_state == "ready"


@pytest.mark.parametrize("content", [b"a picture", SMALL[:-9], small_model("bert")])
def test_a_file_that_is_no_model_is_never_loaded(content: bytes, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "holiday.gguf"
    path.write_bytes(content)
    for call in (GetModel(str(path)), UseModel(str(path))):
        with pytest.raises(BadInput, match=r"^holiday\.gguf"):
            asked(engine, call)
    assert engine.children.llm.pid is None
    assert "holiday" not in [info.name for info in told(engine).models]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (GetModel("no-such-model"), "There is no model called no-such-model in the catalogue"),
        (GetModel("https://example.org/model.bin"), "does not name a GGUF file"),
        (GetModel("ftp://example.org/model.gguf"), "is not a web address"),
        (GetModel("https://[example/model.gguf"), "is not a web address"),
        (GetModel("http://example.org/model.gguf"), "unencrypted through the internet"),
        (UseModel(OTHER), f"{OTHER} is not here yet"),
        (UseModel("no-such-model"), "There is no model called no-such-model"),
        (PauseModel(OTHER), "is not being fetched"),
        (RemoveModel(OTHER), f"{OTHER} is not here"),
        (RemoveModel(STARTER), "is in use"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(call: Call, says: str, engine: Engine) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        asked(engine, call)
    assert refused.value.next_step
