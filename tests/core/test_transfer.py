"""Fetching a model from a hub on loopback that cuts, lies, changes its mind or sends elsewhere."""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hub_server
import pytest
from gguf_files import small_model
from hub_server import HubServer
from msgspec import structs

from core.errors import BadInput, DownloadFailed, ModelMissing, Offline
from core.models.catalogue import Source
from core.models.parts import Part, Record, unfinished
from core.models.transfer import Patience, Transfer
from core.network import Gate
from indexer.records import Problem
from indexer.worker import Cancellation

OPEN = Gate(lambda: False)
QUICK = Patience(connect=2.0, stall=2.0, pauses=(0.0, 0.0))
CONTENT = small_model()


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with hub_server.running(CONTENT) as server:
        yield server


def part_of(hub: HubServer, folder: Path, **fields: Any) -> Part:
    """What the catalogue knows of the hub's file; the fields change it."""
    source = Source("Small", f"{hub.url}/org/repo/resolve/abc/small.gguf", "small.gguf", len(hub.content), hub.sha256)
    return Part(folder, Record(structs.replace(source, **fields)))


def fetch(part: Part, gate: Gate = OPEN, cancelled: Cancellation | None = None) -> bool:
    return Transfer(part, gate, patience=QUICK).run(cancelled or Cancellation())


def stop_at(part: Part, length: int) -> bool:
    """Fetch until there are so many bytes."""
    cancelled = Cancellation()
    told = lambda: cancelled.cancel() if part.length >= length else None  # noqa: E731
    return Transfer(part, OPEN, told, QUICK).run(cancelled)


def refused(part: Part, gate: Gate = OPEN) -> Problem:
    with pytest.raises(Problem) as caught:
        fetch(part, gate)
    assert caught.value.next_step
    assert not part.target.exists()
    return caught.value


def test_a_model_is_fetched_from_where_the_hub_sends_and_checked(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path)
    assert fetch(part)
    assert part.target.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["small.gguf"]
    asked, served = hub.requests
    assert asked[1]["Host"].startswith("127.0.0.1")
    assert served[1]["Host"].startswith("localhost"), "another host, as the hub has it for large files"
    for _, headers in hub.requests:
        assert headers["Accept-Encoding"] == "identity"
        assert not set(headers) & {"Cookie", "Authorization"}


def test_the_real_starter_model_comes_whole_through_a_cut(starter_model: Path, tmp_path: Path) -> None:
    with hub_server.running(starter_model.read_bytes()) as hub:
        hub.fault = "cut"
        part = part_of(hub, tmp_path)
        assert fetch(part)
        assert hub.ranges() == ["", f"bytes={hub.after}-"]
    with part.target.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == hub.sha256


def test_what_was_paused_goes_on_where_it_was(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path)
    assert not stop_at(part, 100_000)
    (left,) = unfinished(tmp_path)  # as another engine finds it
    assert left.record == part.record
    here = left.length
    assert 100_000 <= here < len(CONTENT)
    assert fetch(left)
    assert hub.ranges() == ["", f"bytes={here}-"]
    assert hub.requests[-1][1]["If-Range"] == '"first"'
    assert left.target.read_bytes() == CONTENT


@pytest.mark.parametrize("fault", ["no ranges", "none"])
def test_a_version_that_changed_meanwhile_begins_anew(fault: str, hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path, size=0, sha256="")
    hub.stated = ""
    stop_at(part, 100_000)
    hub.content, hub.etag, hub.fault = small_model(data=150_000), '"second"', fault
    assert fetch(part)
    assert part.target.read_bytes() == hub.content


def test_a_kill_after_a_new_version_was_noted_does_not_join_the_two(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_of(hub, tmp_path, size=0, sha256="")
    hub.stated = ""
    stop_at(part, 100_000)
    hub.content, hub.etag = small_model(data=300_000, title="anew"), '"second"'
    note = Part.note

    def noted_and_killed(killed: Part, *arguments: Any, **fields: Any) -> None:
        note(killed, *arguments, **fields)
        if killed.record.etag == '"second"':
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Part, "note", noted_and_killed)
        with pytest.raises(KeyboardInterrupt):
            fetch(part)
    (left,) = unfinished(tmp_path)
    assert left.record.etag == '"second"'
    assert fetch(left)
    assert left.target.read_bytes() == hub.content


