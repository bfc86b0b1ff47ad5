"""What a GGUF file says of itself, read without llama.cpp: whether it is whole, and whether it is a model that writes.

The layout is that of the GGUF specification, versions 2 and 3 (ggml, docs/gguf.md): header, key-value pairs, one entry
for each tensor, then the tensors' data, each at an offset of its own.
"""

import mmap
import struct
from pathlib import Path
from typing import Any

from msgspec import Struct

from core.errors import ModelMissing
from core.models.llama import check_file

ALIGNMENT = 32  # bytes, where the file names no other
DEEPEST = 4  # arrays in arrays
LONGEST_KEY = 65_535  # bytes (the specification's limit)
LONGEST_TEXT = 64 << 20  # bytes of one value; chat templates have some thousand
LARGEST_ARRAY = 16_000_000  # values; a vocabulary has up to 300,000

_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Of each type of tensor (ggml.h, `ggml_type`): how many values a block holds, and its bytes."""

WRITERS = frozenset(
    (
        "llama llama4 deci falcon falcon-h1 grok gpt2 gptj gptneox mpt baichuan starcoder starcoder2 refact bloom "
        "stablelm qwen qwen2 qwen2moe qwen3 qwen3moe qwen3next qwen35 qwen35moe phi2 phi3 phimoe plamo plamo2 plamo3 "
        "codeshell orion internlm2 minicpm minicpm3 gemma gemma2 gemma3 gemma3n gemma4 mamba mamba2 jamba xverse "
        "command-r cohere2 cohere2moe dbrx olmo olmo2 olmoe openelm arctic deepseek deepseek2 deepseek32 chatglm glm4 "
        "glm4moe bitnet jais nemotron nemotron_h nemotron_h_moe exaone exaone4 exaone-moe rwkv6 rwkv7 granite "
        "granitemoe granitehybrid plm bailingmoe bailingmoe2 dots1 arcee afmoe ernie4_5 ernie4_5-moe hunyuan-moe "
        "hunyuan-dense smollm3 gpt-oss lfm2 lfm2moe smallthinker seed_oss grovemoe apertus minimax-m2 mistral3 "
        "mistral4 pangu-embedded kimi-linear maincoder"
    ).split()
)
"""Architectures that the llama.cpp of `local-model.lock` loads and that write text; others embed, see or speak."""


class Gguf(Struct, frozen=True):
    """A GGUF file that is whole.

    architecture: as llama.cpp names it.  context: tokens it was trained for, 0 where it does not say.
    """

    architecture: str
    context: int


def read(path: Path, name: str = "") -> Gguf:
    """Look through a model file, up to its tensors' data.

    Args:
        path: the file.
        name: what it is called in a refusal, by default its own name.

    Raises:
        ModelMissing: it is not there, no GGUF file, damaged or cut short, one of several parts, or no model that
            llama.cpp writes with.
    """
    check_file(path, name)
    called = name or path.name
    again = "Choose another file."
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            values, end = _Reader(memory).read()
        architecture = values.get("general.architecture")
        parts = int(values.get("split.count", 1))
        context = int(values.get(f"{architecture}.context_length", 0))
    except (struct.error, ValueError, IndexError, OverflowError, UnicodeDecodeError, MemoryError) as error:
        raise ModelMissing(f"{called} is damaged: what it says of itself cannot be read.", again) from error
    except OSError as error:
        raise ModelMissing(f"{called} cannot be read: {error.strerror}.", again) from error
    size = path.stat().st_size
    if end > size:
        raise ModelMissing(
            f"{called} is cut short: it has {size:,} bytes of {end:,}.", "Get it again, or choose another file."
        )
    if architecture not in WRITERS:
        raise ModelMissing(f"{called} is a GGUF file, but no model that llama.cpp writes with ({architecture}).", again)
    if parts > 1:
        raise ModelMissing(f"{called} is one part of a model in several files.", "Choose a model that is one file.")
    return Gguf(architecture, context)


class _Reader:
    """Reads on from a position; whatever lies outside of the file raises."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self._at = 0

    def read(self) -> tuple[dict[str, Any], int]:
        """Numbers and texts by their key (of arrays none), and where the last tensor ends (bytes)."""
        _, _, tensors, pairs = self._take("<4sIQQ")
        values: dict[str, Any] = {}
        for _ in range(pairs):
            key = self._text(LONGEST_KEY)
            (kind,) = self._take("<I")
            value = self._value(kind, 0)
            if value is not None:
                values[key] = value
        ends = [self._tensor() for _ in range(tensors)]
        alignment = int(values.get("general.alignment", ALIGNMENT))
        if not 0 < alignment <= 1 << 20:
            raise ValueError("alignment")
        start = -(-self._at // alignment) * alignment
        return values, start + max(ends, default=0)

    def _tensor(self) -> int:
        """Where a tensor's data end, from the data's beginning on."""
        self._text(LONGEST_KEY)
        (dimensions,) = self._take("<I")
        if not 0 < dimensions <= 8:
            raise ValueError("dimensions")
        count = 1
        for length in self._take(f"<{dimensions}Q"):
            count *= length
        kind, offset = self._take("<IQ")
        block, size = _BLOCKS.get(kind, (max(count, 1), 1))  # of a type that is not known at least one byte
        return int(offset + -(-count // block) * size)

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _FIXED:
            return self._take(f"<{_FIXED[kind]}")[0]
        if kind == _TEXT:
            return self._text(LONGEST_TEXT)
        if kind != _ARRAY or depth == DEEPEST:
            raise ValueError("type")
        inner, count = self._take("<IQ")
        if count > LARGEST_ARRAY:
            raise ValueError("array")
        if inner in _FIXED:
            self._skip(count * struct.calcsize(f"<{_FIXED[inner]}"))
        else:
            for _ in range(count):
                self._skip_text() if inner == _TEXT else self._value(inner, depth + 1)
        return None

    def _text(self, longest: int) -> str:
        (length,) = self._take("<Q")
        if length > longest:
            raise ValueError("text")
        start = self._at
        self._skip(length)
        return self._memory[start : self._at].decode("utf-8", "replace")

    def _skip_text(self) -> None:
        (length,) = self._take("<Q")
        self._skip(length)

    def _skip(self, count: int) -> None:
        self._at += count
        if self._at > len(self._memory):
            raise ValueError("end")

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self._memory, self._at)
        self._at += struct.calcsize(layout)
        return values
