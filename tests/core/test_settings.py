"""The settings file: what a person types becomes a typed value or one clear sentence; a broken file loses nothing."""

import struct
from pathlib import Path

import pytest

from core.errors import BadInput, ProfileUnusable
from core.protocol import Provider, Settings
from core.settings import SettingsFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_without_a_file_the_defaults_apply(path: Path) -> None:
    assert SettingsFile(path).current == Settings()
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("offline", "on", True),
        ("offline", "No", False),
        ("prefer", "cloud", "cloud"),
        ("largest_file_mb", " 7 ", 7),
        ("ignore", "a/, *.b ,", ["a/", "*.b"]),
        ("ignore", "", []),
        ("vectors", "http://localhost:8000", "http://localhost:8000"),
        ("vectors", "https://[::1]:443", "https://[::1]:443"),
        ("vectors", "embedded", "embedded"),
        ("hotkey", " control + alt+space ", "Ctrl+Alt+Space"),
        ("hotkey", "super+k", "Meta+K"),
        ("hotkey", "f9", "F9"),
        ("hotkey", "Ctrl++", "Ctrl++"),
    ],
)
def test_what_is_typed_is_kept(path: Path, name: str, typed: str, value: object) -> None:
    SettingsFile(path).change(name, typed)
    assert getattr(SettingsFile(path).current, name) == value


def test_a_model_file_is_looked_at_and_kept_as_it_was_typed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Modèle ü.gguf").write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 1, 1))
    SettingsFile(path).change("local_model", "~/Modèle ü.gguf")
    assert SettingsFile(path).current.local_model == "~/Modèle ü.gguf"
    SettingsFile(path).change("local_model", "")
    assert SettingsFile(path).current.local_model == ""


@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [
        ("colour", "red", "no setting called 'colour'"),
        ("offline", "maybe", "either on or off"),
        ("prefer", "both", "one of local, cloud"),
        ("threads", "-1", "from 0 to 1024"),
        ("threads", "²", "from 0 to 1024"),
        ("largest_file_mb", "99999", "from 1 to 10000"),
        ("cloud_url", "https://x", "no setting called 'cloud_url'"),
        ("providers", "openai", "not typed as one value"),
        ("hotkey", "Foo+Bar", "not a key combination"),
        ("hotkey", "Ctrl+Alt", "not a key combination"),
        ("hotkey", "Shift+A", "not a key combination"),
        ("hotkey", "", "not a key combination"),
        ("local_model", "/nowhere/model.gguf", "cannot be read: No such file"),
        ("local_model", __file__, "is not a GGUF model file"),
        ("vectors", "elsewhere", "not the address of a Chroma server"),
        ("vectors", "http://localhost:8000/v1", "not the address of a Chroma server"),
        ("vectors", "http://somebody:secret@localhost", "not the address of a Chroma server"),
        ("vectors", "http://localhost:port", "not a web address"),
        ("vectors", "http://vectors.example.com:8000", "unencrypted"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(path: Path, name: str, typed: str, says: str) -> None:
    settings = SettingsFile(path)
    with pytest.raises(BadInput, match=says):
        settings.change(name, typed)
    assert settings.current == Settings()
    assert not path.exists()


@pytest.mark.logs("could not be read")
@pytest.mark.parametrize("content", [b"offline = perhaps", b"\xff\xfe\x00", b'threads = "many"', b"[["])
def test_an_unreadable_file_is_kept_aside_and_said(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    settings = SettingsFile(path)
    assert settings.current == Settings()
    assert "settings.toml.unreadable" in settings.notice
    assert path.with_name("settings.toml.unreadable").read_bytes() == content


def test_a_file_of_a_later_version_keeps_what_is_known(path: Path) -> None:
    path.write_text('offline = true\nfrom_the_future = "x"\n')
    assert SettingsFile(path).current.offline is True


def test_the_one_cloud_service_of_the_first_version_is_the_first_provider(path: Path) -> None:
    path.write_text('cloud_url = "https://api.host/v1"\ncloud_model = "big"\ntheme = "dark"\n')
    settings = SettingsFile(path)
    assert settings.current.providers == [Provider("cloud", "openai", "https://api.host/v1", "big", "cloud")]
    assert settings.current.theme == "dark"
    settings.change("theme", "light")
    assert "cloud_url" not in path.read_text()
    assert SettingsFile(path).current == settings.current


def test_a_cloud_service_that_was_never_whole_is_dropped(path: Path) -> None:
    path.write_text('cloud_url = "https://api.host/v1"\n')
    assert SettingsFile(path).current == Settings()


def test_a_failed_save_is_said_and_changes_nothing(tmp_path: Path) -> None:
    settings = SettingsFile(tmp_path / "missing" / "settings.toml")
    with pytest.raises(ProfileUnusable, match="could not be saved"):
        settings.change("offline", "on")
    assert settings.current.offline is False
