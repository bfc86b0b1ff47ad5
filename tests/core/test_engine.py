"""The engine called directly, without its socket; its children are the real ones."""

import socket
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from core.answering.history import History
from core.engine.children import EXTRACTORS
from core.engine.engine import Engine
from core.errors import BadInput
from core.paths import Profile
from core.protocol import (
    VERSION,
    AddFolder,
    AddProvider,
    Answered,
    Ask,
    Call,
    Checked,
    Configure,
    CurrentSettings,
    Doctor,
    Done,
    Explain,
    Folders,
    Found,
    GetSettings,
    Import,
    Index,
    ListFiles,
    ListFolders,
    Piece,
    Progress,
    Provider,
    Quoted,
    Related,
    RemoveFolder,
    Retry,
    RouteStep,
    Search,
    Settings,
    Shutdown,
    Status,
    StatusReport,
    Watch,
)
from indexer.records import Finding, Problem
from indexer.worker import Cancellation

NOTES = {
    "boiler.md": "# Boiler\n\nHeinz replaced the pressure valve on 3 May. It cost 118 euros.\n",
    "cabin.md": "# Cabin\n\nAnna booked the cabin by the lake for the end of June.\n",
    "garden.txt": "The lemon tree is watered every Sunday. The hedge is cut in autumn.\n",
}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / name).write_text(text)
    return folder


def asked(engine: Engine, call: Call) -> list[Any]:
    return list(engine.handle(call, Cancellation()))


def indexed(engine: Engine, notes: Path) -> Progress:
    """Add the folder and wait for its last vector."""
    engine.index.start()
    asked(engine, AddFolder(str(notes)))
    last = asked(engine, Index(wait=True))[-1]
    assert isinstance(last, Progress)
    return last


def model_file(path: Path) -> str:
    """A file that begins as a model does."""
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 1, 1))
    return str(path)


def settled(engine: Engine) -> None:
    """Start the engine and wait for its vector index, which a fresh profile has to make first."""
    engine.start()
    deadline = time.monotonic() + 30
    while "search works meanwhile" in (said := vector_index(engine).what):
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def vector_index(engine: Engine) -> Finding:
    (found,) = [finding for finding in engine.index.check() if finding.name == "vector index"]
    return found


