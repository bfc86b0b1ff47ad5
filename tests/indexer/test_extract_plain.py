"""Decoding, and the structure of text formats that are not Markdown."""

import pytest

from indexer.extract.plain import decode, parse_org, parse_rst, parse_text

GERMAN = "Der Käufer prüft das Gerät. Schöne Grüße aus Köln.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1"])
def test_a_text_is_the_same_in_every_encoding(encoding: str) -> None:
    assert decode(GERMAN.encode(encoding)) == GERMAN


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_known_by_its_mark(encoding: str) -> None:
    assert decode(("\ufeff" + GERMAN).encode(encoding)) == GERMAN


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Привет, мир! Это заметка о встрече."),
        ("koi8-r", "Привет, мир! Это заметка о встрече."),
        ("shift_jis", "これはテストです。日本語のメモ。"),
        ("gb18030", "这是一个测试笔记。会议时间是三月。"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy"),
        ("cp1253", "Καλημέρα κόσμε, σημείωση"),
    ],
)
def test_old_encodings_are_recognised(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_damaged_byte_does_not_turn_utf8_into_something_else() -> None:
    assert decode(b"\xff" + GERMAN.encode() * 3) == "\ufffd" + GERMAN * 3


@pytest.mark.parametrize("content", [b"\x7fELF\0\0", b"text\0text", bytes(range(256))])
def test_binary_data_is_no_text(content: bytes) -> None:
    assert decode(content) is None


def test_every_line_ending_becomes_one_newline() -> None:
    assert decode(b"a\r\nb\rc\n\n\x0bd\xc2\x85e") == "a\nb\nc\n\n\x0bd\x85e"


def test_plain_text_has_its_name_and_no_structure() -> None:
    parsed = parse_text("# not a heading\n- [ ] x\n", "2026-05-06 shopping")
    assert (parsed.title, parsed.headings) == ("2026-05-06 shopping", [])
    assert [(fact.kind, fact.value) for fact in parsed.facts] == [("date", "2026-05-06")]


ORG = """#+TITLE: Garden plan
#+FILETAGS: :home:
* Spring :Garden:trees:
** TODO [#A] Prune the apple tree
   DEADLINE: <2026-03-14 Sat>
** DONE Order seeds
*bold is no heading
* Autumn 2026-10-01
"""


def test_org_headings_tasks_tags_and_dates() -> None:
    parsed = parse_org(ORG, "stem")
    assert parsed.title == "Garden plan"
    assert parsed.tags == ["home", "garden", "trees"]
    assert [(h.level, h.title, h.line) for h in parsed.headings] == [
        (1, "Spring", 3),
        (2, "Prune the apple tree", 4),
        (2, "Order seeds", 6),
        (1, "Autumn 2026-10-01", 8),
    ]
    tasks = [(fact.text, fact.value, fact.due, fact.line) for fact in parsed.facts if fact.kind == "task"]
    assert tasks == [("Prune the apple tree", "open", "2026-03-14", 4), ("Order seeds", "done", None, 6)]
    assert [fact.value for fact in parsed.facts if fact.kind == "date"] == ["2026-10-01"]
    assert parsed.text[parsed.headings[0].start : parsed.headings[0].end] == "* Spring :Garden:trees:\n"


def test_an_org_deadline_counts_before_the_day_it_is_scheduled_for_and_file_tags_are_facts() -> None:
    planned = "#+FILETAGS: :home:\n* TODO Pay\n  SCHEDULED: <2026-03-01 Sun> DEADLINE: <2026-03-14 Sat>\n"
    facts = parse_org(planned, "stem").facts
    assert [fact.due for fact in facts if fact.kind == "task"] == ["2026-03-14"]
    assert [(fact.value, fact.line) for fact in facts if fact.kind == "tag"] == [("home", 1)]


RST = """=====
Title
=====

Intro
text.

First
-----

Words

Deeper
~~~~~~

Second
------

==== ====
a    b
==== ====
"""


def test_rst_headings_take_their_level_from_the_order_of_styles() -> None:
    parsed = parse_rst(RST, "stem")
    assert parsed.title == "Title"
    assert [(h.level, h.title, h.line) for h in parsed.headings] == [
        (1, "Title", 1),
        (2, "First", 8),
        (3, "Deeper", 13),
        (2, "Second", 16),
    ]
    assert parsed.text[parsed.headings[1].start : parsed.headings[1].end] == "First\n-----\n"
