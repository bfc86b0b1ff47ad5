"""How texts are cut into passages, measured with the real tokenizer."""

import functools
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from benchmarks.generated import write_notes as generate
from indexer.chunk import LONGEST_RUN, MAX_CHARACTERS, MAX_TOKENS, MIN_TOKENS, Chunker
from indexer.extract.markdown import parse_markdown
from indexer.extract.parsed import Parsed
from indexer.records import Chunk

LONG_RUN = re.compile(rf"\S{{{LONGEST_RUN},}}")
WORDS = "the quick brown fox jumps over a lazy dog while seven wise owls watch from their old oak tree".split()


@functools.cache
def chunker_at(file: Path) -> Chunker:
    return Chunker(file)


@functools.cache
def tokenizer_at(file: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.fixture
def chunker(models: Path) -> Chunker:
    return chunker_at(models / "all-MiniLM-L6-v2" / "tokenizer.json")


@pytest.fixture
def count(models: Path) -> Callable[[str], int]:
    tokenizer = tokenizer_at(models / "all-MiniLM-L6-v2" / "tokenizer.json")
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def cut(chunker: Chunker, text: str) -> list[Chunk]:
    return chunker.chunk(parse_markdown(text, "note"))


def prose(words: int, sentence: int = 12) -> str:
    """So many one-token words, in sentences of so many; a sentence's full stop is a token too."""
    some = [WORDS[index % len(WORDS)] for index in range(words)]
    lines = [" ".join(some[index : index + sentence]) + "." for index in range(0, words, sentence)]
    return " ".join(lines)


def check(text: str, chunks: list[Chunk], count: Callable[[str], int]) -> None:
    """What holds for every text."""
    end = 0
    for ordinal, chunk in enumerate(chunks):
        assert chunk.ordinal == ordinal
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text == chunk.text.strip() != ""
        assert chunk.start >= end, "passages neither overlap nor go back"
        assert chunk.line == text.count("\n", 0, chunk.start) + 1
        assert chunk.line_end == text.count("\n", 0, chunk.end) + 1
        assert count(chunk.text) <= MAX_TOKENS
        assert len(chunk.text) <= MAX_CHARACTERS
        for edge in (chunk.start, chunk.end):
            pair = text[max(0, edge - 1) : edge + 1]
            if len(pair) == 2 and pair.isascii() and pair.isalnum():
                assert any(run.start() < edge < run.end() for run in LONG_RUN.finditer(text)), "a word was cut"
        end = chunk.end


# ---- sizes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\n\n", " \t\n", "\ufeff"])
def test_nothing_makes_no_passages(chunker: Chunker, text: str) -> None:
    assert cut(chunker, text) == []


@pytest.mark.parametrize("words", [1, 90, 150, 160, 165, 180, 195, 230, 400, 1000, 5000])
def test_long_sections_are_cut_within_the_limits(chunker: Chunker, count: Callable[[str], int], words: int) -> None:
    text = prose(words)
    total = count(text)
    chunks = cut(chunker, text)
    sizes = [count(chunk.text) for chunk in chunks]
    check(text, chunks, count)
    assert sum(sizes) == total
    if total <= MAX_TOKENS:
        assert len(chunks) == 1
    elif total < 2 * MIN_TOKENS:  # no two passages of 96 fit in it
        assert len(chunks) == 2
        assert min(sizes) >= total * 2 // 5
    else:
        assert min(sizes) >= MIN_TOKENS


def test_cuts_prefer_paragraphs_then_lines_then_sentences(chunker: Chunker) -> None:
    paragraphs = "\n\n".join([prose(60)] * 8)
    assert all(chunk.text.count("\n\n") == 1 for chunk in cut(chunker, paragraphs))
    lines = "\n".join([prose(30)] * 16)
    assert all(lines[chunk.end : chunk.end + 1] in ("\n", "") for chunk in cut(chunker, lines))
    assert all(chunk.text.endswith(".") for chunk in cut(chunker, prose(1200)))


@pytest.mark.parametrize("row", ["- {}", "| {} | x |", "12. {}", "* [ ] {}"])
def test_lists_and_tables_are_cut_between_their_rows(chunker: Chunker, row: str) -> None:
    text = "\n".join(row.format(prose(14)) for _ in range(60))
    chunks = cut(chunker, text)
    assert len(chunks) > 3
    assert all(chunk.text.startswith(row.partition("{")[0].strip()) for chunk in chunks)


def test_an_item_keeps_its_continuation_lines(chunker: Chunker) -> None:
    text = "\n".join(f"- {prose(20)}\n  {prose(20)}" for _ in range(30))
    assert all(chunk.text.startswith("- ") for chunk in cut(chunker, text))


# ---- headings -------------------------------------------------------------------------------------------------------


def test_a_large_section_is_not_mixed_with_its_neighbours(chunker: Chunker, count: Callable[[str], int]) -> None:
    text = f"# Garden\n\n{prose(120)}\n\n## Trees\n\n{prose(300)}\n\n## Lawn\n\n{prose(130)}\n"
    chunks = cut(chunker, text)
    check(text, chunks, count)
    assert list(dict.fromkeys(chunk.headings for chunk in chunks)) == ["Garden", "Garden › Trees", "Garden › Lawn"]
    assert chunks[-1].text.startswith("## Lawn")


def test_tiny_siblings_share_a_passage_under_what_they_have_in_common(chunker: Chunker) -> None:
    text = "# Week\n\n" + "\n\n".join(f"## {day}\n\n{prose(12)}" for day in ("Monday", "Tuesday", "Friday"))
    (chunk,) = cut(chunker, text)
    assert chunk.headings == "Week"
    assert chunk.text.count("## ") == 3


def test_tiny_sections_of_different_parents_do_not_mix(chunker: Chunker) -> None:
    text = f"# A\n\n{prose(140)}\n\n## A1\n\n{prose(20)}\n\n# B\n\n{prose(140)}\n\n## B1\n\n{prose(20)}\n"
    chunks = cut(chunker, text)
    assert [chunk.headings for chunk in chunks] == ["A", "A › A1", "B", "B › B1"]


def test_a_heading_never_stands_alone(chunker: Chunker, count: Callable[[str], int]) -> None:
    text = f"# Top\n\n## Middle\n\n### Inner\n\n{prose(400)}\n\n## Empty\n\n## Last\n\n{prose(155)}\n\n## Nothing\n"
    chunks = cut(chunker, text)
    check(text, chunks, count)
    for chunk in chunks:
        assert any(line and not line.startswith("#") for line in chunk.text.split("\n"))
    assert chunks[0].text.startswith("# Top\n\n## Middle\n\n### Inner")
    assert chunks[0].headings == "Top › Middle › Inner"


def test_a_deep_heading_is_where_a_long_section_is_cut(chunker: Chunker) -> None:
    text = "## Recipes\n\n" + "\n\n".join(f"#### Dish {n}\n\n{prose(50)}\n\n{prose(50)}" for n in range(6))
    chunks = cut(chunker, text)
    assert [chunk.headings for chunk in chunks] == [f"Recipes › Dish {n}" for n in range(6)]


def test_only_headings_make_one_passage(chunker: Chunker) -> None:
    assert [chunk.text for chunk in cut(chunker, "# A\n\n## B\n")] == ["# A\n\n## B"]


def test_frontmatter_is_no_passage_of_its_own(chunker: Chunker) -> None:
    assert [c.text for c in cut(chunker, "---\ntitle: T\ntags: [a]\n---\nBody.\n")] == ["Body."]
    own = "---\nclient: Hartmann GmbH\n---\n\n# Project\n\n" + prose(150)
    first = cut(chunker, own)[0]
    assert first.text.startswith("---\nclient: Hartmann GmbH\n---\n\n# Project\n\nthe quick")
    assert first.headings == "Project"
    assert [c.text for c in cut(chunker, "---\ntitle: T\n---\n")] == ["---\ntitle: T\n---"]


def test_lines_count_from_the_top_of_the_file(chunker: Chunker) -> None:
    chunks = cut(chunker, f"---\ntitle: T\n---\n\n\n# H\n\n{prose(100)}\n\n## I\n\n{prose(100)}\n")
    assert [(chunk.line, chunk.line_end) for chunk in chunks] == [(6, 8), (10, 12)]


def test_a_passage_belongs_to_the_page_it_begins_on(chunker: Chunker) -> None:
    page = prose(120) + "\n\n"
    parsed = Parsed(page * 3, "t", pages=[(0, 4), (len(page), 5), (2 * len(page), 6)])
    assert [chunk.page for chunk in chunker.chunk(parsed)] == [4, 5, 6]
    assert [chunk.page for chunk in chunker.chunk(Parsed(page, "t"))] == [None]


# ---- texts that are no prose ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "word " * 200_000,
        "那是一个很长的句子没有标点" * 20_000,
        "日本語のテキストです。カタカナもあります。" * 5_000,
        "안녕하세요 세계 " * 20_000,
        "\N{GRINNING FACE}" * 1500 + " \N{FAMILY}\u200d\N{WOMAN}",
        "_" * 1500 + " " + "-" * 1500,
        "ein" + "sehrlangeswort" * 100,
        "https://example.org/" + "a/b?c=d&" * 200,
        "a" + " " * 300_000 + "b",
        "a" + "\n" * 300_000 + "b",
        ("f" * 128 + "\n") * 200,
        "\u200b" * 900 + " x " + "\u0301" * 900 + " y",
        "ก" * 1500 + " " + "ไทย" * 400,
    ],
    ids="words chinese japanese korean emoji rules compound url spaces newlines hashes invisible thai".split(),
)
@pytest.mark.timeout(240)
def test_unusual_texts_keep_the_limits_too(chunker: Chunker, count: Callable[[str], int], text: str) -> None:
    chunks = cut(chunker, text)
    check(text, chunks, count)
    assert letters("".join(chunk.text for chunk in chunks)) == letters(text)