def test_a_file_that_the_hub_states_anew_begins_anew(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path, size=0, sha256="")
    stop_at(part, 100_000)
    assert part.record.sha256 == hub.sha256, "where the catalogue has none, the hub's counts"
    hub.content = small_model(data=200_000)
    assert fetch(part)
    assert part.target.read_bytes() == hub.content


def test_without_any_mark_of_its_version_it_begins_anew(hub: HubServer, tmp_path: Path) -> None:
    hub.stated, hub.fault = "", "weak etag"
    part = part_of(hub, tmp_path, size=0, sha256="")
    stop_at(part, 100_000)
    assert fetch(part)
    assert hub.ranges() == ["", ""]


def test_a_known_checksum_is_mark_enough(hub: HubServer, tmp_path: Path) -> None:
    hub.fault = "no etag"
    part = part_of(hub, tmp_path)
    stop_at(part, 100_000)
    assert fetch(part)
    assert hub.ranges()[1].startswith("bytes=1")
    assert "If-Range" not in hub.requests[-1][1]


def test_a_part_that_is_all_there_is_only_checked(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path)
    part.path.write_bytes(CONTENT)
    assert fetch(part)
    assert not hub.requests


def test_a_part_longer_than_the_file_is_thrown_away(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path)
    part.path.write_bytes(CONTENT + b"more")
    assert fetch(part)
    assert hub.ranges() == [""]


def test_a_range_that_does_not_exist_begins_anew(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path, size=0, sha256="")
    hub.stated = ""
    part.path.write_bytes(CONTENT + b"more")
    part.note(structs.replace(part.record, etag='"first"'))
    assert fetch(part)
    assert hub.ranges() == [f"bytes={len(CONTENT) + 4}-", ""]


def test_a_connection_that_breaks_again_and_again_gets_as_far_as_it_can(hub: HubServer, tmp_path: Path) -> None:
    hub.fault = "cut always"  # after some bytes, and always before the last one
    part = part_of(hub, tmp_path)
    problem = refused(part)
    assert isinstance(problem, DownloadFailed)
    assert problem.passing
    assert problem.what.startswith("The connection to localhost broke")
    assert part.length == len(CONTENT) - 1
    hub.fault = "none"
    assert fetch(part)
    assert part.target.read_bytes() == CONTENT


def test_a_server_that_has_nothing_to_give_is_asked_once_after_each_pause(hub: HubServer, tmp_path: Path) -> None:
    hub.fault = "503"
    refused(part_of(hub, tmp_path))
    assert len(hub.requests) == 3


@pytest.mark.parametrize(
    ("fault", "says", "passing"),
    [
        ("404", "does not have Small", False),
        ("403", "only to those who are signed in there", False),
        ("400", "refused the download (400)", False),
        ("429 after 600", "asks to be left alone for 600 s", True),
        ("500", "has a problem of its own (500)", True),
        ("web page", "answered with a web page instead of Small", True),
        ("other length", "has another file than Small", False),
        ("long", "sent more than", False),
        ("gzip", "in a form that was not asked for", True),
        ("circle", "sends the download in circles", True),
        ("nowhere", "sends the download to an address that is none", True),
    ],
)
def test_what_a_server_does_wrong_is_one_sentence(
    fault: str, says: str, passing: bool, hub: HubServer, tmp_path: Path
) -> None:
    hub.fault = fault
    problem = refused(part_of(hub, tmp_path))
    assert isinstance(problem, DownloadFailed)
    assert says in problem.what
    assert problem.passing is passing
    assert not list(tmp_path.glob("*.part")), "nothing wrong is kept"


@pytest.mark.parametrize("fault", ["404", "web page", "503", "429 after 600", "other length"])
def test_a_server_that_goes_wrong_later_costs_nothing_of_what_is_here(
    fault: str, hub: HubServer, tmp_path: Path
) -> None:
    part = part_of(hub, tmp_path)
    stop_at(part, 100_000)
    here = part.length
    hub.fault = fault
    refused(part)
    kept = part.length
    hub.fault = "none"
    assert fetch(part)
    assert kept == (0 if fault == "other length" else here)


