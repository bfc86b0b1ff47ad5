"""Scripts that set no spaces between words: Chinese, Japanese and Korean, and those of South-East Asia.

Where a word ends is not to be seen there (in Korean, where its particle begins), so the word index has the runs of
such signs as overlapping pairs, and the last sign of each by itself: 北京市 as 北京 京市 市. A word of two signs is
then found wherever it stands, a longer one by its pairs, and a single sign as the beginning of a pair. Figures:
docs/decisions/0014-pairs-of-signs.md.
"""

import re

# All of them are letters or numbers to Python and to FTS5's unicode61 alike. What is indexed depends on this list: with
# another one the word index has to be made anew, by a migration.
_SIGNS = (
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d"  # kana
    "\u3105-\u312f\uac00-\ud7a3"  # Bopomofo, Hangul
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ec0-\u0ec6"  # Thai, Lao
    "\u1000-\u102a\u1780-\u17b3"  # Burmese, Khmer
)
_RUN = re.compile(f"[{_SIGNS}]+")
_PIECE = re.compile(f"[{_SIGNS}]+|[^{_SIGNS}]+")


def apart(text: str) -> str:
    """A text as the word index is given it; one without such signs as it is."""
    return text if text.isascii() else _RUN.sub(lambda run: f" {' '.join(_pairs(run.group()))} ", text)


def pieces(word: str) -> list[str]:
    """A word without spaces as it is looked for: its pairs of signs, a single sign, and what is no such sign."""
    if word.isascii():
        return [word]
    found: list[str] = []
    for piece in _PIECE.findall(word):
        found += [piece] if len(piece) == 1 or not has_signs(piece) else _pairs(piece)[:-1]
    return found


def has_signs(word: str) -> bool:
    """Whether some of a word is in such a script."""
    return _RUN.search(word) is not None


def ends_in_pair(word: str) -> bool:
    """Whether a word ends in two such signs."""
    return len(word) > 1 and all(_RUN.fullmatch(sign) for sign in word[-2:])


def is_sign(word: str) -> bool:
    """Whether a word is one such sign."""
    return len(word) == 1 and has_signs(word)


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run))]
