"""Lists of questions and what counts as a right answer."""

from itertools import count
from pathlib import Path

import pytest
from scripted_engine import PROSE, QUOTE, hits, sources

from core.paths import ROOT
from core.protocol import (
    Answered,
    CatalogItem,
    Event,
    Found,
    Listed,
    Piece,
    Problem,
    Quoted,
    RouteStep,
    Step,
    Timings,
)
from ui.question_list import Wanted, read
from ui.scoring import Given, Share, Spread, figures, follow, holds, percentile, place


def given(*files: str, quote: str = "", quote_ms: float = 1.0, first: float | None = None) -> Given:
    return Given(list(files), quote, [], quote_ms, first, 10.0)


def test_the_examples_list_is_read_whole() -> None:
    wanted, refused = read(ROOT / "examples" / "questions.jsonl")
    assert (len(wanted), refused) == (60, [])
    assert sum(one.answerable for one in wanted) == 45
    assert sum(one.unanswerable for one in wanted) == 15
    assert (wanted[0].line, wanted[0].id, wanted[0].file) == (1, "q01", "projects/heron-gauge.md")


def test_a_line_that_is_no_question_is_named_with_its_reason_and_the_others_go_on(tmp_path: Path) -> None:
    lines = [
        b'\xef\xbb\xbf{"question": " Why? ", "answers": "because", "id": 7, "more": 1}\r',
        b"",
        b"{broken",
        b'["question"]',
        b'{"answers": []}',
        b'{"question": "  "}',
        b'{"question": "Who?", "file": 3}',
        b'{"question": "Who?", "answers": [1]}',
        b'{"question": "Who?", "answers": [""]}',
        b'{"question": "\xff"}',
        b'{"question": "' + b"x" * (1 << 21) + b'"}',
        b'{"question": "When?"}',
    ]
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"\n".join(lines))
    wanted, refused = read(path)
    assert wanted == [Wanted(1, "Why?", "7", "", ["because"]), Wanted(12, "When?")]
    assert [sentence.split()[1] for sentence in refused] == [str(number) for number in range(3, 12)]
    assert all(sentence.startswith("Line ") and " is left out: " in sentence for sentence in refused)
    assert not wanted[1].answerable
    assert not wanted[1].unanswerable


@pytest.mark.parametrize("content", [b"", b"\n\n", b"{broken", None])
def test_a_list_without_any_question_is_refused_in_a_sentence(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Problem, match=r"cannot be read|There is no question in") as refused:
        read(path)
    assert refused.value.kind == "input"
    assert refused.value.next_step


def test_an_answer_is_followed_from_its_sending_to_its_end() -> None:
    events: list[Event] = [
        Found([hits()[0], hits()[0], hits()[1]], "fused", 1.0),
        Quoted(QUOTE, 2.0),
        RouteStep(Step("local", "small", "asked")),
        Piece("Clay"),
        Piece(" tiles."),
        Answered(
            "why",
            "Clay tiles.",
            QUOTE,
            sources(),
            PROSE,
            [Step("quote", "", "ok"), Step("cloud", "far", "offline"), Step("local", "small", "ok", 0)],
            Timings(),
        ),
    ]
    ticks = count(0, 0.010)
    got = follow(iter(events), lambda: next(ticks))
    assert got == Given([hits()[0].path, hits()[1].path], QUOTE.text, ["small"], 20.0, 40.0, 60.0)


def test_a_list_from_the_catalog_is_the_answer_like_a_quote() -> None:
    tasks = [CatalogItem("Pay the plumber", "/n/a.md", "A", "", 3), CatalogItem("Call Anna", "/n/a.md", "A", "", 4)]
    got = follow(iter([Listed("2 open tasks", "tasks", 2, tasks)]))
    assert (got.files, got.quote) == (["/n/a.md"], "2 open tasks\nPay the plumber\nCall Anna")
    none = follow(iter([Listed("No open task", "tasks", 0, []), Found(hits(), "fused", 1.0), Quoted(None, 2.0)]))
    assert (len(none.files), none.quote) == (8, "")


def test_what_an_engine_said_before_it_died_does_not_count() -> None:
    again: list[Event] = [Found(hits(), "fused", 1.0), Quoted(QUOTE, 2.0), Piece("Clay")]
    ticks = count(0, 0.010)
    got = follow(iter([*again, Found([], "fused", 1.0), Quoted(None, 2.0)]), lambda: next(ticks))
    assert (got.files, got.quote, got.quote_ms, got.first_token_ms, got.total_ms) == ([], "", 50.0, None, None)


@pytest.mark.parametrize(
    ("file", "where"),
    [("b.md", 2), ("sub/b.md", 2), ("./sub/b.md", 2), ("/n/sub/b.md", 2), ("/sub/b.md", None), ("ub/b.md", None)],
)
def test_the_right_file_is_known_by_its_path_or_the_end_of_it(file: str, where: int | None) -> None:
    assert place(Wanted(1, "?", file=file), given("/n/a.md", "/n/sub/b.md")) == where


def test_a_quote_holds_an_answer_whatever_its_case_and_line_breaks() -> None:
    wanted = Wanted(1, "?", answers=["6 Weeks against 19", "never"])
    assert holds(wanted, given(quote="Lead time was 6 weeks\nagainst  19, it was"))
    assert not holds(wanted, given(quote="6 weeks"))
    assert not holds(Wanted(1, "?"), given(quote="anything"))


def test_each_figure_counts_those_questions_alone_of_which_it_is_known() -> None:
    results = [
        (Wanted(1, "?", file="a.md", answers=["yes"]), given("/a.md", quote="Yes.", quote_ms=10, first=100)),
        (Wanted(2, "?", file="b.md", answers=["yes"]), given("/a.md", "/b.md", quote="No.", quote_ms=20, first=300)),
        (Wanted(3, "?", file="c.md"), given("/a.md", quote_ms=30)),
        (Wanted(4, "?", answers=["yes"]), given("/a.md", quote="yes", quote_ms=40)),
        (Wanted(5, "?", answers=[]), given("/a.md", quote="Yes.", quote_ms=50)),
        (Wanted(6, "?", file="a.md", answers=[]), given("/a.md", quote_ms=60)),
        (Wanted(7, "?"), given(quote_ms=70)),
    ]
    found = figures(results)
    assert found.questions == 7
    assert (found.hit_at_1, found.hit_at_5) == (Share(1, 3), Share(2, 3))
    assert (found.quoted, found.held, found.declined) == (Share(3, 4), Share(2, 3), Share(1, 2))
    assert found.quote_ms == Spread(7, 40, 70)
    assert found.first_token_ms == Spread(2, 300, 300)
    assert percentile([3, 1, 2], 0.5) == 2


def test_without_any_answer_there_are_no_times() -> None:
    assert figures([]).quote_ms == Spread(0, None, None)
