"""The catalog's tables and how they came to be: numbered migrations, each run once in a transaction of its own.

The triggers keep three things in step with `chunks` wherever a row comes from or goes to: the word index, the outbox
of what Chroma is owed, and which stored vectors no passage uses any more. With `files` they keep the tallies in step.
"""

from collections.abc import Callable

import apsw

from indexer.scripts import apart

Migration = Callable[[apsw.Connection], None]

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- identity is "device:inode" of the directory as last seen: an unmounted disk leaves an empty directory of another one.
CREATE TABLE folders (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  identity TEXT NOT NULL DEFAULT '',
  reachable INTEGER NOT NULL DEFAULT 1,
  removed INTEGER NOT NULL DEFAULT 0
);

-- size, mtime_ns and inode are those of the version that was indexed, or that is waiting to be.
CREATE TABLE files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  path TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL DEFAULT '',
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  content_hash TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL CHECK (state IN ('waiting', 'indexed', 'skipped', 'failed')),
  reason TEXT NOT NULL DEFAULT '',
  attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX files_by_state ON files (folder_id, state);
CREATE INDEX files_waiting ON files (mtime_ns DESC) WHERE state = 'waiting';
CREATE INDEX files_by_title ON files (title COLLATE NOCASE);

-- AUTOINCREMENT: an id names one text for ever, so Chroma can never hold the vector of another one under it.
CREATE TABLE chunks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  file_id INTEGER NOT NULL REFERENCES files(id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  title TEXT NOT NULL,
  headings TEXT NOT NULL,
  body TEXT NOT NULL,
  tags TEXT NOT NULL,
  start INTEGER NOT NULL,
  stop INTEGER NOT NULL,
  line INTEGER NOT NULL,
  line_end INTEGER NOT NULL,
  page INTEGER,
  vector_hash BLOB NOT NULL
);
CREATE INDEX chunks_by_file ON chunks (file_id, ordinal);
CREATE INDEX chunks_by_vector ON chunks (vector_hash);

CREATE VIRTUAL TABLE chunks_fts USING fts5 (
  title, headings, body, tags,
  content = 'chunks', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
-- Not FTS5's own 'secure-delete': it makes every deletion 60 times slower. Words of deleted passages stand in the index
-- until its parts are merged; 'untidy' in meta says that there are some, and Database.tidy merges.
CREATE VIRTUAL TABLE chunks_vocabulary USING fts5vocab (chunks_fts, row);

CREATE TABLE facts (
  id INTEGER PRIMARY KEY,
  file_id INTEGER NOT NULL REFERENCES files(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  value TEXT NOT NULL,
  line INTEGER NOT NULL,
  due TEXT
);
CREATE INDEX facts_by_file ON facts (file_id);
CREATE INDEX facts_by_value ON facts (kind, value);

CREATE TABLE embeddings (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  model TEXT NOT NULL,
  vector BLOB NOT NULL,
  UNIQUE (hash, model)
);

-- ordinal and mtime_ns are copied here so that the next work, breadth first and newest first, is one index look-up.
CREATE TABLE vector_outbox (
  chunk_id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('upsert', 'delete')),
  ordinal INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL
);
CREATE INDEX vector_outbox_order ON vector_outbox (kind, ordinal, mtime_ns DESC);
"""

_TRIGGERS = """
CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
  INSERT INTO chunks_fts (rowid, title, headings, body, tags)
    VALUES (new.id, new.title, new.headings, new.body, new.tags);
  INSERT INTO vector_outbox (chunk_id, kind, ordinal, mtime_ns)
    SELECT new.id, 'upsert', new.ordinal, mtime_ns FROM files WHERE id = new.file_id;
END;

CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
  INSERT INTO chunks_fts (chunks_fts, rowid, title, headings, body, tags)
    VALUES ('delete', old.id, old.title, old.headings, old.body, old.tags);
  INSERT INTO vector_outbox (chunk_id, kind, ordinal, mtime_ns) VALUES (old.id, 'delete', 0, 0)
    ON CONFLICT (chunk_id) DO UPDATE SET kind = 'delete', ordinal = 0, mtime_ns = 0;
  DELETE FROM embeddings WHERE hash = old.vector_hash
    AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector_hash = old.vector_hash);
  INSERT INTO meta (name, value) VALUES ('untidy', '') ON CONFLICT (name) DO NOTHING;
END;

CREATE TRIGGER chunks_renamed AFTER UPDATE OF title, tags ON chunks
WHEN old.title IS NOT new.title OR old.tags IS NOT new.tags BEGIN
  INSERT INTO chunks_fts (chunks_fts, rowid, title, headings, body, tags)
    VALUES ('delete', old.id, old.title, old.headings, old.body, old.tags);
  INSERT INTO chunks_fts (rowid, title, headings, body, tags)
    VALUES (new.id, new.title, new.headings, new.body, new.tags);
