"""The vectors of folders that stay here never go to a Chroma server on another computer: no process learns of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.engine.engine import Engine
from core.errors import BadInput
from core.paths import Profile
from core.protocol import AddFolder, Call, Configure, RemoveFolder, SetRule, Status, StatusReport
from core.settings import SettingsFile
from indexer.records import FolderRefused
from indexer.worker import Cancellation

ELSEWHERE = "http://192.168.77.77:8000"
HERE = "http://127.0.0.1:8000"


@pytest.fixture
def diary(tmp_path: Path) -> str:
    folder = tmp_path / "diary"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def engine(profile: Profile, models: Path, diary: str) -> Iterator[Engine]:
    made = Engine(profile)
    asked(made, AddFolder(diary))
    yield made
    made.close()


def asked(engine: Engine, call: Call) -> Any:
    return list(engine.handle(call, Cancellation()))[-1]


def told(engine: Engine) -> str:
    """The address that the processes know."""
    config = engine.children.semantics._config
    assert bool(config["vectors"]) is not bool(config["vectors_closed"])
    return str(config["vectors"])


def notices(engine: Engine) -> list[str]:
    report = asked(engine, Status())
    assert isinstance(report, StatusReport)
    return report.notices


def test_a_server_elsewhere_is_refused_while_a_folder_stays_here(engine: Engine, diary: str) -> None:
    asked(engine, SetRule(diary, "local"))
    with pytest.raises(BadInput, match="stays here") as refused:
        asked(engine, Configure("vectors", ELSEWHERE))
    assert "127" not in refused.value.what
    assert engine.settings.current.vectors == "embedded"
    for here in (HERE, "http://localhost:8000", "embedded"):
        asked(engine, Configure("vectors", here))
        assert told(engine) == here
    asked(engine, SetRule(diary, "ask"))
    asked(engine, Configure("vectors", ELSEWHERE))
    assert told(engine) == ELSEWHERE


def test_a_server_elsewhere_is_given_up_before_the_rule_holds(
    engine: Engine, diary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(engine, Configure("vectors", ELSEWHERE))
    assert (told(engine), notices(engine)) == (ELSEWHERE, [])
    known_at: list[str] = []
    keep = engine.index.folder_rules.set

    def keep_and_look(path: Path, rule: Any) -> None:
        known_at.append(told(engine))
        keep(path, rule)

    monkeypatch.setattr(engine.index.folder_rules, "set", keep_and_look)
    asked(engine, SetRule(diary, "local"))
    assert known_at == [""]
    assert told(engine) == ""
    assert not any("192.168" in str(value) for value in engine.children.semantics._config.values())
    (said,) = notices(engine)
    assert f"{diary} stays here" in said
    assert "what it was given before is still there" in said


def test_a_rule_that_could_not_be_set_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    asked(engine, Configure("vectors", ELSEWHERE))
    with pytest.raises(FolderRefused):
        asked(engine, SetRule(str(tmp_path / "other"), "local"))
    assert told(engine) == ELSEWHERE


@pytest.mark.parametrize("end", ["rule", "remove"])
def test_without_such_a_folder_it_is_used_again(engine: Engine, diary: str, end: str) -> None:
    asked(engine, Configure("vectors", ELSEWHERE))
    asked(engine, SetRule(diary, "local"))
    asked(engine, SetRule(diary, "cloud") if end == "rule" else RemoveFolder(diary))
    assert (told(engine), notices(engine)) == (ELSEWHERE, [])


def test_a_setting_that_is_no_address_does_not_keep_the_engine_from_starting(
    profile: Profile, engine: Engine, diary: str
) -> None:
    asked(engine, SetRule(diary, "local"))
    SettingsFile(profile.settings).replace(vectors="nonsense")
    other = Engine(profile)
    assert told(other) == ""
    other.close()


def test_an_engine_that_finds_both_does_not_tell_it(profile: Profile, engine: Engine, diary: str) -> None:
    """After an import, or a change of the settings file by hand."""
    asked(engine, SetRule(diary, "local"))
    SettingsFile(profile.settings).replace(vectors=ELSEWHERE)
    other = Engine(profile)
    try:
        assert told(other) == ""
        assert len(notices(other)) == 1
        asked(other, Configure("threads", "1"))
        assert told(other) == ""
        asked(other, Configure("vectors", "embedded"))
        assert (told(other), notices(other)) == ("embedded", [])
    finally:
        other.close()
