"""From waiting files to passages, with readers that die, hang, and are killed; and the way of the vectors to Chroma."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer import pipeline, scan, semantics, walk
from indexer.child import Child
from indexer.extract import extractor
from indexer.ignore import IgnoreRules
from indexer.loop import Notices
from indexer.pipeline import Rate
from indexer.records import Folder, Problem
from indexer.store import files, folders, outbox
from indexer.store.database import Database
from indexer.vector_flow import VectorFlow
from tests.indexer.bench import Bench, words
from tests.indexer.conftest import Parts, eventually, extracted, hosted, write_notes


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file counts as young: one that changed a moment ago may rightly be read once more."""
    monkeypatch.setattr(walk, "YOUNG_NS", 0)


@pytest.mark.usefixtures("grown")
def test_every_file_ends_in_its_state(bench: Bench, root: Path) -> None:
    write_notes(root, {"good.md": "some words\n\nmore words", "skip.md": "skip it", "fail.md": "fail it"})
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    assert bench.states() == {
        "good.md": ("indexed", "", 0),
        "skip.md": ("skipped", "asked to", 0),
        "fail.md": ("failed", "It is broken.", 0),
    }
    assert words(bench.database, "words") == 2
    bench.scan()
    assert len(bench.readings()) == 3


def test_the_newest_file_is_read_first(bench: Bench, root: Path) -> None:
    for age, name in enumerate(("newest.md", "middle.md", "oldest.md")):
        write_notes(root, {name: "words"})
        os.utime(root / name, (1_700_000_000 - age, 1_700_000_000 - age))
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    assert bench.readings() == ["newest.md", "middle.md", "oldest.md"]


@pytest.mark.usefixtures("grown")
@pytest.mark.logs("did not answer within")
@pytest.mark.parametrize(("word", "reason"), [("die", "ends the reading process"), ("hang", "takes longer than")])
def test_a_poisonous_file_is_tried_twice_and_set_aside_and_costs_nobody_else(
    bench: Bench, root: Path, monkeypatch: pytest.MonkeyPatch, word: str, reason: str
) -> None:
    monkeypatch.setattr(pipeline, "PATIENCE", (0.3, 0.3))
    poison = {f"poison{number}.md": word for number in range(2)}
    write_notes(root, {**poison, **{f"good{number}.md": "words" for number in range(3)}})
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    for name, (state, said, _) in bench.states().items():
        assert (state == "failed" and reason in said) if name in poison else state == "indexed"
    assert sorted(bench.readings()) == sorted([*poison, *poison, "good0.md", "good1.md", "good2.md"])
    assert bench.readers[0].state != "off"
    bench.scan()
    assert len(bench.readings()) == 7, "a file that was set aside is left alone until it changes"
    write_notes(root, {"poison0.md": "words, at last"})
    bench.scan()
    assert eventually(lambda: bench.states()["poison0.md"][0] == "indexed")


@pytest.mark.logs("a reader failed over a file")
def test_a_file_over_which_its_reader_stumbles_is_set_aside_at_once(bench: Bench, root: Path) -> None:
    write_notes(root, {"bad.md": "stumble", "good.md": "words"})
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    states = bench.states()
    assert states["good.md"][0] == "indexed"
    assert states["bad.md"] == ("failed", "Reading this file failed inside Offhand; the log has the details.", 0)
    assert sorted(bench.readings()) == ["bad.md", "good.md"]


def test_the_second_try_comes_after_all_other_files(bench: Bench, root: Path) -> None:
    write_notes(root, {**{f"good{number}.md": "words" for number in range(3)}, "poison.md": "die"})
    for age, name in enumerate(("poison.md", "good0.md", "good1.md", "good2.md")):
        os.utime(root / name, (1_700_000_000 - age, 1_700_000_000 - age))
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    assert bench.readings() == ["poison.md", "good0.md", "good1.md", "good2.md", "poison.md"]


def test_a_file_whose_reader_dies_once_is_read_by_the_next(bench: Bench, root: Path) -> None:
    write_notes(root, {"a.md": "die-once then words"})
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    assert bench.states() == {"a.md": ("indexed", "", 0)}
    assert bench.readings() == ["a.md", "a.md"]


def test_failed_files_are_read_again_when_asked(bench: Bench, root: Path) -> None:
    write_notes(root, {"a.md": "fail", "b.md": "fail"})
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    for path, count in ((str(root / "a.md"), 3), ("", 5)):
        with bench.database.write() as connection:
            files.retry(connection, path)
        bench.pipeline.wake()
        assert eventually(lambda count=count: len(bench.readings()) == count)
    assert bench.rests()


