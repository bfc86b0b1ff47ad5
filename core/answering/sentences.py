"""A passage as the units a person would quote: sentences of prose, list items, table rows, lines of code.

Every unit is an exact span of the text, never a rewritten string.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["prose", "item", "row", "code", "heading", "header"]

LONGEST_ITEM = 240  # characters; a longer list item or block quotation is split into sentences like prose

_FENCE = re.compile(r"\s*(?:```|~~~)")
_HEADING = re.compile(r" {0,3}#{1,6}\s+")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+(?=\S)")
_QUOTATION = re.compile(r"\s*>\s?")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_RULE = re.compile(r"[\s|:*_=-]+$")  # a blank line, a rule, a table's second line, or what underlines a heading
_END = re.compile(
    r"""[.!?…]+["'”’»)\]*_]*(?=\s+["'“‘«(\[*_¿¡]*[^\sa-zß-öø-ÿ])  # a stop before what does not start in lower case
      | [。！？]+["”』」）]*""",
    re.VERBOSE,
)
_LAST_WORD = re.compile(r"[^\s(\[\"“«*_]*$")
_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof st jr sr rev hon gen col capt lt sgt vs etc cf fig figs eq sec ch no nos vol pp ed eds ca
    approx est inc ltd co corp dept bros jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs
    fri sat sun tel bzw usw nr str evtl ggf inkl zzgl hr fr abs art bd""".split()
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]$")  # "J", "e.g", "U.S": what stands before the full stop
_ORDINAL = re.compile(r"\d{1,2}$")  # "3. Oktober", "Sec. 4.": too often no end to cut there


class Unit(NamedTuple):
    """A span `text[start:end]`. `context` is what it hangs under: its heading, its table's first row, its lead-in."""

    start: int
    end: int
    kind: Kind
    context: str = ""


class _Block(NamedTuple):
    kind: Kind
    start: int
    end: int
    last: int  # where its last line starts


def units(text: str) -> list[Unit]:
    """Split a passage of Markdown or plain text. The units come in order and do not overlap."""
    found: list[Unit] = []
    heading = lead = header = ""
    for kind, *span, _ in _blocks(text):
        start, end = _trim(text, *span)
        words = text[start:end]
        if not words:
            continue
        if kind != "row":
            header = ""
        match kind:
            case "heading":
                heading, lead = words, ""
                found.append(Unit(start, end, kind))
            case "header":
                header = words
                found.append(Unit(start, end, kind))
            case "row":
                found.append(Unit(start, end, kind, _joined(heading, lead, header)))
            case "item" if end - start <= LONGEST_ITEM:
                found.append(Unit(start, end, kind, _joined(heading, lead)))
            case "code":
                found.append(Unit(start, end, kind, _joined(heading, lead)))
            case _:
                found.extend(Unit(*span, kind, heading) for span in sentences(text, start, end))
                lead = words if words.endswith(":") else ""
    return found


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """The spans of the sentences of running text between `start` and `end` (characters)."""
    end = len(text) if end is None else end
    spans: list[tuple[int, int]] = []
    for match in _END.finditer(text, start, end):
        last = _LAST_WORD.search(text[start : match.start()])
        word = last.group().lower() if last else ""
        if match.group() == "." and (word in _ABBREVIATIONS or _INITIALS.match(word) or _ORDINAL.match(word)):
            continue
        spans.append(_trim(text, start, match.end()))
        start = match.end()
    spans.append(_trim(text, start, end))
    return [span for span in spans if span[0] < span[1]]


def _blocks(text: str) -> Iterator[_Block]:
    """The text's paragraphs, items, rows, headings and lines of code, as spans that may have space around them."""
    open_block: _Block | None = None
    fenced = quoted = False
    for start, line in _lines(text):
        end = start + len(line)
        fence, rule, quotation = _FENCE.match(line), _RULE.match(line), _QUOTATION.match(line)
        kind, marker = _kind(line, fenced)
        if open_block and not (fence or rule) and _goes_on(open_block.kind, kind, bool(quoted and quotation)):
            open_block = open_block._replace(end=end, last=start)
            continue
        if open_block:
            yield _underlined(open_block, line) if rule else open_block
            open_block = None
        if fence:
            fenced = not fenced
        elif not rule:
            open_block, quoted = _Block(kind, start + marker, end, start), bool(quotation)
    if open_block:
        yield open_block


def _goes_on(above: Kind, kind: Kind, quoted: bool) -> bool:
    return above in ("prose", "item") and (kind == "prose" or quoted)


def _underlined(block: _Block, line: str) -> _Block:
    """A block above a rule: one line of text is a heading (CommonMark 0.31, setext), a row is a table's header."""
    if block.kind == "row" and "|" in line:
        return block._replace(kind="header")
    if block.kind == "prose" and block.start == block.last and line.strip():
        return block._replace(kind="heading")
    return block


def _kind(line: str, fenced: bool) -> tuple[Kind, int]:
    """What a line begins, and how many characters its marker takes."""
    if fenced:
        return "code", 0
    if _ROW.match(line):
        return "row", 0
    patterns: tuple[tuple[Kind, re.Pattern[str]], ...] = (("heading", _HEADING), ("item", _ITEM), ("item", _QUOTATION))
    for kind, pattern in patterns:
        match = pattern.match(line)
        if match:
            return kind, match.end()
    return "prose", 0


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, line
        start += len(line)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end
