"""What must hold after every fault, once the engine has come to rest. Each broken promise is one line of text."""

import re
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import apsw
import numpy as np

from core.launch import EngineChannel
from core.paths import Profile
from core.protocol import Found, Search
from indexer.extract.extractor import Extract, Extractor
from indexer.records import Extracted
from indexer.store import outbox, vectors
from indexer.store.embedded import EmbeddedStore
from indexer.store.passages import vector_hash
from indexer.store.schema import equip
from indexer.store.stored import unpack
from indexer.store.vector_store import StoreFailed
from tests.processes.changes import Changes

_OURS = re.compile(
    r"config/settings\.toml|run/(engine\.lock|engine\.token|[\w-]+\.sock|kreuzberg-[\w./-]+)|data/logs/[\w.-]+"
    r"|data/(catalog|history)\.sqlite3(-wal|-shm)?|data/catalog\.sqlite3\.(version-\d+|folders)|data/vectors/gen-\d+/[\w./-]+"
    r"|data/vectors/(owner\.lock|batch|opening)|data/models/[\w./-]+\.onnx"
)
TWICE = "SELECT count(*) FROM (SELECT 1 FROM audit GROUP BY hash HAVING count(*) > 1)"
LOST = 0.03
"""Of the passages: a graph from which half was deleted and put back no longer reaches every record (1.2 % seen)."""

_SAME = 2e-3  # two roundings to float16 of one unit vector


