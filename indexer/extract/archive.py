"""What a zip says it will become, judged before anything is unpacked: most office formats are zips.

kreuzberg refuses such bombs in Word documents by itself, and unpacks them to gigabytes in OpenDocument and EPUB files.
What a zip does not admit meets the reader's memory limit.
"""

import io
import lzma
import struct
import zipfile
import zlib

MOST_TEXT = 200 << 20  # bytes of XML and HTML; a novel of a thousand pages takes two million
MOST_UNPACKED = 1 << 30  # bytes of everything: pictures and films are packed already, and pass through
MOST_MEMBERS = 20_000

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,  # a password is wanted; NotImplementedError, another way of packing, is one of them
)
"""What Python's zipfile raises over a damaged archive."""

_TEXT = (".xml", ".rels", ".html", ".xhtml", ".htm", ".opf", ".ncx")


def objection(content: bytes) -> str:
    """Why an archive is not unpacked, in a sentence, or "": it is harmless, or no archive."""
    if not content.startswith(b"PK"):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except BROKEN:
        return ""  # the reader of its format says what is wrong with it
    if len(members) > MOST_MEMBERS:
        return f"The file is an archive of {len(members):,} parts; documents have fewer than {MOST_MEMBERS:,}."
    text = sum(member.file_size for member in members if member.filename.lower().endswith(_TEXT))
    unpacked = sum(member.file_size for member in members)
    if text > MOST_TEXT or unpacked > MOST_UNPACKED:
        return f"The file would unpack to {unpacked / 1e6:,.0f} MB, far more than a document needs."
    return ""
