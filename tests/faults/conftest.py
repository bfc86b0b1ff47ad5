"""One server that fails and one local model, for all cells of the matrix."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core import fault_server
from tests.core.conftest import cloud, embedder, language_child, starter_model  # noqa: F401  # fixtures
from tests.faults.matrix import Bench, Cell, table


@pytest.fixture(scope="session")
def bench(
    starter_model: Path,  # noqa: F811
    embedder: Any,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("faults")
    llm = language_child(starter_model, folder)
    with fault_server.running() as server:
        yield Bench(server, llm, embedder, folder)
    llm.stop()


@pytest.fixture(scope="session")
def cells() -> Iterator[list[Cell]]:
    """Collects the cells; the table is printed at the end (`pytest -s`)."""
    collected: list[Cell] = []
    yield collected
    print("\n" + table(collected))
