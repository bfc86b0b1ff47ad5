"""The tallies of the files, which the catalog keeps by itself, are what counting would give, whatever happened."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.store import files, folders
from indexer.store.database import Database
from indexer.store.files import Seen
from indexer.store.schema import MIGRATIONS

COUNTED = "SELECT folder_id, state, count(*) FROM files GROUP BY folder_id, state ORDER BY 1, 2"
KEPT = "SELECT folder_id, state, files FROM tallies WHERE files ORDER BY 1, 2"

steps = st.lists(
    st.tuples(st.sampled_from(["add", "finish", "fail", "change", "move", "forget", "remove"]), st.integers(0, 5)),
    max_size=40,
)


@given(steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_they_agree_with_the_files_after_any_changes(database: Database, taken: list[tuple[str, int]]) -> None:
    with database.write() as connection:
        for folder in folders.watched(connection):
            folders.mark_removed(connection, folder.id)
        while folders.remove_some(connection, 100):
            pass
        one, two = (folders.add(connection, path) for path in ("/one", "/two"))
        for what, number in taken:
            path = f"/one/{number}.md"
            known = files.at(connection, path)
            if what == "add":
                files.add(connection, one.id, Seen(path, 1, 1, 1, "too large" if number == 5 else ""))
            elif what == "remove" and number == 0:
                folders.mark_removed(connection, two.id)
                folders.remove_some(connection, 2)
            elif known is None:
                continue
            elif what == "finish":
                files.finish(connection, known, "indexed")
            elif what == "fail":
                files.finish(connection, known, "failed", "broken")
            elif what == "change":
                files.change(connection, known.id, Seen(path, 2, 2, 2))
            elif what == "move":
                files.move(connection, known, two.id, Seen(f"/two/{number}.md", 1, 1, 1))
            elif what == "forget":
                files.forget(connection, [known.id])
        assert connection.execute(KEPT).fetchall() == connection.execute(COUNTED).fetchall()
        assert folders.counts(connection).files == sum(tally["files"] for tally in folders.tallies(connection))


def test_files_of_an_earlier_version_are_counted_by_the_migration(tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("old") / "c.sqlite3"
    old = Database(path, MIGRATIONS[:2])
    with old.write() as connection:
        folder = folders.add(connection, "/notes")
        for number in range(3):
            files.add(
                connection, folder.id, Seen(f"/notes/{number}.md", 1, 1, 1, refused="too large" if number else "")
            )
    old.close()
    database = Database(path)
    with database.read() as connection:
        assert connection.execute(KEPT).fetchall() == [(folder.id, "skipped", 2), (folder.id, "waiting", 1)]
    database.close()
