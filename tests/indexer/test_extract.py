"""One file in; passages, or the reason there are none, out."""

import hashlib
import sys
from collections import Counter
from pathlib import Path

import pytest

from indexer.child import Child
from indexer.extract import extractor
from indexer.extract.extractor import Extract, Extractor
from indexer.records import Extracted, Failed, Skipped
from indexer.worker import Cancellation

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "data" / "documents"
COLLECTION = ROOT.parent / "shared" / "data" / "documents"
LIMIT = 50 << 20


@pytest.fixture(scope="session")
def reader(models: Path) -> Extractor:
    return Extractor(models / "all-MiniLM-L6-v2" / "tokenizer.json")


def extract(reader: Extractor, path: Path, root: Path | None = None) -> extractor.Event:
    (event,) = reader.handle(Extract(str(path), str(root or path.parent), LIMIT), Cancellation())
    return event


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


NOTE = "---\ntitle: Garden\ntags: home\n---\n\n# Spring\r\n\r\n- [ ] Prune the apple tree due 2026-03-14 #trees\r\n"


def test_a_note_becomes_passages_and_facts(reader: Extractor, tmp_path: Path) -> None:
    event = extract(reader, written(tmp_path, "n.md", NOTE))
    assert isinstance(event, Extracted)
    assert event.content_hash == hashlib.blake2b(NOTE.encode(), digest_size=16).hexdigest()
    assert (event.title, event.tags, event.characters) == ("Garden", ["home", "trees"], len(NOTE) - 3)
    (chunk,) = event.chunks
    assert (chunk.headings, chunk.line, chunk.line_end, chunk.page) == ("Spring", 6, 8, None)
    assert chunk.text == NOTE.replace("\r\n", "\n")[chunk.start : chunk.end]
    assert Counter(fact.kind for fact in event.facts) == Counter(tag=2, heading=1, task=1)


def test_offsets_are_those_of_the_file_read_as_text(reader: Extractor, tmp_path: Path) -> None:
    path = written(tmp_path, "n.txt", "Größe\r\n\rzweite Zeile \N{ROCKET} dritte\r\n")
    event = extract(reader, path)
    assert isinstance(event, Extracted)
    (chunk,) = event.chunks
    assert path.read_text("utf-8")[chunk.start : chunk.end] == chunk.text


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("shopping list.txt", "milk\n", "shopping list"),
        ("plan.ORG", "#+TITLE: Plan\n* A\n", "Plan"),
        ("readme.rst", "Read me\n=======\n\nwords\n", "Read me"),
        ("numbers.csv", "a;b\n1;2\n", "numbers"),
        ("page.mdx", "# Page\n", "Page"),
        ("empty.md", "", "empty"),
        ("page.html", "<title>T</title><p>words", "T"),
    ],
)
def test_each_suffix_finds_its_reader(reader: Extractor, tmp_path: Path, name: str, content: str, title: str) -> None:
    event = extract(reader, written(tmp_path, name, content))
    assert isinstance(event, Extracted)
    assert event.title == title
    assert bool(event.chunks) == bool(content)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.xyz", "files of type .xyz are not read"),
        ("a.JPG", "files of type .JPG are not read"),
        ("Makefile", "files without a type are not read"),
        (".md", "files without a type are not read"),
    ],
)
def test_other_files_are_skipped_unopened(reader: Extractor, tmp_path: Path, name: str, reason: str) -> None:
    assert extract(reader, tmp_path / name) == Skipped(reason)


def test_failures_keep_the_hash_of_what_failed(reader: Extractor, tmp_path: Path) -> None:
    content = b"\x89PNG\0\0"
    event = extract(reader, written(tmp_path, "n.md", content))
    assert event == Failed(
        "The file holds binary data, not text.", hashlib.blake2b(content, digest_size=16).hexdigest()
    )
    assert extract(reader, tmp_path / "gone.md") == Failed("The file is no longer there.")


def test_a_link_out_of_the_folder_is_skipped(reader: Extractor, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    written(tmp_path, "secret.md", "secret")
    (tmp_path / "notes" / "n.md").symlink_to(tmp_path / "secret.md")
    event = extract(reader, tmp_path / "notes" / "n.md")
    assert event == Skipped("a link that leads out of the folder")


def test_a_cancelled_call_reads_nothing(reader: Extractor, tmp_path: Path) -> None:
    cancelled = Cancellation()
    cancelled.cancel()
    assert list(reader.handle(Extract(str(tmp_path / "a.md"), str(tmp_path), LIMIT), cancelled)) == []


def test_it_runs_in_a_process_of_its_own(
    reader: Extractor, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    code = (
        "from indexer import child; from indexer.extract import extractor as e; child.run(e.build, e.Call, serial=True)"
    )
    process: Child[extractor.Call, extractor.Event] = Child(
        "extractor",
        [sys.executable, "-B", "-c", code],
        tmp_path,
        extractor.Event,
        {"tokenizer": str(models / "all-MiniLM-L6-v2" / "tokenizer.json")},
    )
    try:
        for name in ("tiny.pdf", "headers.odt", "ocr_test.pdf", "nothing.md"):
            call = Extract(str(SAMPLES / name), str(SAMPLES), LIMIT)
            assert process.ask(call, patience=60.0) == reader.extract(call)
    finally:
        process.stop()
    assert list(tmp_path.glob("kreuzberg-*/kreuzberg-pdfium/*")), "not in the temporary folder all users share"


@pytest.mark.slow
def test_a_large_collection_of_documents_is_read(reader: Extractor) -> None:
    if not COLLECTION.is_dir():
        pytest.skip("the collection of 139 documents is not on this machine")
    events = {path: extract(reader, path, COLLECTION) for path in sorted(COLLECTION.rglob("*")) if path.is_file()}
    failed = {path.name for path, event in events.items() if isinstance(event, Failed)}
    skipped = {path.suffix for path, event in events.items() if isinstance(event, Skipped)}
    assert failed == {
        *("excel.xlsx", "multi_page_tables.pdf"),  # broken
        *("ocr_test.pdf", *(f"ocr_test_rotated_{angle}.pdf" for angle in (90, 180, 270))),  # scans
        *("hiddenTextByVariable.odt", "horizontalRule.odt"),  # without any text
    }
    assert skipped == {".json", ".xml"}
    for path, event in events.items():
        if isinstance(event, Extracted) and path.suffix == ".pdf":
            assert event.chunks
            assert all(chunk.page for chunk in event.chunks)
