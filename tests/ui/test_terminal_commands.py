"""Every command but `ask`, for a person and for a script, over the real wire to a scripted engine."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from scripted import CommandLine, interrupt, progress
from scripted_engine import COUNTS, NOTES, hits, wait_for

from core.paths import ROOT, Profile
from core.protocol import (
    AddFolder,
    Configure,
    CurrentSettings,
    Done,
    Export,
    Found,
    Index,
    ListFiles,
    Progress,
    RemoveFolder,
    RemoveKey,
    Retry,
    Search,
    SetKey,
    Settings,
)
from indexer.records import FolderKnown


def test_add_sends_the_absolute_path_and_says_what_comes(
    offhand: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = offhand("add", "sub/../notes")
    assert ran.status == 0
    assert offhand.engine.calls == [AddFolder(str(tmp_path / "notes"))]
    assert f"{tmp_path / 'notes'} is watched" in ran.out


def test_a_folder_that_is_watched_already_is_no_failure(offhand: CommandLine) -> None:
    def known(call, cancelled):
        raise FolderKnown("/srv/notes is one of your folders already.", "Nothing needs to be done.")

    offhand.engine.answers[AddFolder] = known
    ran = offhand("add", "/srv/notes")
    assert (ran.status, ran.out, ran.err) == (0, "/srv/notes is one of your folders already.\n", "")
    assert list(offhand("add", "/srv/notes", "--json").object) == ["folders"]


def test_add_expands_the_home_folder(offhand: CommandLine) -> None:
    offhand("add", "~/notes")
    assert offhand.engine.calls == [AddFolder(str(Path.home() / "notes"))]


def test_add_can_follow_links(offhand: CommandLine) -> None:
    assert offhand("add", "/srv/notes", "--follow-links").status == 0
    assert offhand.engine.calls == [AddFolder("/srv/notes", links=True)]
    assert "/srv/notes: 0 files, 0 indexed, links followed" in offhand("folders").out
    assert "links" not in offhand("folders").out.replace("links followed", "")


def test_add_and_remove_give_all_folders_as_json(offhand: CommandLine) -> None:
    added = offhand("add", "/srv/notes", "--json").object
    assert list(added) == ["folders"]
    assert set(added["folders"][0]) == {
        "path",
        "reachable",
        "files",
        "indexed",
        "waiting",
        "failed",
        "links",
        "skipped",
        "rule",
    }
    assert added["folders"][-1]["path"] == "/srv/notes"
    removed = offhand("remove", "/srv/notes", "--json").object
    assert "/srv/notes" not in [folder["path"] for folder in removed["folders"]]
    assert offhand.engine.calls[-1] == RemoveFolder("/srv/notes")


def test_files_are_listed_with_what_became_of_them(offhand: CommandLine) -> None:
    out = offhand("files").out
    assert f"indexed  {NOTES}/house/roof.md\n" in out
    assert f"failed   {NOTES}/meetings/old.docx: The file is damaged. It is tried again on 2030-" in out
    assert offhand("files", "--state", "waiting").out == "No files.\n"
    failed = offhand("files", "--state", "failed", "--json").object["files"]
    assert [file["path"] for file in failed] == [f"{NOTES}/meetings/old.docx"]
    assert offhand.engine.calls[-1] == ListFiles("failed", "")
    assert offhand("files", "--state", "lost").status == 2


def test_why_says_it_in_one_sentence(offhand: CommandLine) -> None:
    assert offhand("why", "/etc/passwd").out == "/etc/passwd is not in the index: it lies in none of your folders.\n"
    explained = offhand("why", "/etc/passwd", "--json").object
    assert list(explained) == ["path", "sentence", "file"]


def test_reading_is_paused_and_resumed(offhand: CommandLine) -> None:
    assert "`offhand resume`" in offhand("pause").out
    assert offhand.engine.script.settings.paused
    assert offhand("resume", "--json").object == {"paused": False}
    offhand.engine.change(paused="paused by you")
    assert "Reading   paused by you" in offhand("status").out


def test_remove_says_that_the_folder_was_not_touched(offhand: CommandLine) -> None:
    assert "not touched" in offhand("remove", str(NOTES)).out


def test_folders_lists_each_with_its_counts(offhand: CommandLine) -> None:
    ran = offhand("folders")
    said = f"{NOTES}: 198 files, 196 indexed, 2 failed; goes to the cloud only if you say so"
    assert said in ran.out.splitlines()
    assert len(offhand("folders", "--json").object["folders"]) == 2


def test_folders_without_any_says_how_to_add_one(offhand: CommandLine) -> None:
    offhand.engine.change(folders=[])
    assert "offhand add DIR" in offhand("folders").out


def test_index_returns_at_once_without_wait(offhand: CommandLine) -> None:
    assert "211 files indexed" in offhand("index").out
    assert offhand.engine.calls == [Index(wait=False)]


def test_index_wait_ends_with_a_summary(offhand: CommandLine) -> None:
    ran = offhand("index", "--wait")
    assert ran.status == 0
    assert ran.out == "40 files indexed, 120 passages, 1 failed (`offhand status` says why).\n"


def test_a_scan_that_waits_is_told_apart(offhand: CommandLine) -> None:
    counts = msgspec.structs.replace(COUNTS, waiting=3, scans=2, failed=0)
    offhand.engine.answers[Index] = lambda call, cancelled: iter([Progress(counts, 0, 0, None, True)])
    assert "1 file waiting, 2 scans waiting to be recognised" in offhand("index").out


def test_index_says_that_reading_is_paused(offhand: CommandLine) -> None:
    counts = msgspec.structs.replace(COUNTS, waiting=3)
    said = "Reading is paused by you. `offhand resume` goes on."
    offhand.engine.answers[Index] = lambda call, cancelled: iter([Progress(counts, 0, 0, None, True, said)])
    ran = offhand("index", "--wait")
    assert (ran.status, ran.out) == (4, "")
    assert "3 files waiting" in ran.err
    assert said in ran.err
    assert offhand("index", "--wait", "--json").object["error"]["kind"] == "paused"
    ran = offhand("index")
    assert ran.status == 0
    assert said in ran.err


def test_index_wait_gives_only_the_final_object_as_json(offhand: CommandLine) -> None:
    final = offhand("index", "--wait", "--json").object
    assert set(final) == {"counts", "files_per_s", "chunks_per_s", "seconds_left", "done", "paused"}
    assert final["done"] is True
    assert final["counts"]["vectors_owed"] == 0


def test_ctrl_c_while_waiting_says_that_indexing_goes_on(offhand: CommandLine) -> None:
    def endless(call, cancelled):
        yield next(progress())
        interrupt()
        stopped.append(cancelled.wait(10))

    stopped: list[bool] = []
    offhand.engine.answers[Index] = endless
    ran = offhand("index", "--wait")
    assert ran.status == 130
    assert "goes on in the background" in ran.err
    wait_for(lambda: stopped == [True])


def test_retry_asks_for_one_file_or_for_all(offhand: CommandLine) -> None:
    offhand("retry")
    offhand("retry", "/srv/notes/a.pdf")
    assert offhand.engine.calls == [Retry(""), Retry("/srv/notes/a.pdf")]
    assert isinstance(offhand("retry", "--json").object["counts"], dict)


def test_search_shows_place_heading_and_snippet(offhand: CommandLine) -> None:
    ran = offhand("search", "clay", "tiles", "-n", "3")
    assert ran.status == 0
    assert offhand.engine.calls == [Search("clay tiles", 3, meaning=True)]
    lines = ran.out.splitlines()
    assert lines[0].strip() == f"1  {NOTES}/house/roof.md:31"
    assert lines[1].strip() == "Roof › Decision"
    assert "clay tiles" in lines[2]
    assert "3 found" in ran.err


def test_search_says_when_no_passage_has_the_words(offhand: CommandLine) -> None:
    assert "None of these passages has your words" in offhand("search", "zzxqy").err
    assert "None of these" not in offhand("search", "tiles", "zzxqy").err
    assert offhand("search", "zzxqy", "--json").err == ""


def test_search_json_has_exactly_the_documented_keys(offhand: CommandLine) -> None:
    found = offhand("search", "roof", "--json").object
    assert list(found) == ["hits"]
    assert list(found["hits"][0]) == ["path", "title", "heading", "line", "page", "score", "snippet"]
    assert found["hits"][3]["page"] == 7
    assert len(found["hits"]) == len(hits())


def test_search_by_words_alone(offhand: CommandLine) -> None:
    offhand("search", "roof", "--words-only")
    assert offhand.engine.calls == [Search("roof", 10, meaning=False)]


def test_search_in_a_folder_and_between_days(
    offhand: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    offhand("search", "roof", "--folder", "house", "--after", "2026-03-01", "--before", "2026-03-31")
    place = str(tmp_path / "house")
    assert offhand.engine.calls == [Search("roof", 10, folder=place, after="2026-03-01", before="2026-03-31")]


def test_search_marks_the_words_that_were_looked_for_and_not_the_filters(offhand: CommandLine) -> None:
    ran = offhand("search", "tiles -scaffolding tag:roof", "-n", "1")
    assert offhand.engine.calls == [Search("tiles -scaffolding tag:roof", 1)]
    assert "None of these" not in ran.err
    assert "None of these" in offhand("search", "zzxqy tag:roof", "-n", "1").err
    assert "None of these" not in offhand("search", "tag:roof", "-n", "1").err, "no words were looked for"


def test_export_sends_the_absolute_path_and_says_what_came_of_it(
    offhand: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    offhand.engine.answers[Export] = lambda call, cancelled: iter([Done(f"{call.path} holds your profile.")])
    assert offhand("export", "a.zip").out == f"{tmp_path / 'a.zip'} holds your profile.\n"
    assert offhand("export", "a.zip", "--json").object == {"message": f"{tmp_path / 'a.zip'} holds your profile."}


def test_import_of_what_is_no_archive_is_refused_by_its_own_process(offhand: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no archive")
    ran = offhand("import", str(tmp_path / "a.zip"), "--replace", "--map", "/a=/b")
    assert ran.status == 3
    assert "is no archive made by `offhand export`" in ran.err
    assert offhand("import", str(tmp_path / "b.zip"), "--json").object["error"]["kind"] == "input"
    assert offhand.engine.calls == [], "the running engine is not bothered"


def test_nothing_found_is_no_failure(offhand: CommandLine) -> None:
    offhand.engine.script.hits = []
    ran = offhand("search", "xyzzy")
    assert (ran.status, ran.out) == (0, "Nothing found. `offhand status` shows what is indexed.\n")
    assert offhand("search", "xyzzy", "--json").object == {"hits": []}


def test_a_search_that_misses_a_part_says_so_beside_the_result(offhand: CommandLine) -> None:
    offhand.engine.answers[Search] = lambda call, cancelled: iter(
        [Found(hits()[:1], "words", 1.0, "Search by meaning is away for a moment.")]
    )
    ran = offhand("search", "roof")
    assert ran.status == 0
    assert "Search by meaning is away" in ran.err
    assert "Search by meaning is away" not in ran.out


def test_search_prints_places_relative_to_the_working_directory(
    offhand: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    offhand.engine.script.hits = [msgspec.structs.replace(hits()[0], path=str(tmp_path / "house" / "roof.md"))]
    assert offhand("search", "roof").out.splitlines()[0] == " 1  house/roof.md:31"


def test_a_note_cannot_steer_the_terminal(offhand: CommandLine) -> None:
    nasty = "\x1b]0;owned\x07roof \x1b[2J\x9b31m"
    offhand.engine.script.hits = [
        msgspec.structs.replace(hits()[0], path=nasty, title=nasty, heading=nasty, text=nasty)
    ]
    ran = offhand("search", "roof")
    assert "roof" in ran.out
    assert not set(ran.out) & {"\x1b", "\x07", "\x9b"}


def test_status_names_counts_failures_model_engine_and_memory(offhand: CommandLine) -> None:
    out = offhand("status").out
    assert "211 of 214 files, 1 skipped, 2 failed" in out
    assert f"{NOTES}/meetings/old.docx: The file is damaged: it ends in the middle." in out
    assert "SmolLM2-135M-Instruct" in out
    assert "process 4711, up 1 h 30 min" in out
    assert "631 MB: engine 71 MB, semantics 212 MB, llm 348 MB, extractors asleep" in out
    assert "allowed" in out


def test_status_json_is_the_whole_report(offhand: CommandLine) -> None:
    report = offhand("status", "--json").object
    assert report["counts"]["files"] == COUNTS.files
    assert report["problems"][1]["reason"].startswith("The file is damaged")
    assert "type" not in report


def test_doctor_reports_what_remains_with_its_own_exit_status(offhand: CommandLine) -> None:
    ran = offhand("doctor")
    assert ran.status == 5
    assert "PROBLEM   Vectors: Twelve passages have no vector. Repair makes them anew" in ran.out
    assert "ok        Catalog" in ran.out


def test_doctor_fix_leaves_nothing(offhand: CommandLine) -> None:
    ran = offhand("doctor", "--fix")
    assert ran.status == 0
    assert "repaired  Vectors" in ran.out
    assert "All is well." in ran.out


def test_doctor_json(offhand: CommandLine) -> None:
    ran = offhand("doctor", "--json")
    assert ran.status == 5
    assert ran.object["ok"] is False
    assert set(ran.object["findings"][2]) == {"name", "ok", "what", "next_step", "fixed"}


def test_settings_show_all_show_one_and_change_one(offhand: CommandLine) -> None:
    assert "idle_minutes      15" in offhand("settings").out
    assert offhand("settings", "offline").out == "off\n"
    assert offhand("settings", "theme", "dark").out == "dark\n"
    assert offhand.engine.calls[-1] == Configure("theme", "dark")
    assert offhand("settings", "ignore").out.startswith(".git/, node_modules/")


def test_a_model_file_is_named_from_the_root(
    offhand: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    offhand("settings", "local_model", "big.gguf")
    assert offhand.engine.calls[-1] == Configure("local_model", str(tmp_path / "big.gguf"))
    offhand("settings", "local_model", "")
    assert offhand.engine.calls[-1] == Configure("local_model", "")


def test_what_was_found_where_a_setting_points_to_is_said(offhand: CommandLine) -> None:
    told = CurrentSettings(Settings(vectors="http://localhost:8000"), "http://localhost:8000 cannot be reached.")
    offhand.engine.answers[Configure] = lambda call, cancelled: iter([told])
    ran = offhand("settings", "vectors", "http://localhost:8000")
    assert (ran.status, ran.out) == (0, "http://localhost:8000\n")
    assert "cannot be reached" in ran.err
    assert offhand("settings", "vectors", "http://localhost:8000", "--json").object["note"] == told.note


def test_settings_json(offhand: CommandLine) -> None:
    everything = offhand("settings", "--json").object
    assert everything["offline"] is False
    assert "type" not in everything
    assert offhand("settings", "theme", "--json").object == {"theme": "system"}


def test_an_unknown_setting_is_refused_with_the_known_ones(offhand: CommandLine) -> None:
    ran = offhand("settings", "colour")
    assert ran.status == 3
    assert "theme" in ran.err


def test_a_key_is_read_from_standard_input_and_never_printed(offhand: CommandLine) -> None:
    ran = offhand("keys", "set", "cloud", stdin=b"sk-secret\n")
    assert ran.status == 0
    assert offhand.engine.calls == [SetKey("cloud", "sk-secret")]
    assert "sk-secret" not in ran.out + ran.err


def test_an_empty_key_changes_nothing(offhand: CommandLine) -> None:
    ran = offhand("keys", "set", "cloud", stdin=b"\n")
    assert ran.status == 3
    assert offhand.engine.calls == []


def test_a_key_is_removed(offhand: CommandLine) -> None:
    assert offhand("keys", "remove", "cloud", "--json").object == {"message": "The key is removed."}
    assert offhand.engine.calls == [RemoveKey("cloud")]


def test_stop_ends_the_engine(offhand: CommandLine) -> None:
    assert offhand("stop").out == "The engine has ended. The next command starts it again.\n"
    offhand.engine.stop()
    assert offhand("stop", "--json").object == {"stopped": False}


def test_a_second_engine_in_the_foreground_is_refused(offhand: CommandLine) -> None:
    ran = offhand("engine")
    assert ran.status == 4
    assert "offhand stop" in ran.err


def test_version_and_help(offhand: CommandLine) -> None:
    assert offhand("--version").out.startswith("offhand 0.")
    ran = offhand("--help")
    assert ran.status == 0
    commands = "ask search add remove folders index retry status doctor settings engine stop keys open toggle demo"
    for word in [*commands.split(), "130"]:
        assert f" {word} " in ran.out


def test_without_a_display_the_window_says_how_to_ask(offhand: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for words in ([], ["open"], ["open", "--palette"], ["toggle"]):
        ran = offhand(*words)
        assert ran.status == 4
        assert "offhand ask" in ran.err


def test_progress_that_never_comes_is_told(offhand: CommandLine) -> None:
    offhand.engine.answers[Index] = lambda call, cancelled: iter([])
    assert offhand("index", "--wait").status == 1
    offhand.engine.answers[Index] = lambda call, cancelled: iter([Progress(COUNTS, 0, 0, None, True)])
    assert offhand("index", "--wait").status == 0


def test_the_window_and_the_toggle_start_without_typer(profile: Profile) -> None:
    for words in (["open"], ["toggle"], []):
        code = (
            "import sys; from ui import terminal; from ui.terminal import window\n"
            "window.open_window = window.toggle = lambda *_, **__: 0\n"
            f"assert terminal.run({words}) == 0\n"
            "print(*{'typer', 'rich', 'PySide6'} & set(sys.modules))"
        )
        command = [sys.executable, "-c", code]
        assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "\n"
