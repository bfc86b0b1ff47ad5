"""all-MiniLM-L6-v2 as an ONNX graph, made once from its publisher's weights, without a training framework.

The graph takes token ids and gives unit vectors: BERT, mean pooling over the mask and normalisation are all inside it.
Only standard operators are used (opset 23 has BERT's attention as one); onnxruntime fuses them by itself.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.records import ModelUnusable

OPSET = 23  # the first with Attention
IR = 10  # the file format that goes with it; newer ones are refused by older runtimes
AGAIN = "Run the set-up again; word search goes on without it."

Array = NDArray[Any]


def build(safetensors_path: Path, out_path: Path) -> None:
    """Write the graph of the model beside `safetensors_path` (its `config.json` gives the sizes) to `out_path`.

    The file appears whole or not at all.

    Raises:
        ModelUnusable: the weights are missing, damaged, or those of another kind of model, or `out_path` cannot be
            written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        config = json.loads((safetensors_path.parent / "config.json").read_text("utf-8"))
        weights = load_file(safetensors_path)
        model = _Graph(weights, int(config["num_attention_heads"]), float(config["layer_norm_eps"])).model(
            int(config["num_hidden_layers"]), int(config["hidden_size"])
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelUnusable(f"The embedding model {safetensors_path} cannot be used: {error}.", AGAIN) from error
    try:
        _write(model, out_path)
    except OSError as error:
        what = f"The embedding model cannot be prepared in {out_path.parent}: {error.strerror or error}."
        raise ModelUnusable(what, "Make room there, or make it writable; word search goes on without it.") from error


def _write(model: Any, out_path: Path) -> None:
    import onnx

    out_path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=out_path.parent, prefix=".onnx-")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(model.SerializeToString())
            file.flush()
            os.fsync(file.fileno())
        onnx.checker.check_model(name)
        partial.chmod(0o644)  # mkstemp makes it private; the set-up may have run as another user
        partial.replace(out_path)
    finally:
        partial.unlink(missing_ok=True)


class _Graph:
    """Nodes and constants under construction; each method adds some and returns the name of their result.

    The layers follow BERT (Devlin et al. 2019) as the publisher's `config.json` describes it: post-norm, exact GELU.
    """

    def __init__(self, weights: dict[str, Array], heads: int, epsilon: float) -> None:
        self._weights = weights
        self._heads = heads
        self._epsilon = epsilon
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def model(self, layers: int, width: int) -> Any:
        """The whole model: input_ids and attention_mask, int64 [batch, seq], to embedding, float32 [batch, width]."""
        from onnx import TensorProto, helper

        x, keep = self._embeddings()
        for number in range(layers):
            x = self._layer(f"encoder.layer.{number}.", x, keep)
        self._pool(x)
        ids = [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "seq"]) for n in _INPUTS]
        vector = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
        graph = helper.make_graph(self._nodes, "sentence-embedding", ids, [vector], self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)

    def _embeddings(self) -> tuple[str, str]:
        """The normed sum of word and position rows, the one token type folded in; and which keys may be looked at."""
        from onnx import TensorProto

        place = self._weight("embeddings.position_embeddings.weight")
        place = place + self._weight("embeddings.token_type_embeddings.weight")[0]
        words = self._op("Gather", self._constant(self._weight("embeddings.word_embeddings.weight")), "input_ids")
        length = self._op("Shape", "input_ids", start=1, end=2)
        places = self._op("Slice", self._constant(place), self._ints(0), length, self._ints(0))
        x = self._norm(self._op("Add", words, places), "embeddings.LayerNorm")
        real = self._op("Cast", "attention_mask", to=TensorProto.BOOL)
        shape = self._op("Concat", self._ints(1, 1), length, self._ints(1), axis=0)
        return x, self._op("Expand", self._op("Unsqueeze", real, self._ints(1, 2)), shape)

    def _layer(self, prefix: str, x: str, keep: str) -> str:
        parts = [self._linear(x, f"{prefix}attention.self.{name}") for name in ("query", "key", "value")]
        seen = self._op("Attention", *parts, keep, q_num_heads=self._heads, kv_num_heads=self._heads)
        out = self._linear(seen, f"{prefix}attention.output.dense")
        x = self._norm(self._op("Add", out, x), f"{prefix}attention.output.LayerNorm")
        wide = self._op("Gelu", self._linear(x, f"{prefix}intermediate.dense"))
        return self._norm(self._op("Add", self._linear(wide, f"{prefix}output.dense"), x), f"{prefix}output.LayerNorm")

    def _pool(self, x: str) -> None:
        """Mean over the real tokens, then length one: the division by their number cancels in the second step."""
        from onnx import TensorProto

        real = self._op("Unsqueeze", self._op("Cast", "attention_mask", to=TensorProto.FLOAT), self._ints(1))
        total = self._op("Squeeze", self._op("MatMul", real, x), self._ints(1))
        length = self._op("ReduceL2", total, self._ints(1), keepdims=1)
        least = self._constant(np.array(1e-12, np.float32))
        self._op("Div", total, self._op("Max", length, least), result="embedding")

    def _linear(self, x: str, name: str) -> str:
        product = self._op("MatMul", x, self._constant(self._weight(f"{name}.weight").T))
        return self._op("Add", product, self._constant(self._weight(f"{name}.bias")))

    def _norm(self, x: str, name: str) -> str:
        scale, shift = (self._constant(self._weight(f"{name}.{part}")) for part in ("weight", "bias"))
        return self._op("LayerNormalization", x, scale, shift, epsilon=self._epsilon, axis=-1)

    def _weight(self, name: str) -> Array:
        return self._weights[name].astype(np.float32, copy=False)

    def _constant(self, value: Array) -> str:
        from onnx import numpy_helper

        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _ints(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def _op(self, kind: str, *inputs: str, result: str = "", **attributes: Any) -> str:
        from onnx import helper

        result = result or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [result], **attributes))
        return result


_INPUTS: Sequence[str] = ("input_ids", "attention_mask")
