"""Small files that are GGUF as the specification has it, whole or with one thing wrong."""

import struct


def text(value: str) -> bytes:
    """A text with its length."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, value: str | int | list[str]) -> bytes:
    """A key with a text, a number, or texts."""
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))


def small_model(architecture: str = "llama", *, data: int = 300_000, **more: str | int | list[str]) -> bytes:
    """A file with one tensor of `data` bytes that has no meaning: whole, and no model that could be loaded."""
    words: dict[str, str | int | list[str]] = {"tokenizer.ggml.tokens": ["a", "bc", ""]}
    pairs = {"general.architecture": architecture, f"{architecture}.context_length": 512, **words, **more}
    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, len(pairs))
    head += b"".join(pair(key, value) for key, value in pairs.items())
    head += text("blob") + struct.pack("<IQIQ", 1, data, 24, 0)  # one dimension of 8-bit numbers
    return head + b"\0" * (-len(head) % 32) + bytes(number % 251 for number in range(data))
