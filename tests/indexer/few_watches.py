"""Run by test_scanner.py in a user namespace of its own: the limit is reached, told, scanned around, and raised."""

import sys
from pathlib import Path

from indexer import scanner, watch
from indexer.store import folders
from indexer.store.database import Database
from tests.indexer.conftest import eventually
from tests.indexer.test_scanner import Mirror

LIMIT = Path("/proc/sys/user/max_inotify_watches")


def main(place: Path) -> None:
    watch.SUPERVISE, watch.DEAF_SECONDS, scanner.RESCAN_DEAF_SECONDS = 0.2, 0.5, 1.0
    LIMIT.write_text("30")
    root = place / "notes"
    for number in range(20):
        (root / str(number)).mkdir(parents=True)
    database = Database(place / "catalog.sqlite3")
    with database.write() as connection:
        folder = folders.add(connection, str(root))
    mirror = Mirror(database, folder)
    mirror.start()
    assert mirror.agrees()

    def hears(name: str) -> bool:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x")
        return eventually(lambda: str(root / name) in mirror.catalog(), 20.0)

    assert hears("19/a.md")
    assert not mirror.watcher.deaf
    print("heard")
    for number in range(20, 60):  # more than the system watches, while it runs
        (root / str(number)).mkdir()
    assert eventually(lambda: mirror.watcher.deaf)
    (notice,) = mirror.notices.all()
    assert "sudo sysctl fs.inotify.max_user_watches=524288" in notice, notice
    assert "/etc/sysctl.d/" in notice, notice
    print("deaf")
    assert mirror.agrees()
    assert hears("59/b.md")
    print("scanned")
    LIMIT.write_text("1000")
    assert eventually(lambda: not mirror.watcher.deaf)
    assert mirror.agrees()
    assert mirror.notices.all() == []
    print("well")
    scanner.RESCAN_DEAF_SECONDS = 600.0
    assert hears("59/c.md")
    print("heard")
    mirror.stop()
    database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