def test_settings_are_told_changed_and_still_there_for_the_next_engine(engine: Engine, profile: Profile):
    assert asked(engine, GetSettings()) == [CurrentSettings(Settings())]
    (changed,) = asked(engine, Configure("ignore", "*.log, drafts/"))
    assert changed.settings.ignore == ["*.log", "drafts/"]
    assert asked(engine, GetSettings()) == [changed]
    other = Engine(profile)
    assert asked(other, GetSettings()) == [changed]
    other.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no_such_setting", "1"),
        ("offline", "perhaps"),
        ("threads", "-1"),
        ("theme", "pink"),
        ("providers", "openai"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_and_nothing_changes(name: str, value: str, engine: Engine):
    with pytest.raises(BadInput):
        asked(engine, Configure(name, value))
    assert asked(engine, GetSettings()) == [CurrentSettings(Settings())]


def test_folders_are_added_listed_and_forgotten_and_the_files_stay(engine: Engine, notes: Path):
    (added,) = asked(engine, AddFolder(str(notes)))
    assert isinstance(added, Folders)
    assert [folder.path for folder in added.folders] == [str(notes)]
    assert asked(engine, ListFolders()) == [added]
    assert asked(engine, RemoveFolder(str(notes))) == [Folders([])]
    assert {path.name: path.read_text() for path in notes.iterdir()} == NOTES


@pytest.mark.parametrize("folder", ["missing", "notes/boiler.md", "home"])
def test_what_is_no_folder_of_notes_is_refused(folder: str, engine: Engine, notes: Path):
    with pytest.raises(Problem) as refused:
        asked(engine, AddFolder(str(notes.parent / folder)))
    assert refused.value.what
    assert asked(engine, ListFolders()) == [Folders([])]


def test_the_status_of_a_fresh_profile_is_whole_and_starts_no_child(engine: Engine):
    (report,) = asked(engine, Status())
    assert isinstance(report, StatusReport)
    assert report.version == VERSION
    assert report.pid > 0
    assert report.memory > 1_000_000
    assert (report.folders, report.problems, report.notices) == ([], [], [])
    extractors = [f"extractor-{number}" for number in range(1, EXTRACTORS + 1)]
    assert [child.name for child in report.children] == ["semantics", "llm", *extractors, "recogniser"]
    assert {child.state for child in report.children} == {"asleep"}
    assert all(child.pid is None for child in report.children)
    assert report.model == "SmolLM2-135M-Instruct.Q4_1"
    assert (report.model_state, report.cloud, report.offline) == ("asleep", "", False)


def test_whoever_resumes_on_battery_is_obeyed_and_told_so(engine: Engine):
    engine.index.pace._read_battery = lambda: True
    asked(engine, Configure("pause_on_battery", "on"))
    (report,) = asked(engine, Status())
    assert "on battery" in report.paused
    asked(engine, Configure("paused", "off"))
    (report,) = asked(engine, Status())
    assert (report.paused, report.resumed[:7]) == ("", "goes on")
    asked(engine, Configure("paused", "on"))
    (report,) = asked(engine, Status())
    assert (report.paused, report.resumed) == ("paused by you", "")


def test_the_status_names_the_clouds_host_alone_and_the_missing_model(engine: Engine, tmp_path: Path):
    asked(engine, AddProvider(Provider("example", "openai", "https://api.example.org/v1/", "big", "example")))
    asked(engine, Configure("offline", "on"))
    asked(engine, Configure("local_model", model_file(tmp_path / "other.gguf")))
    (tmp_path / "other.gguf").unlink()
    (report,) = asked(engine, Status())
    assert (report.cloud, report.offline, report.model) == ("api.example.org", True, "other")
    assert report.model_state == "missing"
    (info,) = report.providers
    assert (info.provider.url, info.state, info.answered_s) == ("https://api.example.org/v1", "blocked", None)


def test_a_question_that_is_for_no_cloud_model_has_none_in_its_line(engine: Engine):
    asked(engine, AddProvider(Provider("near", "openai", "http://127.0.0.1:9/v1", "small", "near")))
    lines = [engine._route(Ask("Who?", consent=True, cloud=cloud), False).models for cloud in (True, False)]
    assert [[model.kind for model in line if model.kind == "cloud"] for line in lines] == [["cloud"], []]


def test_a_provider_without_its_key_says_so_and_one_on_this_machine_needs_none(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    kept: dict[str, str] = {}
    monkeypatch.setattr(engine.keys, "get", kept.get)
    engine._providers._access._look_up = kept.get
    asked(engine, AddProvider(Provider("far", "openai", "https://api.example.org/v1", "big", "far")))
    (listed,) = asked(engine, AddProvider(Provider("near", "openai", "http://127.0.0.1:9/v1", "small", "near")))
    states = {info.provider.name: (info.state, info.words) for info in listed.providers}
    assert states["far"] == ("blocked", "No key: offhand keys set far.")
    assert states["near"] == ("ready", "It has not been asked yet.")
    kept["far"] = "sk-1"
    engine._providers.key_changed("far")
    (report,) = asked(engine, Status())
    assert {info.state for info in report.providers} == {"ready"}
    asked(engine, AddProvider(Provider("name", "openai", "http://localhost:9/v1", "small")))
    asked(engine, Configure("offline", "on"))
    (report,) = asked(engine, Status())
    states = {info.provider.name: (info.state, info.words) for info in report.providers}
    assert states["far"] == ("offline", "It is not asked: offline.")
    assert states["near"] == ("ready", "It has not been asked yet."), "nothing leaves the machine through it"
    assert states["name"][0] == "offline"
    assert "127.0.0.1" in states["name"][1]


def test_offline_the_address_of_a_vector_server_stays_in_the_engine(engine: Engine, notes: Path):
    asked(engine, Configure("offline", "on"))
    (told,) = asked(engine, Configure("vectors", "http://192.168.77.77:8000"))
    assert "cannot be reached (Offline mode is on" in told.note
    config = engine.children.semantics._config
    assert not any("192.168" in str(value) for value in config.values())
    assert "Offline mode is on" in config["vectors_closed"]
    progress = indexed(engine, notes)
    assert progress.counts.vectors_owed == progress.counts.chunks
    *_, fused = asked(engine, Search("holiday accommodation"))
    assert Path(fused.hits[0].path).name == "cabin.md", "the exact scan answers"
    (report,) = asked(engine, Status())
    assert "Offline mode is on" in report.vectors
    asked(engine, Configure("vectors", "embedded"))
    deadline = time.monotonic() + 120  # what failed is tried again after a minute at most
    while engine.index.counts().vectors_owed:
        assert time.monotonic() < deadline, engine.index.notices()
        time.sleep(0.1)


def test_a_place_for_the_vectors_is_tried_when_it_is_set(engine: Engine):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    (told,) = asked(engine, Configure("vectors", url))
    assert f"{url} cannot be reached" in told.note
    assert told.note.endswith("it is tried again, and search works meanwhile.")
    (report,) = asked(engine, Status())
    assert f"{url} cannot be reached" in report.vectors
    (told,) = asked(engine, Configure("vectors", "embedded"))
    assert told.note.startswith("Chroma on this computer, ")
    assert asked(engine, Configure("theme", "dark"))[0].note == ""


def test_watching_tells_of_a_change_and_ends_when_nobody_listens(engine: Engine, notes: Path):
    cancelled = Cancellation()
    watching = engine.handle(Watch(), cancelled)
    assert next(watching).folders == []
    asked(engine, AddFolder(str(notes)))
    assert [folder.path for folder in next(watching).folders] == [str(notes)]
    cancelled.cancel()
    assert list(watching) == []


def test_notes_are_found_by_words_then_by_meaning_and_answered_with_a_verbatim_quote(engine: Engine, notes: Path):
    """One test for several behaviours: the children's start is what takes the time."""
    progress = indexed(engine, notes)
    assert progress.done
    assert progress.counts.files == len(NOTES)
    assert not engine.busy()

    words, fused = asked(engine, Search("pressure valve"))
    assert isinstance(words, Found)
    assert (words.stage, fused.stage) == ("words", "fused")
    assert Path(words.hits[0].path).name == Path(fused.hits[0].path).name == "boiler.md"
    assert fused.note == ""
    *_, fused = asked(engine, Search("summer holidays", folder=str(notes / "cabin.md")))
    assert [Path(hit.path).name for hit in fused.hits] == ["cabin.md"]
    *_, fused = asked(engine, Search("valve", folder=str(notes / "cabin.md")))
    assert fused.hits == [], "neither the word nor the meaning"
    *_, fused = asked(engine, Search("valve", before="2001-01-01"))
    assert fused.hits == []
    *_, fused = asked(engine, Search("holiday accommodation"))
    assert Path(fused.hits[0].path).name == "cabin.md"
    *_, fused = asked(engine, Search('valve -lemon file:boiler after:2001 "pressure va', unfinished=True))
    assert [Path(hit.path).name for hit in fused.hits] == ["boiler.md"]
    assert [part.kind for part in fused.parts] == ["without", "file", "after", "phrase"]
    assert fused.words == 'valve    "pressure va'
    words, fused = asked(engine, Search("presure vlave"))
    assert [Path(found.hits[0].path).name for found in (words, fused)] == ["boiler.md", "boiler.md"]
    assert words.words == "pressure valve"
    assert words.note == "Nothing has “presure”; showing “pressure”. Nothing has “vlave”; showing “valve”."
    assert [(part.kind, part.value, part.start) for part in words.parts] == [
        ("spelling", "pressure", 0), ("spelling", "valve", 8),
    ]  # fmt: skip
    *_, fused = asked(engine, Search("file:.md"))
    assert {Path(hit.path).name for hit in fused.hits} == {"boiler.md", "cabin.md"}

    events = asked(engine, Ask("When was the pressure valve replaced?", model=False))
    assert [type(event) for event in events] == [Found, Quoted, Answered]
    quote = events[-1].quote
    assert "on 3 May" in quote.text
    assert events[-1].answer == quote.text
    assert Path(quote.path).read_text().splitlines()[quote.line - 1].startswith(quote.text)

    only = str(notes / "garden.txt")
    events = asked(engine, Ask("When was the pressure valve replaced?", model=False, folder=only))
    assert {Path(source.path).name for source in events[-1].sources} <= {"garden.txt"}
    assert {Path(hit.path).name for hit in events[0].hits} <= {"garden.txt"}
    assert events[-1].quote is None or events[-1].quote.path == only
    events = asked(engine, Ask("When was the pressure valve replaced?", folder=str(notes / "boiler.md")))
    assert "on 3 May" in events[-1].quote.text
    assert {Path(source.path).name for source in events[-1].sources} == {"boiler.md"}
    assert asked(engine, Ask("When was the valve replaced?", before="2001-01-01"))[-1].sources == []

    events = asked(engine, Ask("When was the pressure valve replaced?", offline=True, fresh=True))
    assert {RouteStep, Piece} <= {type(event) for event in events}
    assert [step.kind for step in events[-1].route] == ["quote", "local"]
    assert {path.name for path in notes.iterdir()} == set(NOTES)

    history = History(engine.profile.history)
    assert history.recent(1)[0].question == "When was the pressure valve replaced?"
    again = asked(engine, Ask("When was the pressure valve replaced?"))
    assert not {RouteStep, Piece} & {type(event) for event in again}
    assert again[-1].remembered_at
    assert again[-1].answer == events[-1].answer
    (notes / "boiler.md").write_text(NOTES["boiler.md"].replace("3 May", "4 May"))
    asked(engine, Index(wait=True))
    changed = asked(engine, Ask("When was the pressure valve replaced?"))[-1]
    assert changed.remembered_at == ""
    assert "4 May" in changed.quote.text
    for event in engine.handle(Ask("Who replaced the pressure valve?", model=False), Cancellation()):
        if isinstance(event, Quoted):
            asked(engine, RemoveFolder(str(notes)))
    left = [kept.question for kept in history.recent(20) if kept.sources or kept.quote]
    assert left == [], "what was being written when the folder went is gone with it"


def test_a_pause_is_told_by_those_who_wait_for_its_end(engine: Engine, notes: Path):
    asked(engine, Configure("paused", "on"))
    engine.start()
    asked(engine, AddFolder(str(notes)))
    deadline = time.monotonic() + 20
    while engine.index.counts().waiting < len(NOTES):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    last = asked(engine, Index(wait=True))[-1]
    assert (last.done, last.paused) == (True, "Reading is paused by you. `offhand resume` goes on.")
    (explained,) = asked(engine, Explain(str(notes / "boiler.md")))
    assert explained.sentence.endswith("waits to be read. Reading is paused by you. `offhand resume` goes on.")


def test_a_path_that_is_not_known_is_said(engine: Engine, notes: Path, tmp_path: Path):
    (notes / "bad.docx").write_text("no document")
    (notes / "empty").mkdir()
    indexed(engine, notes)
    for call in (Retry(str(tmp_path / "nowhere.md")), ListFiles(None, str(tmp_path / "nowhere.md"))):
        with pytest.raises(BadInput, match=r"nowhere.md is not in the index: it lies in none of your folders"):
            asked(engine, call)
    with pytest.raises(BadInput, match="there is no such file"):
        asked(engine, ListFiles(None, str(notes / "none.md")))
    with pytest.raises(BadInput, match=r"boiler.md is in the index since .*Only files that failed are tried again"):
        asked(engine, Retry(str(notes / "boiler.md")))
    assert asked(engine, ListFiles("waiting", str(notes / "boiler.md")))[0].files == []
    assert asked(engine, ListFiles(None, str(notes / "empty")))[0].files == []
    assert isinstance(asked(engine, Retry(str(notes / "bad.docx")))[0], Progress)


def test_a_question_to_an_empty_library_says_so_and_asks_no_model(engine: Engine):
    events = asked(engine, Ask("When was the pressure valve replaced?"))
    assert not any(isinstance(event, RouteStep) for event in events)
    assert events[-1].quote is None
    assert "Nothing in your notes" in events[-1].answer
    assert events[-1].note == "You have no folders yet: `offhand add FOLDER`."
    assert asked(engine, Search("valve", meaning=False))[-1].note == events[-1].note


@pytest.mark.parametrize(
    "call",
    [
        Search("x", limit=0),
        Search("x", limit=1001),
        Search("x", after="soon"),
        Search("x", folder="notes"),
        Ask("  "),
        Ask("x", limit=0),
        Ask("x", after="soon"),
        Ask("x", folder="notes"),
    ],
)
def test_calls_that_make_no_sense_are_refused(call: Call, engine: Engine):
    with pytest.raises(BadInput):
        asked(engine, call)


def test_a_folder_that_holds_nothing_is_refused_by_name(engine: Engine, notes: Path):
    with pytest.raises(Problem, match=f"Nothing is indexed in {notes}") as refused:
        asked(engine, Search("x", folder=str(notes)))
    assert (refused.value.kind, bool(refused.value.next_step)) == ("folder", True)


def test_an_import_is_not_the_engines_to_do(engine: Engine):
    with pytest.raises(Problem, match="without the engine"):
        asked(engine, Import("/a.zip"))


def test_the_doctor_finds_a_fresh_profile_well(engine: Engine):
    settled(engine)
    findings = [event.finding for event in asked(engine, Doctor()) if isinstance(event, Checked)]
    assert len(findings) > 5
    assert [finding for finding in findings if not finding.ok] == []


def test_the_doctor_says_what_to_do_about_a_model_that_is_not_there(engine: Engine, tmp_path: Path):
    asked(engine, Configure("local_model", model_file(tmp_path / "gone.gguf")))
    (tmp_path / "gone.gguf").write_bytes(b"no model any more")
    settled(engine)
    (bad,) = [event.finding for event in asked(engine, Doctor()) if not event.finding.ok]
    assert bad.name == "local model"
    assert "gone.gguf" in bad.what
    assert bad.next_step
    (report,) = asked(engine, Status())
    assert report.model_state == "unusable"


def test_shutdown_is_answered_and_then_ends(engine: Engine):
    (done,) = asked(engine, Shutdown())
    assert isinstance(done, Done)
    assert engine.ended.is_set()


def test_what_other_notes_have_close_to_one_is_found_and_what_is_no_note_is_refused(engine: Engine, notes: Path):
    indexed(engine, notes)
    (found,) = asked(engine, Related(str(notes / "garden.txt")))
    assert isinstance(found, Found)
    assert found.stage == "fused"
    assert str(notes / "garden.txt") not in {hit.path for hit in found.hits}
    for call in (Related(str(notes / "missing.md")), Related(str(notes / "garden.txt"), limit=0)):
        with pytest.raises(BadInput) as refused:
            asked(engine, call)
        assert refused.value.what


def test_without_a_cloud_model_there_is_no_bigger_one_and_that_is_said(engine: Engine):
    with pytest.raises(BadInput, match="No bigger model is set up") as refused:
        asked(engine, Ask("When was the boiler serviced?", bigger=True))
    assert "offhand providers add" in refused.value.next_step


def test_the_bigger_model_is_a_cloud_model_alone(engine: Engine):
    asked(engine, AddProvider(Provider("far", "openai", "https://127.0.0.1:9/v1", "big")))
    assert [model.kind for model in engine._route(Ask("", bigger=True), False).models] == ["cloud"]
