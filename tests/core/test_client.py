"""What a client makes of an engine that ends in the middle of a call: the call is done once, and the answer is true."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import client, launch
from core.answering.history import History
from core.engine.engine import Engine
from core.paths import Profile
from core.protocol import (
    AddFolder,
    AddProvider,
    Answered,
    Call,
    Done,
    Event,
    Export,
    Folders,
    ListFolders,
    ListProviders,
    Provider,
    Providers,
    Quote,
    RemoveFolder,
    RemoveProvider,
    Timings,
)
from core.protocol.calls import RefusedTwice
from indexer.records import Problem
from indexer.worker import Cancellation, Gone


class Line:
    """A channel to an engine in this process; one that `dies` does what it is asked and ends before it answers."""

    def __init__(self, engine: Engine, *, dies: bool) -> None:
        self.open = True
        self._engine = engine
        self._dies = dies

    def call(self, call: Call, *, patience: float | None = None) -> Iterator[Event]:
        events = list(self._engine.handle(call, Cancellation()))
        if self._dies:
            self.open = False
            raise Gone("The other process of Offhand ended.")
        yield from events


@pytest.fixture
def door(profile: Profile, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> client.Engine:
    """A client whose first engine dies in the middle of its first call."""
    lines = iter([Line(engine, dies=True), *[Line(engine, dies=False)] * 5])
    monkeypatch.setattr(launch, "find_or_start", lambda _: next(lines))
    return client.Engine(profile)


def asked(engine: Engine, call: Call) -> Any:
    return list(engine.handle(call, Cancellation()))[-1]


def test_a_folder_is_added_once(door: client.Engine, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (added,) = door.call(AddFolder(str(tmp_path / "notes")))
    assert isinstance(added, Folders)
    assert [folder.path for folder in added.folders] == [str(tmp_path / "notes")]
    with pytest.raises(Problem, match="is one of your folders already"):
        asked(engine, AddFolder(str(tmp_path / "notes")))


def test_a_folder_is_removed_once_and_its_answers_too(
    door: client.Engine, engine: Engine, profile: Profile, tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    asked(engine, AddFolder(str(folder)))
    quote = Quote("It is blue.", str(folder / "a.md"), 1, None, 0, 11)
    History(profile.history).add(Answered("Which?", "", quote, [], [], [], Timings()))
    engine._library._history.forget = lambda _: None  # type: ignore[method-assign]  # killed just before
    kept = History(profile.history)
    line = door._connected()
    with pytest.raises(Gone):
        list(line.call(RemoveFolder(str(folder))))
    assert len(kept.recent(10)) == 1
    del engine._library._history.forget
    (left,) = door.call(RemoveFolder(str(folder), again=True))
    assert left == Folders([])
    assert kept.recent(10) == []
    with pytest.raises(Problem, match="is not one of your folders"):
        asked(engine, RemoveFolder(str(folder)))


def test_a_provider_is_removed_once(door: client.Engine, engine: Engine) -> None:
    asked(engine, AddProvider(Provider("groq", "openai", "https://api.groq.com/openai/v1", "m", "groq")))
    (left,) = door.call(RemoveProvider("groq"))
    assert left == Providers([]) == asked(engine, ListProviders())


def test_an_archive_is_written_once(door: client.Engine, engine: Engine, tmp_path: Path) -> None:
    target = tmp_path / "place" / "a.zip"
    target.parent.mkdir()
    (target.parent / ".a.zip.offhand-abc").write_text("half of it")
    (done,) = door.call(Export(str(target)))
    assert isinstance(done, Done)
    assert str(target) in done.message
    assert list(target.parent.iterdir()) == [target], "and nothing half-written is left"


def test_what_was_there_before_is_still_not_replaced(door: client.Engine, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("a holiday")
    with pytest.raises(Problem, match="exists already"):
        list(door.call(Export(str(tmp_path / "a.zip"))))
    with pytest.raises(Problem, match="exists already"):
        list(door.call(Export(str(tmp_path / "a.zip"), again=True)))
    assert (tmp_path / "a.zip").read_text() == "a holiday"


def test_other_calls_are_sent_as_they_are(door: client.Engine) -> None:
    assert list(door.call(ListFolders())) == [Folders([])]
    assert all("again" in call.__struct_fields__ for call in RefusedTwice.__args__)
