"""A reader whose faults can be ordered: no real file is known that ends the real one reliably on every machine.

The first word of a file says what happens to its reader.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.extract import extractor
from indexer.extract.extractor import Event, Extract, ExtractAll
from indexer.extract.reading import content_hash
from indexer.records import Chunk, Extracted, Failed, Skipped
from indexer.worker import Cancellation

Call = extractor.Call


class ScriptedExtractor:
    def handle(self, call: extractor.Call, cancelled: Cancellation) -> Iterator[Event]:
        for one in call.files if isinstance(call, ExtractAll) else [call]:
            yield from self._read(one)

    def _read(self, call: Extract) -> Iterator[Event]:
        text = Path(call.path).read_text()
        word = text.split()[0]
        with Path("read.log").open("a") as log:
            log.write(f"{Path(call.path).name}\n")
        if word == "die" or (word == "die-once" and not Path("died").exists()):
            Path("died").touch()
            os._exit(9)
        if word == "raise":
            raise MemoryError
        if word == "hang":
            time.sleep(3600)
        if word == "stumble":
            raise RuntimeError("a library did what nobody expected")
        if word == "skip":
            yield Skipped("asked to")
        elif word == "fail":
            yield Failed("It is broken.")
        else:
            chunks = [Chunk(n, "", part, 0, len(part), 1, 1) for n, part in enumerate(text.split("\n\n"))]
            yield Extracted(content_hash(call.path), Path(call.path).stem, [], chunks, [], len(text))


def build(config: dict[str, Any]) -> ScriptedExtractor:
    return ScriptedExtractor()