class Invariants:
    """Checks one profile against one folder.

    Args:
        profile: whose.
        changes: the folder.
        tokenizer: the embedding model's tokenizer.json, for reading each note once more.
    """

    def __init__(self, profile: Profile, changes: Changes, tokenizer: Path) -> None:
        self._profile = profile
        self._changes = changes
        self._extractor = Extractor(tokenizer)
        self._read: dict[tuple[str, bytes], Extracted] = {}
        self._row_of: dict[bytes, int] = {}

    def broken(self, channel: EngineChannel) -> list[str]:
        """Every promise that does not hold now."""
        catalog = self._snapshot()
        return [
            *self._folder(),
            *self._sound(catalog),
            *self._files(catalog),
            *self._passages(catalog),
            *self._embedded_once(catalog),
            *self._chroma(catalog),
            *self._search(channel),
            *self._profile_is_clean(),
        ]

    def forget(self) -> None:
        """The vectors were deleted on purpose: they may be made again."""
        self._row_of.clear()

    def owed(self) -> int:
        """What is on the outbox or waits to be read; one more until the vectors' files are as the catalog says."""
        connection = apsw.Connection(str(self._profile.catalog), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(5000)
        try:
            query = "SELECT (SELECT count(*) FROM vector_outbox) + (SELECT count(*) FROM files WHERE state = 'waiting')"
            valid = outbox.pointer(connection)
            kept = list(self._profile.vectors.glob("gen-*"))
            right = [(f"gen-{valid.generation}", valid.signature)]
            store = EmbeddedStore(self._profile.vectors)
            sound = [(path.name, store.signature(int(path.name.removeprefix("gen-")))) for path in kept] == right
            busy = (self._profile.vectors / "opening").exists()
            return int(connection.execute(query).fetchall()[0][0]) + busy + (not sound)
        finally:
            connection.close()

    def _snapshot(self) -> apsw.Connection:
        source = apsw.Connection(str(self._profile.catalog), flags=apsw.SQLITE_OPEN_READONLY)
        source.set_busy_timeout(5000)
        copy = apsw.Connection(":memory:")
        equip(copy)
        with copy.backup("main", source, "main") as backup:
            backup.step(-1)
        source.close()
        return copy

    def _folder(self) -> list[str]:
        return [] if self._changes.on_disk() == self._changes.truth else ["the person's folder was changed"]

    def _sound(self, catalog: apsw.Connection) -> list[str]:
        found = [f"integrity: {row[0]}" for row in catalog.execute("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"foreign key: {row}" for row in catalog.execute("PRAGMA foreign_key_check")]
        try:
            catalog.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)")
        except apsw.CorruptError as error:
            found.append(f"the word index: {error}")
        words = {row[0] for row in catalog.execute("SELECT id FROM chunks_fts_docsize")}
        chunks = {row[0] for row in catalog.execute("SELECT id FROM chunks")}
        if words != chunks:
            found.append(f"{len(words ^ chunks)} rows of the word index differ from the passages")
        return found

    def _files(self, catalog: apsw.Connection) -> list[str]:
        rows = {
            Path(path).relative_to(self._changes.root).as_posix(): (state, reason)
            for path, state, reason in catalog.execute("SELECT path, state, reason FROM files")
        }
        found = [f"{path} is {state}: {reason}" for path, (state, reason) in rows.items() if state != "indexed"]
        found += [f"{path} is not in the catalog" for path in self._changes.truth.keys() - rows.keys()]
        return found + [f"{path} is gone, but in the catalog" for path in rows.keys() - self._changes.truth.keys()]

    def _passages(self, catalog: apsw.Connection) -> list[str]:
        found = []
        for path in self._changes.truth:
            place = str(self._changes.root / path)
            right = self.read(path)
            row = catalog.execute("SELECT id, content_hash FROM files WHERE path = ?", (place,)).fetchone()
            if row is None:
                continue
            if row[1] != right.content_hash:
                found.append(f"{path}: the catalog has another version's hash")
            chunks = catalog.execute(
                "SELECT ordinal, headings, body, vector_hash FROM chunks WHERE file_id = ? ORDER BY ordinal", (row[0],)
            ).fetchall()
            if chunks != [(c.ordinal, c.headings, c.text, vector_hash(c.headings, c.text)) for c in right.chunks]:
                found.append(f"{path}: its passages are not those of the file")
            facts = Counter(
                catalog.execute("SELECT kind, text, value, line, due FROM facts WHERE file_id = ?", row[:1])
            )
            if facts != Counter((f.kind, f.text, f.value, f.line, f.due) for f in right.facts):
                found.append(f"{path}: its facts are not those of the file")
        return found

    def read(self, path: str) -> Extracted:
        """A note as an extractor reads it now."""
        key = (path, self._changes.truth[path])
        if key not in self._read:
            read = self._extractor.extract(Extract(str(self._changes.root / path), str(self._changes.root), 1 << 24))
            assert isinstance(read, Extracted)
            self._read[key] = read
        return self._read[key]

    def _embedded_once(self, catalog: apsw.Connection) -> list[str]:
        audited = catalog.execute("SELECT 1 FROM sqlite_schema WHERE name = 'audit'").fetchall()
        twice = catalog.execute(TWICE) if audited else []
        found = [f"{count} texts were embedded twice" for (count,) in twice if count]
        rows = {bytes(digest): int(number) for digest, number in catalog.execute("SELECT hash, id FROM embeddings")}
        moved = [digest for digest, number in rows.items() if self._row_of.setdefault(digest, number) != number]
        if moved:
            found.append(f"{len(moved)} vectors were stored anew")
        query = "SELECT count(*) FROM chunks WHERE vector_hash NOT IN (SELECT hash FROM embeddings)"
        return found + [f"{count} passages have no vector" for (count,) in catalog.execute(query) if count]

    def _chroma(self, catalog: apsw.Connection) -> list[str]:
        for _ in range(5):  # the engine may be opening it just now, and a copy of that moment is none
            try:
                return self._vectors(catalog)
            except (StoreFailed, OSError, ValueError):
                time.sleep(1.0)
        return self._vectors(catalog)

    def _vectors(self, catalog: apsw.Connection) -> list[str]:
        kept = sorted(path.name for path in self._profile.vectors.glob("gen-*"))
        meta = dict(catalog.execute("SELECT name, value FROM meta").fetchall())
        valid = f"gen-{meta.get('vectors.generation')}"
        if kept != [valid]:
            return [f"the catalog points to {valid}, and there are {kept}"]
        rows = catalog.execute(
            "SELECT c.id, e.vector FROM chunks c JOIN embeddings e ON e.hash = c.vector_hash ORDER BY c.id"
        ).fetchall()
        with tempfile.TemporaryDirectory() as place:  # a copy: the engine has the original open
            copy = Path(place) / "copy"
            shutil.copytree(self._profile.vectors / valid, copy)
            generation = vectors.in_directory(copy, fresh=False)
            held = generation._collection.get(include=["embeddings"])
            ids = [int(number) for number in held["ids"]]
            given = dict(zip(ids, np.asarray(held["embeddings"], dtype=np.float32), strict=True)) if ids else {}
            found = []
            if set(ids) != {row[0] for row in rows}:
                wrong = set(ids) ^ {row[0] for row in rows}
                found.append(f"{len(wrong)} ids of Chroma differ from the passages: {sorted(wrong)[:5]}")
            stored = dict(zip((row[0] for row in rows), unpack([row[1] for row in rows]), strict=True)) if rows else {}
            others = [n for n in stored.keys() & given.keys() if np.abs(stored[n] - given[n]).max() > _SAME]
            if others:
                found.append(f"{len(others)} ids of Chroma have the vector of another text: {sorted(others)[:5]}")
            near = generation.nearest(list(stored.values()), 10) if stored else []
            lost = [
                number
                for number, found_near in zip(stored, near, strict=True)
                if not any(other == number or cosine > 0.999 for other, cosine in found_near)
            ]
            if len(lost) > LOST * len(stored):
                found.append(f"{len(lost)} of {len(stored)} passages do not find themselves")
            generation.close()
        return found

    def _search(self, channel: EngineChannel) -> list[str]:
        found = []
        for word, path in self._changes.live_words(5):
            hits = self._hits(channel, word)
            if not any(word in hit.text for hit in hits):
                found.append(f"{word} of {path} is not found")
        for word in self._changes.gone_words(3):
            found += [
                f"{word} is gone, but found in {hit.path}" for hit in self._hits(channel, word) if word in hit.text
            ]
        return found

    def _hits(self, channel: EngineChannel, word: str) -> list:
        hits = []
        for event in channel.call(Search(word), patience=60.0):
            assert isinstance(event, Found)
            hits += event.hits
        for hit in hits:
            content = self._changes.truth.get(Path(hit.path).relative_to(self._changes.root).as_posix(), b"")
            assert hit.text in content.decode(), f"search returned text that is not in {hit.path}"
        return hits

    def _profile_is_clean(self) -> list[str]:
        top = self._profile.data.parent
        names = [path.relative_to(top).as_posix() for path in top.rglob("*") if not path.is_dir()]
        found = [f"{name} was left behind" for name in names if not _OURS.fullmatch(name)]
        for log in self._profile.logs.iterdir():
            text = log.read_text("utf-8", "replace")
            at = re.search(r" (ERROR|CRITICAL) |Traceback", text)
            found += [f"{log.name}: {text[max(0, at.start() - 200) : at.start() + 3000]}"] if at else []
        return found
