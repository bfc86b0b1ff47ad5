"""The graph against an independent MiniLM in plain numpy, on the publisher's weights."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from indexer.embed import Embedder
from indexer.onnx_graph import build
from indexer.records import ModelUnusable

TEXTS = [
    "Boiler",
    "The boiler is serviced every October.",
    "Ein Satz auf Deutsch, mit Umlauten: größer, schöner, früher.",
    "河流水位每小时记录一次。",
    "pressure valve " * 90,
    "",
]


@pytest.fixture(scope="module")
def embedder(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    folder = models / "all-MiniLM-L6-v2"
    cache = tmp_path_factory.mktemp("graph")
    build(folder / "model.safetensors", cache / "model.onnx")
    return Embedder(folder, cache, threads=2)


def reference(folder: Path) -> Callable[[str], NDArray[np.float64]]:
    """BERT in float64, one text at a time, written from the paper and not from the graph."""
    weights = {name: value.astype(np.float64) for name, value in load_file(folder / "model.safetensors").items()}
    config = json.loads((folder / "config.json").read_text())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    heads = config["num_attention_heads"]
    erf = np.vectorize(__import__("math").erf)

    def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def linear(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def embed(text: str) -> NDArray[np.float64]:
        ids = tokenizer.encode(text).ids
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
        x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for number in range(config["num_hidden_layers"]):
            at = f"encoder.layer.{number}"
            q, k, v = (
                linear(x, f"{at}.attention.self.{n}").reshape(len(ids), heads, -1).swapaxes(0, 1)
                for n in ("query", "key", "value")
            )
            scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
            share = np.exp(scores - scores.max(-1, keepdims=True))
            seen = (share / share.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(len(ids), -1)
            x = norm(linear(seen, f"{at}.attention.output.dense") + x, f"{at}.attention.output.LayerNorm")
            wide = linear(x, f"{at}.intermediate.dense")
            wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
            x = norm(linear(wide, f"{at}.output.dense") + x, f"{at}.output.LayerNorm")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)

    return embed


def test_it_is_the_model_it_says(embedder: Embedder, models: Path) -> None:
    expected = reference(models / "all-MiniLM-L6-v2")
    for text, vector in zip(TEXTS, embedder.embed(TEXTS), strict=True):
        assert float(vector @ expected(text)) > 0.99999, text[:20]


def test_a_batch_gives_what_each_text_gives_alone(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.vstack([embedder.embed([text]) for text in TEXTS])
    assert np.allclose(together, alone, atol=2e-5)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)


def test_what_is_alike_is_close(embedder: Embedder) -> None:
    question, answer, other = embedder.embed(
        ["Who looks after the heating?", "The boiler is serviced by Mr Hale.", "Let the dough rise overnight."]
    )
    assert question @ answer > question @ other + 0.2


def test_nothing_to_embed_is_no_error(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_a_pasted_book_and_half_a_character_are_no_error(embedder: Embedder) -> None:
    book = "The boiler is serviced every October. " * 20_000
    whole, beginning = embedder.embed([book, book[:4000]])
    assert np.allclose(whole, beginning, atol=2e-5)
    assert np.allclose(*embedder.embed(["a name \ud800", "a name ?"]), atol=2e-5)


def test_a_place_that_cannot_be_written_is_one_sentence(models: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelUnusable, match="cannot be prepared") as raised:
        build(models / "all-MiniLM-L6-v2" / "model.safetensors", tmp_path / "file" / "model.onnx")
    assert "word search goes on" in raised.value.next_step


def test_a_damaged_graph_is_made_anew_the_second_time(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).symlink_to(models / "all-MiniLM-L6-v2" / name)
    (folder / "model.onnx").write_bytes(b"half a graph")
    with pytest.raises(ModelUnusable, match="could not be loaded"):
        Embedder(folder, tmp_path / "cache", threads=1)
    assert Embedder(folder, tmp_path / "cache", threads=1).embed(["Boiler"]).shape == (1, 384)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign"])
def test_unusable_weights_are_one_sentence(models: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_bytes((models / "all-MiniLM-L6-v2" / name).read_bytes())
    if damage == "truncated":
        with (models / "all-MiniLM-L6-v2" / "model.safetensors").open("rb") as file:
            (folder / "model.safetensors").write_bytes(file.read(1_000_000))
    if damage == "foreign":
        (folder / "model.safetensors").write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelUnusable) as raised:
        Embedder(folder, tmp_path / "cache", threads=1)
    assert "embedding model" in raised.value.what
    assert "word search goes on" in raised.value.next_step
    assert not list((tmp_path / "cache").glob("*.onnx") if (tmp_path / "cache").exists() else [])
