"""Documents through the real kreuzberg: words, headings and pages, and why a file cannot be read."""

import io
import json
import subprocess
import sys
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from indexer.extract import documents, ocr
from indexer.extract.documents import parse_document, unpack_into
from indexer.extract.parsed import Parsed
from indexer.extract.registry import format_of

SCAN = documents.SCAN_WAITS if ocr.languages() else f"{documents.NO_TEXT_LAYER} {ocr.HOW_TO}"
SAMPLES = Path(__file__).resolve().parent.parent / "data" / "documents"


@pytest.fixture(autouse=True)
def _private_library(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMPDIR", "TMP", "TEMP"):
        monkeypatch.setenv(name, "")  # restored afterwards
    unpack_into(tmp_path_factory.getbasetemp())


def parse(content: bytes, name: str) -> Parsed | str:
    path = Path(name)
    form = format_of(path)
    assert form is not None
    return parse_document(content, form.mime, path.stem)


def parsed(content: bytes, name: str) -> Parsed:
    result = parse(content, name)
    assert isinstance(result, Parsed), result
    for heading in result.headings:
        assert result.text.count("\n", 0, heading.start) + 1 == heading.line
        assert result.text[heading.start : heading.end].strip()
    return result


def sample(name: str) -> Parsed:
    return parsed((SAMPLES / name).read_bytes(), name)


def outline(document: Parsed) -> list[tuple[int, str]]:
    return [(heading.level, heading.title) for heading in document.headings]


def pdf(*pages: str, title: str = "") -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.setTitle(title)
    for page in pages:
        canvas.drawString(72, 700, page)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


# ---- each format ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "title", "words"),
    [
        ("basic.fb2", "Test Document", "Blockquote is for citatons."),
        ("epub2_cover.epub", "Pandoc EPUB Test", "Pandoc EPUB2 Test"),
        ("excel_multi_sheet.xlsx", "excel_multi_sheet", "| Tomato | 1 |"),
        ("headers.odt", "A header (Lv 1)", "Another paragraph"),
        ("html_only.eml", "HTML Only Email", "meaningful text."),
        ("multipart_email.eml", "Multipart Email Test", "This is the plain text version of the email.\nIt has"),
        ("rank.ipynb", "rank", "import matplotlib.pyplot as plt"),
        ("simple.pptx", "Title Slide", "Where have all the flowers gone?"),
        ("simple_msg.msg", "This is the subject", "Subject: This is the subject"),
        ("table_simple.rtf", "table_simple", "| E | F | G | H |"),
        ("tiny.pdf", "Pdf docs", "Lorem ipsum dolor sit amet, consectetur adipiscing elit"),
        ("unit_test_headers_numbered.docx", "Test Document", "Paragraph 1.2"),
    ],
)
def test_words_and_title_of_each_format(name: str, title: str, words: str) -> None:
    document = sample(name)
    assert document.title == title
    assert words in document.text


def test_headings_of_office_documents_keep_their_levels() -> None:
    assert outline(sample("headers.odt")) == [
        (1, "A header (Lv 1)"),
        (2, "Another header (Lv 2)"),
        (1, "Back to Level 1"),
    ]
    assert outline(sample("excel_multi_sheet.xlsx")) == [(2, "first_sheet"), (2, "second_sheet")]
    assert (3, "Section 1.2.3") in outline(sample("unit_test_headers_numbered.docx"))


def test_slides_are_pages() -> None:
    slides = sample("simple.pptx")
    assert outline(slides) == [(2, "Title Slide"), (2, "Things to think about")]
    assert [page for _, page in slides.pages] == [1, 2]
    assert slides.text[slides.pages[1][0] :].lstrip().startswith("## Things to think about")


