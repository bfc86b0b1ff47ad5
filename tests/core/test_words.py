"""The words of a question and of a passage, in scripts with and without spaces."""

import pytest

from core.answering.words import content, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The boiler's valve, 1.4 bar", ["the", "boiler", "valve", "1.4", "bar"]),
        ("北京市的屋顶", ["北京", "京市", "市的", "的屋", "屋顶"]),
        ("B细胞 2026年", ["b", "细胞", "2026", "年"]),
        ("ガラスが", ["ガラ", "ラス", "スが"]),
        ("학교에서 지붕", ["학교", "교에", "에서", "지붕"]),
        ("Crème brûlée", ["creme", "brulee"]),
    ],
)
def test_words_of_any_script(text: str, words: list[str]) -> None:
    assert tokens(text) == words


def test_words_that_carry_meaning() -> None:
    assert content("When was the boiler serviced?") == ["boiler", "serviced"]
