"""The words of a text and how many tokens each has for the embedding model: what passages are measured by."""

import re
from array import array
from bisect import bisect_left
from itertools import accumulate, compress
from pathlib import Path
from typing import cast

from tokenizers import Tokenizer

_WORDS_KEPT = 50_000  # words whose tokens are remembered: by Zipf's law all but a few per cent of any text
_LONGEST_KEPT = 32  # characters of such a word
_SLICE = 65536  # characters tokenised at a time, which bounds the memory

CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
# What the tokenizer always takes apart: at these spaces, and around each of ASCII's punctuation marks.
_PART = re.compile(r"[^ \n\t!-/:-@\[-`{-~]+|[!-/:-@\[-`{-~]|[ \n\t]+")

_Tokens = int | list[tuple[int, int]]
"""How many tokens a word has or, where it may be cut, where each of them begins and ends in it, in characters."""


class Words:
    """The places of a text where it may be cut: words, with the number of tokens before each.

    A word without punctuation or Chinese in it is never cut, however many tokens it has; of all else every token
    counts as a word.
    """

    def __init__(self) -> None:
        self.starts, self.ends = array("L"), array("L")  # characters of the text
        self.before = array("L", [0])  # tokens; one more than there are words

    def add(self, parts: list[str], tokens: list[_Tokens], start: int) -> None:
        """Append the words of a stretch of text that begins at `start` and consists of `parts`."""
        places = list(accumulate(map(len, parts), initial=start))
        first = 0
        for number, found in enumerate(tokens) if list in set(map(type, tokens)) else ():
            if isinstance(found, list):
                self._add_whole(places[first : number + 1], cast(list[int], tokens[first:number]))
                for begin, end in found:
                    self._add_whole([places[number] + begin, places[number] + end], [1])
                first = number + 1
        self._add_whole(places[first:], cast(list[int], tokens[first:]))

    def _add_whole(self, places: list[int], tokens: list[int]) -> None:
        """Words that are not cut: where they and what follows them begin, and how many tokens each has."""
        self.starts.extend(compress(places, tokens))
        self.ends.extend(compress(places[1:], tokens))
        self.before.extend(accumulate(filter(None, tokens), initial=self.before.pop()))

    def at(self, character: int) -> int:
        """The first word that begins at a character or after it."""
        return bisect_left(self.starts, character)

    def tokens(self, start: int, end: int) -> int:
        """How many tokens `text[start:end]` has."""
        return self.before[self.at(end)] - self.before[self.at(start)]


class Vocabulary:
    """The tokenizer of the embedding model with a memory for words, because most words of a text came before.

    Every word is tokenised apart from its neighbours, which with this tokenizer (BERT's) gives the tokens of the text.
    """

    def __init__(self, tokenizer_file: Path) -> None:
        self._known = _Known(Tokenizer.from_file(str(tokenizer_file)))

    def read(self, words: Words, text: str, start: int, end: int) -> None:
        """Append the words of `text[start:end]`."""
        known = self._known
        while start < end:
            slice_end = _slice_end(text, start, end)
            parts = _PART.findall(text, start, slice_end)
            words.add(parts, [known[part] for part in parts], start)
            if len(known) > _WORDS_KEPT:
                known.clear()
            start = slice_end


class _Known(dict[str, _Tokens]):
    """The tokens of each part of a text. Asked for one that it does not know, it finds out."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._pieces = tokenizer.model.tokenize
        self._lowers = tokenizer.normalizer.normalize_str("A") == "a"

    def __missing__(self, part: str) -> _Tokens:
        tokens = self._tokens(part)
        if len(part) <= _LONGEST_KEPT:
            self[part] = tokens
        return tokens

    def _tokens(self, part: str) -> _Tokens:
        if part.isspace():
            return 0
        if part.isascii() and part.isalnum():  # all else that the tokenizer does would leave it as it is
            return len(self._pieces(part.lower() if self._lowers else part))
        offsets = self._tokenizer.encode(part, add_special_tokens=False).offsets
        if len(part) == 1 or (part.isalnum() and not CHINESE.search(part)):
            return len(offsets)
        return offsets


def _slice_end(text: str, start: int, limit: int) -> int:
    if limit - start <= _SLICE:
        return limit
    space = max(text.rfind("\n", start, start + _SLICE), text.rfind(" ", start, start + _SLICE))
    return space + 1 if space > start else start + _SLICE  # without a space it is Chinese: any character will do
