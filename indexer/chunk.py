"""Cuts a text into passages of 96 to 160 MiniLM tokens along its headings, and keeps their exact place in it.

A passage is always a slice of the text: nothing is rewritten, summarised or repeated.
"""

import re
import unicodedata
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from indexer.extract.parsed import Heading, Parsed
from indexer.records import Chunk
from indexer.tokens import CHINESE, Vocabulary, Words

MIN_TOKENS = 96
MAX_TOKENS = 160  # MiniLM was trained on 128 and reads at most 256, title and headings included
MAX_CHARACTERS = 4000  # words unknown to the model are one token each, however long
SECTION_LEVEL = 3  # headings down to this level end a passage; deeper ones only invite a cut
LONGEST_RUN = 2000  # characters without a space: no prose, but an embedded image or a minified program
_RUN_KEPT = 200  # characters of such a run that stay findable

_EAST_ASIAN = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_IN_RUN = rf"[^\s{_EAST_ASIAN}]"
_RUN = re.compile(rf"(?<!{_IN_RUN}){_IN_RUN}{{{LONGEST_RUN},}}")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]*_]*\Z")
_SOLID = re.compile(r"\S")
_ITEM = re.compile(r"[-*+•|]|\d{1,9}[.)]\s")

# How good a place is to cut, from the best to the last resort.
_HEADING, _PARAGRAPH, _ROW, _LINE, _SENTENCE, _SPACE, _GLUED, _AFTER_HEADING, _NEVER = 8, 7, 6, 5, 4, 3, 2, 1, 0
# After such a cut the rest of a section can only be halved at a poor place (161 to 215 tokens).
_AWKWARD_REST = range(MAX_TOKENS + 1, 2 * MIN_TOKENS + 24)


class _Piece(NamedTuple):
    start: int
    end: int
    level: int  # 0 before the first heading
    bare: bool  # headings only: must not stand by itself
    whole: bool = True  # a section with everything below it: may join its neighbours


class Chunker:
    """Cuts parsed files.

    Args:
        tokenizer_file: the `tokenizer.json` of the embedding model.
    """

    def __init__(self, tokenizer_file: Path) -> None:
        self._vocabulary = Vocabulary(tokenizer_file)

    def chunk(self, parsed: Parsed) -> list[Chunk]:
        """The passages of a file, in its order.

        Each has at most 160 tokens, and at least 96 unless its section is smaller (sections of 161 to 191 tokens
        make two smaller ones). Neighbouring sections that are tiny share a passage. Every word of the body is in
        exactly one passage, except the inside of runs of 2,000 and more characters without a space.
        """
        return _Cut(parsed, self._vocabulary).chunks()


