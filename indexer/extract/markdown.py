"""Reads the structure of Markdown notes line by line: frontmatter, headings, tags, links, tasks, dates.

It does not render and knows no more of the grammar than these need; whatever it does not know stays text.
"""

import re

from indexer.extract.due import due_day
from indexer.extract.frontmatter import Frontmatter, read_frontmatter
from indexer.extract.parsed import Heading, Parsed
from indexer.extract.plain import heading_facts, name_dates
from indexer.records import Fact

# Quantifiers that could overlap are possessive: a crafted line of a megabyte must not take quadratic time.
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r"(?:>\s?)*\s*(`{3,}(?=[^`]*$)|~{3,})")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_TASK = re.compile(r"(?:\s*>)*\s*(?:[-*+]|\d{1,9}[.)])\s+\[(.)\]\s+(\S.*)$")
_WIKI = re.compile(r"\[\[([^\[\]|\n]+?)(?:\\?\|([^\[\]\n]*))?\]\]")
_LINK = re.compile(
    r"(!?)\[((?:[^\[\]]++|\[[^\[\]]*+\])*+)\]\(\s*+(<[^<>]*+>|(?:[^\s()]++|\([^\s()]*+\))*+)(?:\s[^()]*+)?\)"
)
# As in Obsidian: after a space or an opening, at least one character that is no digit, "/" for nesting.
_TAG = re.compile(r"(?<![^\s(,;*_])#([\w][\w/-]*)")
_HEX = re.compile(r"(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\Z", re.IGNORECASE)
_MARKUP = re.compile(r"[*`]+|~~|(?<!\w)_+|_+(?!\w)|\{#[\w-]+\}$")
_NO_PARAGRAPH = frozenset("-*+>|0123456789")  # first characters of lines that an underline makes no heading of
_DONE = frozenset("xX-")  # a task crossed off, also as cancelled


def parse_markdown(text: str, stem: str) -> Parsed:
    r"""The structure of one note.

    Args:
        text: the decoded note, lines ending in `\n`.
        stem: the file's name without its suffix; the title where the note has none.
    """
    front = read_frontmatter(text)
    scan = _Scan(text, front)
    scan.run()
    title = front.title or next((heading.title for heading in scan.headings if heading.level == 1), "") or stem
    tags = list(dict.fromkeys((*front.tags, *(fact.value for fact in scan.facts if fact.kind == "tag"))))
    body = 0 if front.own or not text[front.end :].strip() else front.end
    facts = [*name_dates(stem), *front.facts, *scan.facts]
    return Parsed(text, title, tags, scan.headings, facts, body, front.end if body == 0 else body)


def markdown_headings(text: str) -> list[Heading]:
    """The headings of a Markdown text that has no frontmatter."""
    scan = _Scan(text, Frontmatter())
    scan.run()
    return scan.headings


def plain_words(markup: str) -> str:
    """A heading's words as a reader sees them: links by their text, no emphasis marks."""
    if "[" in markup:
        markup = without_targets(_WIKI.sub(lambda found: found[2] or found[1], markup))
    return " ".join(_MARKUP.sub("", markup).split())


def without_targets(markup: str) -> str:
    """Links and images by their words alone."""
    return _LINK.sub(r"\2", markup) if "](" in markup else markup


class _Scan:
    def __init__(self, text: str, front: Frontmatter) -> None:
        self._text = text
        self._begin = front.end
        self._paragraph: tuple[int, int, str] | None = None  # a first line that an underline can make a heading
        self.headings: list[Heading] = []
        self.facts: list[Fact] = []

    def run(self) -> None:
        offset = self._begin
        fence = ""
        after_blank, in_list = True, False
        for number, line in enumerate(self._text[offset:].split("\n"), self._text.count("\n", 0, offset) + 1):
            start, offset = offset, offset + len(line) + 1
            bare = line.strip()
            if fence:
                inner = bare.lstrip("> ")  # the fence may stand in a quotation
                if inner.startswith(fence) and not inner.strip(fence[0]):
                    fence = ""
                continue
            if not bare:
                after_blank, self._paragraph = True, None
                continue
            indented = line[0] in " \t"
            if indented and after_blank and not in_list and line.startswith(("    ", "\t")):
                continue  # indented code
            if ("```" in bare or "~~~" in bare) and (found := _FENCE.match(line)):
                fence, self._paragraph = found[1], None
                continue
            marker = bare[0] in "-*+" or bare[0].isdigit()
            in_list = marker or (in_list and (indented or not after_blank))
            self._line(line, bare, start, number, first=after_blank)
            after_blank = False

    def _line(self, line: str, bare: str, start: int, number: int, *, first: bool) -> None:
        above, self._paragraph = self._paragraph, None
        character = bare[0]
        if character == "#" and (found := _ATX.match(line)):
            words = bare[len(found[1]) :].strip()
            closed = words.rstrip("#")
            if not closed or closed[-1] in " \t":
                words = closed
            self._heading(len(found[1]), words, start, start + len(line) + 1, number)
        elif character in "=-" and above is not None and _SETEXT.match(line):
            self._heading(1 if character == "=" else 2, above[2], above[0], start + len(line) + 1, above[1])
        else:
            self._inline(line, character, number)
            if character not in _NO_PARAGRAPH and (first or self._after_heading(start)):
                self._paragraph = (start, number, bare)

    def _after_heading(self, start: int) -> bool:
        return bool(self.headings) and self.headings[-1].end == start

    def _heading(self, level: int, markup: str, start: int, end: int, number: int) -> None:
        heading = Heading(level, plain_words(markup), start, end, number)
        self.headings.append(heading)
        if heading.title:
            self.facts.extend(heading_facts(heading))

    def _inline(self, line: str, character: str, number: int) -> None:
        if "[" in line and (character in "-*+>" or character.isdigit()) and (found := _TASK.match(line)):
            state = "done" if found[1] in _DONE else "open"
            self.facts.append(Fact("task", found[2].rstrip(), state, number, due_day(found[2])))
        if "`" in line:
            line = _CODE.sub("", line)
        if "[" in line:
            line = self._links(line, number)
        if "#" in line:
            for found in _TAG.finditer(line):
                tag = found[1].rstrip("/-")
                if not tag.isdigit() and not _is_colour(tag):
                    self.facts.append(Fact("tag", tag, tag.lower(), number))

    def _links(self, line: str, number: int) -> str:
        """Notes the links of a line and returns it without them."""
        if "[[" in line:
            for found in _WIKI.finditer(line):
                target = found[1].strip()
                page = target.split("#", 1)[0].strip()
                if page:  # without one it is a link within this note
                    self.facts.append(Fact("link", (found[2] or target).strip(), page, number))
            line = _WIKI.sub("", line)
        if "](" in line:
            for found in _LINK.finditer(line):
                target = found[3].strip("<>")
                if target and not found[1] and not target.startswith("#"):
                    self.facts.append(Fact("link", plain_words(found[2]) or target, target, number))
            line = _LINK.sub("", line)
        return line


def _is_colour(word: str) -> bool:
    """True for #fff and #a1b2c3, false for #cafe and #decade."""
    if not _HEX.match(word):
        return False
    return any(map(str.isdigit, word)) or "ff" in word.lower() or len(set(word.lower())) == 1
