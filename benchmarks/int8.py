"""What eight-bit weights would give: passages a second and recall@20 against the model as its publisher made it.

    python benchmarks/int8.py FOLDER

FOLDER holds `vault-wiki/` (notes, of which 2,000 passages are taken) and `qa-en/` (notes and questions). Dynamic
quantisation by onnxruntime of the very graph that Offhand uses. Decision 0006 rests on this.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.bare import embedder as publishers  # noqa: E402  # the project is not installed in a plain checkout
from benchmarks.bare import model_folder, passages  # noqa: E402
from benchmarks.report import Row, table  # noqa: E402
from indexer.embed import Embedder  # noqa: E402

PASSAGES = 2_000
TOP = 20
BLOCK = 64  # passages between two turns

Vectors = NDArray[np.float32]


def quantised(threads: int, *, reduce_range: bool) -> Embedder:
    """The model with the weights of its matrix products in eight bits (signed; activations unsigned, at run time)."""
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    place = Path(tempfile.mkdtemp(prefix="offhand-benchmark-"))
    embedder = Embedder(model_folder(), place, threads)
    graph = next(path for path in (model_folder() / "model.onnx", place / "model.onnx") if path.exists())
    quantize_dynamic(
        graph,
        place / "int8.onnx",
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=reduce_range,
        weight_type=QuantType.QInt8,
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    embedder._session = onnxruntime.InferenceSession(
        str(place / "int8.onnx"), options, providers=["CPUExecutionProvider"]
    )
    return embedder


def nearest(queries: Vectors, vectors: Vectors) -> list[set[int]]:
    """The TOP closest rows for each query."""
    return [set(np.argpartition(-row, TOP)[:TOP].tolist()) for row in queries @ vectors.T]


def rows(data: Path, threads: int, most: int = PASSAGES) -> Iterator[Row]:
    """Rates and recall of each way. The ways take turns at the same passages, so that all are disturbed alike."""
    questions = [json.loads(line)["question"] for line in (data / "qa-en" / "questions.jsonl").read_text().splitlines()]
    texts = passages(data / "vault-wiki", most) + passages(data / "qa-en" / "notes", most)
    random.Random(5).shuffle(texts)
    kinds = {
        "fp32": publishers(threads),
        "int8 per channel": quantised(threads, reduce_range=False),
        "int8 per channel, weights of 7 bits": quantised(threads, reduce_range=True),
    }
    made: dict[str, list[Vectors]] = {name: [] for name in kinds}
    wall, busy = dict.fromkeys(kinds, 0.0), dict.fromkeys(kinds, 0.0)
    for first in range(0, len(texts), BLOCK):
        for name, model in kinds.items():
            start, start_busy = time.perf_counter(), time.process_time()
            made[name].append(model.embed(texts[first : first + BLOCK]))
            wall[name] += time.perf_counter() - start
            busy[name] += time.process_time() - start_busy
    exact = np.concatenate(made["fp32"])
    expected = nearest(kinds["fp32"].embed(questions), exact)
    yield "passages, questions", f"{len(texts)}, {len(questions)}"
    for name, model in kinds.items():
        vectors = np.concatenate(made[name])
        found = nearest(model.embed(questions), vectors)
        recall = statistics.mean(len(a & b) / TOP for a, b in zip(found, expected, strict=True))
        cosine = float(np.mean(np.sum(vectors * exact, axis=1)))
        speed = f"{wall['fp32'] / wall[name]:.2f} ({busy['fp32'] / busy[name]:.2f} by processor time)"
        yield f"{name}: rate, of fp32's", f"{len(texts) / wall[name]:.1f} passages/s, {speed}"
        yield f"{name}: recall@{TOP} against fp32, mean cosine with it", f"{recall:.3f}, {cosine:.4f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    print(table(list(rows(options.data, os.cpu_count() or 1)), "python benchmarks/int8.py FOLDER"))


if __name__ == "__main__":
    main()
