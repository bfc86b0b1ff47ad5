"""Bad input, from the command line to a real engine: one clear sentence, the right exit status, the rest goes on."""

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.client import Engine
from core.paths import ROOT, Profile, command
from core.protocol import Configure, Search
from tests.processes.conftest import eventually, indexed, status


def offhand(*arguments: str | bytes) -> tuple[int, dict[str, Any]]:
    """Exit status and the JSON object of a command."""
    done = subprocess.run(
        [*command(), arguments[0], "--json", *arguments[1:]],
        capture_output=True,
        timeout=90,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert b"Traceback" not in done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return done.returncode, answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "library" / "notes"
    (made / "inside").mkdir(parents=True)
    (made / "inside" / "boiler.md").write_text("# Boiler\n\nThe boiler is serviced every October by Mr Hale.\n")
    return made


@pytest.fixture
def running(engine: Engine, folder: Path) -> Engine:
    indexed(engine, folder)
    return engine


def refused(*arguments: str | bytes) -> str:
    code, answer = offhand(*arguments)
    assert code == 3
    error = answer["error"]
    assert error["kind"] in ("folder", "input")
    return str(error["what"])


def test_folders_that_cannot_be_added(running: Engine, folder: Path, profile: Profile, tmp_path: Path) -> None:
    assert "There is no folder" in refused("add", str(tmp_path / "nowhere"))
    assert "is a file" in refused("add", str(folder / "inside" / "boiler.md"))
    assert "lies inside" in refused("add", str(folder / "inside"))
    assert "contains" in refused("add", str(folder.parent))
    code, answer = offhand("add", str(folder))
    assert (code, [one["path"] for one in answer["folders"]]) == (0, [str(folder)])
    assert "Offhand's own files" in refused("add", str(profile.data))
    assert "not one of your folders" in refused("remove", str(tmp_path / "nowhere"))
    assert status(running).counts.indexed == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(running: Engine, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert "cannot be read" in refused("add", str(closed))


@pytest.mark.parametrize("question", ["", "   ", "?!… --", "x" * 100_000])
def test_questions_that_are_none(running: Engine, question: str) -> None:
    assert refused("ask", question)


@pytest.mark.parametrize("words", ["", "   ", "?!… --", '"', "*"])
def test_a_search_for_nothing(running: Engine, words: str) -> None:
    assert refused("search", words) == "There is nothing to look for."


def test_a_question_that_is_not_utf8(running: Engine) -> None:
    code, answer = offhand("ask", "--no-model", b"who services the \xff\xfe boiler")
    assert code in (0, 3)
    assert "answer" in answer or answer["error"]["kind"] == "input"


@pytest.mark.parametrize(
    "words",
    [
        '"boiler',
        "boiler AND",
        "boiler OR (",
        "NEAR(a b",
        "boil*",
        "title:",
        "-boiler",
        "a\x01b",
        "';DROP TABLE chunks;--",
    ],
)
def test_words_are_never_syntax(running: Engine, words: str) -> None:
    code, answer = offhand("search", "--words-only", "--", words)
    assert code == 0
    assert isinstance(answer["hits"], list)


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign"])
def test_an_unusable_model_leaves_the_quote(running: Engine, models: Path, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 1, 1))  # what is no model is refused when it is named
    list(running.call(Configure("local_model", str(file))))
    file.unlink()
    starter = models / "smollm2-135m-instruct" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if damage == "truncated":
        with starter.open("rb") as whole:
            file.write_bytes(whole.read(3_000_000))
    if damage == "foreign":
        file.write_bytes(b"PK\x03\x04 this is a zip file, not a model " * 1000)
    code, answer = offhand("ask", "Who services the boiler?")
    assert code == 0
    assert "Mr Hale" in answer["quote"]["text"]
    local = [step for step in answer["route"] if step["kind"] == "local"]
    assert "model.gguf" in local[0]["outcome"]
    list(running.call(Configure("local_model", "")))
    _, again = offhand("ask", "Who services the boiler?")
    assert [step["outcome"] for step in again["route"] if step["kind"] == "local"] == ["ok"]


def test_a_profile_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("in the way")
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path / "home"))
    code, answer = offhand("folders")
    assert code == 4
    assert answer["error"]["kind"] == "profile"
    assert "cannot write its profile" in answer["error"]["what"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB for the profile: only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("a disk that can be filled needs root to mount it")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=24m", "offhand-test", str(place)], check=False)
    if made.returncode:
        pytest.skip("this system does not let root mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_pauses_indexing_and_ends_by_itself(
    small_disk: Path, folder: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHAND_HOME", str(small_disk / "home"))
    profile = Profile()
    profile.create()
    engine = Engine(profile)
    try:
        indexed(engine, folder)
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
                    file.flush()
            except OSError:
                pass
        for number in range(300):
            (folder / f"new-{number}.md").write_text(f"# Note {number}\n\n" + "The gutter needs paint. " * 60)
        assert eventually(lambda: any("full" in notice for notice in status(engine).notices), 30)
        found = list(engine.call(Search("boiler October", meaning=False)))[-1]
        assert found.hits, "what was indexed is still found"  # type: ignore[union-attr]
        ballast.unlink()
        assert eventually(lambda: status(engine).counts.indexed > 100, 120), status(engine).notices
        assert not (ROOT / "ballast").exists()
    finally:
        engine.close()
        from core import launch

        launch.stop(profile)