def test_a_word_document_with_markup_characters_stays_verbatim() -> None:
    document = docx.Document()
    document.core_properties.title = "Q&A report"
    document.sections[0].header.paragraphs[0].text = "RUNNING HEAD"
    document.add_heading("Costs of R&D", 1)
    document.add_paragraph('5 * 3 > 2 # not _markup_ & <tag> "quoted" it\'s caf\u00e9')
    document.add_paragraph("Total:\t1200 EUR")
    table = document.add_table(2, 2)
    for index, words in enumerate(("Item", "Price | S&P", "Roof\nrepair", "1200")):
        table.cell(index // 2, index % 2).text = words
    file = io.BytesIO()
    document.save(file)
    report = parsed(file.getvalue(), "r.docx")
    assert report.title == "Q&A report"
    assert outline(report) == [(1, "Costs of R&D")]
    assert '5 * 3 > 2 # not _markup_ & <tag> "quoted" it\'s caf\u00e9' in report.text
    assert "Total:\t1200 EUR" in report.text
    assert "| Item | Price \\| S&P |\n| --- | --- |\n| Roof repair | 1200 |" in report.text
    assert "RUNNING HEAD" not in report.text


def test_pages_of_a_pdf_are_known() -> None:
    document = parsed(pdf("First page words", "Second page words", "Third page words"), "p.pdf")
    starts = [start for start, _ in document.pages]
    assert [page for _, page in document.pages] == [1, 2, 3]
    assert [document.text[start:].split()[0] for start in starts] == ["First", "Second", "Third"]


def test_a_title_that_a_program_filled_in_is_no_title() -> None:
    assert parsed(pdf("some words", title="Microsoft Word - draft.doc"), "lease.pdf").title == "lease"
    assert parsed(pdf("some words", title="Lease of the flat"), "lease.pdf").title == "Lease of the flat"


def test_a_notebook_has_its_headings_and_its_code_fenced() -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Experiment\n", "\n", "Some words."]},
        {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "# a comment\nx = 1", "outputs": []},
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    document = parsed(json.dumps(notebook).encode(), "n.ipynb")
    assert outline(document) == [(1, "Experiment")]
    assert "```\n# a comment\nx = 1\n```" in document.text


def with_references(name: str, part: str, word: bytes) -> bytes:
    """A sample whose `word` is replaced by text that has to be escaped in XML."""
    file = io.BytesIO()
    with zipfile.ZipFile(SAMPLES / name) as before, zipfile.ZipFile(file, "w") as after:
        for member in before.namelist():
            content = before.read(member)
            if member == part:
                assert word in content
                content = content.replace(word, b"R&amp;D &lt;x&gt; caf&#233;")
            after.writestr(member, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "part", "word"),
    [
        ("headers.odt", "content.xml", b"A paragraph"),
        ("simple.pptx", "ppt/slides/slide2.xml", b"How much is enough?"),
        ("excel_multi_sheet.xlsx", "xl/sharedStrings.xml", b"Tomato"),
        ("epub2_cover.epub", "OEBPS/EPUB_Pandoc_Test.xhtml", b"EPUB2 Test"),
        ("unit_test_headers_numbered.docx", "word/document.xml", b"Paragraph"),
    ],
)
def test_escaped_characters_are_read_in_each_format(name: str, part: str, word: bytes) -> None:
    assert "R&D <x> caf\u00e9" in parsed(with_references(name, part, word), name).text


# ---- HTML -----------------------------------------------------------------------------------------------------------