END;

-- headings and body make the vector and the quote: another text is another passage.
CREATE TRIGGER chunks_are_final BEFORE UPDATE OF headings, body, vector_hash ON chunks BEGIN
  SELECT raise(ABORT, 'the text of a passage never changes');
END;
"""


def _first(connection: apsw.Connection) -> None:
    connection.execute(_TABLES + _TRIGGERS)


_SECOND = """
-- links: links that lead out of the folder are followed.  rule: what may become of its text ('cloud', 'ask', 'local').
ALTER TABLE folders ADD COLUMN links INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folders ADD COLUMN rule TEXT NOT NULL DEFAULT 'ask' CHECK (rule IN ('cloud', 'ask', 'local'));

-- ctime_ns: an edit that keeps size and mtime still changes it.  done_at: when the present state was reached.
-- retry_at: when a failed file is read again by itself, NULL for never. Both in seconds since 1970.
ALTER TABLE files ADD COLUMN ctime_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN done_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN retry_at INTEGER;
CREATE INDEX files_to_retry ON files (retry_at) WHERE state = 'failed' AND retry_at IS NOT NULL;

-- A vector that no passage uses is kept for a while: a folder that is put back, a cut that is pasted elsewhere and an
-- edit that is undone embed nothing again. Removing a folder drops all of them at once (outbox.drop_unused).
ALTER TABLE embeddings ADD COLUMN unused_since INTEGER;
CREATE INDEX embeddings_unused ON embeddings (unused_since) WHERE unused_since IS NOT NULL;

DROP TRIGGER chunks_added;
CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
  INSERT INTO chunks_fts (rowid, title, headings, body, tags)
    VALUES (new.id, new.title, new.headings, new.body, new.tags);
  INSERT INTO vector_outbox (chunk_id, kind, ordinal, mtime_ns)
    SELECT new.id, 'upsert', new.ordinal, mtime_ns FROM files WHERE id = new.file_id;
  UPDATE embeddings SET unused_since = NULL WHERE hash = new.vector_hash AND unused_since IS NOT NULL;
END;

DROP TRIGGER chunks_removed;
CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
  INSERT INTO chunks_fts (chunks_fts, rowid, title, headings, body, tags)
    VALUES ('delete', old.id, old.title, old.headings, old.body, old.tags);
  INSERT INTO vector_outbox (chunk_id, kind, ordinal, mtime_ns) VALUES (old.id, 'delete', 0, 0)
    ON CONFLICT (chunk_id) DO UPDATE SET kind = 'delete', ordinal = 0, mtime_ns = 0;
  UPDATE embeddings SET unused_since = unixepoch() WHERE hash = old.vector_hash
    AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector_hash = old.vector_hash);
  INSERT INTO meta (name, value) VALUES ('untidy', '') ON CONFLICT (name) DO NOTHING;
END;
"""


def _second(connection: apsw.Connection) -> None:
    connection.execute(_SECOND)


_THIRD = """
-- How many files of each folder are in each state. Counting 100,000 rows for each look at the state took 0.1 s.
CREATE TABLE tallies (
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  state TEXT NOT NULL,
  files INTEGER NOT NULL,
  PRIMARY KEY (folder_id, state)
) WITHOUT ROWID;
INSERT INTO tallies (folder_id, state, files) SELECT folder_id, state, count(*) FROM files GROUP BY folder_id, state;

CREATE TRIGGER files_added AFTER INSERT ON files BEGIN
  INSERT INTO tallies (folder_id, state, files) VALUES (new.folder_id, new.state, 1)
    ON CONFLICT (folder_id, state) DO UPDATE SET files = files + 1;
END;

CREATE TRIGGER files_removed AFTER DELETE ON files BEGIN
  UPDATE tallies SET files = files - 1 WHERE folder_id = old.folder_id AND state = old.state;
END;

CREATE TRIGGER files_changed AFTER UPDATE OF folder_id, state ON files
WHEN old.folder_id IS NOT new.folder_id OR old.state IS NOT new.state BEGIN
  UPDATE tallies SET files = files - 1 WHERE folder_id = old.folder_id AND state = old.state;
  INSERT INTO tallies (folder_id, state, files) VALUES (new.folder_id, new.state, 1)
    ON CONFLICT (folder_id, state) DO UPDATE SET files = files + 1;
END;

-- A search between two days looks at the files of these days only.
CREATE INDEX files_by_time ON files (mtime_ns);

