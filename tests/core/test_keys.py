"""API keys: a real Secret Service (gnome-keyring on a message bus of its own), and keyrings that cannot be used."""

import json
import logging
import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringLocked, PasswordSetError

from core.errors import BadInput, KeyringUnusable
from core.models.keys import LONGEST, Keys
from core.paths import ROOT

KEY = "sk-secret-0123456789"

# Runs in the session: calls given as JSON, answers as JSON; what a person would read of a Problem.
CALLS = """
import json, sys
from core.models.keys import Keys
from indexer.records import Problem
keys = Keys(environment={}, patience=float(sys.argv[2]))
answers = []
for method, *arguments in json.loads(sys.argv[1]):
    try:
        answers.append(getattr(keys, method)(*arguments))
    except Problem as problem:
        answers.append(f"{problem.kind}: {problem}")
print(json.dumps(answers))
"""


class Memory(KeyringBackend):
    """A keyring that works; `slow`, `fault` and `forgetful` make it one that does not. Real ones do it at random."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, *, slow: float = 0, fault: Exception | None = None, forgetful: bool = False) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.slow, self.fault, self.forgetful = slow, fault, forgetful

    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(self.slow)
        if self.fault:
            raise self.fault
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.fault:
            raise self.fault
        self.kept[service, username] = password[:4] if self.forgetful else password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class PlainText(Memory):
    """Stands for the backends of keyrings.alt, which is not installed: only the module's name is looked at."""

    __module__ = "keyrings.alt.file"


def keys(backend: Any, environment: dict[str, str] | None = None) -> Keys:
    return Keys(lambda: backend, environment or {}, patience=2)