PAGE = """<html><head><meta name="x" content="NOISE"><title>Käse &amp; Brot</title></head><body>
<nav>menu</nav><script>var NOISE</script><style>.NOISE{}</style><!-- NOISE -->
<h1>Käse</h1><div>In a <b>div</b> &lt;without&gt; paragraph, <a href="https://example.org/NOISE">a link</a>.</div>
<h2>Brot</h2><p>Text<img src="https://example.org/NOISE.png" alt="a loaf"></p><ul><li>one<li>two</ul></body></html>"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-8-sig"])
def test_html_words_without_its_machinery(encoding: str) -> None:
    page = parsed(PAGE.encode(encoding), "p.html")
    assert page.title == "Käse & Brot"
    assert outline(page) == [(1, "Käse"), (2, "Brot")]
    assert "In a **div** <without> paragraph, a link." in page.text
    assert "- one\n- two" in page.text
    assert "NOISE" not in page.text


def test_html_believes_the_encoding_it_declares_unless_it_lies() -> None:
    declared = '<html><head><meta charset="{}"></head><body>Приветствую вас</body></html>'
    assert "Приветствую вас" in parsed(declared.format("windows-1251").encode("cp1251"), "p.htm").text
    assert "Приветствую вас" in parsed(declared.format("no-such-thing").encode(), "p.htm").text
    assert "Приветствую вас" in parsed(declared.format("ascii").encode(), "p.xhtml").text


# ---- mail -----------------------------------------------------------------------------------------------------------


def test_a_mail_with_only_html_keeps_its_words_apart() -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Größe", "Anna <a@example.org>"
    mail.set_content("<h1>Hello</h1><p>first &amp; second</p><div>third</div>", subtype="html", charset="iso-8859-1")
    mail.add_attachment("ATTACHED", filename="n.txt")
    message = parsed(mail.as_bytes(), "m.eml")
    assert message.title == "Größe"
    assert "From: " in message.text
    assert "first & second\n\nthird" in message.text
    assert outline(message) == [(1, "Hello")]


def test_a_mail_with_both_bodies_shows_the_plain_one() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Both"
    mail.set_content("the plain body")
    mail.add_alternative("<p>the html body</p>", subtype="html")
    text = parsed(mail.as_bytes(), "m.eml").text
    assert "the plain body" in text
    assert "the html body" not in text


# ---- what cannot be read --------------------------------------------------------------------------------------------


def locked_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf("secret")))
    writer.encrypt("a password", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        ((SAMPLES / "ocr_test.pdf").read_bytes(), "scan.pdf", SCAN),
        (locked_pdf(), "l.pdf", documents.LOCKED),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(3000), "l.docx", documents.LOCKED),
        (b"", "e.pdf", documents.DAMAGED),
        (bytes(3000), "z.pdf", documents.DAMAGED),
        (pdf("words")[:500], "t.pdf", documents.DAMAGED),
        (b"PK\3\4" + b"x" * 3000, "j.docx", documents.DAMAGED),
        (b"plain words", "j.xlsx", documents.DAMAGED),
        (b"plain words", "j.epub", documents.DAMAGED),
        (b'{"cells": [', "j.ipynb", documents.DAMAGED),
        (b"<html><body>" + b"<br>" * 1000, "e.html", documents.NO_TEXT),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 10 else "",
)
def test_a_file_without_readable_text_says_why(content: bytes, name: str, reason: str) -> None:
    assert parse(content, name) == reason


def test_a_document_without_words_says_so_however_small() -> None:
    assert parse(b"{\\rtf1 }", "e.rtf") == documents.NO_TEXT


def test_an_old_office_file_that_is_damaged_is_not_called_locked() -> None:
    assert parse(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000), "old.xls") == documents.DAMAGED
    assert parse(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000), "new.docx") == documents.LOCKED


def test_a_panic_inside_the_library_is_a_damaged_file() -> None:
    backwards = rb"words \end{document} \documentclass{article}\begin{document} words"
    assert parse(backwards, "paper.tex") == documents.DAMAGED
    assert isinstance(parse(b"<p>The next file is read.</p>", "next.html"), Parsed)


# ---- where it leaves traces -----------------------------------------------------------------------------------------

READ_ONE = """
import os, pathlib, sys
from indexer.extract.documents import parse_document, unpack_into
unpack_into(pathlib.Path(sys.argv[1]))
print(parse_document(pathlib.Path(sys.argv[2]).read_bytes(), "application/pdf", "x").title)
"""


def test_the_pdf_library_is_unpacked_into_the_private_folder_and_nothing_else_is_written(tmp_path: Path) -> None:
    private, home, elsewhere = tmp_path / "private", tmp_path / "home", tmp_path / "elsewhere"
    for folder in (private, home, elsewhere):
        folder.mkdir()
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-B", "-c", READ_ONE, str(private), str(SAMPLES / "tiny.pdf")],
        cwd=elsewhere,
        env={"PYTHONPATH": str(root), "HOME": str(home), "TMPDIR": str(elsewhere), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "Pdf docs"
    written = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 1
    assert written[0].startswith("private/kreuzberg-")
    assert next(private.iterdir()).stat().st_mode & 0o077 == 0
