import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from scripted_engine import NOTES, QUOTE, ScriptedEngine, hits

from core.protocol import Ask, Problem, Search
from ui.engine_link import EngineLink
from ui.palette import Palette


def showing(panel):
    return {panel.pane: "state", panel.results: "results", panel.card: "answer"}[panel.body.currentWidget()]


def type_in(qtbot, panel, words):
    qtbot.keyClicks(panel.question, words)


def press(qtbot, panel, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(panel.question, key, modifier)


def found(qtbot, panel, words="roof"):
    type_in(qtbot, panel, words)
    qtbot.waitUntil(lambda: showing(panel) == "results" and panel._painted == words)


def answered(qtbot, panel):
    press(qtbot, panel, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel._asking is None and showing(panel) == "answer")


def test_every_keystroke_finds_passages_and_a_pause_adds_the_search_by_meaning(qtbot, panel, scripted):
    found(qtbot, panel)
    qtbot.waitUntil(lambda: any(isinstance(call, Search) and call.meaning for call in scripted.calls))
    searches = [call for call in scripted.calls if isinstance(call, Search)]
    assert {call.words for call in searches if not call.meaning} == {"r", "ro", "roo", "roof"}
    assert [call.words for call in searches if call.meaning] == ["roof"]
    assert all(call.unfinished for call in searches)
    assert [call.ahead for call in searches] == [call.meaning for call in searches], "a pause lets the model read ahead"
    assert panel.results.results.rowCount() == 8


def type_on(qtbot, palette):
    type_in(qtbot, palette.panel, "s")


def clear_the_line(qtbot, palette):
    palette.panel.question.selectAll()
    press(qtbot, palette.panel, Qt.Key.Key_Backspace)


def leave(qtbot, palette):
    palette.hide()


def ask_it(qtbot, palette):
    press(qtbot, palette.panel, Qt.Key.Key_Return)


@pytest.mark.parametrize("ends", [type_on, clear_the_line, leave, ask_it])
def test_what_the_model_reads_ahead_ends_with_the_next_key_and_when_one_leaves(qtbot, palette, scripted, ends):
    scripted.script.reads_on = True
    found(qtbot, palette.panel)
    qtbot.waitUntil(lambda: palette.panel._read_ahead is not None)
    assert not scripted.cancelled
    ends(qtbot, palette)
    qtbot.waitUntil(lambda: [call.words for call in scripted.cancelled][:1] == ["roof"])


def test_the_better_order_replaces_the_first_in_place_and_the_choice_follows_its_passage(qtbot, panel, scripted):
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Down)
    chosen = panel.results.chosen()
    resets = []
    panel.results.results.modelReset.connect(lambda: resets.append(1))
    panel.results.show_hits(list(reversed(hits())), "roof", follow=True)
    assert panel.results.chosen().chunk_id == chosen.chunk_id
    assert panel.results.currentIndex().row() == 6
    assert resets == [], "the list is never emptied in between"


def test_an_answer_to_earlier_words_never_paints_over_later_ones(qtbot, panel, scripted):
    scripted.script.meaning_after = lambda words: 0.3 if words == "roo" else 0.0
    type_in(qtbot, panel, "roo")
    qtbot.waitUntil(lambda: any(isinstance(call, Search) and call.meaning for call in scripted.calls))
    scripted.script.hits = hits()[:2]
    type_in(qtbot, panel, "f")
    qtbot.wait(450)
    assert panel._painted == "roof"
    assert panel.results.results.rowCount() == 2


def test_arrows_choose_and_stay_within_the_list(qtbot, panel):
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Up)
    assert panel.results.currentIndex().row() == 0
    press(qtbot, panel, Qt.Key.Key_Down)
    assert panel.results.currentIndex().row() == 1
    for _ in range(20):
        press(qtbot, panel, Qt.Key.Key_Down)
    assert panel.results.currentIndex().row() == 7


def test_enter_answers_with_the_quote_first(qtbot, panel, scripted):
    found(qtbot, panel)
    answered(qtbot, panel)
    assert panel.card.quote_block.text.text() == QUOTE.text
    assert "You chose clay tiles" in panel.card.prose.text
    assert [call.question for call in scripted.calls if isinstance(call, Ask)] == ["roof"]


def test_an_answer_can_be_tried_again_and_the_next_question_is_an_ordinary_one(qtbot, panel, scripted):
    found(qtbot, panel)
    answered(qtbot, panel)
    panel.card.try_again.click()
    qtbot.waitUntil(lambda: [call for call in scripted.calls if isinstance(call, Ask)][-1] == Ask("roof", fresh=True))
    qtbot.waitUntil(lambda: panel._asking is None)
    answered(qtbot, panel)
    assert [call for call in scripted.calls if isinstance(call, Ask)][-1] == Ask("roof")


def test_typing_after_an_answer_searches_again(qtbot, panel):
    found(qtbot, panel)
    answered(qtbot, panel)
    type_in(qtbot, panel, "s")
    qtbot.waitUntil(lambda: showing(panel) == "results")


