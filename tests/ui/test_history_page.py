import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from scripted_engine import PROSE, QUOTE, sources

from core.protocol import Answered, EraseHistory, LaterInfo, Problem, Step, Timings
from ui.pages.history import AT_ONCE, HistoryPage

ROUTE = [Step("quote", "", "ok"), Step("local", "SmolLM2-135M-Instruct.Q4_1.gguf", "ok")]


def answered(question, quote=QUOTE):
    text = " ".join(sentence.text for sentence in PROSE)
    return Answered(question, text, quote, sources(), list(PROSE), ROUTE, Timings(12.0, 34.0, 410.0, 1870.0))


@pytest.fixture
def past(scripted):
    for question in ("When was the chimney swept?", "Which tiles did we choose?"):
        scripted.pages.history.add(answered(question))
    return scripted.pages.history


@pytest.fixture
def page(qtbot, link, theme, past):
    made = HistoryPage(link, theme)
    qtbot.addWidget(made)
    made.resize(800, 700)
    made.show()
    qtbot.waitUntil(lambda: made.rows.lines.rowCount() == len(past.past("", None, AT_ONCE)))
    return made


def titles(page):
    return [line.title for line in page.rows.lines.lines]


def press_in_box(text):
    def press():
        box = QApplication.activeModalWidget()
        press.said = f"{box.text()} {box.informativeText()}"
        next(button for button in box.buttons() if button.text().replace("&", "") == text).click()

    QTimer.singleShot(50, press)
    return press


def test_earlier_questions_are_listed_newest_first_with_who_answered_and_when(page):
    assert titles(page) == ["Which tiles did we choose?", "When was the chimney swept?"]
    line = page.rows.lines.lines[0]
    assert line.aside.startswith("SmolLM2-135M-Instruct on this machine  ·  ")
    assert line.detail.startswith("We decided on clay tiles")


def test_typing_searches_and_says_when_nothing_has_these_words(qtbot, page):
    qtbot.keyClick(page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(page.search, "chimney")
    qtbot.waitUntil(lambda: titles(page) == ["When was the chimney swept?"])
    qtbot.keyClicks(page.search, " zeppelin")
    qtbot.waitUntil(lambda: page.pane.headline.text() == "No earlier question has these words")
    assert page.search.isVisible()
    page.search.clear()
    qtbot.waitUntil(lambda: len(titles(page)) == 2)


def test_an_answer_opens_as_it_was_and_esc_goes_back_to_its_row(qtbot, page, link):
    page.rows.setFocus()
    qtbot.keyClick(page.rows, Qt.Key.Key_Return)
    assert page.currentWidget() is page.past
    assert page.past.question.text() == "Which tiles did we choose?"
    assert page.past.card.quote == QUOTE
    assert page.past.card.ask_cloud.isHidden()
    with qtbot.waitSignal(page.open_requested) as opened:
        page.past.card.quote_block.buttons[0].click()
    assert opened.args == [QUOTE.path, QUOTE.line, None]
    page.past.card.quote_block.buttons[1].click()
    assert QUOTE.text in QGuiApplication.clipboard().text()
    qtbot.keyClick(page.past, Qt.Key.Key_Escape)
    assert page.currentWidget() is page.page
    assert page.rows.hasFocus()


def test_the_question_can_be_asked_again(qtbot, page):
    page.rows.opened.emit(page.rows.lines.lines[1].key)
    with qtbot.waitSignal(page.ask_requested) as asked:
        page.past.again.click()
    assert asked.args == ["When was the chimney swept?"]


def test_erasing_one_asks_first_and_says_what_goes(qtbot, page, scripted):
    page.rows.setFocus()
    press = press_in_box("Cancel")
    qtbot.keyClick(page.rows, Qt.Key.Key_Delete)
    assert "Erase “Which tiles did we choose?”?" in press.said
    assert "Your notes are not touched." in press.said
    assert not any(isinstance(call, EraseHistory) for call in scripted.calls)
    page.rows.opened.emit(page.rows.lines.lines[0].key)
    press_in_box("Erase")
    page.past.erase.click()
    qtbot.waitUntil(lambda: titles(page) == ["When was the chimney swept?"])
    assert page.currentWidget() is page.page


def test_erasing_all_leaves_a_page_that_says_so(qtbot, page, past):
    press_in_box("Erase all")
    page.erase_all.click()
    qtbot.waitUntil(page.pane.isVisible)
    assert page.pane.headline.text() == "Nothing has been asked yet"
    assert past.past("", None, 10) == []
    assert page.erase_all.isHidden()
    assert page.search.isHidden()


def test_a_history_that_cannot_be_read_is_said_with_a_way_to_try_again(qtbot, page, scripted):
    scripted.script.problem = Problem("The history of answers cannot be read.", "Move it away.", kind="profile")
    page.refresh()
    qtbot.waitUntil(lambda: page.pane.headline.text() == "The history cannot be shown")
    scripted.script.problem = None
    page.pane.action.click()
    qtbot.waitUntil(lambda: len(titles(page)) == 2)


def test_an_answer_that_was_erased_elsewhere_is_said_and_leaves_the_list(qtbot, page, past):
    past.erase(page.rows.lines.lines[0].key)
    page.rows.setFocus()
    press_in_box("Erase")
    qtbot.keyClick(page.rows, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: "There is no answer" in page.trouble.words)
    qtbot.waitUntil(lambda: titles(page) == ["When was the chimney swept?"])


def test_hundreds_of_questions_come_as_they_are_scrolled_to(qtbot, page, past):
    for number in range(AT_ONCE + 20):
        past.add(answered(f"Question {number}?"))
    page.refresh()
    qtbot.waitUntil(lambda: page.rows.lines.rowCount() == AT_ONCE)
    page.rows.scrollToBottom()
    qtbot.waitUntil(lambda: page.rows.lines.rowCount() == AT_ONCE + 22)


def test_second_opinions_have_their_part_of_the_page_once_there_are_any(qtbot, page, scripted):
    assert page.part.isHidden()
    scripted.change(later=LaterInfo(on=True, new=2))
    qtbot.waitUntil(page.part.isVisible)
    assert page.part.segment("opinions").text() == "Second opinions (2 new)"
    page.part.segment("opinions").click()
    assert page.opinions.isVisible()
    assert page.rows.isHidden()
