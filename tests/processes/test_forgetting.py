"""A folder that is removed leaves nothing: no word and no vector in any file of the profile, and its space back."""

import random
from pathlib import Path

import apsw
import pytest

from core.client import Engine
from core.paths import Profile
from core.protocol import Ask, Index, RemoveFolder
from tests.processes.conftest import eventually, indexed, status

MARKER = "Zwetschgenknoedelkanzlei"


def files_with(profile: Profile, needle: bytes) -> list[str]:
    """The files of the profile that hold these bytes anywhere."""
    return [
        path.relative_to(profile.data.parent).as_posix()
        for path in sorted(profile.data.parent.rglob("*"))
        if path.is_file() and needle.lower() in path.read_bytes().lower()
    ]


def size(profile: Profile) -> int:
    """Bytes of all files with data."""
    return sum(path.stat().st_size for path in profile.data.rglob("*") if path.is_file() and "logs" not in path.parts)


def notes(folder: Path, count: int, word: str, seed: int) -> Path:
    chance = random.Random(seed)
    words = "gutter slate boiler invoice river train apple shed storm coffee paint ladder window garden letter".split()
    folder.mkdir()
    for number in range(count):
        text = " ".join(chance.choice(words) for _ in range(60))
        (folder / f"{word}-{number}.md").write_text(f"# {word} {number}\n\n{word} {number}: {text}\n")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_removed_folder_leaves_no_trace_and_gives_its_space_back(
    engine: Engine, profile: Profile, tmp_path: Path
) -> None:
    kept, removed = notes(tmp_path / "kept", 8, "Birnbaumregister", 1), notes(tmp_path / "gone", 120, MARKER, 2)
    indexed(engine, kept)
    before = size(profile)
    indexed(engine, removed)
    list(engine.call(Ask(f"Where does the {MARKER} stand?", model=False)))
    list(engine.call(Ask("Where does the Birnbaumregister stand?", model=False)))
    with apsw.Connection(str(profile.catalog), flags=apsw.SQLITE_OPEN_READONLY) as connection:
        query = (
            "SELECT e.vector FROM chunks c JOIN files f ON f.id = c.file_id JOIN embeddings e ON e.hash = c.vector_hash"
        )
        [vector] = next(iter(connection.execute(f"{query} WHERE f.path LIKE '%{MARKER}%'")))
    assert isinstance(vector, bytes)
    assert files_with(profile, MARKER.encode()), "the test would see the word if it were there"
    assert files_with(profile, vector[:64])
    full = size(profile)

    list(engine.call(RemoveFolder(str(removed))))
    list(engine.call(Index(wait=True)))
    everywhere = f"{tmp_path / 'gone'}".encode()
    traces = (MARKER.encode(), vector[:64], everywhere)
    assert eventually(lambda: not any(files_with(profile, trace) for trace in traces), 60), [
        files_with(profile, trace) for trace in traces
    ]
    assert eventually(lambda: size(profile) < before + (full - before) / 4, 60), (before, full, size(profile))
    assert status(engine).counts.indexed == 8
    found = list(engine.call(Ask("Where does the Birnbaumregister stand?", model=False)))[-1]
    assert found.sources  # type: ignore[union-attr]
