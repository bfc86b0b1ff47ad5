"""Catalogs of earlier versions, made from a present one."""

from pathlib import Path

import apsw

from indexer.store.database import Database
from indexer.store.schema import MIGRATIONS

_TABLES = ("meta", "folders", "files", "embeddings", "facts", "chunks")
_AUDIT = ("audit", "audited")  # of the kill tests


def downgrade(catalog: Path, version: int) -> None:
    """Replace a closed catalog by one of an earlier version with the same content, as far as that version had it."""
    old = catalog.with_name("downgraded.sqlite3")
    Database(old, MIGRATIONS[:version]).close()
    connection = apsw.Connection(str(old))
    connection.execute("ATTACH ? AS now", (str(catalog),))
    with connection:
        for table in _TABLES:
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
        connection.execute("DELETE FROM vector_outbox")  # filled by the triggers of `chunks`
        connection.execute("INSERT INTO main.vector_outbox SELECT * FROM now.vector_outbox")
        connection.execute("DELETE FROM main.sqlite_sequence")
        connection.execute("INSERT INTO main.sqlite_sequence SELECT * FROM now.sqlite_sequence")
        for name in _AUDIT:
            for (sql,) in connection.execute("SELECT sql FROM now.sqlite_schema WHERE name = ?", (name,)).fetchall():
                connection.execute(sql)
        if connection.execute("SELECT 1 FROM main.sqlite_schema WHERE name = 'audit'").fetchall():
            connection.execute("INSERT INTO main.audit SELECT * FROM now.audit")
    connection.execute("DETACH now")
    connection.close()
    for name in (catalog.name, f"{catalog.name}-wal", f"{catalog.name}-shm"):
        catalog.with_name(name).unlink(missing_ok=True)
    old.rename(catalog)
