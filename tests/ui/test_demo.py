"""The demonstration: what it shows, that it asks questions of the example notes, and that nothing stays behind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from scripted import CommandLine

from core import launch
from core.paths import ROOT, Profile
from core.protocol import AddFolder, Ask, Index
from ui import demo
from ui.terminal.session import Session


def test_it_reads_the_notes_where_they_are_and_asks_three_questions(
    offhand: CommandLine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert demo.show(Session(offhand.profile), demo.NOTES) == 0
    asked = [Ask(question) for question in demo.QUESTIONS]
    assert offhand.engine.calls == [AddFolder(str(demo.NOTES)), Index(wait=True), *asked]
    out = capsys.readouterr().out
    assert out.startswith("There is no display")
    assert "40 files indexed, 120 passages" in out
    assert out.count("in all 1.9 s") == 3
    assert [out.index(question) for question in demo.QUESTIONS] == sorted(map(out.index, demo.QUESTIONS))


def test_its_questions_are_of_the_example_set_and_one_cannot_be_answered() -> None:
    known = {}
    for line in (ROOT / "examples" / "questions.jsonl").read_text("utf-8").splitlines():
        entry = msgspec.json.decode(line)
        known[entry["question"]] = bool(entry["answers"])
    assert [known.get(question) for question in demo.QUESTIONS] == [True, True, False]


@pytest.fixture
def short() -> Iterator[Path]:
    """A temporary folder whose sockets have short paths: longer ones lie in the real one, which the engine knows."""
    with tempfile.TemporaryDirectory(prefix="o-") as made:
        yield Path(made)


@pytest.mark.slow
def test_it_shows_everything_with_the_real_engine_and_leaves_nothing_behind(
    models: Path, tmp_path: Path, short: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHAND_HOME", "unused")  # restored after the test
    monkeypatch.setattr("tempfile.tempdir", str(short))
    notes = Path(shutil.copytree(demo.NOTES, tmp_path / "notes"))
    before = {path: path.stat().st_mtime_ns for path in notes.rglob("*")}
    monkeypatch.setattr(demo, "NOTES", notes)
    assert demo.run() == 0
    out = capsys.readouterr().out
    assert "sealed envelope" in out
    assert "Tuesday and Saturday mornings" in out
    assert "Your notes do not seem to say this." in out
    assert launch.find(Profile(Path(os.environ["OFFHAND_HOME"]))) is None
    assert not list(short.glob("offhand-demo-*"))
    assert {path: path.stat().st_mtime_ns for path in notes.rglob("*")} == before