class _Cut:
    """The work on one file."""

    def __init__(self, parsed: Parsed, vocabulary: Vocabulary) -> None:
        self._parsed = parsed
        self._text = parsed.text
        self._headings = parsed.headings
        self._heading_starts = [heading.start for heading in parsed.headings]
        self._parents = _parents(parsed.headings)
        self._words = Words()
        self._gaps = [(found.start() + _RUN_KEPT, found.end()) for found in _RUN.finditer(self._text, parsed.body)]
        start = parsed.body
        for gap_start, gap_end in [*self._gaps, (len(self._text), 0)]:
            vocabulary.read(self._words, self._text, start, gap_start)
            start = gap_end

    def chunks(self) -> list[Chunk]:
        newlines = [found.start() for found in re.finditer("\n", self._text)]
        page_starts = [start for start, _ in self._parsed.pages]
        chunks: list[Chunk] = []
        for start, end in self._spans():
            page = bisect_right(page_starts, start) - 1
            chunks.append(
                Chunk(
                    ordinal=len(chunks),
                    headings=self._trail(start, end),
                    text=self._text[start:end],
                    start=start,
                    end=end,
                    line=bisect_left(newlines, start) + 1,
                    line_end=bisect_left(newlines, end) + 1,
                    page=self._parsed.pages[page][1] if page >= 0 else None,
                )
            )
        return chunks

    def _spans(self) -> Iterator[tuple[int, int]]:
        for piece in self._pieces():
            start = piece.start
            for gap_start, gap_end in self._gaps[bisect_left(self._gaps, (start,)) :]:
                if gap_start >= piece.end:
                    break
                yield from self._split(start, gap_start)
                start = gap_end
            yield from self._split(start, piece.end)

    # ---- sections ----------------------------------------------------------------------------------------------------

    def _pieces(self) -> list[_Piece]:
        borders = [heading for heading in self._headings if heading.level <= SECTION_LEVEL]
        starts = [self._parsed.body, *(heading.start for heading in borders), len(self._text)]
        levels = [0, *(heading.level for heading in borders)]
        sections = [
            _Piece(start, end, level, bare=self._is_bare(start, end))
            for start, end, level in zip(starts[:-1], starts[1:], levels, strict=True)
        ]
        return self._gather(sections, 0, len(sections))

    def _gather(self, sections: list[_Piece], first: int, last: int) -> list[_Piece]:
        """The pieces of a section (`sections[first]`) and all sections below it."""
        own, end = sections[first], sections[last - 1].end
        if self._words.tokens(own.start, end) <= MAX_TOKENS:
            return [own._replace(end=end, bare=all(section.bare for section in sections[first:last]))]
        pieces = [own]
        child = first + 1
        while child < last:
            after = child + 1
            while after < last and sections[after].level > sections[child].level:
                after += 1
            below = self._gather(sections, child, after)
            pieces.extend(below if len(below) == 1 else [piece._replace(whole=False) for piece in below])
            child = after
        return self._join(pieces)

    def _join(self, pieces: list[_Piece]) -> list[_Piece]:
        joined: list[_Piece] = []
        for piece in pieces:
            last = joined[-1] if joined else None
            if last is not None and (last.bare or (last.whole and piece.whole and self._fit(last, piece))):
                joined[-1] = last._replace(
                    end=piece.end, bare=last.bare and piece.bare, whole=last.whole and piece.whole
                )
            else:
                joined.append(piece)
        if len(joined) > 1 and joined[-1].bare:
            joined[-2:] = [joined[-2]._replace(end=joined[-1].end)]
        return joined

    def _fit(self, left: _Piece, right: _Piece) -> bool:
        sizes = self._words.tokens(left.start, left.end), self._words.tokens(right.start, right.end)
        return min(sizes) < MIN_TOKENS and sum(sizes) <= MAX_TOKENS

    def _is_bare(self, start: int, end: int) -> bool:
        """True when `text[start:end]` holds nothing but headings, frontmatter and space."""
        position = max(start, self._parsed.lead)
        for heading in self._headings[bisect_left(self._heading_starts, start) :]:
            if heading.start >= end:
                break
            if self._text[position : heading.start].strip():
                return False
            position = heading.end
        return not self._text[position:end].strip()

    # ---- cuts --------------------------------------------------------------------------------------------------------

    def _split(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """`text[start:end]` in slices within the limits, without the space around them; nothing where no words are."""
        end = self._last_word(end, start)
        words, last = self._words, self._words.at(end)
        while solid := _SOLID.search(self._text, start, end):
            start = solid.start()
            first = words.at(start)
            if first == last:
                return
            if words.before[last] - words.before[first] <= MAX_TOKENS and end - start <= MAX_CHARACTERS:
                yield start, end
                return
            cut = self._best_cut(first, last, start)
            yield start, self._last_word(cut, start)
            start = cut

    def _last_word(self, end: int, start: int) -> int:
        while end > start and self._text[end - 1].isspace():
            end -= 1
        return end

    def _best_cut(self, first: int, last: int, start: int) -> int:
        """Where to end a passage that begins at word `first` of a section that ends before word `last`."""
        starts, before = self._words.starts, self._words.before
        rest = before[last] - before[first]
        shortest = MIN_TOKENS if rest >= 2 * MIN_TOKENS else rest * 2 // 5
        within = before[bisect_right(starts, start + MAX_CHARACTERS) - 1] - before[first]
        best = self._best_word(first, last, shortest, min(MAX_TOKENS, within, rest - shortest))
        if best is None or self._grade(best) < _SPACE:
            best = self._best_word(first, last, 1, min(MAX_TOKENS, within, rest - 1)) or best
        if best is None:  # characters without meaning to the tokenizer, or one word with a megabyte of space after it
            following = starts[first + 1] if last - first > 1 else 0
            return following if start < following <= start + MAX_CHARACTERS else start + MAX_CHARACTERS
        return starts[best]

    def _best_word(self, first: int, last: int, shortest: int, longest: int) -> int | None:
        """The best word to begin the next passage with, so that this one has `shortest` to `longest` tokens."""
        before = self._words.before
        best, best_score = None, 0.0
        low = bisect_left(before, before[first] + shortest, first + 1, last)
        for word in range(low, bisect_right(before, before[first] + longest, low, last)):
            grade = self._grade(word)
            if grade == _NEVER or grade + 1 <= best_score:
                continue
            score = grade + self._whim(word) - (1.5 if before[last] - before[word] in _AWKWARD_REST else 0.0)
            if score > best_score:
                best, best_score = word, score
        return best

    def _whim(self, word: int) -> float:
        """Chooses between equally good places, 0 to 1, by what stands there and not by how far it is from the start:

        so that an edit moves the cuts around it and not all cuts behind it. The same idea as content-defined chunking
        (Muthitacharoen, Chen and Mazières, "A low-bandwidth network file system", SOSP 2001).
        """
        start = self._words.starts[word]
        return zlib.crc32(self._text[start : start + 32].encode("utf-8", "replace")) / 2**32

    def _grade(self, word: int) -> int:
        """How good it is to cut before a word."""
        before, after = self._words.ends[word - 1], self._words.starts[word]
        gap = self._text[before:after]
        if "\n" in gap:
            return self._grade_line(gap, self._words.starts[word - 1], after)
        if gap:
            if not gap.isspace():
                return _NEVER
            return _SENTENCE if _SENTENCE_END.search(self._text, max(0, before - 8), before) else _SPACE
        if before != after:
            return _NEVER  # two tokens made of one character
        left, right = self._text[before - 1], self._text[after]
        if left in "。！？":
            return _SENTENCE
        return _GLUED if _stands_alone(left) or _stands_alone(right) else _NEVER

    def _grade_line(self, gap: str, before: int, after: int) -> int:
        above = bisect_right(self._heading_starts, before) - 1
        if above >= 0 and before < self._headings[above].end <= after:
            return _AFTER_HEADING
        at = bisect_left(self._heading_starts, after - len(gap) + 1)
        if at < len(self._heading_starts) and self._heading_starts[at] <= after:
            return _HEADING
        if gap.count("\n") > 1:
            return _PARAGRAPH
        return _ROW if _ITEM.match(self._text, after) else _LINE

    # ---- where a passage stands --------------------------------------------------------------------------------------

    def _trail(self, start: int, end: int) -> str:
        """The headings that all of the passage's words stand under."""
        first = bisect_right(self._heading_starts, start) - 1
        trails = []
        for index in range(first, bisect_left(self._heading_starts, end)):
            words_from = self._headings[index].end if index >= 0 else self._parsed.lead
            words_to = self._heading_starts[index + 1] if index + 1 < len(self._headings) else end
            if self._text[max(start, words_from) : min(end, words_to)].strip():
                trails.append(self._titles(index))
        if not trails:
            trails.append(self._titles(first))
        shared = trails[0]
        for trail in trails[1:]:
            same = [left is right for left, right in zip(shared, trail, strict=False)]
            shared = shared[: same.index(False) if False in same else len(same)]
        return " › ".join(heading.title for heading in shared if heading.title)

    def _titles(self, index: int) -> list[Heading]:
        trail: list[Heading] = []
        while index >= 0:
            trail.append(self._headings[index])
            index = self._parents[index]
        return trail[::-1]


def _parents(headings: list[Heading]) -> list[int]:
    """For each heading the index of the one it stands under, -1 for none."""
    parents: list[int] = []
    above: list[int] = []
    for index, heading in enumerate(headings):
        while above and headings[above[-1]].level >= heading.level:
            above.pop()
        parents.append(above[-1] if above else -1)
        above.append(index)
    return parents


def _stands_alone(character: str) -> bool:
    """True for characters the tokenizer never joins with their neighbours: punctuation and Chinese."""
    if character.isascii():
        return not character.isalnum()
    return unicodedata.category(character).startswith("P") or CHINESE.match(character) is not None