def test_a_damaged_file_is_thrown_away_whole(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path)
    hub.stated = hub.sha256
    hub.content = CONTENT[:-1] + b"?"
    assert "came damaged: its checksum is not the one that was published" in refused(part).what
    assert not list(tmp_path.glob("*.part"))


def test_the_hub_having_another_file_than_the_catalogue_is_told_before_a_byte(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path, sha256="0" * 64)
    assert refused(part).what == "127.0.0.1 now has another file in the place of Small."
    assert len(hub.requests) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04" + b"0" * 5000, "What localhost sends is not a GGUF model file"),
        (small_model("bert"), "no model that llama.cpp writes with (bert)"),
        (small_model()[:-5], "Small is cut short"),
    ],
)
def test_a_file_that_is_no_model_is_refused_and_not_kept(content: bytes, says: str, tmp_path: Path) -> None:
    with hub_server.running(content) as hub:
        part = part_of(hub, tmp_path, size=0, sha256="")
        problem = refused(part)
    assert says in problem.what
    assert isinstance(problem, DownloadFailed | ModelMissing)
    assert not list(tmp_path.glob("*.part"))


def test_a_closed_door_is_not_even_knocked_at(hub: HubServer, tmp_path: Path) -> None:
    part = part_of(hub, tmp_path, url=f"http://localhost:{hub.server_address[1]}/org/repo/resolve/abc/small.gguf")
    problem = refused(part, Gate(lambda: True))
    assert isinstance(problem, Offline)
    assert problem.what == "Offline mode is on; no download was tried."
    assert not hub.requests


def test_a_door_that_closes_in_the_middle_ends_it(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.models.transfer.LOOK_SECONDS", 0.0)
    part = part_of(hub, tmp_path)
    closed = Gate(lambda: part.length > 0)
    assert isinstance(refused(part, closed), Offline)
    assert 0 < part.length < len(CONTENT)
    assert fetch(part), "and goes on once it is open"


def test_a_model_is_not_fetched_where_anybody_could_change_it(hub: HubServer, tmp_path: Path) -> None:
    hub.fault = "elsewhere"
    problem = refused(part_of(hub, tmp_path))
    assert isinstance(problem, BadInput)
    assert "unencrypted through the internet, where anybody could change it" in problem.what


def test_a_silent_server_is_given_up(hub: HubServer, tmp_path: Path) -> None:
    hub.fault = "silence"
    patience = Patience(connect=0.3, stall=0.3, pauses=())
    with pytest.raises(DownloadFailed, match="did not answer in time") as caught:
        Transfer(part_of(hub, tmp_path), OPEN, patience=patience).run(Cancellation())
    assert caught.value.passing


def test_a_disk_without_room_is_said_before_a_byte_comes(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=(1 << 30) + 1000))
    problem = refused(part_of(hub, tmp_path))
    assert problem.what == (
        f"Small needs 0.0 GB and 1 GB to spare; 1.1 GB are free where models are kept ({tmp_path})."
    )
    assert not list(tmp_path.glob("*.part"))


def test_a_disk_that_fills_meanwhile_costs_nothing_that_is_here(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_of(hub, tmp_path)
    stop_at(part, 100_000)

    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    transfer = Transfer(part, OPEN, patience=QUICK)
    monkeypatch.setattr(transfer, "_told", lambda: full(None))
    with pytest.raises(DownloadFailed, match="The disk is full, and Small rests where it is") as caught:
        transfer.run(Cancellation())
    assert caught.value.passing
    assert fetch(part)


def test_foreign_files_beside_the_models_are_no_downloads(tmp_path: Path) -> None:
    (tmp_path / "a.gguf.part.json").write_text("{")
    (tmp_path / "b.gguf.part.json").write_text('{"source": {"name": "b", "url": "u", "file": "../b.gguf"}}')
    (tmp_path / "c.gguf.part").write_bytes(b"GGUF")
    assert not unfinished(tmp_path)
