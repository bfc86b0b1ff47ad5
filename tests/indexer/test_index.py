"""The facade over real processes: folders, life of a note, faults, and the check-up with its repairs."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from core.paths import ROOT
from indexer import semantics
from indexer.extract.reading import LINK_OUT
from indexer.ignore import IgnoreRules
from indexer.index import Index
from indexer.records import Finding, FolderRefused
from indexer.store.database import Database, open_reader
from tests.indexer.conftest import NOTES, Parts, eventually, settled, write_notes


def names(index: Index, words: str) -> list[str]:
    """Files found by words alone."""
    _, hits, _ = next(index.search(words, 20, meaning=False))
    return [Path(hit.path).name for hit in hits]


def wrong(index: Index) -> list[Finding]:
    return [finding for finding in index.check() if not finding.ok]


@pytest.fixture
def asleep(parts: Parts) -> Iterator[Index]:
    """An index that was not started: no process, no watching."""
    made = Index(parts.catalog, parts.semantics(), [parts.reader()], IgnoreRules(), protected=[parts.home])
    yield made
    made.stop()


def refusal(index: Index, path: Path) -> str:
    with pytest.raises(FolderRefused) as caught:
        index.add_folder(path)
    assert caught.value.next_step
    return caught.value.what


def test_folders_that_cannot_be_added_are_refused_with_a_reason(asleep: Index, root: Path, parts: Parts) -> None:
    write_notes(root, {"sub/a.md": "x"})
    assert "no folder" in refusal(asleep, root / "missing")
    assert "is a file" in refusal(asleep, root / "sub" / "a.md")
    assert "own files" in refusal(asleep, parts.home)
    assert "own files" in refusal(asleep, parts.home / "run")
    assert "own files" in refusal(asleep, parts.home.parent)
    asleep.add_folder(root / "sub")
    assert "already" in refusal(asleep, root / "sub")
    assert "contains" in refusal(asleep, root)
    asleep.remove_folder(root / "sub")
    asleep.add_folder(root)
    assert "lies inside" in refusal(asleep, root / "sub")
    (root.parent / "link").symlink_to(root)
    assert "already" in refusal(asleep, root.parent / "link")
    assert [folder["path"] for folder in asleep.folders()] == [str(root)]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs to become somebody without rights")
def test_an_unreadable_folder_is_refused(models: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        closed = Path(place, "closed")
        closed.mkdir(mode=0)
        Path(place).chmod(0o777)
        parts = Parts(Path(place, "home"), models)
        index = Index(parts.catalog, parts.semantics(), [], IgnoreRules())
        try:
            os.seteuid(65534)
            with pytest.raises(FolderRefused, match="cannot be read"):
                index.add_folder(closed)
        finally:
            os.seteuid(0)
            index.stop()


def test_a_folder_that_is_not_watched_cannot_be_removed(asleep: Index, root: Path) -> None:
    with pytest.raises(FolderRefused, match="not one of your folders"):
        asleep.remove_folder(root)


def test_a_vanished_folder_can_be_removed(asleep: Index, root: Path) -> None:
    asleep.add_folder(root)
    root.rmdir()
    asleep.remove_folder(root)
    assert asleep.folders() == []


def test_why_a_file_is_not_in_the_index(asleep: Index, root: Path) -> None:
    asleep.add_folder(root)
    write_notes(root, {".hidden.md": "x", "a.md": "x"})
    assert "hidden" in asleep.explain(root / ".hidden.md")
    assert asleep.explain(root / "a.md") == ""
    (root.parent / "outside.md").write_text("x")
    (root / "link.md").symlink_to(root.parent / "outside.md")
    assert asleep.explain(root / "link.md") == LINK_OUT
    assert "none of your folders" in asleep.explain(root.parent / "x.md")


def test_the_life_of_a_note(parts: Parts, root: Path) -> None:
    index = parts.index()
    index.add_folder(root)
    write_notes(root, NOTES)
    assert eventually(lambda: names(index, "boiler") != [])
    assert settled(index)
    assert index.counts().indexed == len(NOTES)
    assert index.counts().vectors_owed == 0
    assert index.problems(10) == []
    assert index.folders()[0]["indexed"] == len(NOTES)

    write_notes(root, {"boiler.md": "# Boiler\n\nReplaced by a heat pump called Winifred.\n"})
    assert eventually(lambda: names(index, "Winifred") == ["boiler.md"])
    assert names(index, "Hale") == []

    (root / "roof.md").rename(root / "slates.md")
    assert eventually(lambda: names(index, "storm") == ["slates.md"])

    (root / "travel.md").unlink()
    assert eventually(lambda: names(index, "Porto") == [])
    assert settled(index)
    assert wrong(index) == []

    write_notes(root, {"drafts/x.md": "zanzibar"})
    assert eventually(lambda: names(index, "zanzibar") != [])
    index.set_rules(IgnoreRules(patterns=("drafts/",)))
    assert eventually(lambda: names(index, "zanzibar") == [])

    index.remove_folder(root)
    assert names(index, "Winifred") == []
    assert settled(index)
    assert index.counts().files == 0
    listed = parts.child(index, "semantics").ask(semantics.ListIds())
    assert listed == semantics.Ids([])
    assert (root / "boiler.md").exists()
    parts.stop(index)
    for path in parts.home.rglob("*"):
        assert path.is_dir() or b"Winifred" not in path.read_bytes(), f"{path} remembers"


def test_a_folder_removed_while_it_is_being_indexed_is_gone(parts: Parts, root: Path) -> None:
    write_notes(root, {f"{number}.md": f"# Note {number}\n\nSome words about {number}.\n" for number in range(150)})
    index = parts.index()
    index.add_folder(root)
    assert eventually(lambda: index.counts().indexed > 5)
    index.remove_folder(root)
    assert index.folders() == []
    assert settled(index)
    assert index.counts().files == 0
    assert index.counts().chunks == 0
    assert names(index, "words") == []


def test_a_folder_that_goes_away_keeps_its_passages_and_says_so(parts: Parts, root: Path) -> None:
    write_notes(root, {"a.md": "kingfisher"})
    index = parts.index()
    index.add_folder(root)
    assert settled(index)
    root.rename(root.with_name("away"))
    index.rescan()
    assert eventually(lambda: not index.folders()[0]["reachable"])
    assert eventually(lambda: any("is not reachable" in notice for notice in index.notices()))
    assert names(index, "kingfisher") == ["a.md"]
    assert settled(index)
    root.with_name("away").rename(root)
    index.rescan()
    assert eventually(lambda: index.folders()[0]["reachable"] and index.notices() == [])


def test_without_semantics_words_go_on_and_the_note_says_so(parts: Parts, root: Path) -> None:
    write_notes(root, {"a.md": "kingfisher"})
    index = parts.index()
    index.add_folder(root)
    assert settled(index)
    parts.child(index, "semantics").stop()
    (first, second) = index.search("kingfisher", 5)
    assert first[1]
    assert second[1] == first[1]
    assert "found by their words" in second[2]


def test_killed_at_any_moment_the_next_start_goes_on_and_embeds_nothing_twice(parts: Parts, root: Path) -> None:
    text = "# Note {0}\n\nA sentence of note {0}.\n"
    write_notes(root, {f"{number}.md": text.format(number) for number in range(100)})
    script = (
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; "
        "from tests.indexer.conftest import Parts; "
        f"parts = Parts(Path({str(parts.home)!r}), Path({str(parts._models)!r})); index = parts.index(); "
        f"index.folders() or index.add_folder(Path({str(root)!r})); time.sleep(600)"
    )

    def look() -> tuple[int, dict[bytes, int]]:
        try:
            reader = open_reader(parts.catalog)
            chunks = reader.execute("SELECT count(*) FROM chunks").fetchone()
            assert chunks is not None
            return int(chunks[0]), dict(reader.execute("SELECT hash, id FROM embeddings").fetchall())
        except apsw.Error:  # it is just being made, or recovered by the engine
            return 0, {}

    before: dict[bytes, int] = {}
    for moment in (lambda: look()[0] > 20, lambda: len(look()[1]) > 30):
        engine = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
        try:
            assert eventually(parts.catalog.exists)
            assert eventually(moment, 30.0)
        finally:
            engine.kill()
            engine.wait()
        before = look()[1]
    index = parts.index()
    assert settled(index)
    after = look()[1]
    assert index.counts().indexed == 100
    assert before.items() <= after.items()
    assert wrong(index) == []
    assert names(index, "sentence") != []


def test_the_check_up_finds_and_repairs_disagreements(parts: Parts, root: Path) -> None:
    write_notes(root, NOTES)
    index = parts.index()
    index.add_folder(root)
    assert settled(index)
    parts.stop(index)
    database = Database(parts.catalog)
    with database.write() as connection:
        (lost,) = connection.execute("SELECT min(id) FROM chunks").fetchall()[0]
        connection.execute("INSERT INTO chunks_fts (chunks_fts) VALUES ('delete-all')")
        connection.execute("INSERT INTO embeddings (hash, model, vector) VALUES (x'00', 'm', x'00')")
    database.close()
    index = parts.index()
    assert settled(index)
    meaning = parts.child(index, "semantics")
    assert eventually(lambda: next(f for f in index.check() if f.name == "vector index").ok)
    vector = meaning.ask(semantics.Embed(["anything"]))
    assert isinstance(vector, semantics.Vectors)
    meaning.ask(semantics.Apply([(10**6, vector.vectors[0])], [lost]))

    found = {finding.name: finding for finding in index.check()}
    for name in ("word index", "stored vectors"):  # the vectors' sample may have begun a rebuild by itself
        assert not found[name].ok, name
    assert all(finding.next_step for finding in found.values() if not finding.ok)
    assert found["catalog"].ok
    assert names(index, "boiler") == []

    assert {finding.name for finding in index.check(fix=True) if finding.fixed} >= {"word index", "stored vectors"}
    assert settled(index)
    assert eventually(lambda: wrong(index) == []), wrong(index)
    assert names(index, "boiler") != []
    listed = meaning.ask(semantics.ListIds())
    assert isinstance(listed, semantics.Ids)
    assert lost in listed.ids
    assert 10**6 not in listed.ids


def test_progress_ends_when_nothing_more_can_happen(parts: Parts, root: Path) -> None:
    write_notes(root, {"a.md": "kingfisher"})
    meaning = parts.semantics()
    meaning.configure(model_dir=str(root / "no model"))
    reader = parts.reader()
    changes: list[int] = []
    index = Index(parts.catalog, meaning, [reader], IgnoreRules(), on_change=lambda: changes.append(1))
    index.start()
    index.add_folder(root)
    assert eventually(lambda: names(index, "kingfisher") != [])
    assert settled(index)
    counts, _, _, left, done = index.progress()
    assert counts.vectors_owed == 1
    assert done
    assert left == 0.0
    assert index.notices()
    assert changes
    index.stop()
    meaning.stop()
    reader.stop()


def test_failed_files_are_listed_and_can_be_tried_again(parts: Parts, root: Path) -> None:
    (root / "broken.pdf").write_bytes(b"%PDF-1.4 not really")
    write_notes(root, {"fine.md": "kingfisher"})
    index = parts.index()
    index.add_folder(root)
    assert settled(index)
    (problem,) = index.problems(10)
    assert problem.state == "failed"
    assert problem.reason
    index.retry(problem.path)
    assert settled(index)
    assert len(index.problems(10)) == 1
    assert index.counts().failed == 1
