"""A catalog that is damaged on the disk, from the command line to a real engine: told in a sentence, and renewed."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from core import launch
from core.client import Engine
from core.paths import Profile
from core.protocol import Doctor, Index, ListFolders, Search, SetRule
from indexer.records import Problem
from tests.processes.conftest import eventually, indexed
from ui import terminal

PAGE = 4096


def spoil(profile: Profile, tables: tuple[str, ...]) -> None:
    """Damage the first page of some tables while no engine runs."""
    launch.stop(profile)
    with closing(apsw.Connection(str(profile.catalog))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        found = dict(connection.execute("SELECT name, rootpage FROM sqlite_schema").fetchall())
    with profile.catalog.open("r+b") as file:
        for table in tables:
            file.seek((found[table] - 1) * PAGE)
            file.write(b"\xde\xad" * (PAGE // 2))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    made = tmp_path / "notes"
    made.mkdir()
    (made / "boiler.md").write_text("# Boiler\n\nThe boiler is serviced every October by Mr Hale.\n")
    return made


@pytest.mark.parametrize("tables", [("folders",), ("chunks",)], ids=["at the start", "while it runs"])
def test_a_damaged_catalog_is_told_and_renewed(
    engine: Engine, profile: Profile, notes: Path, tables: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    indexed(engine, notes)
    list(engine.call(SetRule(str(notes), "local")))
    spoil(profile, tables)
    if tables == ("folders",):
        with pytest.raises(Problem, match=r"catalog .* is damaged \(.*`offhand doctor --fix` sets it aside") as told:
            list(engine.call(ListFolders()))
        assert (told.value.kind, "something went wrong" in str(told.value)) == ("damaged", False)
    assert terminal.run(["doctor"], profile) == 5
    assert "is damaged" in capsys.readouterr().out
    findings = [event.finding for event in engine.call(Doctor(fix=True))]  # type: ignore[union-attr]
    renewed = findings[0]
    assert (renewed.name, renewed.fixed) == ("catalog", True)
    (kept, *_) = sorted(profile.data.glob("catalog.sqlite3.damaged-*"))
    assert f"it is kept as {kept}." in renewed.what
    assert "1 folder and its rule" in renewed.what
    assert [finding.name for finding in findings].count("catalog") == 2
    assert all(finding.ok or finding.fixed for finding in findings), findings
    list(engine.call(Index(wait=True)))
    (listed,) = list(engine.call(ListFolders()))
    assert [(folder.path, folder.rule, folder.indexed) for folder in listed.folders] == [(str(notes), "local", 1)]  # type: ignore[union-attr]

    def found() -> bool:
        last = list(engine.call(Search("who maintains the heating")))[-1]
        return bool(last.hits) and not last.note  # type: ignore[union-attr]

    assert eventually(found, 60)
