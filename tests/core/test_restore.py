"""An archive put in the place of a profile: what is kept, what is refused, and a kill at every step."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from filelock import FileLock, Timeout
from msgspec import structs

from core import archive, launch, restore
from core.answering.history import History
from core.answering.opinions import Opinions, arrived
from core.errors import BadInput, ProfileUnusable
from core.models.model import Message
from core.paths import Profile
from core.privacy.budget import Budget
from core.privacy.ledger import Ledger
from core.protocol import Ask, Import, Settings
from core.settings import SettingsFile
from tests.core.profiles import fill, manifest, other, repacked, texts
from tests.core.test_history import answered


def test_a_profile_comes_back_whole(profile: Profile, made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    done = restore.restore(new, Import(str(made)))
    assert "1 folder" in done.message
    assert texts(new) == texts(profile) == {"/notes/0.md": "the boiler", "/notes/1.md": "the roof"}
    assert SettingsFile(new.settings).current.idle_minutes == 7
    with contextlib.closing(apsw.Connection(str(new.catalog))) as connection:
        assert connection.execute("SELECT count(*) FROM embeddings").fetchone() == (2,)
    assert sorted(path.name for path in new.data.iterdir()) == ["catalog.sqlite3", "logs"]


def test_a_profile_in_use_gives_way_only_when_told_and_is_kept(made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    fill(new, "/work", "a contract")
    new.vectors.mkdir()
    with pytest.raises(BadInput, match="of its own already"):
        restore.restore(new, Import(str(made)))
    assert texts(new) == {"/work/0.md": "a contract"}
    done = restore.restore(new, Import(str(made), replace=True))
    assert set(texts(new)) == {"/notes/0.md", "/notes/1.md"}
    assert not new.vectors.exists()
    (aside,) = new.data.glob("before-import-*")
    assert str(aside) in done.message
    assert {"catalog.sqlite3", "settings.toml", "vectors"} <= {path.name for path in aside.iterdir()}


def left(profile: Profile) -> list[str]:
    return [entry.messages[0].content for entry in Ledger(profile.ledger).page()]


def sent(profile: Profile, words: str) -> None:
    ticket = Ledger(profile.ledger).begin(
        "api.host", "big", [Message("user", words)], tokens=10, hidden={}, why="you said so", budget=Budget()
    )
    Ledger(profile.ledger).end(ticket, "ok", 7)


def test_the_ledger_of_what_left_comes_along(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler")
    sent(profile, "who services the boiler?")
    archive.export(profile, Settings(), tmp_path / "a.zip")
    new = other(tmp_path)
    restore.restore(new, Import(str(tmp_path / "a.zip")))
    assert left(new) == left(profile) == ["who services the boiler?"]
    if os.name == "posix":
        assert new.ledger.stat().st_mode & 0o077 == 0


def test_the_ledger_of_before_is_kept_aside_or_stays(profile: Profile, made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    new.create()
    sent(new, "what left here")
    with pytest.raises(BadInput, match="of its own already"):
        restore.restore(new, Import(str(made)))
    restore.restore(new, Import(str(made), replace=True))
    assert left(new) == ["what left here"], "the archive has none: what left is not forgotten"
    sent(profile, "what left there")
    archive.export(profile, Settings(), tmp_path / "with.zip")
    restore.restore(new, Import(str(tmp_path / "with.zip"), replace=True))
    assert left(new) == ["what left there"]
    (kept,) = new.data.glob("before-import-*/outgoing.sqlite3")
    assert Ledger(kept).page()[0].messages[0].content == "what left here"


def test_an_archive_of_the_first_format_can_still_be_read(made: Path, tmp_path: Path) -> None:
    first = repacked(made, manifest(format=1))
    restore.restore(other(tmp_path), Import(str(first)))
    assert len(texts(other(tmp_path))) == 2


def test_nothing_that_was_kept_is_ever_replaced(made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    for number in range(3):  # all within a second, or not
        restore.restore(new, Import(str(made), replace=number > 0))
    kept = list(new.data.glob("before-import-*/catalog.sqlite3"))
    assert len(kept) == 2


def test_a_damaged_profile_can_be_replaced(made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    new.create()
    new.catalog.write_bytes(b"no database" * 1000)
    with pytest.raises(BadInput, match="of its own already"):
        restore.restore(new, Import(str(made)))
    restore.restore(new, Import(str(made), replace=True))
    assert len(texts(new)) == 2


def test_folders_that_lie_elsewhere_are_mapped(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/home/old/notes", "the boiler")
    settings = Settings(local_model="/home/old/models/m.gguf")
    archive.export(profile, settings, tmp_path / "a.zip")
    new = other(tmp_path)
    restore.restore(new, Import(str(tmp_path / "a.zip"), map=["/home/old=/home/new/"]))
    assert texts(new) == {"/home/new/notes/0.md": "the boiler"}
    assert SettingsFile(new.settings).current.local_model == "/home/new/models/m.gguf"
    with contextlib.closing(apsw.Connection(str(new.catalog))) as connection:
        assert connection.execute("SELECT path FROM folders").fetchall() == [("/home/new/notes",)]


def test_the_history_of_folders_that_lie_elsewhere_lies_there_too(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler")
    for question in ("Why?", "When?"):
        History(profile.history).add(answered(question), Ask(question, folder="/notes/2025"))
    first, _ = Opinions(History(profile.history)).waiting()
    came = arrived(first, structs.replace(answered("Why?"), answer="Zwetschge"), "big", "")
    Opinions(History(profile.history)).keep(first, came)
    archive.export(profile, Settings(), tmp_path / "a.zip")
    new = other(tmp_path)
    restore.restore(new, Import(str(tmp_path / "a.zip"), map=["/notes=/here"]))
    history = History(new.history)
    assert [kept.quote and kept.quote.path for kept in history.recent(10)] == ["/here/a.md"] * 2
    assert [source.path for kept in history.recent(10) for source in kept.sources] == ["/here/a.md"] * 2
    assert [one.ask.folder for one in Opinions(history).waiting()] == ["/here/2025"]
    history.forget("/here")
    assert history.recent(10) == []
    assert Opinions(history).counts() == (0, 0)
    assert b"Zwetschge" not in new.history.read_bytes()


@pytest.mark.parametrize("wrong", ["/notes", "notes=/x", "/notes=x", "=", "/elsewhere=/x"])
def test_a_map_that_makes_no_sense(made: Path, tmp_path: Path, wrong: str) -> None:
    new = other(tmp_path)
    with pytest.raises(BadInput):
        restore.restore(new, Import(str(made), map=[wrong]))
    assert not new.catalog.exists()
    assert not new.importing.exists()


def test_an_older_catalog_is_brought_up_to_date_with_a_backup(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler", schema=2)
    archive.export(profile, Settings(), tmp_path / "a.zip")
    new = other(tmp_path)
    restore.restore(new, Import(str(tmp_path / "a.zip")))
    assert (new.data / "catalog.sqlite3.version-2").exists()
    assert texts(new) == {"/notes/0.md": "the boiler"}


def test_two_imports_at_once_are_refused(made: Path, tmp_path: Path) -> None:
    new = other(tmp_path)
    new.create()
    with FileLock(new.runtime / "import.lock"), pytest.raises(ProfileUnusable, match="Another import"):
        restore.restore(new, Import(str(made)))
    restore.restore(new, Import(str(made)))


def test_no_engine_can_begin_between_the_plan_and_its_end(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = other(tmp_path)
    began = []

    def commit(profile: Profile, staging: Path) -> None:
        decide(profile, staging)
        with contextlib.suppress(Timeout), FileLock(profile.lock, timeout=0):  # what an engine does first
            began.append("an engine")
            restore.settle(profile)

    decide = restore._commit
    monkeypatch.setattr(restore, "_commit", commit)
    assert "was imported" in restore.restore(new, Import(str(made))).message
    assert began == []
    assert len(texts(new)) == 2


def test_what_came_into_the_profile_meanwhile_is_not_replaced(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = other(tmp_path)

    def adapt(*arguments: object) -> int:
        fill(new, "/work", "a contract")  # a folder is added while the archive is being unpacked
        return 1

    monkeypatch.setattr(restore, "_adapt", adapt)
    with pytest.raises(BadInput, match="of its own already"):
        restore.restore(new, Import(str(made)))
    assert texts(new) == {"/work/0.md": "a contract"}
    assert not new.importing.exists()


def test_an_engine_that_does_not_end_changes_nothing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "LOCK_SECONDS", 0.0)
    new = other(tmp_path)
    new.create()
    with FileLock(new.lock), pytest.raises(ProfileUnusable, match="does not end; nothing was changed"):
        restore.restore(new, Import(str(made)))
    assert not new.importing.exists()
    assert not new.catalog.exists()


class Killed(BaseException):
    """What a kill is to the code it interrupts: nothing runs any more, no clearing up either."""


@pytest.mark.parametrize("step", range(40))
def test_a_kill_at_any_step_leaves_the_old_profile_or_the_new(
    made: Path, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call that changes the disk may be the last one; the kill of a real process is in tests/processes."""
    new = other(tmp_path)
    fill(new, "/work", "a contract")
    left = step

    def counted(work: Callable[..., object]) -> Callable[..., object]:
        def one(*arguments: object, **options: object) -> object:
            nonlocal left
            if left <= 0:
                raise Killed
            left -= 1
            return work(*arguments, **options)

        return one

    with monkeypatch.context() as patch:
        for owner, name in ((Path, "rename"), (Path, "replace"), (Path, "mkdir"), (Path, "unlink"), (shutil, "rmtree")):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        with contextlib.suppress(Killed):
            restore.restore(new, Import(str(made), replace=True))
            left = -1
    with FileLock(new.lock):
        restore.settle(new)
    kept = list(new.data.glob("before-import-*/catalog.sqlite3"))
    if set(texts(new)) == {"/work/0.md"}:
        assert kept == []
        assert SettingsFile(new.settings).current.idle_minutes == 7
    else:
        assert set(texts(new)) == {"/notes/0.md", "/notes/1.md"}
        assert len(kept) == 1
    assert not new.importing.exists()
    if step == 39:
        assert left == -1, "more steps than are tried here"
