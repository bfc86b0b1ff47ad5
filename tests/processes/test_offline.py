"""Offline means that nothing is tried: the whole app, all its processes, watched from the inside and from the outside.

Every Python process carries an audit hook that writes down what it tries. Where the system allows it the app also runs
in a network namespace that has no way out, and under strace, which sees compiled code too.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import launch
from core.paths import Profile, command
from tests.processes.conftest import eventually, family

GUARD = Path(__file__).parent / "socket_guard"
INET = re.compile(r"(?:connect|sendto|sendmsg|sendmmsg|bind)\(.*AF_INET")
WISHES = {"ANONYMIZED_TELEMETRY": "True", "HF_HUB_DISABLE_TELEMETRY": "0", "ORT_DISABLE_TELEMETRY": "0"}
"""What a person's environment may ask of libraries; with `CI` set some are silent by themselves."""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--net"]


class Watched:
    """Runs commands of Offhand where every attempt to reach a network is written down.

    `inside` is what each command is started with; the engine and its children are its grandchildren.
    """

    def __init__(self, folder: Path, inside: list[str]) -> None:
        self.inside = inside
        self._engine: subprocess.Popen[bytes] | None = None
        self._log = folder / "attempts.txt"
        self._traces = folder / "traces"
        self._traces.mkdir()
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in ("CI", "ORT_RUNNING_UNIT_TESTS")},
            **WISHES,
            "PYTHONPATH": str(GUARD),
            "OFFHAND_SOCKET_LOG": str(self._log),
        }

    def start_engine(self) -> bool:
        """Start the engine, and with it its children, under strace. Returns whether that is allowed here."""
        if not works("strace", "-o", os.devnull, "true"):
            return False
        strace = ["strace", "-f", "-ff", "-qq", "-e", "trace=%network", "-o", str(self._traces / "engine")]
        words = [*self.inside, *strace, *command("--process", "engine")]
        self._engine = subprocess.Popen(
            words, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return True

    def end_engine(self) -> None:
        """End it; what strace has seen is complete then."""
        self.run("stop")
        if self._engine is not None:
            self._engine.wait(30)

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.inside, *command(), *words],
            input=stdin, env=self._environment, capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip

    def python(self, code: str) -> str:
        words = [*self.inside, command()[0], "-c", code]
        return subprocess.run(
            words, env=self._environment, capture_output=True, text=True, timeout=60, check=False
        ).stderr

    def attempts(self) -> list[str]:
        heard = self._log.read_text().splitlines() if self._log.exists() else []
        traced = [line for file in self._traces.iterdir() for line in file.read_text(errors="replace").splitlines()]
        return heard + [line for line in traced if INET.search(line)]

    def traced(self) -> int:
        """How many processes strace has followed."""
        return len(list(self._traces.iterdir()))


def works(*words: str) -> bool:
    """Whether this system has a command and allows what it does."""
    return bool(shutil.which(words[0])) and not subprocess.run(words, capture_output=True, check=False).returncode


@pytest.fixture
def watched(tmp_path: Path, profile: Profile, models: Path) -> Iterator[Watched]:
    made = Watched(tmp_path, NAMESPACE if works(*NAMESPACE, "true") else [])
    print("in a namespace without a network" if made.inside else "no namespace allowed here: the audit hook alone")
    yield made
    made.end_engine()
    assert eventually(lambda: not family(profile)), f"orphans: {family(profile)}"


def test_the_guard_hears_what_is_tried(watched: Watched) -> None:
    watched.python("import socket; socket.getaddrinfo('example.invalid', 443)")
    watched.python("import socket; socket.create_connection(('192.0.2.1', 9), 0.1)")
    heard = " ".join(watched.attempts())
    assert "socket.getaddrinfo ('example.invalid'" in heard
    assert "socket.connect (('192.0.2.1', 9)" in heard


@pytest.mark.slow
def test_offline_the_whole_app_tries_nothing(watched: Watched, profile: Profile, notes: Path) -> None:
    traced = watched.start_engine()
    print("under strace" if traced else "strace is not allowed here")
    assert not traced or eventually(lambda: launch.find(profile) is not None, 60)
    for name, value in (("offline", "on"), ("prefer", "cloud")):
        assert watched.run("settings", name, value).returncode == 0
    for name, kind in (("far", "openai"), ("farther", "anthropic")):
        url = f"https://{name}.example.invalid/v1"
        added = watched.run("providers", "add", name, "--url", url, "--model", "big", "--kind", kind)
        assert added.returncode == 0, added.stderr
    assert watched.run("settings", "second_opinions", "on").returncode == 0
    assert watched.run("add", str(notes)).returncode == 0
    assert watched.run("rule", str(notes), "cloud").returncode == 0
    done = json.loads(watched.run("index", "--wait", "--json").stdout)
    assert done["done"]
    assert done["counts"]["vectors_owed"] == 0
    assert json.loads(watched.run("search", "boiler", "--json").stdout)["hits"]
    asked = json.loads(watched.run("ask", "--cloud-ok", "When is the boiler serviced?", "--json").stdout)
    outcomes = [step["outcome"] for step in asked["route"] if step["kind"] == "cloud"]
    assert outcomes == ["Offline mode is on; nothing was sent"] * 2
    assert watched.run("providers", "test", "far").returncode != 0
    would = json.loads(watched.run("preview", "When is the boiler serviced?", "--json").stdout)["models"]
    assert [one["host"] for one in would] == ["far.example.invalid", "farther.example.invalid"]
    assert json.loads(watched.run("later", "--json").stdout) == {"opinions": [], "on": True, "more": 0}
    assert json.loads(watched.run("drill", "--json").stdout)["asked"]
    assert json.loads(watched.run("doctor", "--json").stdout)["findings"]
    for wanted in ("Qwen2.5-0.5B-Instruct", "https://hub.example.invalid/model.gguf"):
        refused = json.loads(watched.run("models", "get", wanted, "--json").stdout)["error"]
        assert refused["what"] == "Offline mode is on; no download was tried."
    watched.run("keys", "set", "far", "--json", stdin="sk-not-a-key\n")  # whether there is a keyring or not
    watched.run("keys", "remove", "far", "--json")
    assert json.loads(watched.run("ledger", "--json").stdout) == {"entries": []}
    assert json.loads(watched.run("status", "--json").stdout)["offline"]
    watched.end_engine()
    assert not traced or watched.traced() > 5, "the engine's children are watched too"
    assert watched.attempts() == []
