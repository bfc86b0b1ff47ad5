"""What the Markdown scanner reads off a note, and what it must not mistake for structure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.extract.markdown import parse_markdown
from indexer.extract.parsed import Parsed
from indexer.records import Fact


def facts(text: str, kind: str, stem: str = "note") -> list[Fact]:
    return [fact for fact in parse_markdown(text, stem).facts if fact.kind == kind]


def values(text: str, kind: str, stem: str = "note") -> list[str]:
    return [fact.value for fact in facts(text, kind, stem)]


def outline(text: str) -> list[tuple[int, str, int]]:
    return [(heading.level, heading.title, heading.line) for heading in parse_markdown(text, "note").headings]


# ---- title and frontmatter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: From the block\n---\n# Heading\n", "From the block"),
        ("## Second\n# First\n", "First"),
        ("just words\n## Second level only\n", "my_note-name"),
        ("---\ntitle: Colons: are not YAML\n---\nbody", "Colons: are not YAML"),
        ("---\ntitle: {{title}}\n---\n# Real\n", "{{title}}"),
        ("---\ntitle: 2026\n---\n", "2026"),
        ("---\ntitle: |\n  two\n  lines\n---\n", "two lines"),
        ("---\ntitle: [a, list]\n---\n# H\n", "H"),
        ("", "my_note-name"),
    ],
)
def test_title_is_the_blocks_then_the_first_h1_then_the_file_name(text: str, title: str) -> None:
    assert parse_markdown(text, "my_note-name").title == title


def test_frontmatter_gives_tags_and_dates_with_their_lines() -> None:
    text = "---\ntitle: T\ntags: [Work, '#Garden/Trees']\ndate: 2026-03-14\ndue: 2026-04-01T10:00\n---\nbody #inline\n"
    parsed = parse_markdown(text, "note")
    assert parsed.tags == ["work", "garden/trees", "inline"]
    assert [(fact.text, fact.value, fact.line) for fact in parsed.facts if fact.kind == "date"] == [
        ("date: 2026-03-14", "2026-03-14", 4),
        ("due: 2026-04-01T10:00", "2026-04-01", 5),
    ]


@pytest.mark.parametrize("tags", ["a, b", "a b", "[a, b]", "\n  - a\n  - b", "\n- '#A'\n- b", '"a,b"'])
def test_tags_may_be_written_in_any_usual_way(tags: str) -> None:
    assert parse_markdown(f"---\ntags: {tags}\n---\nx", "note").tags == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nA rule, then prose.\n\n---\n\nmore",
        "--- \nno end of the block\n",
        "----\ntitle: no\n----\n",
        "\n---\ntitle: not in the first line\n---\n",
        "---\n- a\n- list\n---\n",
    ],
)
def test_a_horizontal_rule_is_no_frontmatter(text: str) -> None:
    parsed = parse_markdown(text, "note")
    assert (parsed.title, parsed.body, parsed.lead) == ("note", 0, 0)


def test_passages_begin_after_frontmatter_unless_it_has_fields_of_its_own() -> None:
    known = "---\ntitle: T\ntags: a\n---\n"
    own = "---\ntitle: T\nclient: Hartmann\n---\n"
    assert parse_markdown(known + "body", "n").body == len(known)
    with_own = parse_markdown(own + "body", "n")
    assert (with_own.body, with_own.lead) == (0, len(own))
    assert parse_markdown(known, "n").body == 0, "it is the only content"


@pytest.mark.parametrize(
    "block", ["a: [1, 2", "a: *nope", "? [x]\n: y", "- " * 8000 + "x", "a: \x07", "[" * 9000, "a: &a [*a]", "\tx: 1"]
)
def test_broken_yaml_costs_no_more_than_its_fields(block: str) -> None:
    parsed = parse_markdown(f"---\n{block}\n---\n# Heading\n\n- [ ] task\n", "note")
    assert parsed.title == "Heading"
    assert [fact.kind for fact in parsed.facts if fact.kind == "task"] == ["task"]


# ---- headings -------------------------------------------------------------------------------------------------------


def test_headings_with_levels_lines_and_words_without_markup() -> None:
    text = (
        "# One #\n\n  ## Two **bold** `code`\n### [Three](http://x.y) and [[four|4]] {#id}\n\n"
        "Setext one\n===\n\nSetext two\n---\n###### six\n"
    )
    assert outline(text) == [
        (1, "One", 1),
        (2, "Two bold code", 3),
        (3, "Three and 4", 4),
        (1, "Setext one", 6),
        (2, "Setext two", 9),
        (6, "six", 11),
    ]
    parsed = parse_markdown(text, "n")
    assert [parsed.text[h.start : h.end].splitlines()[0].strip()[:3] for h in parsed.headings][:2] == ["# O", "## "]
    assert parsed.text[parsed.headings[3].start : parsed.headings[3].end] == "Setext one\n===\n"


@pytest.mark.parametrize(
    "text",
    [
        "```\n# in a fence\n```\n",
        "~~~ python\n# in a fence\n```\nstill\n~~~\n",
        "````\n```\n# inside\n```\n# inside too\n````\n",
        "> ```\n> # quoted code\n> ```\n",
        "#tag is no heading\n",
        "####### seven\n",
        "    # indented code\n",
        "text\n\n---\n\nrule\n",
        "- item\n---\n",
        "| a | b |\n|---|---|\n",
        "two lines\nof a paragraph\n---\n",
        "\\# escaped\n",
    ],
)
def test_what_is_no_heading(text: str) -> None:
    assert outline(text) == []


def test_a_heading_after_a_closed_fence_is_one_again() -> None:
    assert outline("```sh\n# no\n```\n# yes\n") == [(1, "yes", 4)]


def test_lines_count_on_from_the_top_of_the_file_past_the_frontmatter() -> None:
    assert outline("---\ntitle: a\n---\n\n# Five\n") == [(1, "Five", 5)]


def test_dates_in_headings_and_file_names_are_facts() -> None:
    parsed = parse_markdown("# Log\n\n## Meeting 2026-03-14\n\n## not a day 2026-02-30\n", "2026-01-02 walk")
    dates = [(fact.value, fact.text, fact.line) for fact in parsed.facts if fact.kind == "date"]
    assert dates == [("2026-01-02", "2026-01-02 walk", 1), ("2026-03-14", "Meeting 2026-03-14", 3)]


# ---- tags -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("#one and #two/three, (#four)", ["one", "two/three", "four"]),
        ("#Größe #日本語 #проект", ["größe", "日本語", "проект"]),
        ("#cafe #decade #add", ["cafe", "decade", "add"]),
        ("*#bold* _#under_", ["bold", "under_"]),
        ("#2026plan #plan-2026/", ["2026plan", "plan-2026"]),
        ("#fff #a1b2c3 #FFEEDD #123456 #ccc", []),
        ("#123 issue#4 a#b http://x.y/#z", []),
        ("`#code` and ``#more `code` ``", []),
        ("[text](#anchor) [[note#part]] [[#here]] [x](http://a.b/#c)", []),
        ("color: #b00b1e; &#39; #", []),
    ],
)
def test_tags_in_a_line(line: str, tags: list[str]) -> None:
    assert values(f"{line}\n", "tag") == tags


def test_tags_are_not_read_from_headings_and_code_blocks() -> None:
    assert values("# Heading #no\n\n```\n#no\n```\n\n    #no\n\n- item\n\n    #yes in the item\n", "tag") == ["yes"]


def test_a_tag_used_twice_is_listed_once() -> None:
    assert parse_markdown("#A\n#a #b\n", "n").tags == ["a", "b"]


# ---- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("[[Note]] [[Folder/Note|alias]]", [("Note", "Note"), ("alias", "Folder/Note")]),
        ("[[Note#Part]] ![[Embed]]", [("Note#Part", "Note"), ("Embed", "Embed")]),
        ("| [[Note\\|in a table]] |", [("in a table", "Note")]),
        ("[text](http://x.y/a_(b)?c=d 'title')", [("text", "http://x.y/a_(b)?c=d")]),
        ("[a [b] c](<with space.md>)", [("a [b] c", "with space.md")]),
        ("![picture](p.png) [[#section]] [x](#y) [x] (y) `[[code]]`", []),
    ],
)
def test_links_in_a_line(line: str, found: list[tuple[str, str]]) -> None:
    assert [(fact.text, fact.value) for fact in facts(line, "link")] == found


# ---- tasks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "state", "due"),
    [
        ("- [ ] Call Anna", "open", None),
        ("* [x] Done", "done", None),
        ("+ [X] Done", "done", None),
        ("1. [ ] Numbered", "open", None),
        ("2) [/] Begun", "open", None),
        ("  - [-] Cancelled", "done", None),
        ("> - [ ] Quoted", "open", None),
        ("- [ ] pay due 2026-03-14", "open", "2026-03-14"),
        ("- [ ] pay due: 2026-03-14", "open", "2026-03-14"),
        ("- [ ] pay due:2026-03-14", "open", "2026-03-14"),
        ("- [ ] pay (due: 2026-03-14)", "open", "2026-03-14"),
        ("- [ ] pay (due 2026-03-14) soon", "open", "2026-03-14"),
        ("- [ ] pay @due(2026-03-14)", "open", "2026-03-14"),
        ("- [ ] pay [due:: 2026-03-14]", "open", "2026-03-14"),
        ("- [ ] pay **Due** by 2026-03-14", "open", "2026-03-14"),
        ("- [ ] pay, due by 2026-03-14", "open", "2026-03-14"),
        ("- [ ] pay \N{CALENDAR} 2026-03-14", "open", "2026-03-14"),
        ("- [x] pay due 2026-02-30", "done", None),
        ("- [ ] pay by 2026-03-14", "open", "2026-03-14"),
        ("- [ ] pay by 14 March 2026", "open", "2026-03-14"),
        ("- [ ] pay, due March 14th, 2026", "open", "2026-03-14"),
        ("- [ ] pay, deadline: 14. Sept. 2026", "open", "2026-09-14"),
        ("- [ ] pay by 31 February 2026", "open", None),
        ("- [ ] pay due 2026-02-30, due 2026-03-01", "open", "2026-03-01"),
        ("- [ ] pay by 14 March", "open", None),
        ("- [ ] pay 14 March 2026", "open", None),
        ("- [ ] residue 2026-03-14", "open", None),
    ],
)
def test_tasks_and_when_they_are_due(line: str, state: str, due: str | None) -> None:
    (task,) = facts(f"# H\n\n{line}\n", "task")
    assert (task.value, task.due, task.line) == (state, due, 3)


def test_a_tasks_words_stay_as_written() -> None:
    (task,) = facts("- [ ] Run `make #1` for [[Anna|her]], due 2026-03-14  \n", "task")
    assert task.text == "Run `make #1` for [[Anna|her]], due 2026-03-14"


@pytest.mark.parametrize("line", ["- [] x", "[ ] x", "- [ ]", "-[ ] x", "- [link](x)", "```\n- [ ] x\n```"])
def test_what_is_no_task(line: str) -> None:
    assert facts(f"{line}\n", "task") == []


# ---- anything at all ------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "# ",
        "## H\n",
        "---\n",
        "```\n",
        "- [ ] ",
        "[[",
        "]]",
        "](",
        "[",
        ")",
        "`",
        "#tag ",
        "\n",
        "\n\n",
        "    ",
        "a: b\n",
    ]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=40).map("".join))
def test_any_text_can_be_read_and_every_fact_has_a_line_of_it(text: str) -> None:
    parsed: Parsed = parse_markdown(text, "note")
    lines = text.count("\n") + 1
    assert parsed.text == text
    assert all(1 <= fact.line <= lines for fact in parsed.facts)
    for heading in parsed.headings:
        assert text.count("\n", 0, heading.start) + 1 == heading.line
    assert 0 <= parsed.body <= parsed.lead <= len(text)


@pytest.mark.parametrize(
    "line",
    [
        "# a" + " " * 400_000 + "b",
        "[a](" + " " * 400_000,
        "[" * 400_000,
        "[a](b " * 70_000,
        "`" * 3 + "`a" * 200_000,
        "- [ ] " + "> " * 200_000,
        "#" * 400_000,
        "---\n" + "a: " * 100_000,
        "x" * 1_000_000,
    ],
    ids=range(9),
)
@pytest.mark.timeout(20)
def test_a_crafted_line_does_not_stall_the_scanner(line: str) -> None:
    parse_markdown(line, "note")
