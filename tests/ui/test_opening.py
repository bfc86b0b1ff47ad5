from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from ui.opening import choose, open_at, vault_of


def only(*names):
    return lambda name: f"/usr/bin/{name}" if name in names else None


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("code", ["--goto", "/n/a b.md:31"]),
        ("codium", ["--goto", "/n/a b.md:31"]),
        ("kate", ["--line", "31", "/n/a b.md"]),
        ("gedit", ["+31", "/n/a b.md"]),
        ("gnome-text-editor", ["+31", "/n/a b.md"]),
    ],
)
def test_a_note_opens_at_its_line_in_an_editor_that_can(program, arguments):
    assert choose(Path("/n/a b.md"), 31, None, only(program)) == [f"/usr/bin/{program}", *arguments]


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("okular", ["--page", "7", "/n/a.pdf"]),
        ("evince", ["--page-index=7", "/n/a.pdf"]),
        ("zathura", ["--page=7", "/n/a.pdf"]),
    ],
)
def test_a_pdf_opens_at_its_page(program, arguments):
    assert choose(Path("/n/a.pdf"), 1, 7, only(program)) == [f"/usr/bin/{program}", *arguments]


def test_a_note_in_an_obsidian_vault_opens_there(tmp_path):
    (tmp_path / ".obsidian").mkdir()
    note = tmp_path / "deep" / "a&b.md"
    note.parent.mkdir()
    assert vault_of(note) == tmp_path
    chosen = choose(note, 3, None, only("obsidian", "code"))
    assert isinstance(chosen, QUrl)
    assert chosen.scheme() == "obsidian"
    assert "a%26b.md" in chosen.toEncoded().data().decode()
    assert choose(note, 3, None, only("code")) == ["/usr/bin/code", "--goto", f"{note}:3"], "without Obsidian"


def test_anything_else_is_left_to_the_system_by_the_file_scheme():
    for name in ("/n/a.docx", "/n/a.md", "/n/a.pdf"):
        chosen = choose(Path(name), 3, 2 if name.endswith("pdf") else None, only())
        assert chosen == QUrl.fromLocalFile(name)


def test_a_file_that_is_gone_a_folder_and_a_program_are_not_opened(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    assert "not there any more" in open_at(str(tmp_path / "gone.md"), 1, None)
    assert "not there any more" in open_at(str(tmp_path), 1, None)
    program = tmp_path / "run.desktop"
    program.write_text("[Desktop Entry]")
    assert "does not start programs" in open_at(str(program), 1, None)
    assert opened == []


def test_a_real_program_is_started_with_the_place(tmp_path, monkeypatch, qtbot):
    note, seen = tmp_path / "a.md", tmp_path / "seen"
    note.write_text("x")
    editor = tmp_path / "bin" / "code"
    editor.parent.mkdir()
    editor.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {seen}.new && mv {seen}.new {seen}\n')
    editor.chmod(0o755)
    monkeypatch.setenv("PATH", f"{editor.parent}:/usr/bin:/bin")
    assert open_at(str(note), 12, None) == ""
    qtbot.waitUntil(seen.exists)
    assert seen.read_text().splitlines() == ["--goto", f"{note}:12"]
