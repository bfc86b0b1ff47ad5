"""Downloads as the engine has them: in the background, paused, gone on with by another engine."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hub_server
import pytest
from gguf_files import small_model
from hub_server import HubServer

from core.engine.downloads import Download, Downloads
from core.errors import DownloadFailed
from core.models.catalogue import Source
from core.models.parts import Part, Record
from core.models.transfer import Patience
from core.network import Gate

CONTENT = small_model(data=4_000_000)
OPEN = Gate(lambda: False)
QUICK = Patience(connect=2.0, stall=2.0, pauses=(0.0,))


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with hub_server.running(CONTENT) as server:
        yield server


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[..., Downloads]]:
    """Makes what an engine has of downloads; all of it ends with the test."""
    alive: list[Downloads] = []

    def make(gate: Gate = OPEN) -> Downloads:
        alive.append(Downloads(tmp_path / "models", gate, patience=QUICK))
        return alive[-1]

    yield make
    for downloads in alive:
        downloads.end()


def source(hub: HubServer, name: str = "small") -> Source:
    return Source(name, f"{hub.url}/org/repo/resolve/abc/{name}.gguf", f"{name}.gguf", len(hub.content), hub.sha256)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def whole(download: Download) -> None:
    eventually(lambda: download.state == "done")


def come(download: Download, least: int = 1) -> None:
    eventually(lambda: download.done >= least)


def test_a_download_runs_by_itself_and_tells_how_far_it_is(hub: HubServer, made: Callable[..., Downloads]) -> None:
    hub.fault = "drip"
    downloads = made()
    download = downloads.get(source(hub))
    eventually(lambda: download.rate > 0)
    assert downloads.busy
    assert download.state == "running"
    assert 0 < download.done < len(CONTENT)
    assert download.seconds_left is not None
    assert downloads.get(source(hub)) is download, "asked for twice, it is fetched once"
    hub.released.set()
    eventually(lambda: download.state == "done")
    assert not downloads.busy
    assert download.rate == 0
    assert download.part.target.read_bytes() == CONTENT


def test_a_pause_holds_until_it_is_got_again_whatever_engine_comes(
    hub: HubServer, made: Callable[..., Downloads]
) -> None:
    hub.fault = "drip"
    downloads = made()
    download = downloads.get(source(hub))
    come(download)
    downloads.pause(download)
    assert (download.state, download.problem) == ("paused", None)
    downloads.end()
    here = download.done
    other = made()
    other.start()
    again = other.of("small")
    assert again is not None
    assert again.state == "paused"
    hub.fault = "none"
    whole(other.get(source(hub)))
    assert hub.ranges()[-1] == f"bytes={here}-"


def test_what_ran_when_the_engine_ended_is_taken_up_by_the_next(hub: HubServer, made: Callable[..., Downloads]) -> None:
    hub.fault = "drip"
    downloads = made()
    download = downloads.get(source(hub))
    come(download)
    downloads.end()
    hub.fault = "none"
    other = made()
    other.start()
    again = other.of("small")
    assert again is not None
    eventually(lambda: again.state == "done")
    assert hub.ranges()[-1].startswith("bytes=")


def test_a_closed_door_leaves_it_resting_with_the_reason(hub: HubServer, made: Callable[..., Downloads]) -> None:
    hub_by_name = Source("small", f"http://localhost:{hub.server_address[1]}/files/small.gguf", "small.gguf")
    offline = True
    downloads = made(Gate(lambda: offline))
    download = downloads.get(hub_by_name)
    eventually(lambda: not download.moving)
    assert download.state == "paused"
    assert str(download.problem).startswith("Offline mode is on; no download was tried.")
    assert not hub.requests
    offline = False
    whole(downloads.get(hub_by_name))


def test_what_failed_for_good_leaves_nothing_but_its_reason(
    hub: HubServer, made: Callable[..., Downloads], tmp_path: Path
) -> None:
    hub.fault = "404"
    downloads = made()
    download = downloads.get(source(hub))
    eventually(lambda: download.state == "failed")
    assert str(download.problem).startswith("127.0.0.1 does not have small.")
    assert not list((tmp_path / "models").iterdir())
    hub.fault = "none"
    whole(downloads.get(source(hub)))


def test_forgetting_one_that_runs_leaves_nothing(
    hub: HubServer, made: Callable[..., Downloads], tmp_path: Path
) -> None:
    hub.fault = "drip"
    downloads = made()
    download = downloads.get(source(hub))
    come(download)
    downloads.forget(download)
    assert not downloads.all()
    assert not list((tmp_path / "models").iterdir())


def test_another_file_of_the_same_name_begins_anew(hub: HubServer, made: Callable[..., Downloads]) -> None:
    hub.fault = "drip"
    downloads = made()
    download = downloads.get(source(hub))
    come(download)
    downloads.pause(download)
    downloads.end()
    hub.fault, hub.content = "none", small_model(data=100_000)
    other = made()
    elsewhere = Source("small", f"{hub.url}/files/small.gguf", "small.gguf")
    whole(other.get(elsewhere))
    assert hub.ranges()[-1] == ""


def test_a_place_that_cannot_be_written_is_said(hub: HubServer, made: Callable[..., Downloads], tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(DownloadFailed, match="small cannot be written in"):
        made().get(source(hub))


@pytest.mark.parametrize(
    ("place", "error", "says"),
    [
        (
            "core.models.transfer._sha256",
            PermissionError(13, "Permission denied"),
            "What is here of small cannot be read",
        ),
        ("core.models.parts.Part.clear", PermissionError(13, "Permission denied"), "small cannot be written in"),
        ("core.models.transfer.gguf.read", OSError(5, "Input/output error"), "small cannot be written in"),
    ],
)
def test_a_disk_that_refuses_is_said_and_it_rests(
    *,
    place: str,
    error: OSError,
    says: str,
    hub: HubServer,
    made: Callable[..., Downloads],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def refuse(*_: object) -> None:
        raise error

    downloads = made()
    monkeypatch.setattr(place, refuse)
    if place.endswith("clear"):
        (tmp_path / "models").mkdir()
        part = Part(tmp_path / "models", Record(source(hub)))
        part.note(part.record)
        part.path.write_bytes(CONTENT + b"more")
    download = downloads.get(source(hub))
    eventually(lambda: not download.moving)
    assert (download.state, downloads.busy) == ("paused", False)
    assert str(download.problem).startswith(says)
    assert str(error.strerror) in str(download.problem)
    monkeypatch.undo()
    whole(downloads.get(source(hub)))


@pytest.mark.logs("the download of small failed")
def test_a_mistake_of_our_own_is_said_too(
    hub: HubServer, made: Callable[..., Downloads], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("core.models.transfer.gguf.read", mistaken)
    downloads = made()
    download = downloads.get(source(hub))
    eventually(lambda: not download.moving)
    assert (download.state, downloads.busy) == ("paused", False)
    assert isinstance(download.problem, DownloadFailed)
    assert str(download.problem).startswith("Something went wrong inside Offhand (ValueError), and small rests")
    monkeypatch.undo()
    whole(downloads.get(source(hub)))


def test_what_cannot_be_deleted_has_failed_all_the_same(
    hub: HubServer, made: Callable[..., Downloads], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fault = "404"
    downloads = made()

    def refuse(part: Part) -> None:
        if list(part.path.parent.iterdir()):  # not what is cleared away before it begins
            raise PermissionError(13, "Permission denied")

    told: list[str] = []
    downloads._on_change = lambda: told.extend(download.state for download in downloads.all())
    monkeypatch.setattr(Part, "discard", refuse)
    download = downloads.get(source(hub))
    eventually(lambda: "failed" in told)
    assert download.state == "failed"
    assert str(download.problem).startswith("127.0.0.1 does not have small.")


def test_the_end_of_the_engine_leaves_none_running(hub: HubServer, made: Callable[..., Downloads]) -> None:
    hub.fault = "drip"
    downloads = made()
    download = downloads.get(source(hub))
    come(download)
    downloads.end()
    assert not downloads.busy
    assert not download.part.record.paused, "the next engine goes on with it"
