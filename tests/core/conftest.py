"""The outside world of the core, real wherever it can be: a model server on loopback, a keyring, a small library."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core import archive
from core.engine.engine import Engine
from core.models import llama
from core.models.llama import LanguageModel
from core.paths import ROOT, Profile
from core.settings import SettingsFile
from indexer.child import Child
from tests.core import fault_server
from tests.core.profiles import fill

STARTER = "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def starter_model(models: Path) -> Path:
    """The starter model's file."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed: run `make setup`")
    path = models / STARTER
    if not path.exists():
        pytest.skip("the starter language model is not installed: run `make setup`")
    return path


@pytest.fixture(scope="session")
def language_model(starter_model: Path) -> LanguageModel:
    """The starter model, loaded in this process, as the llm child has it."""
    return llama.build({"model": str(starter_model), "threads": 2})


@pytest.fixture
def engine(profile: Profile, models: Path) -> Iterator[Engine]:
    """An engine that is not started, in this process."""
    made = Engine(profile)
    yield made
    made.close()


RUN = """
import sys
sys.path.insert(0, {root!r})
from core.models import llama
from indexer import child
child.run(llama.build, llama.Call, serial=True)
"""


def language_child(model: Path, runtime: Path) -> "Child[llama.Call, llama.Event]":
    """The llm child for a model file; whoever asks for it stops it."""
    command = [sys.executable, "-c", RUN.format(root=str(ROOT))]
    config = {"model": str(model), "threads": 2}
    return Child("llm", command, runtime, llama.Event, config, off_message="It is off.")


@pytest.fixture
def child(starter_model: Path, tmp_path: Path) -> "Iterator[Child[llama.Call, llama.Event]]":
    """The starter model in a process of its own."""
    made = language_child(starter_model, tmp_path)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def cloud(starter_model: Path) -> Iterator[str]:
    """The base URL of a real OpenAI-compatible server on loopback: llama-cpp-python's own, with the starter model."""
    pytest.importorskip("uvicorn", reason="the development packages are not installed: run `make setup`")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(starter_model), "--model_alias", "starter"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "2048", "--n_threads", "2"]
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment["OMP_WAIT_POLICY"] = "PASSIVE"  # see core.models.llama.build
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.1)
        else:
            pytest.fail("the model server did not come up")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def faults() -> Iterator[fault_server.FaultServer]:
    """A service that misbehaves on demand."""
    with fault_server.running() as server:
        yield server


@pytest.fixture(scope="session")
def keyring_session() -> Callable[[bool], list[str]]:
    """Makes the start of a command line that runs Python beside a real Secret Service on a message bus of its own.

    The keyring is unlocked (made, the first time) with the password on standard input, or left locked.
    """
    for program in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian packages dbus and gnome-keyring)")

    def command(unlocked: bool) -> list[str]:
        daemon = f"gnome-keyring-daemon {'--unlock' if unlocked else '--start'} --components=secrets >/dev/null 2>&1"
        return ["dbus-run-session", "--", "sh", "-c", f'{daemon} && exec "$@"', "sh", sys.executable]

    return command


@pytest.fixture(scope="session")
def embedder(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The real embedding model."""
    from indexer.embed import Embedder

    return Embedder(models / "all-MiniLM-L6-v2", tmp_path_factory.mktemp("embedder"), threads=2)


@pytest.fixture
def made(profile: Profile, tmp_path: Path) -> Path:
    """An archive of a small profile."""
    fill(profile, "/notes", "the boiler", "the roof")
    archive.export(profile, SettingsFile(profile.settings).current, tmp_path / "profile.zip")
    return tmp_path / "profile.zip"
