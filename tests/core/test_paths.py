"""Where a profile lives, who may enter it, and how Offhand starts itself."""

import os
import sys
from pathlib import Path

import pytest

from core.errors import ProfileUnusable
from core.paths import Profile, build_id, command


def test_one_variable_puts_everything_into_one_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path / "home"))
    profile = Profile()
    profile.create()
    owned = (profile.settings, profile.catalog, profile.vectors, profile.logs, profile.lock, profile.token)
    assert all(path.is_relative_to(tmp_path / "home") for path in owned)
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in profile.directories)


def test_without_it_the_system_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OFFHAND_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    profile = Profile()
    if sys.platform.startswith("linux"):
        assert profile.catalog.is_relative_to(tmp_path / "data")
        assert profile.settings.is_relative_to(tmp_path / "config")
    assert profile.catalog.parent.name == "offhand"


def test_a_long_path_gets_a_short_socket_that_stays_the_same(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    address = Profile(home).engine_address
    assert len(os.fsencode(address)) < 104
    assert address == Profile(home).engine_address
    assert address != Profile(tmp_path / ("other" * 30)).engine_address
    assert Path(address).parent.stat().st_mode & 0o077 == 0


def test_a_profile_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file is in the way")
    with pytest.raises(ProfileUnusable, match="cannot write its profile"):
        Profile(tmp_path / "home").create()


def test_it_starts_itself_again_by_the_same_interpreter() -> None:
    argv = command("--process", "engine")
    assert argv[0] == sys.executable
    assert Path(argv[1]).name == "main.py"
    assert argv[2:] == ["--process", "engine"]


def test_the_build_changes_with_the_files_and_only_then() -> None:
    first = build_id()
    build_id.cache_clear()
    assert build_id() == first
