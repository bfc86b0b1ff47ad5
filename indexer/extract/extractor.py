"""One file in; its passages, or the reason there are none, out. Runs in a process of its own, because a crafted or
damaged file can bring down the native code that reads it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import msgspec
from msgspec import Struct

from indexer.chunk import Chunker
from indexer.extract import documents, markdown, plain, reading, registry
from indexer.extract.parsed import Parsed
from indexer.records import Extracted, Failed, Skipped
from indexer.worker import Cancellation

Event = Extracted | Skipped | Failed

MOST_CHARACTERS = 8_000_000
"""A longer text is not read: cutting it takes about a second for a million characters, on a busy machine three."""

_LARGER_THAN_NOTHING = 1024  # bytes; a larger file without a single word was not understood

NO_WORDS = "No words could be read from this file."
TOO_MUCH = "Reading this file takes more memory than a reader may use."


class Extract(Struct, frozen=True, tag=True):
    """Read one file → Extracted, Skipped or Failed.

    path: absolute.  root: the watched folder it must lie in.  largest: limit in bytes.  links: `path` may lead out of
    the folder by a link.  ocr: recognise scanned pages, which takes seconds for each; without it a scan is a `Failed`
    that says so.
    """

    path: str
    root: str
    largest: int
    links: bool = False
    ocr: bool = False


class ExtractAll(Struct, frozen=True, tag=True):
    """Read several files → one event for each, in their order, each sent as soon as it is there.

    When the process dies, the first file without an event is the one that killed it.
    """

    files: list[Extract]


Call = Extract | ExtractAll


def build(config: dict[str, Any]) -> "Extractor":
    """The extractor of a process of its own, which starts in a directory that only this user can enter.

    Args:
        config: `tokenizer`, the path of the embedding model's tokenizer.json.
    """
    documents.unpack_into(Path.cwd())
    return Extractor(Path(config["tokenizer"]))


class Extractor:
    """Reads files and cuts them into passages.

    Args:
        tokenizer_file: the `tokenizer.json` of the embedding model, by which passages are measured.
    """

    def __init__(self, tokenizer_file: Path) -> None:
        self._chunker = Chunker(tokenizer_file)

    def handle(self, call: Call, cancelled: Cancellation) -> Iterator[Event]:
        """Answer with one event for each file. Cancelling takes effect after the file in work; the deadline kills."""
        for one in call.files if isinstance(call, ExtractAll) else [call]:
            if cancelled.requested:
                return
            yield self.extract(one)

    def extract(self, call: Extract) -> Event:
        """Read, parse and cut one file."""
        path = PurePath(call.path)
        form = registry.format_of(path)
        if form is None:
            kind = f"of type {path.suffix}" if path.suffix else "without a type"
            return Skipped(f"files {kind} are not read")
        content = reading.read(call.path, call.root, call.largest, links=call.links)
        if not isinstance(content, bytes):
            return content
        content_hash = hashlib.blake2b(content, digest_size=16).hexdigest()
        try:
            read = self._read(content, form, path.stem, recognise=call.ocr)
        except MemoryError:
            read = TOO_MUCH
        if isinstance(read, str):
            return Failed(read, content_hash)
        return msgspec.structs.replace(read, content_hash=content_hash)

    def _read(self, content: bytes, form: registry.Format, stem: str, *, recognise: bool) -> Extracted | str:
        parsed = _parse(content, form, stem, recognise=recognise)
        if isinstance(parsed, str):
            return parsed
        if len(parsed.text) > MOST_CHARACTERS:
            most = MOST_CHARACTERS // 1_000_000
            return f"It holds {len(parsed.text) / 1e6:.0f} million characters of text; up to {most} million are read."
        chunks = self._chunker.chunk(parsed)
        if not chunks and len(content) > _LARGER_THAN_NOTHING:
            return NO_WORDS
        return Extracted("", parsed.title, parsed.tags, chunks, parsed.facts, len(parsed.text))


def _parse(content: bytes, form: registry.Format, stem: str, *, recognise: bool) -> Parsed | str:
    """The parsed file, or a sentence that says why it cannot be read."""
    if form.reader == "document":
        return documents.parse_document(content, form.mime, stem, recognise=recognise)
    text = plain.decode(content)
    if text is None:
        return "The file holds binary data, not text."
    if form.reader == "markdown":
        return markdown.parse_markdown(text, stem)
    if form.reader == "org":
        return plain.parse_org(text, stem)
    if form.reader == "rst":
        return plain.parse_rst(text, stem)
    return plain.parse_text(text, stem)
