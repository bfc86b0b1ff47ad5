"""What every format becomes before it is cut into passages: one text and the structure read off it."""

from msgspec import Struct

from indexer.records import Fact

MAX_LEVEL = 6  # HTML and Markdown have six heading levels; deeper ones are read as the sixth


class Heading(Struct, frozen=True):
    """A heading: level 1 (outermost) to 6, its words without markup, `text[start:end]` the lines it stands on.

    `line` counts from 1.
    """

    level: int
    title: str
    start: int
    end: int
    line: int


class Parsed(Struct, frozen=True):
    r"""One file's extracted text and its structure.

    text: for text formats the decoded characters of the file, without a byte order mark and with every line ending
        written as `\n` (what Python's text mode reads), so that line numbers are an editor's. For all other formats
        a light Markdown rendering, the same at every reading of the same bytes.
    title: the name a person knows the file by.
    tags: lower-case, without `#`.
    headings: in the order of the text.
    body: passages begin here; what stands before is represented by title and tags.
    lead: `text[body:lead]` (frontmatter with a person's own fields) is read with what follows, never by itself.
    pages: where each page begins, as (character offset, page number); empty where a format has no pages.
    """

    text: str
    title: str
    tags: list[str] = []
    headings: list[Heading] = []
    facts: list[Fact] = []
    body: int = 0
    lead: int = 0
    pages: list[tuple[int, int]] = []
