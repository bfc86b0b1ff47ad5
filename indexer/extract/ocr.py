"""Whether pages that are pictures can be recognised here, and in which languages.

kreuzberg carries Tesseract's program; what it needs from the system are the trained languages, which the package
`tesseract-ocr` brings. Nothing is ever fetched.
"""

import os
from pathlib import Path

_PLACES = (
    "/usr/share/tesseract-ocr/*/tessdata",  # Debian, Ubuntu
    "/usr/share/tessdata",  # Fedora, Arch
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "C:/Program Files/Tesseract-OCR/tessdata",
)
_NO_LANGUAGES = ("osd", "equ")  # orientation and equations
MOST_LANGUAGES = 3  # each takes its own time and memory

HOW_TO = "Install the package tesseract-ocr (on macOS: tesseract), then retry."


def languages() -> tuple[Path, str] | None:
    """The folder with the trained languages and the languages as Tesseract takes them ("eng+deu"), or None."""
    for folder in _folders():
        found = sorted(file.stem for file in folder.glob("*.traineddata") if file.stem not in _NO_LANGUAGES)
        if found:
            found.sort(key=lambda name: name != "eng")
            return folder, "+".join(found[:MOST_LANGUAGES])
    return None


def _folders() -> list[Path]:
    named = os.environ.get("TESSDATA_PREFIX", "")
    if named:
        return [Path(named), Path(named, "tessdata")]
    found = []
    for place in _PLACES:
        path = Path(place)
        found += sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))), reverse=True) if path.anchor else []
    return found
