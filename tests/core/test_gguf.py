"""What a GGUF file says of itself: a real model, and files with one thing wrong."""

import contextlib
import struct
from pathlib import Path

import pytest
from gguf_files import small_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ModelMissing
from core.models.gguf import WRITERS, Gguf, read


def test_the_starter_model_is_whole_to_its_last_byte(starter_model: Path, tmp_path: Path) -> None:
    assert read(starter_model) == Gguf("llama", 8192)
    short = tmp_path / "short.gguf"
    short.write_bytes(starter_model.read_bytes()[:-1])
    with pytest.raises(ModelMissing, match=r"short\.gguf is cut short: it has 98,362,431 bytes of 98,362,432"):
        read(short)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a GGUF model file"),
        (b"<html>" * 10, "is not a GGUF model file"),
        (struct.pack("<4sIQQ", b"GGUF", 9, 1, 1), "unknown version"),
        (small_model()[:-1], "is cut short"),
        (small_model()[:60], "what it says of itself cannot be read"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 1, 1) + b"\xff" * 40, "what it says of itself cannot be read"),
        (small_model("bert"), r"no model that llama\.cpp writes with \(bert\)"),
        (small_model("clip"), r"no model that llama\.cpp writes with \(clip\)"),
        (small_model(**{"split.count": 2}), "one part of a model in several files"),
    ],
)
def test_what_cannot_write_is_refused_in_a_sentence(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelMissing, match=says) as refused:
        read(path)
    assert refused.value.what.startswith("mine.gguf")
    assert refused.value.next_step


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 400), value=st.binary(min_size=1, max_size=8))
def test_no_damage_does_more_than_refuse(place: int, value: bytes, tmp_path: Path) -> None:
    whole = small_model(data=64)
    path = tmp_path / "mine.gguf"
    path.write_bytes(whole[:place] + value + whole[place + len(value) :])
    with contextlib.suppress(ModelMissing):
        read(path)


def test_the_architectures_are_those_of_the_llama_cpp_that_is_installed() -> None:
    package = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed: run `make setup`")
    libraries = [path for path in (Path(package.__file__).parent / "lib").iterdir() if "llama." in path.name]
    known = b"".join(path.read_bytes() for path in libraries)
    missing = [name for name in WRITERS if name.encode() + b"\0" not in known]
    assert not missing, "they are in the list, and not in this llama.cpp"
