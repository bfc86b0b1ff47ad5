"""How many threads a comparison of vectors starts: none, for they would burn a core for a while after each."""

import subprocess
import sys

COMPARING = """
import indexer
import numpy, psutil
before = psutil.Process().num_threads()
vectors = numpy.ones((50_000, 384), numpy.float32)
assert (vectors @ vectors[0]).sum() == 50_000 * 384
print(before, psutil.Process().num_threads())
"""


def test_comparing_many_vectors_starts_no_thread() -> None:
    said = subprocess.run([sys.executable, "-c", COMPARING], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split() == ["1", "1"]
