"""Scripts without spaces: what the word index is given, and what is looked for there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.scripts import apart, ends_in_pair, has_signs, is_sign, pieces

SIGNS = st.text(st.sampled_from("北京市ガスの々학교กข"), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("text", "indexed"),
    [
        ("plain words", "plain words"),
        ("Übung für naïve Ωmega", "Übung für naïve Ωmega"),
        ("北京市", " 北京 京市 市 "),
        ("在B细胞。", " 在 B 细胞 胞 。"),
        ("メモ2026年", " メモ モ 2026 年 "),
        ("", ""),
    ],
)
def test_runs_of_signs_are_taken_apart_and_nothing_else(text: str, indexed: str) -> None:
    assert apart(text) == indexed


def test_every_such_sign_is_part_of_words() -> None:
    for code in (*range(0x3005, 0x3008), *range(0x3041, 0x3097), *range(0x30FC, 0x3100), 0xE01, 0xE46, 0xAC00, 0xD7A3):
        assert chr(code).isalnum(), hex(code)
        assert is_sign(chr(code))


@given(SIGNS)
def test_what_is_looked_for_is_in_what_was_indexed(run: str) -> None:
    indexed = apart(f"x{run}y").split()
    assert indexed[0] == "x"
    assert indexed[-1] == "y"
    wanted = pieces(run)
    assert all(
        piece in indexed or (len(piece) == 1 and any(one.startswith(piece) for one in indexed)) for piece in wanted
    )
    assert ends_in_pair(run) == (len(run) > 1)
    assert has_signs(run)


@given(st.text(max_size=80))
def test_any_text_keeps_its_signs(text: str) -> None:
    if not has_signs(text):
        assert apart(text) == text
    assert set(apart(text)) - {" "} == set(text) - {" "}
