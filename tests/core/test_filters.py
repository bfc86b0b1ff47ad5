"""What a person types to narrow a search down, and what they are told when it makes no sense."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.engine.filters import chosen
from core.errors import BadInput
from core.protocol import Ask, Search
from indexer.records import EVERYWHERE, Filter

SECOND = 10**9


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("this system's time zone cannot be changed by a process")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_without_a_filter_everything_is_searched() -> None:
    assert chosen(Search("x")) == EVERYWHERE
    assert chosen(Search("x", after=" ", before="")) == EVERYWHERE


@pytest.mark.usefixtures("far_east")
def test_days_are_those_of_this_place_and_included() -> None:
    found = chosen(Search("x", after="2026-03-30", before="2026-03-31"))
    assert found.after == 1_774_796_400 * SECOND  # 2026-03-30 00:00 in Tokyo
    assert found.before == found.after + 2 * 86_400 * SECOND


@pytest.mark.usefixtures("far_east")
def test_what_stands_in_the_text_narrows_down_what_the_fields_say() -> None:
    text = "roof tag:work folder:house file:offer after:2026-03 before:2027 -slate"
    found = chosen(Search(text, after="2026-03-30", before="2026-03-31"))
    assert found == Filter(
        "",
        1_774_796_400 * SECOND,
        (1_774_796_400 + 2 * 86_400) * SECOND,
        ("house",),
        ("work",),
        ("offer",),
        (),
        ('"slate"',),
    )
    assert chosen(Search("after:2026-03")) == chosen(Search("x", after="2026-03-01"))
    assert chosen(Search("before:2026")) == chosen(Search("x", before="2026-12-31"))
    with pytest.raises(BadInput, match="No day is both after 2026-05-01 and before 2025-12-31"):
        chosen(Search("after:2026-05 before:2025"))


def test_a_phrase_is_exact_in_a_search_and_prose_in_a_question() -> None:
    assert chosen(Search('"clay tiles"')).having == ('"clay tiles"',)
    assert chosen(Search('"clay ti', unfinished=True)).having == ('"clay"',)
    assert chosen(Ask('Who said "clay tiles"?')) == EVERYWHERE
    assert chosen(Ask("Who? tag:work")).tags == ("work",)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_there_are(day: str) -> None:
    found = chosen(Search("x", after=day, before=day))
    assert all(limit is None or abs(limit) < 2**63 for limit in (found.after, found.before)), "as SQLite takes it"


def test_a_folder_is_the_one_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert chosen(Search("x", folder=str(tmp_path / "link"))).folder == str(tmp_path / "real")


@pytest.mark.parametrize("text", ["yesterday", "31.3.2026", "2026-13-01", "2026-02-30", "20", "\ud800"])
def test_what_is_no_date_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match="is no date") as caught:
        chosen(Search("x", after=text))
    assert "2026-03-31" in caught.value.next_step


def test_other_values_that_make_no_sense() -> None:
    with pytest.raises(BadInput, match="No day is both after 2026-05-02 and before 2026-05-01"):
        chosen(Search("x", after="2026-05-02", before="2026-05-01"))
    with pytest.raises(BadInput, match="does not say where"):
        chosen(Search("x", folder="notes"))
