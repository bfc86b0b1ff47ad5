"""How commands end: exit statuses, one sentence or one JSON object for every failure, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from scripted import CommandLine

from core.errors import (
    BadInput,
    CloudFailed,
    EngineUnreachable,
    KeyringUnusable,
    ModelMissing,
    Offline,
    ProfileUnusable,
)
from core.paths import ROOT, Profile
from indexer.child import ChildOff
from indexer.records import CatalogUnusable, FolderRefused, ModelUnusable, Problem
from indexer.worker import Gone, Overdue
from ui import terminal
from ui.terminal import barrier, window

STATUS_OF = {
    BadInput: 3,
    FolderRefused: 3,
    ModelMissing: 4,
    ModelUnusable: 4,
    CatalogUnusable: 4,
    ProfileUnusable: 4,
    EngineUnreachable: 4,
    KeyringUnusable: 4,
    CloudFailed: 4,
    Offline: 4,
    ChildOff: 4,
    Gone: 4,
    Overdue: 4,
    Problem: 4,
}


def test_the_documented_table_is_the_table_in_use() -> None:
    documented = terminal.__doc__ or ""
    for status, meaning in barrier.MEANINGS.items():
        assert f"    {status:<5}{meaning}" in documented
    assert set(barrier.MEANINGS) == {0, 1, 2, 3, 4, 5, 130}


@pytest.mark.parametrize(("problem", "status"), STATUS_OF.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_each_kind_of_problem_has_its_exit_status(offhand: CommandLine, problem: type[Problem], status: int) -> None:
    offhand.engine.script.problem = problem("It failed, the rest works.", "Do this.")
    for_person = offhand("search", "words")
    assert (for_person.status, for_person.out) == (status, "")
    assert for_person.err == "offhand: It failed, the rest works. Do this.\n"
    for_script = offhand("search", "words", "--json")
    assert for_script.status == status
    error = {"kind": problem.kind, "what": "It failed, the rest works.", "next_step": "Do this."}
    assert for_script.object == {"error": error}


@pytest.mark.logs("a call failed")
def test_a_fault_of_the_engine_is_one_sentence_and_status_1(offhand: CommandLine) -> None:
    from core.protocol import Status

    offhand.engine.answers[Status] = lambda call, cancelled: iter([1 / 0])
    ran = offhand("status")
    assert ran.status == 1
    assert ran.err.startswith("offhand: Something went wrong inside Offhand (ZeroDivisionError).")


@pytest.mark.parametrize(
    "arguments",
    [["unknown"], ["ask"], ["search", "x", "--nope"], ["search", "x", "-n", "many"], ["keys"]],
    ids=" ".join,
)
def test_a_command_typed_wrongly_has_status_2(offhand: CommandLine, arguments: list[str]) -> None:
    ran = offhand(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("offhand: ")
    assert "--help` shows how it is used." in ran.err
    as_json = offhand(*arguments, "--json")
    assert as_json.status == 2
    assert offhand.engine.calls == []


def test_a_guess_at_what_was_meant_ends_as_a_question_does(offhand: CommandLine) -> None:
    ran = offhand("serach", "x")
    assert ran.status == 2
    assert "'search'?" in ran.err
    assert "?." not in ran.err


def test_a_usage_error_with_json_is_json(offhand: CommandLine) -> None:
    assert offhand("ask", "--json").object["error"]["kind"] == "usage"


@pytest.mark.parametrize("command", ["ask", "search", "add", "remove", "retry"])
def test_arguments_that_are_not_utf8_are_refused(offhand: CommandLine, command: str) -> None:
    ran = offhand(command, b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert ran.status == 3
    assert ran.err == "offhand: What was typed is not valid UTF-8 text. Check the terminal's encoding.\n"


def test_bytes_that_are_not_utf8_are_refused_from_a_real_shell_too(offhand: CommandLine) -> None:
    command = [sys.executable.encode(), os.fsencode(ROOT / "main.py"), b"ask", b"caf\xe9", b"--json"]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 3
    assert msgspec.json.decode(ran.stdout)["error"]["kind"] == "input"
    assert ran.stderr == b""


def test_a_profile_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    in_the_way = tmp_path / "home"
    in_the_way.write_text("a file where the profile should be")
    hook = sys.excepthook
    try:
        status = terminal.run(["status", "--json"], Profile(in_the_way))
    finally:
        sys.excepthook = hook
    assert status == 4
    assert msgspec.json.decode(capsys.readouterr().out)["error"]["kind"] == "profile"


def test_the_doctor_reports_an_engine_that_cannot_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    in_the_way = tmp_path / "home"
    in_the_way.write_text("a file where the profile should be")
    assert terminal.run(["doctor"], Profile(in_the_way)) == 5
    assert "PROBLEM   engine: Offhand cannot write its profile" in capsys.readouterr().out


def crashing(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    """A real start of the program in which a command hits a fault of ours."""
    code = (
        "import sys\n"
        "from ui import terminal\n"
        "from ui.terminal import commands\n"
        "commands.dispatch = lambda *_: {}['private words of a note']\n"
        f"sys.exit(terminal.run({arguments!r}))"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_fault_of_ours_shows_no_traceback_but_the_log_has_it(profile: Profile) -> None:
    ran = crashing(["status"])
    log = profile.logs / "cli.log"
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"offhand: Something went wrong inside Offhand (KeyError). The details are in {log}.\n"
    assert "Traceback" in log.read_text()


def test_a_fault_of_ours_with_json_is_one_object(profile: Profile) -> None:
    ran = crashing(["status", "--json"])
    assert (ran.returncode, ran.stderr) == (1, "")
    assert msgspec.json.decode(ran.stdout)["error"]["kind"] == "bug"


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_display_is_recognised(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv(name, ":0")
    assert window.has_display()


def test_json_is_only_an_option_before_the_two_dashes() -> None:
    assert barrier.wants_json(["ask", "why", "--json"])
    assert not barrier.wants_json(["ask", "--", "--json"])
