"""A profile of every earlier version opens, keeps what it had, and has its copy; a later one is refused."""

import subprocess

import apsw
import pytest

from core.client import Engine
from core.paths import command
from core.protocol import Search
from indexer.records import Problem
from indexer.store.schema import MIGRATIONS
from tests.processes.catalogs import downgrade
from tests.processes.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def copies(scene: Scene) -> list[str]:
    return [path.name for path in scene.profile.data.glob("catalog.sqlite3.version-*")]


def test_a_profile_of_each_earlier_version_opens_and_embeds_nothing(scene: Scene) -> None:
    scene.begin(shelf=False)
    for version in range(1, len(MIGRATIONS)):
        scene.lives.stop()
        downgrade(scene.profile.catalog, version)
        scene.rest()
        assert copies(scene) == [f"catalog.sqlite3.version-{version}"], "the copy of the version before, and no other"
        copy = apsw.Connection(str(scene.profile.data / copies(scene)[0]), flags=apsw.SQLITE_OPEN_READONLY)
        assert copy.execute("PRAGMA user_version").fetchall() == [(version,)]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("SELECT count(*) FROM files").fetchall() == [(len(scene.changes.truth),)]
        copy.close()


def test_a_profile_of_a_later_version_is_refused_in_one_sentence(scene: Scene) -> None:
    scene.begin(shelf=False)
    scene.lives.stop()
    connection = apsw.Connection(str(scene.profile.catalog))
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = scene.profile.catalog.read_bytes()
    with pytest.raises(Problem, match="newer Offhand") as refused:
        list(Engine(scene.profile).call(Search("boiler")))
    assert "Update this Offhand" in str(refused.value)
    done = subprocess.run(command("--process", "engine"), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith("offhand: Your profile was last used by a newer Offhand")
    assert scene.profile.catalog.read_bytes() == before
