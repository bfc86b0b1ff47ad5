"""Start at login. The XDG entry is written, read and started for real; of the others only the content can be looked at
here: launchd is macOS's, and winreg exists on Windows alone."""

import plistlib
import shlex
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from core.paths import Profile
from core.protocol import Problem
from ui import autostart
from ui.autostart import Entry, RunKey, desktop_entry, launch_agent, run_line

HARD = ["/opt/my apps/offhand", 'a"b', "c$d`e", "f\\g", "100%", "h;i", ""]


@pytest.fixture
def entry(profile, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return autostart.of(profile)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config" / "autostart" / "offhand.desktop"


def exec_line(content):
    """The Exec value as a desktop reads it: the file's escapes undone."""
    parser = RawConfigParser()
    parser.optionxform = str
    parser.read_string(content)
    value = parser["Desktop Entry"]["Exec"]
    return value.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")


def test_it_is_off_until_it_is_switched_on_and_gone_when_it_is_off_again(entry, file):
    assert not entry.on()
    assert not file.exists()
    entry.switch(on=True)
    assert entry.on()
    assert "open --hidden" in exec_line(file.read_text())
    entry.switch(on=False)
    assert not entry.on()
    assert not file.exists()
    entry.switch(on=False)


def test_the_profile_that_was_chosen_by_its_folder_goes_along(entry, file, profile):
    entry.switch(on=True)
    assert f"OFFHAND_HOME={profile.home}" in exec_line(file.read_text())
    assert "OFFHAND_HOME" not in desktop_entry(["offhand"], {})


def test_every_word_of_the_command_arrives_as_it_is():
    line = exec_line(desktop_entry(HARD, {"HOME": "/with space"}))
    plain = line.replace("%%", "%")  # its quoting is the shell's, but for the field codes
    script = f"""set -- {plain}; for word; do printf '%s\\n' "$word"; done"""
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:-1] == ["env", "HOME=/with space", *HARD]


def test_the_line_starts_the_program_it_names(tmp_path):
    program = tmp_path / "my apps" / "say so"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf %s "$1$OFFHAND_HOME"\n')
    program.chmod(0o755)
    line = exec_line(desktop_entry([str(program), "a b"], {"OFFHAND_HOME": "/n m"}))
    ran = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True)
    assert ran.stdout == "a b/n m"


def test_an_entry_of_somebody_else_is_not_touched(entry, file):
    file.parent.mkdir(parents=True)
    file.write_text("[Desktop Entry]\nExec=other\n")
    assert not entry.on()
    for on in (True, False):
        with pytest.raises(Problem, match="not of Offhand's making"):
            entry.switch(on=on)
    assert file.read_text() == "[Desktop Entry]\nExec=other\n"


def test_one_that_the_desktop_has_switched_off_is_off_and_can_be_switched_on_again(entry, file):
    entry.switch(on=True)
    file.write_text(file.read_text().replace("enabled=true", "enabled=false"))
    assert not entry.on()
    entry.switch(on=True)
    assert entry.on()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    entry = Entry(tmp_path / "file" / "offhand.desktop", "x", "x")
    with pytest.raises(Problem, match="Start at login stays as it was"):
        entry.switch(on=True)
    assert not entry.on()


def test_a_launch_agent_is_a_property_list(monkeypatch, profile):
    job = plistlib.loads(launch_agent(HARD, {"OFFHAND_HOME": "/n"}).encode())
    assert job["ProgramArguments"] == HARD
    assert job["EnvironmentVariables"] == {"OFFHAND_HOME": "/n"}
    assert job["RunAtLoad"] is True
    monkeypatch.setattr(sys, "platform", "darwin")
    made = autostart.of(profile)
    assert made._path == Path.home() / "Library/LaunchAgents/org.offhand.Offhand.plist"
    assert made._mark in made._content


def test_the_run_key_quotes_what_has_spaces_and_opens_no_console():
    assert run_line([r"C:\Program Files\Python\python.exe", r"C:\offhand\main.py", "open", "--hidden"]) == (
        r'"C:\Program Files\Python\pythonw.exe" C:\offhand\main.py open --hidden'
    )
    with pytest.raises(Problem, match="longer than 260"):
        RunKey("x" * 300).switch(on=True)


@pytest.mark.skipif(sys.platform != "win32", reason="winreg exists on Windows alone")
def test_the_run_key_is_written_and_removed():
    key = RunKey(run_line(["offhand-test", "open", "--hidden"]))
    key.switch(on=True)
    assert key.on()
    key.switch(on=False)
    assert not key.on()


def test_without_a_chosen_folder_no_variable_is_needed(monkeypatch, tmp_path):
    monkeypatch.delenv("OFFHAND_HOME")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert "OFFHAND_HOME" not in autostart.of(Profile())._content