-- A single letter finds the newest files whose title begins with it: with the time in the index it needs no row.
DROP INDEX files_by_title;
CREATE INDEX files_by_title ON files (title COLLATE NOCASE, mtime_ns);
"""


def _third(connection: apsw.Connection) -> None:
    connection.execute(_THIRD)


_FOURTH = """
-- Without the index of prefixes: it made the word index two and a half times as large and as slow to write
-- (docs/decisions/0009-no-index-of-prefixes.md).
DROP TABLE chunks_vocabulary;
DROP TABLE chunks_fts;
CREATE VIRTUAL TABLE chunks_fts USING fts5 (
  title, headings, body, tags,
  content = 'chunks', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE chunks_vocabulary USING fts5vocab (chunks_fts, row);
INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild');

-- Every answer says how new the newest file in the index is.
CREATE INDEX files_by_done ON files (done_at) WHERE state = 'indexed';
"""


def _fourth(connection: apsw.Connection) -> None:
    connection.execute(_FOURTH)


_FIFTH = """
-- A scan waits for its recognition, with that as its reason, beside the files that wait to be read; it used to count as
-- failed.
UPDATE files SET state = 'waiting' WHERE state = 'failed' AND reason = 'This PDF is a scan without a text layer: its '
  || 'pages are pictures. They are recognised (OCR) when all else is read, while the setting ocr is on.';
CREATE INDEX files_aside ON files (reason, mtime_ns DESC) WHERE state = 'waiting' AND reason != '';
"""


def _fifth(connection: apsw.Connection) -> None:
    connection.execute(_FIFTH)


_SIXTH = """
-- The word index is given the text as `words_apart` makes it (indexer/scripts.py), so that words of scripts without
-- spaces are found. What was indexed has to be told again when a passage goes: the function must not change without a
-- migration that makes the index anew. Plain ASCII is not even given to it.
DROP TRIGGER chunks_added;
DROP TRIGGER chunks_removed;
DROP TRIGGER chunks_renamed;
DROP TABLE chunks_vocabulary;
DROP TABLE chunks_fts;
CREATE VIEW chunks_apart AS SELECT id, @row@ FROM chunks;
CREATE VIRTUAL TABLE chunks_fts USING fts5 (
  title, headings, body, tags,
  content = 'chunks_apart', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE chunks_vocabulary USING fts5vocab (chunks_fts, row);
INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild');

CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
  INSERT INTO chunks_fts (rowid, title, headings, body, tags)
    VALUES (new.id, @new@);
  INSERT INTO vector_outbox (chunk_id, kind, ordinal, mtime_ns)
    SELECT new.id, 'upsert', new.ordinal, mtime_ns FROM files WHERE id = new.file_id;
  UPDATE embeddings SET unused_since = NULL WHERE hash = new.vector_hash AND unused_since IS NOT NULL;
END;

CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
  INSERT INTO chunks_fts (chunks_fts, rowid, title, headings, body, tags) VALUES ('delete', old.id,
    @old@);
  INSERT INTO vector_outbox (chunk_id, kind, ordinal, mtime_ns) VALUES (old.id, 'delete', 0, 0)
    ON CONFLICT (chunk_id) DO UPDATE SET kind = 'delete', ordinal = 0, mtime_ns = 0;
  UPDATE embeddings SET unused_since = unixepoch() WHERE hash = old.vector_hash
    AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector_hash = old.vector_hash);
  INSERT INTO meta (name, value) VALUES ('untidy', '') ON CONFLICT (name) DO NOTHING;
END;

CREATE TRIGGER chunks_renamed AFTER UPDATE OF title, tags ON chunks
WHEN old.title IS NOT new.title OR old.tags IS NOT new.tags BEGIN
  INSERT INTO chunks_fts (chunks_fts, rowid, title, headings, body, tags) VALUES ('delete', old.id,
    @old@);
  INSERT INTO chunks_fts (rowid, title, headings, body, tags)
    VALUES (new.id, @new@);
END;
"""


_INDEXED = ("title", "headings", "body", "tags")


def _sixth(connection: apsw.Connection) -> None:
    row = ", ".join(f"{_apart(name)} AS {name}" for name in _INDEXED)
    new, old = (", ".join(_apart(f"{which}.{name}") for name in _INDEXED) for which in ("new", "old"))
    connection.execute(_SIXTH.replace("@row@", row).replace("@new@", new).replace("@old@", old))


def _apart(column: str) -> str:
    """SQL for what the word index is given of a column: ASCII has as many characters as bytes."""
    return f"iif(length({column}) = octet_length({column}), {column}, words_apart({column}))"


def equip(connection: apsw.Connection) -> None:
    """Give a connection what the triggers call; one without it cannot add, rename or remove passages."""
    connection.create_scalar_function(
        "words_apart",
        apart,  # type: ignore[arg-type]  # it is given the text of columns alone
        1,
        deterministic=True,
        flags=apsw.SQLITE_INNOCUOUS,
    )


MIGRATIONS: tuple[Migration, ...] = (_first, _second, _third, _fourth, _fifth, _sixth)
"""Number n brings a catalog from version n - 1 to version n (`PRAGMA user_version`)."""
