"""The runtime of the embedding model keeps to itself: it reports to nobody and leaves no number behind."""

import os
import subprocess
import sys
from pathlib import Path

from core.paths import ROOT

EMBED = """
import sys
from pathlib import Path
from indexer.embed import Embedder
embedder = Embedder(Path(sys.argv[1]), Path(sys.argv[2]), 1)
assert embedder.embed(["some words"]).shape == (1, 384)
"""


def test_no_report_and_no_identifier(models: Path, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    for place in places.values():
        place.mkdir()
    # Nothing else of the environment: inside a CI the runtime reports nothing anyway.
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **{name: str(path) for name, path in places.items()}}
    graph = tmp_path / "graph"
    command = [sys.executable, "-c", EMBED, str(models / "all-MiniLM-L6-v2"), str(graph)]
    subprocess.run(command, env=env, cwd=tmp_path, check=True, timeout=120)
    left = [path.name for place in places.values() for path in place.rglob("*") if path.is_file()]
    assert left == []
