import msgspec
import pytest
from PySide6.QtGui import QTextCursor
from scripted_engine import NOTES, PROSE, QUOTE, hits, sources

from core.protocol import Answered, Found, Piece, Problem, Quoted, Restart, RouteStep, Sentence, Step, Timings
from ui.answer_card import NOT_IN_NOTES, AnswerCard, foot_words
from ui.prose import NOT_FOUND

ANSWER = Answered(
    "Which tiles?",
    " ".join(sentence.text for sentence in PROSE),
    QUOTE,
    sources(),
    PROSE,
    [Step("quote", "", "ok"), Step("local", "SmolLM2.Q4_1.gguf", "ok")],
    Timings(12.0, 34.0, 410.0, 1870.0),
)


@pytest.fixture
def card(qtbot, theme):
    made = AnswerCard(theme)
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    return made


def format_at(card, words):
    document = card.prose.view.document()
    start = document.toPlainText().index(words)
    cursor = QTextCursor(document)
    cursor.setPosition(start + 1)
    return cursor.charFormat()


def test_the_quote_stands_there_verbatim_before_any_prose(card):
    card.show_found(Found(hits()[:4], "fused", 12.0))
    card.show_quote(Quoted(QUOTE, 34.0))
    assert card.quote_block.text.text() == QUOTE.text
    assert card.quote_block.isVisible()
    assert not card.prose.isVisible()


def test_prose_is_painted_at_a_calm_rate_while_it_streams(qtbot, card):
    painted = []
    card.prose.view.document().contentsChanged.connect(lambda: painted.append(1))
    for number in range(200):
        card.show_piece(Piece(f"word{number} "))
    assert painted == [], "pieces are collected first"
    qtbot.waitUntil(lambda: "word199" in card.prose.view.toPlainText())


def test_each_sentence_shows_its_source_and_unsupported_ones_say_so(card):
    card.show_answer(ANSWER)
    assert format_at(card, "The tiles come").toolTip() == NOT_FOUND
    assert format_at(card, "You chose").toolTip() == ""
    assert "longer. 1" in card.prose.view.toPlainText()
    assert card.legend.isVisible()


def test_sentences_with_markup_are_found_in_the_drawn_text(card):
    sentences = [Sentence("**Clay** tiles it is.", 1), Sentence("With a `guarantee`.", None)]
    answer = "**Clay** tiles it is.\n\n* With a `guarantee`."
    card.show_answer(msgspec.structs.replace(ANSWER, answer=answer, sentences=sentences))
    assert format_at(card, "With a guarantee").toolTip() == NOT_FOUND
    assert "Clay tiles it is. 1" in card.prose.view.toPlainText()


def test_the_mark_of_a_source_opens_it(qtbot, card):
    card.show_answer(ANSWER)
    with qtbot.waitSignal(card.open_requested) as told:
        card.prose.view.source_clicked.emit(2)
    assert told.args == [sources()[1].path, sources()[1].line, None]


def test_when_the_notes_do_not_say_it_that_is_said_and_the_nearest_passages_stay(card):
    card.show_answer(msgspec.structs.replace(ANSWER, quote=None, answer="", sentences=[], note="Nothing close enough."))
    assert card.missing.isVisible()
    assert card.missing.text() == NOT_IN_NOTES
    assert not card.quote_block.isVisible()
    assert not card.prose.isVisible()
    assert card.note.words == "Nothing close enough."
    assert card.place() == (sources()[0].path, 31, None)


def test_the_citation_is_the_quote_with_title_and_place(card):
    card.show_answer(ANSWER)
    assert card.citation() == f"“{QUOTE.text}” — Roof, {NOTES / 'house/roof.md'}:31"


def test_the_foot_tells_the_way_and_the_time(card):
    assert foot_words(ANSWER.route, ANSWER.timings) == (
        "SmolLM2 on this machine   ·   quote 34 ms   ·   first word 410 ms   ·   all 1.9 s"
    )
    route = [Step("local", "SmolLM2.gguf", "its process ended"), Step("cloud", "gpt-4o-mini", "ok")]
    assert foot_words(route, Timings()) == "SmolLM2 on this machine: its process ended → gpt-4o-mini in the cloud"
    assert foot_words([Step("quote", "", "ok")], Timings()) == "No model was used"


def test_another_model_that_goes_on_leaves_a_seam(qtbot, card):
    card.show_step(RouteStep(Step("local", "SmolLM2.gguf", "asked")))
    assert card.waiting.text() == "SmolLM2 is writing…"
    card.show_piece(Piece("Half an ans"))
    card.show_step(RouteStep(Step("cloud", "gpt-4o-mini", "asked")))
    assert card.waiting.text() == "gpt-4o-mini goes on…"
    card.show_piece(Piece("wer."))
    qtbot.waitUntil(lambda: card.prose.view.toPlainText() == "Half an ans[gpt-4o-mini goes on]wer.")


