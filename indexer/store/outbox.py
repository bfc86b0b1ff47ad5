"""What the vector store is owed, the vectors themselves, and which generation of the store is the valid one.

A row of the outbox goes away only after Chroma has confirmed it, in the transaction that records the store's files.
"""

from collections.abc import Iterable, Mapping

import apsw
from msgspec import Struct

from indexer.store.passages import embedding_text

_UNUSED = "hash NOT IN (SELECT vector_hash FROM chunks)"


class Pointer(Struct, frozen=True):
    """Which generation of the vector store is valid, what its files looked like, and whose vectors it holds.

    Generation 0 means that there is none yet.
    """

    generation: int
    signature: str
    model: str


def pointer(connection: apsw.Connection) -> Pointer:
    """The valid generation."""
    rows = connection.execute("SELECT name, value FROM meta WHERE name LIKE 'vectors.%'")
    found = {str(name): str(value) for name, value in rows}
    return Pointer(
        int(found.get("vectors.generation", "0")), found.get("vectors.signature", ""), found.get("vectors.model", "")
    )


def point(connection: apsw.Connection, now: Pointer) -> None:
    """Make a generation the valid one. With another model, everything is owed again and old vectors go."""
    before = pointer(connection)
    connection.executemany(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [
            ("vectors.generation", str(now.generation)),
            ("vectors.signature", now.signature),
            ("vectors.model", now.model),
        ],
    )
    if before.model not in {"", now.model}:
        connection.execute("DELETE FROM embeddings WHERE model IS NOT ?", (now.model,))
        owe(connection, [int(chunk_id) for (chunk_id,) in connection.execute("SELECT id FROM chunks")])


def begin_batch(connection: apsw.Connection) -> int:
    """Number the batch that Chroma is given next. To be committed durably before Chroma hears of it.

    Chroma's side keeps the number too. So it shows when either side has lost what it had (a power cut, a restored
    copy): an id may then name another text, or miss its vector. Between the two numbers of `batches` all is well.
    """
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('vectors.giving', '1') "
        "ON CONFLICT (name) DO UPDATE SET value = value + 1"
    )
    return batches(connection)[1]


def batches(connection: apsw.Connection) -> tuple[int, int]:
    """The last batch that Chroma confirmed and the last one that it may have been given."""
    found = dict(connection.execute("SELECT name, value FROM meta WHERE name IN ('vectors.given', 'vectors.giving')"))
    return int(found.get("vectors.given", 0)), int(found.get("vectors.giving", 0))


def confirm_batch(connection: apsw.Connection, batch: int) -> None:
    """Chroma has taken the batch."""
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('vectors.given', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(batch),),
    )


def owe(connection: apsw.Connection, chunk_ids: Iterable[int]) -> None:
    """Put passages on the outbox that Chroma should have and has not."""
    connection.executemany(
        "INSERT INTO vector_outbox (chunk_id, kind, ordinal, mtime_ns) SELECT c.id, 'upsert', c.ordinal, f.mtime_ns "
        "FROM chunks c JOIN files f ON f.id = c.file_id WHERE c.id = ? ON CONFLICT (chunk_id) DO NOTHING",
        [(chunk_id,) for chunk_id in chunk_ids],
    )


def owe_removal(connection: apsw.Connection, chunk_ids: Iterable[int]) -> None:
    """Put ids on the outbox that Chroma has and should not have."""
    connection.executemany(
        "INSERT INTO vector_outbox (chunk_id, kind, ordinal, mtime_ns) VALUES (?, 'delete', 0, 0) "
        "ON CONFLICT (chunk_id) DO NOTHING",
        [(chunk_id,) for chunk_id in chunk_ids],
    )


def unseen(connection: apsw.Connection, model: str, limit: int) -> dict[bytes, str]:
    """The next texts to embed, by their hashes: first passages of all files before second ones, newest file first."""
    rows = connection.execute(
        "SELECT c.vector_hash, c.headings, c.body FROM vector_outbox v JOIN chunks c ON c.id = v.chunk_id "
        "WHERE v.kind = 'upsert' AND NOT EXISTS (SELECT 1 FROM embeddings WHERE hash = c.vector_hash AND model = ?) "
        "ORDER BY v.ordinal, v.mtime_ns DESC LIMIT ?",
        (model, limit),
    )
    return {digest: embedding_text(headings, body) for digest, headings, body in rows}


def upserts(connection: apsw.Connection, model: str, limit: int) -> list[tuple[int, bytes]]:
    """The next passages to give to Chroma, with their vectors (little-endian float16)."""
    rows = connection.execute(
        "SELECT c.id, e.vector FROM vector_outbox v JOIN chunks c ON c.id = v.chunk_id "
        "JOIN embeddings e ON e.hash = c.vector_hash AND e.model = ? "
        "WHERE v.kind = 'upsert' ORDER BY v.ordinal, v.mtime_ns DESC LIMIT ?",
        (model, limit),
    )
    return [(int(chunk_id), bytes(vector)) for chunk_id, vector in rows]


def removals(connection: apsw.Connection, limit: int) -> list[int]:
    """The next ids to take out of Chroma."""
    rows = connection.execute("SELECT chunk_id FROM vector_outbox WHERE kind = 'delete' LIMIT ?", (limit,))
    return [int(chunk_id) for (chunk_id,) in rows]


def clear(connection: apsw.Connection, upserted: Iterable[int], removed: Iterable[int]) -> None:
    """What Chroma confirmed is owed no more. A passage deleted in the meantime still is: its removal stays."""
    connection.executemany(
        "DELETE FROM vector_outbox WHERE chunk_id = ? AND kind = ?",
        [*((chunk_id, "upsert") for chunk_id in upserted), *((chunk_id, "delete") for chunk_id in removed)],
    )


def store_vectors(connection: apsw.Connection, model: str, made: Mapping[bytes, bytes]) -> None:
    """Keep vectors; those whose passages were deleted in the meantime are dropped."""
    connection.executemany(
        "INSERT INTO embeddings (hash, model, vector) SELECT ?1, ?2, ?3 "
        "WHERE EXISTS (SELECT 1 FROM chunks WHERE vector_hash = ?1) ON CONFLICT (hash, model) DO NOTHING",
        [(digest, model, vector) for digest, vector in made.items()],
    )


def orphans(connection: apsw.Connection) -> int:
    """How many stored vectors no passage uses without being marked so; the triggers leave none."""
    row = connection.execute(f"SELECT count(*) FROM embeddings WHERE {_UNUSED} AND unused_since IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def drop_unused(connection: apsw.Connection, older_than: int = 0) -> None:
    """Remove the vectors that no passage has used for `older_than` seconds; with 0 all that none uses now."""
    if older_than:
        connection.execute("DELETE FROM embeddings WHERE unused_since < unixepoch() - ?", (older_than,))
    else:
        connection.execute(f"DELETE FROM embeddings WHERE {_UNUSED}")


def differences(connection: apsw.Connection, held: set[int]) -> tuple[list[int], list[int]]:
    """Of the ids Chroma holds: those it lacks, and those it should not have; what is owed anyway is neither."""
    owed = {int(chunk_id) for (chunk_id,) in connection.execute("SELECT chunk_id FROM vector_outbox")}
    right = {int(chunk_id) for (chunk_id,) in connection.execute("SELECT id FROM chunks")}
    return sorted(right - held - owed), sorted(held - right - owed)