def test_a_file_that_ends_the_engine_again_and_again_is_set_aside(bench: Bench, root: Path) -> None:
    write_notes(root, {"a.md": "words", "b.md": "words"})
    bench.scan()
    with bench.database.write() as connection:
        for _ in range(3):  # what three engines left behind that were killed over this file
            files.begin_attempt(connection, 1)
    bench.pipeline.start()
    assert bench.rests()
    assert sorted(state for state, _, _ in bench.states().values()) == ["failed", "indexed"]
    assert len(bench.readings()) == 1


def test_stopping_in_the_middle_of_a_file_is_not_held_against_it(bench: Bench, root: Path) -> None:
    write_notes(root, {"a.md": "hang"})
    bench.scan()
    bench.pipeline.start()
    assert eventually((bench.runtime / "read.log").exists)
    bench.pipeline.stop(0.1)
    for reader in bench.readers:
        reader.stop()
    assert eventually(lambda: bench.states() == {"a.md": ("waiting", "", 0)})


def test_a_file_that_vanished_is_left_to_the_scanner(bench: Bench, root: Path) -> None:
    write_notes(root, {"a.md": "words"})
    bench.scan()
    (root / "a.md").unlink()
    bench.pipeline.start()
    assert eventually(lambda: str(root / "a.md") in bench.looked_at)
    bench.scan()
    assert bench.states() == {}


def test_a_version_saved_while_the_last_one_was_read_is_read_too(bench: Bench, root: Path) -> None:
    write_notes(root, {"a.md": "words"})
    bench.scan()
    with bench.database.read() as connection:
        ((known, _),) = files.waiting(connection, 1)
    write_notes(root, {"a.md": "other words"})
    bench.scan()  # the scanner sees the new version before the old one is finished
    with bench.database.write() as connection:
        files.finish(connection, known, "indexed")
    assert bench.states()["a.md"][0] == "waiting"
    bench.pipeline.start()
    assert bench.rests()
    assert words(bench.database, "other") == 1


def test_a_touched_file_with_the_same_content_is_not_read_again(bench: Bench, root: Path) -> None:
    write_notes(root, {"a.md": "words"})
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    (root / "a.md").touch()
    bench.scan()
    assert bench.rests()
    assert bench.readings() == ["a.md"]
    assert len(scan.compare(bench.database, bench.folder, IgnoreRules())) == 0


def test_a_folder_removed_in_the_middle_of_reading_stays_removed(bench: Bench, root: Path) -> None:
    write_notes(root, {f"{number}.md": f"words {number}" for number in range(30)})
    bench.scan()
    bench.pipeline.start()
    assert eventually(lambda: words(bench.database, "words") > 3)
    with bench.database.write() as connection:
        folders.mark_removed(connection, bench.folder.id)
        folders.remove_some(connection, 1000)
    bench.pipeline.wake()
    bench.pipeline.stop(5.0)
    assert words(bench.database, "words") == 0
    assert bench.states() == {}


def test_a_full_disk_pauses_and_passes(bench: Bench, root: Path) -> None:
    write_notes(root, {f"{number}.md": "words " * 500 for number in range(20)})
    bench.scan()
    with bench.database.read() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()
    assert pages is not None
    bench.database._writer.execute(f"PRAGMA max_page_count = {pages[0] + 4}").fetchall()
    bench.pipeline.start()
    assert eventually(lambda: any("disk is full" in notice for notice in bench.notices.all()))
    assert bench.pipeline.stuck
    assert words(bench.database, "words") >= 0, "search goes on"
    bench.database._writer.execute("PRAGMA max_page_count = 1000000").fetchall()
    assert bench.rests()
    assert words(bench.database, "words") == 20
    assert bench.notices.all() == []
    assert all(attempts == 0 for _, _, attempts in bench.states().values())


