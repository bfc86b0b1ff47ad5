"""Texts into unit vectors: all-MiniLM-L6-v2 in onnxruntime, in batches of about equal length."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer import onnx_graph
from indexer.records import ModelUnusable

# From 1.29 on onnxruntime reports models and runs to its maker, unless this is set before it is imported: it is read
# once, when the library is loaded, and whoever uses this room stays silent.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

LONGEST = 256  # tokens, the model's training length; what comes after is not seen
LONGEST_TEXT = 16_384  # characters that are tokenized at all: far more than LONGEST tokens, even of a pasted book
BATCH_TOKENS = 1024  # padded tokens of one run: 512 to 1536 are alike, 2048 is 3-12% slower, 8192 a quarter
GRAPH = "model.onnx"


class Embedder:
    """The loaded model. Several threads may use it at once.

    Args:
        model_dir: the folder with `model.safetensors`, `config.json` and `tokenizer.json`, perhaps the graph already.
        cache_dir: where the graph is kept when `model_dir` has none.
        threads: processor threads of one run.

    Raises:
        ModelUnusable: a file is missing, truncated or another model's.
    """

    dimensions = 384

    def __init__(self, model_dir: Path, cache_dir: Path, threads: int) -> None:
        import onnxruntime
        import tokenizers

        onnxruntime.disable_telemetry_events()  # on Windows the variable is not heeded

        self.model_id = model_dir.name
        graph = _graph(model_dir, cache_dir)
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        except Exception as error:  # the library raises nothing narrower
            raise ModelUnusable(f"The tokenizer in {model_dir} cannot be read: {error}.", onnx_graph.AGAIN) from error
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not burn a core
        # The higher levels' fused operators (skip-layer-norm, bias-GELU) measure 2-3% slower than the plain ones.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # likewise
            _discard(graph)
            raise ModelUnusable(f"The embedding model could not be loaded: {error}.", "Try again.") from error

    def embed(self, texts: Sequence[str], between: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
        """Unit vectors of the texts, float32 [len(texts), 384], in their order.

        `between` is called before each run of the model, of about a tenth of a second, and may let others go first.
        """
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast([_readable(text) for text in texts])]
        for batch in _batches([len(tokens) for tokens in ids]):
            between()
            longest = max(len(ids[number]) for number in batch)
            tokens = np.zeros((len(batch), longest), np.int64)
            mask = np.zeros_like(tokens)
            for row, number in enumerate(batch):
                tokens[row, : len(ids[number])] = ids[number]
                mask[row, : len(ids[number])] = 1
            vectors[batch] = self._session.run(["embedding"], {"input_ids": tokens, "attention_mask": mask})[0]
        return vectors


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions of texts of about the same length, so many at once that padding included they fit BATCH_TOKENS."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _readable(text: str) -> str:
    """The beginning of the text; what is no character (half of a surrogate pair, from a file's name) becomes "?"."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")


def _discard(graph: Path) -> None:
    """Remove a graph that does not load, so that the next attempt makes it anew."""
    try:
        graph.unlink(missing_ok=True)
    except OSError:
        pass  # it came with a read-only installation; the sentence to the person is the same


def _graph(model_dir: Path, cache_dir: Path) -> Path:
    """The ONNX file, made when neither folder has it."""
    for folder in (model_dir, cache_dir):
        if (folder / GRAPH).is_file():
            return folder / GRAPH
    weights = model_dir / "model.safetensors"
    if not weights.is_file():
        raise ModelUnusable(f"The embedding model is not in {model_dir}.", onnx_graph.AGAIN)
    onnx_graph.build(weights, cache_dir / GRAPH)
    return cache_dir / GRAPH