def test_the_seam_stays_in_the_finished_answer_with_its_sources(card):
    answer = "**Clay** tiles it is. They come in April."
    route = [Step("cloud", "gpt-4o-mini", "stopped: it broke off", 0), Step("local", "SmolLM2.gguf", "ok", 27)]
    sentences = [Sentence("**Clay** tiles it is.", 1), Sentence("They come in April.", None)]
    card.show_answer(msgspec.structs.replace(ANSWER, answer=answer, sentences=sentences, route=route))
    assert card.prose.view.toPlainText() == "Clay tiles it is. 1 They [SmolLM2 goes on]come in April."
    assert format_at(card, "come in April").toolTip() == NOT_FOUND


def test_a_new_version_dims_the_first_words_until_it_has_passed_them(qtbot, card):
    card.show_step(RouteStep(Step("local", "SmolLM2.gguf", "asked")))
    card.show_piece(Piece("Half an ans"))
    card.show_step(RouteStep(Step("cloud", "gpt-4o-mini", "asked")))
    card.show_piece(Restart())
    card.show_piece(Piece("The whole"))
    qtbot.waitUntil(lambda: "The whole" in card.prose.view.toPlainText())
    assert format_at(card, "Half an ans").foreground().color() == card.prose._theme.color("faint")
    assert format_at(card, "The whole").foreground().color() != card.prose._theme.color("faint")
    card.show_piece(Piece(" answer."))
    qtbot.waitUntil(lambda: card.prose.view.toPlainText() == "The whole answer.")


def test_a_new_version_that_broke_off_gives_the_first_words_back(qtbot, card):
    card.show_step(RouteStep(Step("local", "SmolLM2.gguf", "asked")))
    card.show_piece(Piece("Half an ans"))
    card.show_step(RouteStep(Step("cloud", "gpt-4o-mini", "asked")))
    card.show_piece(Restart())
    card.show_piece(Piece("The"))
    card.show_step(RouteStep(Step("cloud", "gpt-4o-mini", "stopped: it broke off")))
    qtbot.waitUntil(lambda: card.prose.view.toPlainText() == "Half an ans")


def test_a_cloud_model_that_could_help_is_a_button_and_otherwise_there_is_none(qtbot, card):
    card.show_answer(ANSWER)
    assert not card.ask_cloud.isVisible()
    card.show_answer(msgspec.structs.replace(ANSWER, offer="api.example.org"))
    assert card.ask_cloud.isVisible()
    assert "api.example.org, this once" in card.ask_cloud.toolTip()
    with qtbot.waitSignal(card.cloud_requested):
        card.ask_cloud.click()
    card.clear()
    assert not card.ask_cloud.isVisible()


def test_an_answer_of_another_time_says_so_and_any_models_answer_can_be_tried_again(qtbot, card):
    card.show_answer(msgspec.structs.replace(ANSWER, remembered_at="2025-03-03T09:30:00Z", note="One file is missing."))
    assert card.note.words == ("Answered on 3 March 2025; nothing it rests on has changed. One file is missing.")
    with qtbot.waitSignal(card.again_requested):
        card.try_again.click()
    card.clear()
    assert not card.try_again.isVisible()
    card.show_answer(ANSWER)
    assert (card.note.words, card.try_again.isVisible()) == ("", True)
    card.show_answer(msgspec.structs.replace(ANSWER, route=[Step("quote", "", "ok")]))
    assert not card.try_again.isVisible()


def test_a_problem_leaves_what_is_there(card):
    card.show_quote(Quoted(QUOTE, 34.0))
    card.show_problem(Problem("The model broke off.", "Ask again."))
    assert card.trouble.words == "The model broke off. Ask again."
    assert card.quote_block.isVisible()


def test_starting_again_forgets_the_half_answer(card):
    card.show_answer(ANSWER)
    card.start_again()
    assert card.quote is None
    assert not card.quote_block.isVisible()
    assert "started again" in card.waiting.text()
    assert card.citation() is None


def test_what_stands_in_no_note_stands_out_in_its_sentence(card, theme):
    said = "Gustav came. The tiles cost 900 euros."
    sentences = [Sentence("Gustav came.", 1), Sentence("The tiles cost 900 euros.", None, ["900"])]
    card.show_answer(msgspec.structs.replace(ANSWER, answer=said, sentences=sentences))
    assert format_at(card, "900").toolTip() == "900: in none of your notes shown here"
    assert format_at(card, "900").foreground().color() == theme.color("bad")
    assert format_at(card, "The tiles cost").toolTip() == NOT_FOUND
