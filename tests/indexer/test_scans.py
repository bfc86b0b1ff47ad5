"""Scanned pages, recognised by the real Tesseract where its languages are installed, after everything else is read."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from indexer.extract import documents, ocr
from indexer.index import Index
from indexer.loop import Notices
from indexer.records import Folder
from indexer.scans import Scans
from indexer.store import files, folders
from indexer.store.database import Database
from indexer.store.files import Seen
from indexer.store.schema import MIGRATIONS
from tests.indexer.conftest import Parts, eventually, settled, write_notes

LINES = ("The boiler was serviced on 3 October by Mr Hale.", "The pressure should be kept at 1.4 bar in winter.")

installed = pytest.mark.skipif(ocr.languages() is None, reason=f"no trained languages here. {ocr.HOW_TO}")


def scanned(*pages: str) -> bytes:
    """A PDF whose pages are pictures of a line of text each, 150 to the inch."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842))
    for words in pages:
        picture = Image.new("L", (1240, 1754), 255)
        ImageDraw.Draw(picture).text((100, 200), words, font=ImageFont.load_default(size=40), fill=0)
        canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def reason(index: Index) -> str:
    return next((file.reason for file in index.ledger.files(None, "", "", 10) if file.state != "indexed"), "")


@pytest.fixture
def index(parts: Parts, tmp_path: Path) -> Iterator[Index]:
    """An index of a note and a scan, which is not recognised yet."""
    write_notes(tmp_path / "notes", {"note.md": "# A note\n\nIt has words.\n"})
    (tmp_path / "notes" / "scan.pdf").write_bytes(scanned(*LINES))
    recogniser = parts.reader()
    made = parts.index(recogniser=recogniser)
    made.recognise_scans(on=False)
    made.add_folder(tmp_path / "notes")
    assert settled(made)
    yield made
    parts.stop(made)
    recogniser.stop()


@installed
@pytest.mark.slow
def test_a_scan_waits_first_and_is_recognised_when_all_else_is_read(index: Index, tmp_path: Path) -> None:
    assert reason(index) == documents.SCAN_WAITS
    counts, *_, done = index.progress()
    assert (counts.waiting, counts.scans, counts.failed, done) == (1, 1, 0, True), "switched off, it is not waited for"
    assert [problem.state for problem in index.ledger.problems(9)] == ["waiting"]
    assert "is not in the index yet: this PDF is a scan" in index.ledger.why(tmp_path / "notes" / "scan.pdf")[1]
    index.recognise_scans(on=True)
    assert not index.progress()[4], "what will be recognised is waited for"
    assert settled(index, 120), reason(index)
    assert index.ledger.coverage().indexed == 2
    assert index.counts().scans == 0
    [(_, hits, _)] = index.search("boiler serviced October", 5, meaning=False)
    assert "The boiler was serviced on 3 October by Mr Hale." in hits[0].text
    [(_, hits, _)] = index.search("pressure 1.4 bar", 5, meaning=False)
    assert hits[0].path.endswith("scan.pdf")


@installed
@pytest.mark.slow
def test_a_scan_without_words_says_so(index: Index, tmp_path: Path) -> None:
    (tmp_path / "notes" / "scan.pdf").write_bytes(scanned(""))
    index.rescan()
    index.recognise_scans(on=True)
    wanted = f"{documents.NO_TEXT_LAYER} No words were recognised on them."
    assert eventually(lambda: reason(index) == wanted, 120), reason(index)


def test_without_tesseract_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    assert ocr.languages() is None
    said = documents.parse_document(scanned(LINES[0]), "application/pdf", "scan")
    assert said == f"{documents.NO_TEXT_LAYER} {ocr.HOW_TO}"


def test_a_scan_that_was_waiting_is_not_waited_for_when_tesseract_is_gone(
    bench: Any, database: Database, folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with database.write() as connection:
        files.add(connection, folder.id, Seen(f"{folder.path}/scan.pdf", 10, 1, 1))
        known = files.at(connection, f"{folder.path}/scan.pdf")
        assert known is not None
        files.finish(connection, known, "waiting", documents.SCAN_WAITS)
        assert files.waiting(connection, 9) == [], "no reader is given it"
        other = structs.replace(known, ctime_ns=5)
        assert not files.reopen(connection, other, documents.SCAN_WAITS), "another version of it is not taken back"
        assert folders.counts(connection).scans == 1
    scans = Scans(database, bench, largest=lambda: 1, rest=lambda: 0.0, on_stored=lambda: None, notices=Notices(print))
    assert scans.idle


def test_a_scan_of_an_older_catalog_no_longer_counts_as_failed(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    old = Database(path, MIGRATIONS[:4])
    with old.write() as connection:
        connection.execute("INSERT INTO folders (path) VALUES ('/notes')")
        connection.execute(
            "INSERT INTO files (folder_id, path, size, mtime_ns, inode, state, reason) "
            "VALUES (1, '/notes/scan.pdf', 1, 1, 1, 'failed', ?)",
            (documents.SCAN_WAITS,),
        )
    old.close()
    new = Database(path)
    with new.read() as connection:
        counts = folders.counts(connection)
        assert (counts.waiting, counts.scans, counts.failed) == (1, 1, 0)
    new.close()


def test_english_comes_first_and_few_languages_are_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("deu", "eng", "osd", "fra", "spa"):
        (tmp_path / f"{name}.traineddata").touch()
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    assert ocr.languages() == (tmp_path, "eng+deu+fra")
