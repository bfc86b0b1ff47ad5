"""Saves the characters of Word documents that kreuzberg 4.10.4 drops: & < > (it reads "R&D" as "RD") and tabs.

The first is issue 1242 of its successor xberg, fixed there. They become characters that no text uses before kreuzberg
sees the document, and are turned back in what it returns. To be deleted with the first release that reads them.
"""

import io
import re
import zipfile

from indexer.extract.archive import BROKEN

_REFERENCE = re.compile(rb"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));")
_NAMED = {b"amp": "&", b"lt": "<", b"gt": ">", b"quot": '"', b"apos": "'"}
# Noncharacters (Unicode, section 23.7): allowed in XML, assigned to nothing, one for one so that offsets stay.
_STAND_IN = {"&": "\ufdd0", "<": "\ufdd1", ">": "\ufdd2", '"': "\ufdd3", "'": "\ufdd4"}
_ORIGINAL = {ord(stand_in): character for character, stand_in in _STAND_IN.items()}
_TAB = re.compile(rb"<w:(?:tab|(noBreakHyphen))\s*/>")  # in the text; the stops of a paragraph have attributes
_LARGEST = 100 << 20  # bytes unpacked; beyond it a document is left to kreuzberg's own limits


def guard(content: bytes) -> bytes:
    """A .docx with those characters replaced; unchanged where there are none or it cannot be opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.filename.startswith("word/media/")]
            if sum(member.file_size for member in members) > _LARGEST:
                return content
            parts = [(member.filename, archive.read(member)) for member in members]
    except BROKEN:
        return content  # kreuzberg says what is wrong with it
    kept = [(name, _keep(part) if _is_text(name) else part) for name, part in parts]
    if kept == parts:
        return content
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as archive:
        for name, part in kept:
            archive.writestr(name, part)
    return copy.getvalue()


def restore(text: str) -> str:
    """What kreuzberg read from a guarded document, with the characters the person wrote."""
    return text.translate(_ORIGINAL)


def _is_text(name: str) -> bool:
    return name.startswith(("word/", "docProps/")) and name.endswith(".xml")


def _keep(part: bytes) -> bytes:
    return _TAB.sub(_spelled_out, _REFERENCE.sub(_stand_in, part))


def _spelled_out(found: re.Match[bytes]) -> bytes:
    return b'<w:t xml:space="preserve">' + (b"-" if found[1] else b"\t") + b"</w:t>"


def _stand_in(found: re.Match[bytes]) -> bytes:
    name, decimal, hexadecimal = found.groups()
    if name:
        character = _NAMED[name]
    else:
        number = int(decimal) if decimal else int(hexadecimal, 16)
        if number < 32 or number > 0x10FFFF or 0xD800 <= number < 0xE000:
            return found[0]
        character = chr(number)
    return _STAND_IN.get(character, character).encode()