def test_of_a_run_without_spaces_only_the_beginning_is_kept(chunker: Chunker, count: Callable[[str], int]) -> None:
    image = "data:image/png;base64," + "iVBORw0KGgo/AAAA+NSUhEUg" * 40_000
    text = f"Before the picture.\n\n![]({image})\n\nAfter the picture.\n"
    chunks = cut(chunker, text)
    check(text, chunks, count)
    assert sum(len(chunk.text) for chunk in chunks) < LONGEST_RUN
    assert chunks[0].text.startswith("Before the picture.")
    assert chunks[-1].text.endswith("After the picture.")
    whole = "x" * 1_000_000
    assert [chunk.text for chunk in cut(chunker, whole)] == [whole[:200]]


# ---- edits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("joined", [" ", "\n", "\n\n"], ids=["one paragraph", "lines", "paragraphs"])
def test_an_edit_moves_the_cuts_around_it_and_not_those_far_behind(
    chunker: Chunker, tmp_path: Path, joined: str
) -> None:
    (path,) = generate(tmp_path, 1, 160_000, seed=9)
    sentences = [s for line in path.read_text().split("\n") if line[:1].isalpha() for s in line.split(". ")]
    text = joined.join(f"{sentence}." for sentence in sentences)
    old = [chunk.text for chunk in cut(chunker, text)]
    assert len(old) > 200
    anew = []
    for number in range(0, len(sentences), len(sentences) // 24):
        changed = [*sentences[:number], "A heron stood in the shallow water", *sentences[number:]]
        new = {chunk.text for chunk in cut(chunker, joined.join(f"{sentence}." for sentence in changed))}
        anew.append(len(new - set(old)))
    assert sum(anew) / len(anew) <= 5
    assert max(anew) <= 20


# ---- any text -------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *(
            "# H\n",
            "\n## Sub\n",
            "\n#### Deep\n\n",
            "\n\n",
            "\n",
            "- item ",
            "| a | b |\n",
            "```\n",
            "---\n",
            ". ",
            "! ",
        ),
        *(
            "中文内容。",
            "かな",
            "한국어",
            "\N{ROCKET}",
            "e\u0301",
            "\u200d",
            "naïve",
            "https://a.b/c?d=e",
            "snake_case",
        ),
        *(
            prose(20) + " ",
            prose(90) + "\n\n",
            "a" * 150 + " ",
            "x" * 2500,
            "---\nclient: x\n---\n",
            "\r",
            "\t",
            "\u3000",
        ),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(PIECES | st.text(max_size=10), max_size=30).map("".join))
def test_every_text_is_cut_into_slices_that_lose_no_word(
    chunker: Chunker, count: Callable[[str], int], text: str
) -> None:
    parsed = parse_markdown(text, "note")
    chunks = chunker.chunk(parsed)
    check(text, chunks, count)
    if not LONG_RUN.search(text):
        assert letters("".join(chunk.text for chunk in chunks)) == letters(text[parsed.body :])
