"""Text formats without Markdown: decoding bytes, plain text, tables as text, Org and reStructuredText headings."""

import codecs
import re
from datetime import date

from indexer.extract.parsed import MAX_LEVEL, Heading, Parsed
from indexer.records import Fact

_MARKS = (  # UTF-32 before UTF-16: the shorter mark is the beginning of the longer one
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What notes from before UTF-8 were written in. cp1250 is left out because it is mistaken for cp1252; it comes last.
_LEGACY = ["cp1252", "cp1251", "cp1253", "cp1256", "koi8_r", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"]
_SAMPLE = 65536  # bytes that are enough to recognise a legacy encoding

ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")

_ORG_HEADING = re.compile(r"(\*+)[ \t]+(?:(TODO|DONE)[ \t]+)?(?:\[#\w\][ \t]+)?(.*)$")
_ORG_TAGS = re.compile(r"(?:^|[ \t]):([\w@#%:]+):$")
_ORG_SETTING = re.compile(r"#\+(TITLE|FILETAGS):[ \t]*(.+)$", re.IGNORECASE)
_ORG_DEADLINE = re.compile(r"\bDEADLINE:[ \t]*<(\d{4}-\d{2}-\d{2})")
_ORG_SCHEDULED = re.compile(r"\bSCHEDULED:[ \t]*<(\d{4}-\d{2}-\d{2})")
_RST_RULE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}$")


def decode(content: bytes) -> str | None:
    r"""The text of a file, or None when it holds binary data.

    A byte order mark decides; then UTF-8; then the legacy encoding that fits best. The mark is dropped and every line
    ending becomes `\n`.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _lines(content.decode(encoding, "replace"))
    if b"\0" in content:
        return None
    try:
        return _lines(content.decode("utf-8"))
    except UnicodeDecodeError:
        return _lines(_decode_legacy(content))


def iso_dates(text: str) -> list[str]:
    """The valid dates written as 2026-03-14 in `text`."""
    return [found[0] for found in ISO_DATE.finditer(text) if is_date(found[0])]


def is_date(text: str) -> bool:
    """True when `text` is a day of the calendar in the form 2026-03-14."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def name_dates(stem: str) -> list[Fact]:
    """The dates in a file's name, as facts at its first line."""
    return [Fact("date", stem, day, 1) for day in iso_dates(stem)]


def parse_text(text: str, stem: str) -> Parsed:
    """Text without any structure; the rows of CSV and TSV files are its lines."""
    return Parsed(text, stem, facts=name_dates(stem))


def parse_org(text: str, stem: str) -> Parsed:
    """Org: headings, TODO and DONE with their DEADLINE or SCHEDULED day, tags, `#+TITLE` and `#+FILETAGS`."""
    title, headings, facts, tags = stem, [], name_dates(stem), dict[str, None]()
    offset = 0
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith("*") and (found := _ORG_HEADING.match(line)):
            stars, state, words = found.groups()
            words = words.strip()
            marks = _ORG_TAGS.search(words)
            words = words[: marks.start()].rstrip() if marks else words
            headings.append(_heading(len(stars), words, offset, offset + len(line) + 1, number))
            facts.extend(heading_facts(headings[-1]))
            if state:
                planned = lines[number] if number < len(lines) else ""
                due = _ORG_DEADLINE.search(planned) or _ORG_SCHEDULED.search(planned)
                facts.append(
                    Fact("task", words, "open" if state == "TODO" else "done", number, due[1] if due else None)
                )
            for tag in _org_tags(marks[1] if marks else ""):
                tags[tag] = None
                facts.append(Fact("tag", tag, tag, number))
        elif line.startswith("#+") and (found := _ORG_SETTING.match(line)):
            if found[1].upper() == "TITLE":
                title = found[2].strip()
            else:
                tags.update(dict.fromkeys(_org_tags(found[2])))
                facts.extend(Fact("tag", tag, tag, number) for tag in _org_tags(found[2]))
        offset += len(line) + 1
    return Parsed(text, title, list(tags), headings, facts)


def parse_rst(text: str, stem: str) -> Parsed:
    """reStructuredText: headings by their underlines; a style's level is the order in which it first appears."""
    styles: list[tuple[str, bool]] = []
    headings: list[Heading] = []
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for index in range(1, len(lines)):
        words, rule = lines[index - 1].strip(), lines[index].rstrip()
        if not words or _RST_RULE.match(words) or not _RST_RULE.match(rule) or len(rule) < len(words):
            continue
        over = index > 1 and lines[index - 2].rstrip() == rule
        if not over and index > 1 and lines[index - 2].strip():
            continue  # the last line of a paragraph above a table or a transition
        style = (rule[0], over)
        if style not in styles:
            styles.append(style)
        first = index - 2 if over else index - 1
        headings.append(_heading(styles.index(style) + 1, words, starts[first], starts[index + 1], first + 1))
    facts = name_dates(stem) + [fact for heading in headings for fact in heading_facts(heading)]
    return Parsed(text, headings[0].title if headings else stem, headings=headings, facts=facts)


def heading_facts(heading: Heading) -> list[Fact]:
    """A heading as a fact (its value is its level), and the dates in it."""
    dates = [Fact("date", heading.title, day, heading.line) for day in iso_dates(heading.title)]
    return [Fact("heading", heading.title, str(heading.level), heading.line), *dates]


def _heading(level: int, title: str, start: int, end: int, line: int) -> Heading:
    return Heading(min(level, MAX_LEVEL), title, start, end, line)


def _org_tags(marks: str) -> list[str]:
    return [tag.lower() for tag in marks.strip().split(":") if tag]


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _decode_legacy(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if sum(character > "\x7f" for character in text) > 5 * broken:
        return text  # UTF-8 with a few damaged bytes
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        encoding = "cp1252"
    else:
        best = from_bytes(content[:_SAMPLE], cp_isolation=_LEGACY).best()
        encoding = best.encoding if best is not None else "cp1250"
    return content.decode(encoding, "replace")