@pytest.fixture
def in_session(keyring_session: Any, tmp_path: Path) -> Any:
    """Runs `CALLS` in a session whose keyring files are this test's own; `unlocked` gives the daemon its password."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "PYTHON_KEYR"))}
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        folder = tmp_path / name.lower()
        folder.mkdir(mode=0o700)
        environment[name] = str(folder)
    environment["PYTHONPATH"] = str(ROOT)

    def run(*calls: tuple[str, ...], unlocked: bool = True, patience: float = 20) -> list[str | None]:
        command = [*keyring_session(unlocked), "-c", CALLS, json.dumps(calls), str(patience)]
        done = subprocess.run(
            command, env=environment, input="lamp", text=True, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        answers: list[str | None] = json.loads(done.stdout.splitlines()[-1])
        return answers

    run.files = tmp_path  # type: ignore[attr-defined]
    return run


@pytest.mark.slow
def test_a_real_keyring_keeps_gives_and_removes_a_key(in_session: Any) -> None:
    answers = in_session(
        ("get", "cloud"),
        ("set", "cloud", KEY),
        ("get", "cloud"),
        ("set", "cloud", "sk-another"),
        ("get", "cloud"),
        ("remove", "cloud"),
        ("get", "cloud"),
        ("remove", "cloud"),
    )
    assert answers == [
        None,
        "The key cloud is in the system's keyring.",
        KEY,
        "The key cloud is in the system's keyring.",
        "sk-another",
        "The key cloud is removed.",
        None,
        "There was no key cloud in the keyring.",
    ]


@pytest.mark.slow
def test_a_key_outlives_its_session_and_is_in_no_file_that_can_be_read(in_session: Any) -> None:
    in_session(("set", "cloud", KEY))
    assert in_session(("get", "cloud")) == [KEY]
    files = [path for path in in_session.files.rglob("*") if path.is_file()]
    assert files, "the keyring's own file is there"
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_locked_real_keyring_is_said_and_the_key_is_kept_for_the_session(in_session: Any) -> None:
    in_session(("set", "cloud", KEY))
    calls = (("get", "cloud"), ("set", "cloud", "sk-another"), ("get", "cloud"))
    refused, kept, given = in_session(*calls, unlocked=False, patience=2)
    assert refused is not None
    assert refused.startswith("keyring: The system's keyring ")
    assert "OFFHAND_KEY_CLOUD" in refused
    assert kept is not None
    assert "The key cloud is kept until the engine ends, and in no file." in kept
    assert "sk-" not in kept
    assert given == "sk-another"
    assert in_session(("get", "cloud")) == [KEY], "the one in the keyring is untouched"
    files = [path for path in in_session.files.rglob("*") if path.is_file()]
    assert not [path for path in files if b"sk-another" in path.read_bytes()]


def test_a_keyring_that_works_keeps_gives_and_removes_a_key() -> None:
    memory = Memory()
    assert keys(memory).get("cloud") is None
    assert keys(memory).set("cloud", f"  {KEY}\n") == "The key cloud is in the system's keyring."
    assert memory.kept == {("offhand", "cloud"): KEY}
    assert keys(memory).get("cloud") == KEY
    assert keys(memory).remove("cloud") == "The key cloud is removed."
    assert keys(memory).remove("cloud") == "There was no key cloud in the keyring."


@pytest.mark.parametrize(
    ("backend", "what"),
    [
        (NoKeyring(), "This system has no keyring that is running."),
        (NullKeyring(), "This system has no keyring that is running."),
        (PlainText(), "The only keyring here writes keys into plain files."),
        (Memory(fault=KeyringLocked(KEY)), "The system's keyring is locked."),
        (Memory(fault=PasswordSetError(KEY)), "The system's keyring refused (PasswordSetError)."),
        (Memory(fault=OSError(KEY)), "The system's keyring refused (OSError)."),
        (Memory(forgetful=True), "The keyring did not keep the key."),
    ],
    ids=["none", "null", "plain text", "locked", "refuses", "system error", "forgetful"],
)
def test_a_keyring_that_cannot_be_used_is_said_and_the_key_stays_in_memory(
    backend: KeyringBackend, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kept = keys(backend)
    said = kept.set("cloud", KEY)
    assert said.startswith(f"{what} The key cloud is kept until the engine ends, and in no file.")
    assert "OFFHAND_KEY_CLOUD" in said
    assert KEY not in said + caplog.text
    assert kept.get("cloud") == KEY
    assert kept.holds_any
    if isinstance(backend, PlainText):
        assert not backend.kept
    assert kept.remove("cloud") == "The key cloud is forgotten."
    assert not kept.holds_any


@pytest.mark.parametrize("backend", [NoKeyring(), NullKeyring(), PlainText()], ids=["none", "null", "plain text"])
def test_no_key_is_read_from_or_removed_in_an_unusable_keyring(backend: KeyringBackend) -> None:
    with pytest.raises(KeyringUnusable):
        keys(backend).get("cloud")
    with pytest.raises(KeyringUnusable):
        keys(backend).remove("cloud")


@pytest.mark.parametrize("inner", [[], [PlainText()], [PlainText(), Memory()]], ids=["empty", "plain", "plain first"])
def test_a_chain_is_judged_by_the_keyring_it_would_write_to(inner: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChainerBackend, "backends", inner)  # otherwise: whatever this machine has
    assert "is kept until the engine ends" in keys(ChainerBackend()).set("cloud", KEY)
    assert not [backend for backend in inner if backend.kept]


def test_a_chain_with_a_good_keyring_in_front_keeps_the_key_there() -> None:
    memory = Memory()
    keys(SimpleNamespace(backends=[memory, PlainText()])).set("cloud", KEY)
    assert memory.kept == {("offhand", "cloud"): KEY}


def test_a_keyring_that_hangs_is_given_up() -> None:
    with pytest.raises(KeyringUnusable) as caught:
        Keys(lambda: Memory(slow=1), {}, patience=0.05).get("cloud")
    assert caught.value.what == "The system's keyring does not answer; it may be locked."


def test_the_environment_comes_first_and_needs_no_keyring() -> None:
    environment = {"OFFHAND_KEY_CLOUD": f" {KEY} ", "OFFHAND_KEY_MY_HOST": "sk-mine"}
    assert keys(NoKeyring(), environment).get("cloud") == KEY
    assert keys(NoKeyring(), environment).get("my.host") == "sk-mine"


def test_an_empty_variable_counts_as_none() -> None:
    memory = Memory()
    memory.set_password("offhand", "cloud", KEY)
    assert keys(memory, {"OFFHAND_KEY_CLOUD": "  "}).get("cloud") == KEY


def test_setting_a_key_never_writes_the_environment() -> None:
    environment: dict[str, str] = {}
    keys(Memory(), environment).set("cloud", KEY)
    assert environment == {}


@pytest.mark.parametrize("text", ["", "  ", "two words", "sk-\x00null", "sk-schlüssel", "first\nsecond", "sk-\u200b1"])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    memory = Memory()
    with pytest.raises(BadInput, match="This is not an API key") as caught:
        keys(memory).set("cloud", text)
    assert not text.strip() or text not in str(caught.value)
    assert not memory.kept


def test_the_longest_key_is_kept_and_one_character_more_is_refused() -> None:
    memory = Memory()
    keys(memory).set("cloud", "k" * LONGEST)
    with pytest.raises(BadInput, match="1,201 characters; the limit is 1,200") as caught:
        keys(memory).set("cloud", "x" * (LONGEST + 1))
    assert "xxx" not in str(caught.value)
    assert memory.kept["offhand", "cloud"] == "k" * LONGEST