def test_control_enter_opens_the_chosen_passage_at_its_line(qtbot, panel):
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Down)
    with qtbot.waitSignal(panel.open_requested) as told:
        press(qtbot, panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert told.args == [str(NOTES / "meetings/2026-03-02-roofer.md"), 12, None]


def test_control_c_copies_with_the_citation_when_nothing_is_selected(qtbot, panel):
    found(qtbot, panel)
    answered(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == f"“{QUOTE.text}” — Roof, {NOTES / 'house/roof.md'}:31"
    assert panel._foot.text() == "Copied with its citation."


def test_control_c_copies_what_is_selected_in_the_line(qtbot, panel):
    found(qtbot, panel)
    panel.question.selectAll()
    press(qtbot, panel, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "roof"


def test_escape_stops_first_and_then_closes(qtbot, palette, panel, scripted):
    scripted.script.silent = True
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: any(isinstance(call, Ask) for call in scripted.calls))
    assert panel._stop.isVisible()
    press(qtbot, panel, Qt.Key.Key_Escape)
    assert palette.isVisible()
    assert not panel._stop.isVisible()
    assert panel.card.foot.text() == "Stopped."
    qtbot.waitUntil(lambda: len(scripted.cancelled) == 1)
    press(qtbot, panel, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert panel.question.text() == "roof", "what was typed stays"


def test_coming_back_selects_what_was_typed(qtbot, palette, panel):
    found(qtbot, panel)
    palette.hide()
    palette.present()
    assert panel.question.selectedText() == "roof"
    assert showing(panel) == "results"


def test_nothing_found_says_so_and_what_to_do(qtbot, panel, scripted):
    scripted.script.hits = []
    type_in(qtbot, panel, "zzz")
    qtbot.waitUntil(lambda: panel.pane.headline.text() == "No passage found")
    assert "Enter" in panel.pane.sentence.text()


def test_with_no_folder_there_is_a_button_to_add_one(qtbot, panel, scripted, link):
    scripted.change(folders=[])
    qtbot.waitUntil(lambda: "does not read any folder" in panel.pane.headline.text())
    with qtbot.waitSignal(panel.add_folder_requested):
        panel.pane.action.click()


def test_a_failed_search_is_a_sentence_and_can_be_tried_again(qtbot, panel, scripted):
    scripted.script.problem = Problem("The catalog is damaged.", "Run the check-up.", kind="profile")
    type_in(qtbot, panel, "roof")
    qtbot.waitUntil(lambda: panel.pane.sentence.text() == "The catalog is damaged. Run the check-up.")
    scripted.script.problem = None
    panel.pane.action.click()
    qtbot.waitUntil(lambda: showing(panel) == "results")


def test_a_refused_question_says_why_and_stays(qtbot, panel, scripted):
    found(qtbot, panel)
    scripted.script.problem = Problem("The question has no words in it.", "Type what you want to know.", kind="input")
    press(qtbot, panel, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "no words" in panel.card.trouble.words)
    assert panel.question.text() == "roof"


def test_offline_is_always_in_view(qtbot, panel, scripted):
    assert not panel._chip.isVisible()
    scripted.change(offline=True)
    qtbot.waitUntil(panel._chip.isVisible)


def test_what_is_typed_while_the_engine_starts_is_answered_once_it_is_up(qtbot, profile, theme):
    engine, link = ScriptedEngine(profile), EngineLink(profile)
    palette = Palette(link, theme)
    qtbot.addWidget(palette)
    palette.present()
    panel = palette.panel
    assert panel.pane.headline.text() == "Starting the engine…"
    type_in(qtbot, panel, "roof")
    press(qtbot, panel, Qt.Key.Key_Return)
    assert "What you typed stays" in panel.pane.sentence.text()
    engine.start()
    link.start()
    qtbot.waitUntil(lambda: showing(panel) == "answer" and panel._asking is None)
    assert panel.card.quote_block.text.text() == QUOTE.text
    assert panel.question.text() == "roof"
    link.close()
    engine.stop()


def test_an_engine_that_dies_in_mid_answer_leaves_the_question_and_answers_it_anew(qtbot, panel, scripted, link):
    scripted.script.pause = 0.03
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "You chose" in panel.card.prose.text)
    scripted.script.pause = 0.0
    scripted.cut()
    qtbot.waitUntil(lambda: panel._asking is None, timeout=8000)
    assert panel.question.text() == "roof"
    assert panel.card.prose.text.count("You chose") == 1, "the half answer was forgotten"


def test_an_engine_that_cannot_start_is_said_with_the_way_out(qtbot, panel, link):
    link._set_state("gone", Problem("The engine could not start.", "`offhand doctor` looks for the cause."))
    panel.question.setText("roof")
    panel._typed()
    assert panel.pane.headline.text() == "The engine is not running"
    assert "doctor" in panel.pane.sentence.text()
    assert panel.pane.action.text() == "Try now"
    assert panel.question.text() == "roof"


def test_it_has_two_heights_only(qtbot, palette, panel):
    low = palette.height()
    type_in(qtbot, panel, "r")
    qtbot.waitUntil(lambda: showing(panel) == "results")
    high = palette.height()
    assert high > low
    answered(qtbot, panel)
    assert palette.height() == high


def test_everything_has_a_name_for_screen_readers(panel):
    assert panel.question.accessibleName() == "Question"
    assert panel.results.accessibleName() == "Passages found"
    panel.results.show_hits(hits()[:1], "roof", follow=False)
    spoken = panel.results.results.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Roof" in spoken
    assert "line 31" in spoken


def test_fewer_hits_take_rows_away_and_more_add_them(panel):
    rows = panel.results.results
    for count in (3, 1, 8, 0, 2):
        panel.results.show_hits(hits()[:count], "roof", follow=False)
        assert rows.rowCount() == count
    assert panel.results.chosen().chunk_id == msgspec.structs.astuple(hits()[0])[0]


def offered(panel):
    rows = panel.action_list.rows
    return [rows.item(number).text().split("    ")[0] for number in range(rows.count())]


def test_control_k_offers_what_can_be_done_and_typing_narrows_it(qtbot, panel):
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert offered(panel) == [
        "Answer the question", "Open the file at its place", "Open its folder", "Copy with citation",
        "Related passages in other notes", "Copy the path", "Ask about this file only",
    ]  # fmt: skip
    assert panel.action_list.words.hasFocus()
    qtbot.keyClicks(panel.action_list.words, "path")
    assert offered(panel) == ["Copy the path"]
    qtbot.keyClick(panel.action_list.words, Qt.Key.Key_Return)
    assert QGuiApplication.clipboard().text() == str(NOTES / "house/roof.md")
    assert not panel.action_list.isVisible()
    assert panel.question.hasFocus()
    assert panel.question.text() == "roof", "what was typed stays"


def test_esc_closes_the_list_and_nothing_else(qtbot, palette, panel):
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(panel.action_list.words, Qt.Key.Key_Escape)
    assert not panel.action_list.isVisible()
    assert palette.isVisible()


def test_a_question_can_be_kept_to_one_file(qtbot, panel, scripted):
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(panel.action_list.words, "only")
    qtbot.keyClick(panel.action_list.words, Qt.Key.Key_Return)
    assert panel.question.text() == 'file:"roof.md" roof'
    qtbot.waitUntil(lambda: panel._painted == 'file:"roof.md" roof')


def test_tab_offers_filters_while_passages_are_shown(qtbot, panel):
    found(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Tab)
    assert offered(panel)[:3] == ["In Notes", "In House", "In Notes (Markdown)"]
    qtbot.keyClick(panel.action_list.words, Qt.Key.Key_Down)
    qtbot.keyClick(panel.action_list.words, Qt.Key.Key_Return)
    assert panel.question.text() == 'folder:"House" roof'


def test_an_answer_has_actions_of_its_own(qtbot, panel):
    found(qtbot, panel)
    answered(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert "Try again" in offered(panel)
    assert "Answer the question" not in offered(panel)


def test_with_nothing_to_do_there_is_no_list(qtbot, panel):
    press(qtbot, panel, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert not panel.action_list.isVisible()


def test_shift_enter_lets_the_next_question_follow_the_answer_until_the_chip_is_removed(qtbot, panel, scripted):
    press(qtbot, panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert not panel.following.number, "there is nothing to follow yet"
    type_in(qtbot, panel, "how old is the roof?")
    answered(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert panel.following.isVisible()
    assert panel.following.text().startswith("following: how old is the roof?")
    type_in(qtbot, panel, "and the gutter?")
    answered(qtbot, panel)
    asks = [call for call in scripted.calls if isinstance(call, Ask)]
    assert [(call.question, call.follows) for call in asks] == [("how old is the roof?", 0), ("and the gutter?", 7)]
    panel.following.click()
    assert not panel.following.isVisible()
    press(qtbot, panel, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [call.follows for call in scripted.calls if isinstance(call, Ask)] == [0, 7, 0])


def test_a_question_that_follows_what_was_erased_is_refused_once(qtbot, panel, scripted):
    type_in(qtbot, panel, "how old is the roof?")
    answered(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    scripted.script.problem = Problem("The answer is in the history no more.", "Ask the whole question.", kind="input")
    press(qtbot, panel, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "no more" in panel.card.trouble.words)
    assert (panel.following.number, panel.following.isVisible()) == (0, False)


def test_shorter_asks_the_same_question_for_fewer_words(qtbot, panel, scripted):
    type_in(qtbot, panel, "how old is the roof?")
    answered(qtbot, panel)
    panel.card.shorter.click()
    qtbot.waitUntil(
        lambda: (
            [(call.shorter, call.fresh) for call in scripted.calls if isinstance(call, Ask)]
            == [(False, False), (True, True)]
        )
    )
