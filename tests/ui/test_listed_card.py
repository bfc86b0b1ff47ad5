import msgspec
import pytest
from scripted_engine import NOTES, QUOTE, hits, sources

from core.protocol import Answered, CatalogItem, Found, Listed, Quoted, Step, Timings
from ui.answer_card import AnswerCard
from ui.listed_card import MOST

ITEMS = [
    CatalogItem(
        "Pay the deposit due 2026-04-14", str(NOTES / "house/roof.md"), "Roof", "Decision", 33, "2026-04-14", "open"
    ),
    CatalogItem("Order the tiles", str(NOTES / "house/roof.md"), "Roof", "Decision", 34, "", "done"),
]
LISTED = Listed("2 tasks due in April (1–30 April 2026)", "tasks", 2, ITEMS)
NOTHING = Listed("No open task is due tomorrow (25 November 2026).", "tasks", 0, [])


def answer(listed, quote=None, passages=()):
    route = [Step("catalog", "", "ok")]
    return Answered("?", listed.title, quote, list(passages), [], route, Timings(total_ms=4.0), listed=listed)


@pytest.fixture
def card(qtbot, theme):
    made = AnswerCard(theme)
    qtbot.addWidget(made)
    made.roots = [str(NOTES)]
    made.resize(700, 500)
    made.show()
    return made


def rows(card):
    layout = card.listing._lines
    return [layout.itemAt(number).widget() for number in range(layout.count())]


def test_a_list_is_the_answer_and_each_line_opens_its_place(qtbot, card):
    card.show_listed(LISTED)
    card.show_answer(answer(LISTED))
    assert card.listing.isVisible()
    assert card.listing.title.text() == LISTED.title
    assert not card.missing.isVisible()
    assert not card.quote_block.isVisible()
    assert not card.prose.isVisible()
    assert not card.waiting.isVisible()
    assert "No model was used" in card.foot.text()
    first, second = rows(card)
    assert "open" in first.accessibleName()
    assert "due 14 Apr 2026" in first.accessibleName()
    assert "done" in second.accessibleName()
    with qtbot.waitSignal(card.open_requested) as told:
        second.click()
    assert told.args == [ITEMS[1].path, 34, None]


def test_open_and_copy_take_the_list(card):
    card.show_listed(LISTED)
    assert card.place() == (ITEMS[0].path, 33, None)
    assert card.citation().split("\n")[0] == LISTED.title
    assert f"{ITEMS[1].path}:34" in card.citation()


def test_that_there_is_nothing_is_said_above_the_passages(card):
    card.show_listed(NOTHING)
    assert card.waiting.isVisible(), "the passages are still looked for"
    card.show_found(Found(hits()[:2], "fused", 3.0))
    card.show_quote(Quoted(None, 4.0))
    card.show_answer(answer(NOTHING, passages=sources(2)))
    assert card.listing.title.text() == NOTHING.title
    assert card.listing.isVisible()
    assert not card.missing.isVisible(), "the title says it"
    assert card.sources_title.isVisible()
    assert card.place() == (sources(2)[0].path, sources(2)[0].line, None)
    card.show_answer(answer(NOTHING, QUOTE, sources(2)))
    assert card.quote_block.isVisible()


def test_a_long_list_is_cut_and_says_how_many_are_left(card):
    many = [msgspec.structs.replace(ITEMS[1], line=number) for number in range(1, 201)]
    card.show_listed(Listed("5,000 tasks", "tasks", 5_000, many))
    assert len(rows(card)) == MOST
    assert card.listing.more.text() == "and 4,940 more"


def test_the_next_question_begins_without_the_list(card):
    card.show_listed(LISTED)
    card.clear()
    assert not card.listing.isVisible()
    card.show_quote(Quoted(None, 1.0))
    assert card.missing.isVisible()
