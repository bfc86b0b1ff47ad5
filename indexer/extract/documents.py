"""Everything that is not plain text, through kreuzberg; the only file that imports it.

The result is a light Markdown text and the headings and pages in it. Nothing here uses the network, a cache, OCR or a
model; macros, scripts and remote images are never followed. kreuzberg is imported by the first document, not before.
"""

import codecs
import html
import logging
import os
import re
from collections.abc import Iterable, Mapping
from email import message_from_bytes
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from indexer.extract import archive, ocr
from indexer.extract.docx import guard, restore
from indexer.extract.markdown import markdown_headings, plain_words, without_targets
from indexer.extract.parsed import MAX_LEVEL, Heading, Parsed
from indexer.extract.plain import decode, heading_facts, name_dates
from indexer.extract.registry import DOCX, OFFICE_ZIPS

log = logging.getLogger(__name__)

_PAGE_MARK = "\N{SYMBOL FOR FORM FEED}page {page_num}\N{SYMBOL FOR FORM FEED}"
_PAGE = re.compile("\N{SYMBOL FOR FORM FEED}page (\\d+)\N{SYMBOL FOR FORM FEED}\\Z")
_HEAD = re.compile(r"<head\b.*?</head\s*>", re.DOTALL | re.IGNORECASE)
_HEAD_TITLE = re.compile(r"<title\b[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HYPHEN = re.compile(r"(\w+)-\n(?=[^\W\d_A-Z])(\w+)")
_BLANK_LINES = re.compile(r"\n{3,}")
# Titles that programs fill in by themselves say nothing about the document.
_NO_TITLE = re.compile(
    r"(?:microsoft word - .*|untitled|document\d*|powerpoint presentation|slide 1|.*\.\w{2,4})\Z", re.I
)
_PDF = "application/pdf"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # what an encrypted .docx, .xlsx or .pptx begins with, instead of a zip's PK

NO_TEXT_LAYER = "This PDF is a scan without a text layer: its pages are pictures."
SCAN_WAITS = f"{NO_TEXT_LAYER} They are recognised (OCR) when all else is read, while the setting ocr is on."
NO_TEXT = "No text could be read from this file: it is empty, damaged or protected."
DAMAGED = "The file is damaged, or is not what its name says."
LOCKED = "The file is protected with a password."


def unpack_into(folder: Path) -> None:
    """Keep kreuzberg's native PDF library in `folder`, which only this user can enter.

    It is unpacked to a fixed name in the temporary folder and loaded from there if already present: on a shared
    machine anybody could have put another library in that place. The name carries the version, because an older
    library of about the same size is not replaced.
    """
    private = folder / f"kreuzberg-{version('kreuzberg')}"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("TMPDIR", "TMP", "TEMP"):  # POSIX reads the first, Windows the others
        os.environ[name] = str(private)


def parse_document(content: bytes, mime: str, stem: str, *, recognise: bool = False) -> Parsed | str:
    """Read a document of a type that kreuzberg knows by its media type.

    Args:
        content: the file's bytes.
        mime: its media type.
        stem: its name, for want of a title.
        recognise: read the words off scanned pages of a PDF.

    Returns:
        The text and its structure, or a sentence that says why there is none.
    """
    from kreuzberg import KreuzbergError, extract_bytes_sync

    objection = archive.objection(content)
    if objection:
        return objection
    available = ocr.languages() if mime == _PDF else None
    config = _config(*map(str, available)) if recognise and available else _config()
    try:
        if mime == "text/html":
            parsed = _parse_html(content, stem)
        else:
            guarded = guard(content) if mime == DOCX else content
            parsed = _parse_result(extract_bytes_sync(guarded, mime, config=config), content, mime, stem)
    except (KreuzbergError, RuntimeError, OSError, ValueError) as error:  # not all of its errors have its own name
        log.info("kreuzberg refused a file of type %s: %s", mime, type(error).__name__)
        return LOCKED if _is_locked(content, mime, str(error)) else DAMAGED
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of pyo3, which offers no way to import it
            raise
        log.info("kreuzberg stumbled over a file of type %s", mime)
        return DAMAGED
    if not parsed.text.strip() and content.strip():
        return _no_text(mime, recognised=recognise, available=available is not None)
    return parsed


def _no_text(mime: str, *, recognised: bool, available: bool) -> str:
    if mime != _PDF:
        return NO_TEXT
    if not available:
        return f"{NO_TEXT_LAYER} {ocr.HOW_TO}"
    return f"{NO_TEXT_LAYER} No words were recognised on them." if recognised else SCAN_WAITS


def _is_locked(content: bytes, mime: str, complaint: str) -> bool:
    return "password" in complaint.lower() or (mime in OFFICE_ZIPS and content.startswith(_OLE))


def _parse_result(result: Any, content: bytes, mime: str, stem: str) -> Parsed:
    title = _title(result.metadata)
    if mime == "application/epub+zip":  # as in HTML, its nodes lack the text of everything but paragraphs
        return _parsed_markdown(result.content, title, stem)
    rendering = _Rendering(result.document["nodes"] if result.document else [], is_pdf=mime == _PDF)
    text = rendering.text()
    if mime == "message/rfc822" and (page := _html_body(content)) is not None:
        head = text.partition("\n\n")[0]
        return _parsed_markdown(f"{head}\n\n{_markdown_of_html(page)}", title, stem)
    if mime == _PDF and not title and rendering.headings and rendering.headings[0].start == 0:
        title = rendering.headings[0].title  # its levels are guessed from the size of the letters
    return _parsed(text, rendering.headings, title, stem, rendering.pages)


@cache
def _config(trained: str = "", languages: str = "") -> Any:
    """How kreuzberg reads; given a folder with trained `languages` ("eng+deu"), it recognises the pages of PDFs."""
    from kreuzberg import ConcurrencyConfig, ExtractionConfig, OcrConfig, PageConfig, PdfConfig, PostProcessorConfig

    if trained:
        os.environ["TESSDATA_PREFIX"] = trained
    return ExtractionConfig(  # type: ignore[call-arg]  # its stub lacks disable_ocr
        use_cache=False,
        disable_ocr=not trained,
        force_ocr=bool(trained),
        ocr=OcrConfig(backend="tesseract", language=languages) if trained else None,
        enable_quality_processing=False,
        include_document_structure=True,
        output_format="markdown",  # also what makes it look for headings in PDF and slides
        pages=PageConfig(extract_pages=False, insert_page_markers=True, marker_format=f"\n\n{_PAGE_MARK}\n\n"),
        pdf_options=PdfConfig(extract_images=False, extract_metadata=True, extract_annotations=False),
        postprocessor=PostProcessorConfig(enabled=False),
        concurrency=ConcurrencyConfig(max_threads=1),
    )


def _parsed(text: str, headings: list[Heading], title: str, stem: str, pages: list[tuple[int, int]]) -> Parsed:
    facts = [*name_dates(stem), *(fact for heading in headings for fact in heading_facts(heading))]
    top = next((heading.title for heading in headings if heading.level == 1), "")
    return Parsed(text, title or top or stem, headings=headings, facts=facts, pages=pages)


def _title(metadata: Mapping[str, Any]) -> str:
    words = metadata.get("title") or metadata.get("subject") or ""
    title = " ".join(restore(words).split()) if isinstance(words, str) else ""
    return "" if _NO_TITLE.match(title) else title


# ---- HTML and EPUB: kreuzberg's Markdown, without the noise ---------------------------------------------------------


def _parse_html(content: bytes, stem: str) -> Parsed:
    page = _decode_html(content)
    title = _HEAD_TITLE.search(page)
    words = " ".join(html.unescape(title[1]).split()) if title else ""
    return _parsed_markdown(_markdown_of_html(page), words, stem)


def _decode_html(content: bytes) -> str:
    declared = _CHARSET.search(content, 0, 2048)
    if declared and not content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode(declared[1].decode("ascii"))
        except (LookupError, ValueError):
            pass  # it is not what it declares
    return decode(content) or ""


def _markdown_of_html(page: str) -> str:
    from kreuzberg import extract_bytes_sync

    body = _HEAD.sub("", page, count=1)  # kreuzberg writes the head's metadata into the text
    return str(extract_bytes_sync(body.encode("utf-8", "replace"), "text/html", config=_config()).content)


def _parsed_markdown(markdown: str, title: str, stem: str) -> Parsed:
    text = without_targets(without_targets(_COMMENT.sub("", markdown)))  # twice: images stand in links
    text = _BLANK_LINES.sub("\n\n", text).strip() + "\n"
    return _parsed(text, markdown_headings(text), title, stem, [])


# ---- all others: kreuzberg's nodes, written as Markdown -------------------------------------------------------------


class _Rendering:
    """Nodes in reading order become one text; headings and pages are noted at their offsets."""

    def __init__(self, nodes: list[Mapping[str, Any]], *, is_pdf: bool) -> None:
        self._is_pdf = is_pdf
        self._known = _vocabulary(nodes) if is_pdf else frozenset[str]()
        self._blocks: list[str] = []
        self._length = 0  # of the text so far
        self._lines = 1  # the line the next block begins on
        self._in_list = False
        self.headings: list[Heading] = []
        self.pages: list[tuple[int, int]] = []
        for node in nodes:
            if node.get("content_layer") not in ("header", "footer"):
                self._node(node["content"], node.get("page") if is_pdf else None)

    def text(self) -> str:
        return "".join(self._blocks)

    def _node(self, content: Mapping[str, Any], page: int | None) -> None:
        words = restore(content.get("text") or "").replace("\r\n", "\n").replace("\0", "").strip("\n")
        mark = _PAGE.match(words)
        if page or mark:
            self._page(int(mark[1]) if mark else page or 0)
        if mark:
            return
        kind = content["node_type"]
        if kind in ("heading", "title"):
            self._heading(content.get("level") or 1, plain_words(words))
        elif kind == "table":
            self._block(_table(content["grid"]))
        elif kind == "metadata_block":
            self._block("\n".join(f"{name}: {value}" for name, value in content.get("entries", [])))
        elif kind == "code":
            self._block(f"```{content.get('language') or ''}\n{words}\n```" if words.strip() else "")
        elif kind == "list_item":
            self._block(f"- {' '.join(self._reflow(words).split())}" if words.strip() else "", item=True)
        else:
            self._block(without_targets(self._reflow(words)))

    def _page(self, number: int) -> None:
        if not self.pages or self.pages[-1][1] != number:
            self.pages.append((self._length, number))

    def _reflow(self, words: str) -> str:
        """Join the lines of a PDF's paragraph; other formats break lines only where their author did."""
        if not self._is_pdf or "\n" not in words:
            return words
        return _HYPHEN.sub(lambda found: _unhyphenated(found[1], found[2], self._known), words).replace("\n", " ")

    def _heading(self, level: int, words: str) -> None:
        if words:
            level = min(max(level, 1), MAX_LEVEL)
            line = f"{'#' * level} {words}"
            self._block(line)
            end = self._length
            start = end - len(line) - 1
            self.headings.append(Heading(level, words, start, end, self._lines - 1))

    def _block(self, block: str, *, item: bool = False) -> None:
        if not block.strip():
            return
        separator = "" if not self._blocks or (item and self._in_list) else "\n"
        self._in_list = item
        self._blocks.append(f"{separator}{block}\n")
        self._length += len(self._blocks[-1])
        self._lines += self._blocks[-1].count("\n")


def _table(grid: Mapping[str, Any]) -> str:
    rows = [[""] * grid["cols"] for _ in range(grid["rows"])]
    for cell in grid["cells"]:
        if cell["row"] < len(rows) and cell["col"] < grid["cols"]:
            rows[cell["row"]][cell["col"]] = " ".join(restore(cell["content"]).split()).replace("|", "\\|")
    lines = [f"| {' | '.join(row)} |" for row in rows if any(row)]
    return "\n".join([*lines[:1], f"|{' --- |' * grid['cols']}", *lines[1:]]) if lines else ""


def _vocabulary(nodes: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    words: set[str] = set()
    for node in nodes:
        words.update(re.findall(r"\w+(?:-\w+)*", node["content"].get("text") or ""))
    return frozenset(words)


def _unhyphenated(left: str, right: str, known: frozenset[str]) -> str:
    """A word broken at a line's end: with its hyphen only if the document writes it so elsewhere."""
    return f"{left}-{right}" if f"{left}-{right}" in known and left + right not in known else left + right


def _html_body(content: bytes) -> str | None:
    """The HTML body of a mail that has no plain one; kreuzberg would run its words into each other."""
    page = None
    for part in message_from_bytes(content).walk():
        if part.get_content_maintype() != "text" or part.get_content_disposition() == "attachment":
            continue
        payload = part.get_payload(decode=True)
        if part.get_content_subtype() == "plain":
            return None
        if part.get_content_subtype() == "html" and page is None and isinstance(payload, bytes):
            page = payload.decode(_known_charset(part.get_content_charset()), "replace")
    return page


def _known_charset(name: str | None) -> str:
    try:
        return codecs.lookup(name or "utf-8").name
    except LookupError:
        return "utf-8"
