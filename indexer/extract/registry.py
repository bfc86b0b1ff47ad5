"""Which files are read, and how. Adding a format is one line here."""

from pathlib import PurePath
from typing import Literal

from msgspec import Struct

Reader = Literal["markdown", "text", "org", "rst", "document"]


class Format(Struct, frozen=True):
    """How a file is read; `mime` is what kreuzberg calls the type, for documents only."""

    reader: Reader
    mime: str = ""


def is_read(name: str) -> bool:
    """Whether files with such a name are of a type that is read; `format_of` for those in a hurry."""
    dot = name.rfind(".")
    return dot > 0 and name[dot:].lower() in _SUFFIXES


def format_of(path: PurePath) -> Format | None:
    """The format of a file by its suffix, or None when files of that type are not read."""
    suffix = path.suffix.lower()
    if suffix in _DOCUMENTS:
        return Format("document", _DOCUMENTS[suffix])
    return next((Format(reader) for reader, suffixes in _TEXTS if suffix in suffixes), None)


_TEXTS: tuple[tuple[Reader, tuple[str, ...]], ...] = (
    ("markdown", (".md", ".markdown", ".mdx")),
    ("text", (".txt", ".text", ".csv", ".tsv")),
    ("org", (".org",)),
    ("rst", (".rst",)),
)

_OOXML = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OOXML}.wordprocessingml.document"
_OASIS = "application/vnd.oasis.opendocument"
_DOCUMENTS = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".docx": DOCX,
    ".pptx": f"{_OOXML}.presentationml.presentation",
    ".xlsx": f"{_OOXML}.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".odt": f"{_OASIS}.text",
    ".ods": f"{_OASIS}.spreadsheet",
    ".rtf": "application/rtf",
    ".epub": "application/epub+zip",
    ".fb2": "application/x-fictionbook+xml",
    ".eml": "message/rfc822",
    ".msg": "application/vnd.ms-outlook",
    ".ipynb": "application/x-ipynb+json",
    ".tex": "application/x-latex",
    ".opml": "application/xml+opml",
}
_SUFFIXES = frozenset((*_DOCUMENTS, *(suffix for _, suffixes in _TEXTS for suffix in suffixes)))
