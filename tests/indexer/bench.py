"""A pipeline over one folder, with scripted readers."""

from pathlib import Path
from typing import Any

from indexer import scan
from indexer.child import Child
from indexer.extract import extractor
from indexer.ignore import IgnoreRules
from indexer.loop import Notices
from indexer.pipeline import Pipeline
from indexer.records import Folder
from indexer.store.database import Database
from tests.indexer.conftest import eventually, files_of, hosted


class Bench:
    """A pipeline over one folder, with scripted readers."""

    def __init__(self, database: Database, folder: Folder, runtime: Path, readers: int = 1) -> None:
        self.database = database
        self.folder = folder
        self.runtime = runtime
        self.notices = Notices(lambda: None)
        self.looked_at: list[str] = []
        self.readers = [self._reader(number) for number in range(readers)]
        self.pipeline = self._pipeline()

    def _reader(self, number: int) -> Child[Any, Any]:
        command = hosted("tests.indexer.scripted_extractor", serial=True)
        return Child(f"reader-{number}", command, self.runtime, extractor.Event, {})

    def _pipeline(self) -> Pipeline:
        return Pipeline(
            self.database,
            self.readers,
            largest=lambda: 10_000,
            look=self.looked_at.extend,
            on_stored=lambda: None,
            notices=self.notices,
        )

    def scan(self) -> None:
        scan.apply(self.database, [scan.compare(self.database, self.folder, IgnoreRules())])
        self.pipeline.wake()

    def states(self) -> dict[str, tuple[str, str, int]]:
        with self.database.read() as connection:
            rows = files_of(connection, self.folder.id)
        return {Path(row.path).name: (row.state, row.reason, row.attempts) for row in rows}

    def rests(self) -> bool:
        return eventually(lambda: all(state != "waiting" for state, _, _ in self.states().values()))

    def readings(self) -> list[str]:
        return (self.runtime / "read.log").read_text().split()

    def stop(self) -> None:
        self.pipeline.stop(5.0)
        for reader in self.readers:
            reader.stop()


def words(database: Database, expression: str) -> int:
    with database.read() as connection:
        row = connection.execute("SELECT count(*) FROM chunks_fts WHERE chunks_fts MATCH ?", (expression,)).fetchone()
    assert row is not None
    return int(row[0])
