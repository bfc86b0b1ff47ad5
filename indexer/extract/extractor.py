"""One file in; its passages, or the reason there are none, out. Runs in a process of its own, because a crafted or
damaged file can bring down the native code that reads it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from msgspec import Struct

from indexer.chunk import Chunker
from indexer.extract import documents, markdown, plain, reading, registry
from indexer.extract.parsed import Parsed
from indexer.records import Extracted, Failed, Skipped
from indexer.worker import Cancellation

Event = Extracted | Skipped | Failed


class Extract(Struct, frozen=True, tag=True):
    """Read one file → Extracted, Skipped or Failed.

    path: absolute.  root: the watched folder it must lie in.  largest: limit in bytes.  links: `path` may lead out of
    the folder by a link.
    """

    path: str
    root: str
    largest: int
    links: bool = False


Call = Extract


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

    def handle(self, call: Extract, cancelled: Cancellation) -> Iterator[Event]:
        """Answer with one event. A file is short work: cancelling takes effect after it, the deadline kills."""
        if not cancelled.requested:
            yield self.extract(call)

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
        parsed = _parse(content, form, path.stem)
        if isinstance(parsed, str):
            return Failed(parsed, content_hash)
        return Extracted(
            content_hash=content_hash,
            title=parsed.title,
            tags=parsed.tags,
            chunks=self._chunker.chunk(parsed),
            facts=parsed.facts,
            characters=len(parsed.text),
        )


def _parse(content: bytes, form: registry.Format, stem: str) -> Parsed | str:
    """The parsed file, or a sentence that says why it cannot be read."""
    if form.reader == "document":
        return documents.parse_document(content, form.mime, stem)
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
