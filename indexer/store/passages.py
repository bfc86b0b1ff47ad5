"""The rows of the passages: replaced file by file, found by their words, shown as hits.

A passage whose text stays keeps its id through every edit, so an edit costs only the vectors of what was written anew.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw
import msgspec
import numpy as np
from msgspec import Struct

from indexer.records import Chunk, Extracted, Hit
from indexer.shortlist import Ids
from indexer.terms import spelt

RANKING = "bm25(3.0, 2.0, 1.0, 2.0)"
"""What a word counts in title, headings, body and tags."""

RANKING_CALL = RANKING.replace("(", "(chunks_fts, ")
"""The same as an expression in SQL."""

_SHOWN = "SELECT c.id, f.path, c.title, c.headings, c.line, c.line_end, c.page, c.start, c.stop, c.body"
_FROM = "FROM chunks c JOIN files f ON f.id = c.file_id JOIN folders o ON o.id = f.folder_id AND NOT o.removed"
AT_ONCE = 500  # ids in one statement


class _Row(Struct, frozen=True):
    id: int
    kept: tuple[str, str, int, int, int, int, int, int | None]


def embedding_text(headings: str, text: str) -> str:
    """What is embedded of a passage: its heading trail and its text."""
    return f"{headings}\n{text}" if headings else text


def vector_hash(headings: str, text: str) -> bytes:
    """Names the vector of a passage: BLAKE2b-128 of `embedding_text`."""
    return hashlib.blake2b(embedding_text(headings, text).encode("utf-8", "replace"), digest_size=16).digest()


def replace(connection: apsw.Connection, file_id: int, path: str, extracted: Extracted) -> bool:
    """Put the new reading of a file in the place of the old one; `files.finish` then closes it.

    Returns False when the file is forgotten, or stands elsewhere, by now.
    """
    title = extracted.title or Path(path).stem
    connection.execute(
        "UPDATE files SET title = ?, content_hash = ? WHERE id = ? AND path = ?",
        (title, extracted.content_hash, file_id, path),
    )
    if not connection.changes():
        return False
    _replace_chunks(connection, file_id, title, " ".join(extracted.tags), extracted.chunks)
    connection.execute("DELETE FROM facts WHERE file_id = ?", (file_id,))
    connection.executemany(
        "INSERT INTO facts (file_id, kind, text, value, line, due) VALUES (?, ?, ?, ?, ?, ?)",
        [(file_id, fact.kind, fact.text, fact.value, fact.line, fact.due) for fact in extracted.facts],
    )
    return True


def _replace_chunks(connection: apsw.Connection, file_id: int, title: str, tags: str, chunks: list[Chunk]) -> None:
    old: defaultdict[bytes, deque[_Row]] = defaultdict(deque)
    for chunk_id, digest, *kept in connection.execute(
        "SELECT id, vector_hash, title, tags, ordinal, start, stop, line, line_end, page FROM chunks "
        "WHERE file_id = ? ORDER BY ordinal",
        (file_id,),
    ):
        old[digest].append(_Row(chunk_id, tuple(kept)))
    for chunk in chunks:
        digest = vector_hash(chunk.headings, chunk.text)
        place = (chunk.ordinal, chunk.start, chunk.end, chunk.line, chunk.line_end, chunk.page)
        if not old[digest]:
            connection.execute(
                "INSERT INTO chunks (file_id, title, tags, ordinal, start, stop, line, line_end, page, headings, body, "
                "vector_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (file_id, title, tags, *place, chunk.headings, chunk.text, digest),
            )
            continue
        row = old[digest].popleft()
        if row.kept != (title, tags, *place):
            connection.execute(
                "UPDATE chunks SET title = ?, tags = ?, ordinal = ?, start = ?, stop = ?, line = ?, line_end = ?, "
                "page = ? WHERE id = ?",
                (title, tags, *place, row.id),
            )
    connection.executemany("DELETE FROM chunks WHERE id = ?", [(row.id,) for rows in old.values() for row in rows])


def matching(
    connection: apsw.Connection, expression: str, limit: int, among: Sequence[int] | None = None
) -> list[tuple[int, float]]:
    """The passages that match an FTS5 expression, best first: ids and bm25 over the weighted columns (more is better).

    Args:
        among: only these ids are ranked.
    """
    if among is None:
        rows = connection.execute(
            "SELECT rowid, -rank FROM chunks_fts WHERE chunks_fts MATCH ? AND rank MATCH ? ORDER BY rank LIMIT ?",
            (expression, RANKING, limit),
        )
    else:
        # "+rowid": one pass over the matches, instead of one look into the word index for each id. Ordered by a call of
        # the function rather than by the column `rank`, which would be worked out for every match.
        rows = connection.execute(
            f"SELECT rowid, -{RANKING_CALL} AS points FROM chunks_fts "
            f"WHERE chunks_fts MATCH ? AND +rowid IN (SELECT value FROM json_each(?)) ORDER BY points DESC LIMIT ?",
            (expression, as_json(among), limit),
        )
    return [(int(chunk_id), float(points)) for chunk_id, points in rows]


def holding(connection: apsw.Connection, expression: str, limit: int = -1) -> Ids:
    """Ids of the passages that match an FTS5 expression, in no order; with a limit of the newest of them."""
    # One long text and not a row each: a third of the time.
    row = connection.execute(
        "SELECT group_concat(rowid) FROM "
        "(SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH ? ORDER BY rowid DESC LIMIT ?)",
        (expression, limit),
    ).fetchone()
    return np.fromstring(row[0] if row and row[0] is not None else "", np.int64, sep=",")


def titled(connection: apsw.Connection, start: str, limit: int, among: Sequence[int] | None = None) -> list[int]:
    """Ids of the first passages of files whose title begins with `start`, newest file first; with `among` of these."""
    # The inner query is answered by the index of titles alone; twice as many, as a file may have lost its passages.
    rows = connection.execute(
        "SELECT (SELECT id FROM chunks WHERE file_id = f.id ORDER BY ordinal LIMIT 1) AS first FROM ("
        "  SELECT id, mtime_ns FROM files"
        "  WHERE title >= ?1 COLLATE NOCASE AND title < ?1 || char(1114111) COLLATE NOCASE"
        "  ORDER BY mtime_ns DESC LIMIT iif(?3 IS NULL, 2 * ?2, -1)"
        ") f WHERE first IS NOT NULL AND (?3 IS NULL OR first IN (SELECT value FROM json_each(?3)))"
        "ORDER BY f.mtime_ns DESC LIMIT ?2",
        (start, limit, None if among is None else as_json(among)),
    )
    return [int(chunk_id) for (chunk_id,) in rows]


def hits(connection: apsw.Connection, scored: Sequence[tuple[int, float]]) -> list[Hit]:
    """The passages with these ids and scores, in this order; those that are gone are left out."""
    found: dict[int, Hit] = {}
    ids = [chunk_id for chunk_id, _ in scored]
    scores = dict(scored)
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        marks = ", ".join("?" * len(some))
        for row in connection.execute(f"{_SHOWN} {_FROM} WHERE c.id IN ({marks})", some):
            found[row[0]] = _hit(row, scores[row[0]])
    return [found[chunk_id] for chunk_id in ids if chunk_id in found]


def around(connection: apsw.Connection, chunk_id: int, reach: int) -> list[Hit]:
    """A passage with up to `reach` passages before and after it in the same file, in the order of the text."""
    rows = connection.execute(
        f"{_SHOWN} {_FROM} JOIN chunks centre ON centre.id = ? AND c.file_id = centre.file_id "
        "WHERE abs(c.ordinal - centre.ordinal) <= ? ORDER BY c.ordinal",
        (chunk_id, reach),
    )
    return [_hit(row, 0.0) for row in rows]


def of_file(connection: apsw.Connection, file_id: int) -> list[Hit]:
    """All passages of a file, in the order of the text."""
    rows = connection.execute(f"{_SHOWN} {_FROM} WHERE c.file_id = ? ORDER BY c.ordinal", (file_id,))
    return [_hit(row, 0.0) for row in rows]


def document_frequency(connection: apsw.Connection, terms: Iterable[str]) -> tuple[dict[str, int], int]:
    """In how many passages each term (folded as the index folds words) occurs, and how many passages there are."""
    total = connection.execute("SELECT count(*) FROM chunks").fetchone()
    assert total is not None
    return frequency(connection, terms), int(total[0])


def frequency(connection: apsw.Connection, terms: Iterable[str]) -> dict[str, int]:
    """In how many passages each term occurs."""
    counts = {}
    for term in dict.fromkeys(terms):
        row = connection.execute("SELECT doc FROM chunks_vocabulary WHERE term = ?", (term,)).fetchone()
        counts[term] = int(row[0]) if row else 0
    return counts


def frequency_within(connection: apsw.Connection, file_id: int, terms: Iterable[str]) -> dict[str, int]:
    """In how many passages of one file each term occurs."""
    counts = {}
    for term in dict.fromkeys(terms):
        # The range lets FTS5 leap over the passages of others; ids of one file lie close together but not always alone.
        row = connection.execute(
            "SELECT count(*) FROM chunks_fts WHERE chunks_fts MATCH ?1 "
            "AND rowid BETWEEN (SELECT min(id) FROM chunks WHERE file_id = ?2) "
            "AND (SELECT max(id) FROM chunks WHERE file_id = ?2) "
            "AND +rowid IN (SELECT id FROM chunks WHERE file_id = ?2)",
            (f'"{term}"', file_id),
        ).fetchone()
        counts[term] = int(row[0]) if row else 0
    return counts


def has_word(connection: apsw.Connection, word: str, *, begins: bool) -> bool:
    """Whether a passage has a folded word, or with `begins` one that begins so."""
    found = connection.execute("SELECT 1 FROM chunks_fts WHERE chunks_fts MATCH ? LIMIT 1", (f'"{word}"',)).fetchone()
    if found is None and begins:
        found = connection.execute(
            "SELECT 1 FROM chunks_vocabulary WHERE term >= ? AND term < ? LIMIT 1", (word, word + "\U0010ffff")
        ).fetchone()
    return found is not None


def as_written(connection: apsw.Connection, word: str) -> str:
    """A folded word as a passage that has it spells it."""
    row = connection.execute(
        "SELECT title, headings, body, tags FROM chunks WHERE id = "
        "(SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH ? LIMIT 1)",
        (f'"{word}"',),
    ).fetchone()
    return spelt(word, " ".join(str(text) for text in row)) if row else word


def terms(connection: apsw.Connection) -> list[str]:
    """All words of the word index."""
    return [str(term) for (term,) in connection.execute("SELECT term FROM chunks_vocabulary")]


def newest(connection: apsw.Connection) -> int:
    """The highest id a passage has had; it grows with every one that is added."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").fetchone()
    return int(row[0]) if row else 0


def as_json(ids: Sequence[int]) -> str:
    """Ids as SQL takes any number of them: `json_each(?)`."""
    return msgspec.json.encode(ids).decode()


def _hit(row: tuple[Any, ...], score: float) -> Hit:
    chunk_id, path, title, headings, line, line_end, page, start, stop, body = row
    return Hit(chunk_id, path, title, headings, line, line_end, page, start, stop, score, body)
