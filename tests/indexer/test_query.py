"""Reading the search line: any text can be read, and only what is clearly a filter is one."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.query import MOST_PARTS, parse, period
from indexer.records import QueryPart
from indexer.terms import phrase

TYPED = st.text(alphabet='"“”„«»-:#,/ \tab9éß北folder tag file after before 2026-0', max_size=80)


def kinds(text: str, **options: bool) -> list[tuple[str, str]]:
    return [(part.kind, part.value) for part in parse(text, **options).parts]


@pytest.mark.parametrize(
    ("text", "parts", "words"),
    [
        ("boiler pressure", [], "boiler pressure"),
        ('the "boiler pressure" now', [("phrase", "boiler pressure")], 'the "boiler pressure" now'),
        ("„die Heizung“ “alt”", [("phrase", "die Heizung"), ("phrase", "alt")], "„die Heizung“ “alt”"),
        ("roof -slate", [("without", "slate")], "roof "),
        ('roof -"clay tiles"', [("without", "clay tiles")], "roof "),
        ("roof folder:house", [("folder", "house")], "roof "),
        ('FOLDER:"My House" roof', [("folder", "My House")], " roof"),
        ("tag:#roof, tag:work/taxes", [("tag", "roof"), ("tag", "work/taxes")], ", "),
        ("file:offer.pdf roof", [("file", "offer.pdf")], " roof"),
        ("after:2026 before:2026-03", [("after", "2026"), ("before", "2026-03")], " "),
        ("before:2026-03-31", [("before", "2026-03-31")], ""),
        ("http://example.org/a:b c:\\notes", [], "http://example.org/a:b c:\\notes"),
        ("after:hours before:you after:2026-13", [], "after:hours before:you after:2026-13"),
        ("folder: house", [], "folder: house"),
        ("kebab-case a - b -- --flag -?", [], "kebab-case a - b -- --flag -?"),
        ('a 5" pipe and "??"', [], 'a 5" pipe and "??"'),
        ('"not closed tag:roof', [("tag", "roof")], '"not closed '),
        ("-tag:roof -folder:x", [], "-tag:roof -folder:x"),
        ("", [], ""),
    ],
)  # fmt: skip
def test_what_is_read_as_a_filter_and_what_as_words(text: str, parts: list[tuple[str, str]], words: str) -> None:
    assert kinds(text) == parts
    assert parse(text).words == words


def test_a_filter_says_where_it_stands() -> None:
    text = 'roof  folder:"My House", -slate'
    assert [text[part.start : part.end] for part in parse(text).parts] == ['folder:"My House"', "-slate"]


def test_a_text_that_is_still_being_typed() -> None:
    assert parse('"boiler pres', unfinished=True) == (
        '"boiler pres', [QueryPart("phrase", "boiler pres", 0, 12)], ['"boiler pres"*'], [],
    )  # fmt: skip
    assert parse('"boiler p', unfinished=True).having == ['"boiler"'], "one letter begins too many words"
    assert kinds('"b', unfinished=True) == []
    assert parse("roof after:2026-0", unfinished=True).words == "roof ", "it becomes a date"
    assert kinds("roof after:2026", unfinished=True) == [("after", "2026")]
    assert parse("roof after:2026-0").words == "roof after:2026-0"
    assert parse("roof after:hou", unfinished=True).words == "roof after:hou"


def test_quotation_marks_in_a_question_are_prose() -> None:
    assert kinds('Who said "yes" to tag:roof?', exact=False) == [("tag", "roof?")]


def test_what_a_passage_must_have_and_must_lack() -> None:
    query = parse('"Crème brûlée" -Slate -"clay tiles"')
    assert query.having == ['"creme brulee"']
    assert query.lacking == ['"slate"', '"clay tiles"']


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-02-28", (date(2026, 2, 28), date(2026, 2, 28))),
        ("2024-02", (date(2024, 2, 1), date(2024, 2, 29))),
        ("9999", (date(9999, 1, 1), date(9999, 12, 31))),
        ("2026-13", None), ("2026-00", None), ("0000", None), ("2026-02-30", None), ("20", None),
        ("٢٠٢٦", None), ("", None),
    ],
)  # fmt: skip
def test_days_months_and_years(text: str, days: tuple[date, date] | None) -> None:
    assert period(text) == days


@given(st.one_of(st.text(max_size=200), TYPED), st.booleans(), st.booleans())
@example("tag:" * 1000, False, True)
@example('"' * 3000, True, True)
@example("folder:\ud800", False, True)
@example("-" * 3000, True, True)
def test_any_text_can_be_read(text: str, unfinished: bool, exact: bool) -> None:
    query = parse(text, unfinished=unfinished, exact=exact)
    assert len(query.parts) <= MOST_PARTS
    end = 0
    for part in query.parts:
        assert end <= part.start < part.end <= len(text)
        assert part.value
        part.value.encode()
        end = part.end
    if not query.parts and not unfinished:
        assert query.words == text
    shorter = text
    for part in reversed(query.parts):
        if part.kind != "phrase":
            shorter = shorter[: part.start] + shorter[part.end :]
    assert unfinished or query.words == shorter


@given(st.text(max_size=60))
def test_a_phrase_is_one_quoted_string(text: str) -> None:
    said = phrase(text)
    assert said == "" or said.removesuffix("*")[:: len(said.removesuffix("*")) - 1] == '""'
    assert '"' not in said.removesuffix("*")[1:-1]
