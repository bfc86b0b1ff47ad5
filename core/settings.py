"""The settings file: TOML, read once, written only here and only by the engine, atomically."""

import logging
import os
import re
import tempfile
import threading
import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import tomli_w

from core.errors import BadInput, ModelMissing, ProfileUnusable
from core.models.llama import check_file
from core.network import checked_host
from core.protocol import Settings, combination

log = logging.getLogger(__name__)

_TYPES = get_type_hints(Settings)
_BOUNDS = {
    "largest_file_mb": (1, 10_000),
    "idle_minutes": (0, 10_000),
    "threads": (0, 1024),
    "first_word_ms": (200, 60_000),
}
_BOUNDS |= dict.fromkeys(("budget_day", "budget_month"), (0, 10**9))
_SERVER = re.compile(r"https?://[^/?#@\s]+")
PARTIAL = ".settings-"  # how the name of a half-written file begins
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class SettingsFile:
    """The current settings and the file they live in.

    Args:
        path: the file; it need not exist. One that cannot be read is put aside as `NAME.unreadable` and the defaults
            apply; `notice` then says so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.notice = ""
        self.current = self._read()
        self._guard = threading.Lock()  # two changes at once must not undo each other

    def change(self, name: str, value: str) -> Settings:
        """Set one setting from text as a person types it; lists are comma-separated.

        Raises:
            BadInput: there is no such setting, or the value does not fit it.
            ProfileUnusable: the file cannot be written.
        """
        if name not in _TYPES:
            known = ", ".join(Settings.__struct_fields__)
            raise BadInput(f"There is no setting called {name!r}.", f"The settings are: {known}.")
        if name == "providers":
            raise BadInput("The providers are not typed as one value.", "`offhand providers --help` shows how.")
        return self.replace(**{name: _parse(name, value)})

    def replace(self, **fields: Any) -> Settings:
        """Set fields to values that have been checked.

        Raises:
            ProfileUnusable: the file cannot be written.
        """
        with self._guard:
            changed = msgspec.structs.replace(self.current, **fields)
            self._write(changed)
            self.current = changed
            return changed

    def _read(self) -> Settings:
        try:
            return msgspec.convert(_upgraded(tomllib.loads(self._path.read_text("utf-8"))), Settings)
        except FileNotFoundError:
            return Settings()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            aside = self._path.with_name(self._path.name + ".unreadable")
            self.notice = f"The settings in {self._path} could not be read ({error}); the defaults apply."
            log.warning("%s", self.notice)
            try:
                self._path.replace(aside)
                self.notice += f" The old file is kept as {aside.name}."
            except OSError:
                pass  # unreadable and immovable: the notice already says what applies
            return Settings()

    def _write(self, settings: Settings) -> None:
        partial = None
        try:
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=PARTIAL)
            partial = Path(name)
            with os.fdopen(handle, "wb") as file:
                tomli_w.dump(msgspec.to_builtins(settings), file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            if partial is not None:
                partial.unlink(missing_ok=True)
            raise ProfileUnusable(
                f"The settings could not be saved: {error.strerror or error}; they stay as they were.",
                f"See that {self._path.parent} can be written and its disk has room.",
            ) from error


def _upgraded(read: dict[str, Any]) -> dict[str, Any]:
    """Settings of the first version, which knew one cloud service only."""
    url, model = read.pop("cloud_url", ""), read.pop("cloud_model", "")
    if url and model and "providers" not in read:
        read["providers"] = [{"name": "cloud", "kind": "openai", "url": url, "model": model, "key": "cloud"}]
    return read


def _parse(name: str, text: str) -> Any:
    kind = _TYPES[name]
    text = text.strip()
    if kind is bool:
        if text.lower() in _YES + _NO:
            return text.lower() in _YES
        raise BadInput(f"{name} is either on or off, not {text!r}.", f"For example: {name} on")
    if kind is int:
        low, high = _BOUNDS[name]
        if text.isdecimal() and low <= int(text) <= high:
            return int(text)
        raise BadInput(f"{name} takes a whole number from {low} to {high}, not {text!r}.")
    if get_origin(kind) is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    choices = get_args(kind)
    if choices and text not in choices:
        raise BadInput(f"{name} is one of {', '.join(choices)}, not {text!r}.")
    if name == "local_model" and text:
        _check_model(text)
    if name == "hotkey":
        return _hotkey(text)
    if name == "vectors" and text != "embedded":
        if not _SERVER.fullmatch(text):
            raise BadInput(f"{text!r} is not the address of a Chroma server.", "embedded, or http://localhost:8000")
        checked_host(text)
    return text


def _check_model(text: str) -> None:
    try:
        check_file(Path(text).expanduser())
    except ModelMissing as problem:
        step = 'The setting stays as it was. It takes a GGUF file, or "" for the model that came with Offhand.'
        raise BadInput(problem.what, step) from problem


def _hotkey(text: str) -> str:
    found = combination(text)
    if not found:
        step = "It needs Ctrl, Alt or Meta, and a key: Ctrl+Alt+Space. A function key may stand alone."
        raise BadInput(f"{text!r} is not a key combination that Offhand can take.", step)
    return found