def test_a_reader_that_cannot_start_is_not_the_files_fault(
    database: Database, folder: Folder, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    made = Bench(database, folder, tmp_path / "run")
    made.readers = [
        Child("reader", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "run", extractor.Event, {})
    ]
    made.pipeline = made._pipeline()
    write_notes(root, {"a.md": "words"})
    made.scan()
    made.pipeline.start()
    assert eventually(lambda: made.notices.all() != [])
    assert made.states() == {"a.md": ("waiting", "", 0)}
    made.stop()


def test_a_reader_that_dies_before_it_is_given_the_file_is_not_the_files_fault(
    bench: Bench, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a profile that just became read-only, say, where no other reader can start."""
    (reader,) = bench.readers
    start, check = reader.start, reader._check_place
    deaths = []

    def die_after_start() -> None:
        start()
        if len(deaths) < 2:
            process = reader._process
            assert process is not None
            process.kill()
            process.wait()
            deaths.append(process.pid)

    def refuse() -> None:
        if deaths:
            raise Problem("Offhand cannot write in its runtime folder.", "Make it writable again.", kind="profile")

    monkeypatch.setattr(reader, "start", die_after_start)
    monkeypatch.setattr(reader, "_check_place", refuse)
    write_notes(root, {"a.md": "words", "b.md": "more words"})
    bench.scan()
    bench.pipeline.start()
    assert eventually(lambda: any("cannot write" in said for said in bench.notices.all()))
    assert {(state, attempts) for state, _, attempts in bench.states().values()} == {("waiting", 0)}
    monkeypatch.setattr(reader, "_check_place", check)
    bench.pipeline.wake()
    assert bench.rests()
    assert {state for state, _, _ in bench.states().values()} == {"indexed"}


def test_two_readers_share_the_work(database: Database, folder: Folder, root: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    made = Bench(database, folder, tmp_path / "run", readers=2)
    write_notes(root, {f"{number}.md": f"words {number}" for number in range(40)})
    made.scan()
    made.pipeline.start()
    assert made.rests()
    assert sorted(made.readings()) == sorted(f"{number}.md" for number in range(40)), "each file is read once"
    made.stop()


def test_a_rate_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = Rate()
    assert rate.per_second() == 0.0
    rate.add(10)
    assert rate.per_second() > 0.0
    monkeypatch.setattr(pipeline, "RATE_SECONDS", -1.0)
    assert rate.per_second() == 0.0


# ---- vectors --------------------------------------------------------------------------------------------------------


def owed(database: Database) -> int:
    with database.read() as connection:
        return folders.counts(connection).vectors_owed


def test_without_a_model_the_work_waits_and_says_why(tmp_path: Path, models: Path, database: Database) -> None:
    (tmp_path / "run").mkdir()
    config = {"model_dir": str(tmp_path / "none"), "cache_dir": str(tmp_path), "catalog": str(database.path)}
    config |= {"vectors_dir": str(tmp_path / "vectors"), "threads": 1}
    command = hosted("indexer.semantics", serial=False)
    child: Child[semantics.Call, semantics.Event] = Child("s", command, tmp_path / "run", semantics.Event, config)
    notices = Notices(lambda: None)
    flow = VectorFlow(database, child, hold=lambda: False, on_change=lambda: None, notices=notices)
    flow.start()
    assert eventually(lambda: flow.stuck)
    assert notices.all() != []
    flow.stop(5.0)
    child.stop()


def test_a_killed_semantics_process_costs_nothing(parts: Parts, database: Database, store: Callable[..., int]) -> None:
    child = parts.semantics()
    child.configure(catalog=str(database.path))
    for number in range(6):
        store(f"{number}.md", extracted(*(f"passage {part} of note {number}" for part in range(20))))
    notices = Notices(lambda: None)
    flow = VectorFlow(database, child, hold=lambda: False, on_change=lambda: None, notices=notices)
    flow.start()

    def vectors() -> dict[bytes, int]:
        with database.read() as connection:
            return dict(connection.execute("SELECT hash, id FROM embeddings").fetchall())

    assert eventually(lambda: len(vectors()) > 0)
    before = vectors()
    child.kill()
    assert eventually(lambda: owed(database) == 0)
    assert before.items() <= vectors().items(), "what was embedded before is not embedded again"
    assert len(vectors()) == 120
    with database.read() as connection:
        assert outbox.pointer(connection).generation >= 1
    listed = child.ask(semantics.ListIds())
    assert isinstance(listed, semantics.Ids)
    assert len(listed.ids) == 120
    flow.stop(5.0)
    child.stop()


def test_where_no_index_can_be_built_everything_is_embedded_and_found_all_the_same(
    parts: Parts, database: Database, store: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.loop.PAUSES", (0.1,))
    child = parts.semantics()
    child.configure(catalog=str(database.path))
    (parts.home / "vectors").write_text("a file where Chroma's directory should be")
    store("a.md", extracted("The cat had kittens.", "Taxes are due in May."))
    notices = Notices(lambda: None)
    flow = VectorFlow(database, child, hold=lambda: False, on_change=lambda: None, notices=notices)
    flow.start()
    assert eventually(lambda: any("compares every passage" in notice for notice in notices.all()))
    assert owed(database) == 2
    found = child.ask(semantics.Nearest("young pets", 1))
    assert isinstance(found, semantics.Neighbours)
    assert found.exact
    assert found.ids == [1]
    (parts.home / "vectors").unlink()
    assert eventually(lambda: owed(database) == 0)
    assert eventually(lambda: notices.all() == [])
    flow.stop(5.0)
    child.stop()
