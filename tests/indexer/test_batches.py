"""Reading in bulk: what goes into one batch, what it costs, and that a death costs only the file that is to blame."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from indexer import pipeline, scan
from indexer.ignore import IgnoreRules
from indexer.records import Folder
from indexer.store import files
from indexer.store.database import Database
from indexer.waiting import AT_ONCE, BYTES_AT_ONCE, Waiting
from tests.indexer.bench import Bench, words
from tests.indexer.conftest import eventually, files_of, write_notes


def names(batch: list[pipeline.Taken]) -> list[str]:
    return [Path(known.path).name for known, _ in batch]


def waiting_files(database: Database, folder: Folder, notes: dict[str, str]) -> Waiting:
    """The queue after a scan of these notes, the first one the newest."""
    root = Path(folder.path)
    write_notes(root, notes)
    for age, name in enumerate(notes):
        os.utime(root / name, (1_700_000_000 - age, 1_700_000_000 - age))
    scan.apply(database, [scan.compare(database, folder, IgnoreRules())])
    return Waiting(database)


def test_a_few_files_are_handed_out_one_by_one(database: Database, folder: Folder) -> None:
    waiting = waiting_files(database, folder, {"a.md": "x", "b.md": "x", "c.md": "x"})
    assert [names(waiting.take()) for _ in range(4)] == [["a.md"], ["b.md"], ["c.md"], []]
    assert not waiting.many


def test_many_are_handed_out_in_batches_and_none_twice(database: Database, folder: Folder) -> None:
    notes = {f"{number:03}.md": "x" for number in range(3 * AT_ONCE + 5)}
    waiting = waiting_files(database, folder, notes)
    batches = [waiting.take() for _ in range(4)]
    assert [len(batch) for batch in batches] == [AT_ONCE, AT_ONCE, AT_ONCE, 5]
    assert [name for batch in batches for name in names(batch)] == list(notes)
    assert waiting.take() == []
    waiting.give_back(batches[0])
    assert names(waiting.take()) == names(batches[0])


def test_documents_large_files_and_suspects_go_alone(database: Database, folder: Folder) -> None:
    large = "x" * (BYTES_AT_ONCE - 1)
    order = ["a.md", "b.pdf", "c.md", "d.md", "e.md", "f.md", "g.md", "h.md", "i.md"]
    waiting = waiting_files(database, folder, {name: large if name == "d.md" else "xx" for name in order})
    with database.write() as connection:
        suspect = files.at(connection, str(Path(folder.path, "f.md")))
        assert suspect is not None
        files.begin_attempt(connection, suspect.id)
    batches = [names(waiting.take()) for _ in range(7)]
    assert batches == [["a.md"], ["b.pdf"], ["c.md"], ["d.md"], ["e.md"], ["f.md"], ["g.md", "h.md", "i.md"]]


def test_a_bulk_is_stored_in_few_transactions(bench: Bench, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_notes(root, {f"{number}.md": f"words {number}" for number in range(100)})
    bench.scan()
    begun: list[int] = []
    write = bench.database.write

    @contextmanager
    def counted() -> Iterator[apsw.Connection]:
        with write() as connection:
            begun.append(1)
            yield connection

    monkeypatch.setattr(bench.database, "write", counted)
    bench.pipeline.start()
    assert bench.rests()
    assert words(bench.database, "words") == 100
    assert len(begun) <= 2 * (100 // AT_ONCE + 3)  # one that counts the attempts and one that stores, for each batch


@pytest.mark.logs("did not answer within")
@pytest.mark.logs("a reader failed over a file")
@pytest.mark.parametrize("poison", ["die", "hang", "raise"])
def test_the_first_file_without_an_answer_is_to_blame_and_no_other(
    bench: Bench, root: Path, monkeypatch: pytest.MonkeyPatch, poison: str
) -> None:
    monkeypatch.setattr(pipeline, "PATIENCE", (1.0, 1.0))
    monkeypatch.setattr("indexer.loop.PAUSES", (0.1,))
    notes = {f"{number:02}.md": poison if number == 11 else f"words {number}" for number in range(25)}
    write_notes(root, notes)
    for age, name in enumerate(notes):
        os.utime(root / name, (1_700_000_000 - age, 1_700_000_000 - age))
    bench.scan()
    bench.pipeline.start()
    assert bench.rests()
    states = bench.states()
    assert states.pop("11.md")[0] == "failed"
    assert set(states.values()) == {("indexed", "", 0)}
    again = [] if poison == "raise" else ["11.md"]  # what merely failed is as it is; a death may have been chance
    assert Counter(bench.readings()) == Counter([*notes, *again]), "the others are read once, before and after it"
    assert bench.notices.all() == []


def test_who_was_in_work_when_the_engine_was_killed_is_cleared_by_being_read_alone(bench: Bench, root: Path) -> None:
    notes = {f"{number:02}.md": "die" if number == 5 else f"words {number}" for number in range(20)}
    write_notes(root, notes)
    bench.scan()
    with bench.database.write() as connection:
        for known in files_of(connection, bench.folder.id):  # what an engine leaves that was killed in a batch
            files.begin_attempt(connection, known.id)
    bench.pipeline.start()
    assert bench.rests()
    states = bench.states()
    assert states.pop("05.md")[0] == "failed"
    assert set(states.values()) == {("indexed", "", 0)}
    assert Counter(bench.readings()) == Counter(list(notes))


def test_stopping_in_the_middle_of_a_batch_is_held_against_nobody(bench: Bench, root: Path) -> None:
    notes = {f"{number:02}.md": "hang" if number == 3 else "words" for number in range(12)}
    write_notes(root, notes)
    for age, name in enumerate(notes):
        os.utime(root / name, (1_700_000_000 - age, 1_700_000_000 - age))
    bench.scan()
    bench.pipeline.start()
    assert eventually(lambda: (bench.runtime / "read.log").exists() and "03.md" in bench.readings())
    bench.pipeline.stop(0.1)
    for reader in bench.readers:
        reader.stop()
    assert eventually(lambda: [state for state, _, _ in bench.states().values()].count("indexed") == 3)
    assert eventually(lambda: {attempts for _, _, attempts in bench.states().values()} == {0})
