"""The memory of processes and of those below them."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from indexer import memory

FAMILY = """
import subprocess, sys
below = subprocess.Popen([sys.executable, "-c", "block = bytes(range(256)) * 400_000; print(1, flush=True); input()"])
input()
below.kill()
below.wait()
"""


@pytest.fixture
def families() -> Iterator[list[int]]:
    """Two processes that each have one of 100 MB below them."""
    made = [
        subprocess.Popen([sys.executable, "-c", FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in made:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
    yield [process.pid for process in made]
    for process in made:
        process.communicate(b"\n")


def test_each_is_counted_with_what_is_below_it(families: list[int]) -> None:
    found = memory.resident([*families, None])
    assert set(found) == set(families)
    assert all(100_000_000 < size < 400_000_000 for size in found.values())


def test_one_look_at_the_system_serves_all(families: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    listed = psutil.Process.children

    def counted(process: psutil.Process, recursive: bool = False) -> list[psutil.Process]:
        looks.append(process.pid)
        return listed(process, recursive=recursive)

    monkeypatch.setattr(psutil.Process, "children", counted)
    memory.resident(families)
    memory.resident([None, None])
    assert len(looks) == 1
