"""Which part of a passage to show for a search, and which of its words to set in bold. Plain text, no Qt."""

import re

Span = tuple[int, int]

TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]*-{3,}[\s:|-]*$", re.MULTILINE)
CELLS = re.compile(r"\s*\|\s*")
MARKUP = re.compile(r"^\s{0,3}(?:#{1,6}|>|[-*+])\s+(?:\[[ xX]\]\s+)?|\*\*|__|`|\[\[|\]\]", re.MULTILINE)
FRONTMATTER = re.compile(r"\A---\n.*?\n---\n(?=.*\S)", re.DOTALL)
SIGNS = r"\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"
"""Of scripts without spaces, which are found by pairs of signs (`indexer/scripts.py`)."""
PIECE = re.compile(rf"[{SIGNS}]+|[^\W{SIGNS}]+")
SIGN = re.compile(rf"[{SIGNS}]")
LONG = 4  # letters; shorter words ("the", "did") are marked only where nothing else was typed


def excerpt(text: str, words: str, length: int) -> tuple[str, list[Span]]:
    """The `length` characters of `text` that hold most of `words`, on one line, and the spans to set in bold."""
    plain = " ".join(_unmarked(text).split())
    found = spans(plain, words)
    start = _best_start(plain, found, length)
    cut = plain[start : start + length]
    if start + length < len(plain):
        cut = cut[: max(cut.rfind(" "), length // 2)].rstrip(" ,;:") + "…"
    lead = "…" if start else ""
    shift = len(lead) - start
    shown = [(a + shift, b + shift) for a, b in found if a >= start and b + shift <= len(lead + cut)]
    return lead + cut, shown


def spans(text: str, words: str) -> list[Span]:
    """Where the typed `words` begin words of `text`, from their first to their last letter."""
    typed = PIECE.findall(words)
    strong = [word for word in typed if len(word) >= LONG or not word.isalpha() or SIGN.match(word)]
    wanted = sorted(set(strong or typed), key=len, reverse=True)
    if not wanted:
        return []
    patterns = (_signs(w) if SIGN.match(w) else rf"\b{re.escape(w)}\w*" for w in wanted[:32])
    return [match.span() for match in re.finditer("|".join(patterns), text, re.IGNORECASE)]


def _signs(run: str) -> str:
    """A pattern for any stretch of a text that is made of pairs of these signs."""
    if len(run) == 1:
        return run
    pairs = "|".join(dict.fromkeys(run[at : at + 2] for at in range(min(len(run) - 1, 64))))
    return f"(?:(?={pairs}).)+."


def _unmarked(text: str) -> str:
    """`text` without Markdown's signs; the cells of a table with a point between them."""
    lines = MARKUP.sub("", TABLE_RULE.sub("", FRONTMATTER.sub("", text))).splitlines()
    return "\n".join(_row(line) for line in lines)


def _row(line: str) -> str:
    if not line.strip().startswith("|"):
        return line
    return " · ".join(cell for cell in CELLS.split(line) if cell)


def _best_start(text: str, found: list[Span], length: int) -> int:
    if len(text) <= length or not found:
        return 0

    def different(first: int) -> int:
        end = found[first][0] + length * 4 // 5
        return len({text[a:b].casefold() for a, b in found[first:] if b <= end})

    best = max(range(min(len(found), 64)), key=lambda i: (different(i), -i))
    earliest = max(0, found[best][0] - length // 5)
    if earliest == 0:
        return 0
    space = text.find(" ", earliest, found[best][0])
    return min(space + 1 if space >= 0 else earliest, len(text))
