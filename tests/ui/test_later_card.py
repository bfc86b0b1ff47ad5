import pytest
from msgspec.structs import replace
from PySide6.QtWidgets import QLabel
from scripted_engine import OPINION

from core.protocol import Configure, LaterInfo, ShowLater
from ui.main_window import HISTORY, MainWindow
from ui.pages.later_card import SHOWN, LaterCard, opinion_words

SEEN = ShowLater(seen=True, most=SHOWN)


@pytest.fixture
def window(qtbot, link, theme, profile, scripted):
    scripted.script.opinions = [OPINION]
    made = MainWindow(link, theme, profile)
    qtbot.addWidget(made)
    made.present()
    return made


def words(card: LaterCard) -> list[str]:
    items = [card.rows.itemAt(number).widget() for number in range(card.rows.count())]
    return [item.text() for item in items if isinstance(item, QLabel)]


def test_what_came_is_listed_and_seen_once_the_page_is_in_view(qtbot, window, scripted):
    scripted.change(later=LaterInfo(on=True, new=1))
    card = window.history.opinions
    qtbot.waitUntil(lambda: words(card) == [opinion_words(OPINION)])
    assert SEEN not in scripted.calls, "it is on another page"
    qtbot.waitUntil(lambda: "A second opinion has come" in window._words.text())
    window.present_opinions()
    assert window.page() == HISTORY
    qtbot.waitUntil(lambda: SEEN in scripted.calls)
    qtbot.waitUntil(lambda: "second opinion" not in window._words.text())


def test_what_comes_while_the_window_is_put_away_is_not_seen_until_it_is_back(qtbot, window, scripted):
    window.present_opinions()
    qtbot.waitUntil(window.isActiveWindow)
    other = QLabel()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: not window.isActiveWindow())
    scripted.change(later=LaterInfo(on=True, new=1))
    qtbot.waitUntil(lambda: words(window.history.opinions) == [opinion_words(OPINION)])
    assert SEEN not in scripted.calls
    window.activateWindow()
    qtbot.waitUntil(lambda: SEEN in scripted.calls)
    qtbot.waitUntil(lambda: not scripted.script.report.later.new)


def test_the_switch_sets_it_and_shows_how_it_is(qtbot, window, scripted):
    switch = window.history.opinions.switch
    assert not switch.isChecked()
    switch.click()
    qtbot.waitUntil(lambda: Configure("second_opinions", "true") in scripted.calls)
    qtbot.waitUntil(lambda: scripted.script.report.later.on and switch.isChecked())


def test_a_long_list_is_cut_with_the_way_to_the_rest(qtbot, window, scripted):
    scripted.script.opinions = [OPINION] * (SHOWN + 2)
    scripted.change(later=LaterInfo(on=True, new=SHOWN + 2))
    qtbot.waitUntil(lambda: words(window.history.opinions)[-1:] == ["2 more: `offhand later`"])
    window.present_opinions()
    qtbot.waitUntil(lambda: scripted.script.report.later.new == 2)


def test_the_words_of_each_state():
    assert opinion_words(replace(OPINION, state="waiting")) == "Clay or slate?\nWaits for the cloud model."
    assert opinion_words(replace(OPINION, state="dropped", note="Why.")).endswith("No second opinion: Why.")
    assert opinion_words(OPINION).splitlines()[1:] == [
        "Then: You chose clay tiles.",
        "Now: You chose clay tiles. Slate is dearer. (big)",
        "The cloud model says the same and more.",
    ]
