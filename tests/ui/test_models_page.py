import msgspec
import pytest
from PySide6.QtWidgets import QFileDialog
from scripted_models import MODELS

from core.protocol import ChildInfo, GetModel, ListModels, PauseModel, Problem, RemoveModel, UseModel
from ui.pages import models_card
from ui.pages.model_row import progress_words
from ui.pages.models import NO_FILE, NO_MODEL, STARTER, ModelsPage
from ui.preferences import Preferences

TINY, FETCHED, LARGER, TOO_LARGE, MINE = (info.name for info in MODELS)


@pytest.fixture
def page(qtbot, link, theme):
    preferences = Preferences(link)
    made = ModelsPage(link, theme, preferences)
    qtbot.addWidget(made)
    made.resize(800, 700)
    made.show()
    qtbot.waitUntil(lambda: made.local.facts["File"].text() == STARTER and bool(made.models.rows))
    return made


def test_what_runs_is_told_with_its_measured_speed_the_wait_that_follows_and_memory(qtbot, page, scripted):
    assert page.local.name.text() == "SmolLM2-135M-Instruct"
    assert page.local.state.text() == "Ready."
    assert page.local.facts["Memory"].text() == "348 MB"
    assert page.local.facts["File"].text() == STARTER
    assert page.local.facts["Speed"].text() == "Reads 312 and writes 63 tokens/s."
    assert page.local.facts["Usual answer"].text() == "A usual answer takes under a second."
    scripted.change(embedder="all-MiniLM-L6-v2", vectors="embedded, 3,168 vectors")
    qtbot.waitUntil(lambda: page.meaning.name.text() == "all-MiniLM-L6-v2")
    assert page.meaning.facts["Memory"].text() == "212 MB"
    assert page.meaning.facts["Vectors"].text() == "embedded, 3,168 vectors"


def test_a_model_that_was_not_measured_says_so(qtbot, page, scripted):
    told = scripted.pages.models
    told.infos = [msgspec.structs.replace(told.infos[0], measured=False), *told.infos[1:]]
    page.models.refresh()
    qtbot.waitUntil(lambda: page.local.facts["Speed"].text().startswith("not measured yet"))
    assert page.local.facts["Usual answer"].text() == "not known yet"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("missing", "Its file is not there; answers are quotes."),
        ("unusable", "Its file cannot be loaded; answers are quotes."),
        ("off", "Switched off after it failed repeatedly."),
    ],
)
def test_a_model_that_does_not_run_is_said(qtbot, page, scripted, state, words):
    scripted.change(model_state=state)
    qtbot.waitUntil(lambda: page.local.state.text() == words)


def test_a_sleeping_model_takes_no_memory(qtbot, page, scripted):
    scripted.change(children=[ChildInfo("semantics", "asleep", None, 0), ChildInfo("llm", "asleep", None, 0)])
    qtbot.waitUntil(lambda: page.local.facts["Memory"].text() == "none; it is asleep")


def test_each_model_says_what_it_is_and_offers_what_can_be_done(page):
    rows = page.models.rows
    assert page.models.memory.text() == "This machine has 8.0 GB of memory, and 20.0 GB free on its disk."
    buttons = {
        name: [b.text() for b in (r.use, r.get, r.pause, r.remove) if not b.isHidden()] for name, r in rows.items()
    }
    assert buttons == {
        TINY: [],
        FETCHED: ["Pause", "Remove…"],
        LARGER: ["Download"],
        TOO_LARGE: ["Download"],
        MINE: ["Resume", "Remove…"],
    }
    assert rows[LARGER].facts.text() == "1.1 GB  ·  Apache-2.0"
    assert rows[LARGER].words.text().endswith("A usual answer should take about 22 s (an estimate).")
    assert rows[TOO_LARGE].facts.text().endswith("needs 9.0 GB of memory")
    assert rows[MINE].note.text().startswith("The connection to example.org broke.")


def stands(scripted, **fields):
    """The model that is fetched stands otherwise now."""
    told = scripted.pages.models
    told.infos = [msgspec.structs.replace(one, **fields) if one.name == FETCHED else one for one in told.infos]


def test_a_download_shows_how_far_it_is_and_is_looked_at_again(qtbot, page, scripted):
    row = page.models.rows[FETCHED]
    assert row.progress.text() == "223 MB of 491 MB, 4.2 MB/s, 64 s left"
    assert row.bar.value() == 453
    stands(scripted, done=491_400_032, state="checking")
    qtbot.waitUntil(lambda: row.progress.text() == "491 MB of 491 MB, being checked")
    stands(scripted, state="here")
    qtbot.waitUntil(lambda: not row.use.isHidden())
    assert not row.bar.isVisible()


def test_downloads_are_begun_paused_and_gone_on_with(qtbot, page, scripted):
    rows = page.models.rows
    rows[LARGER].get.click()
    qtbot.waitUntil(lambda: not rows[LARGER].pause.isHidden())
    rows[LARGER].pause.click()
    qtbot.waitUntil(lambda: rows[LARGER].get.text() == "Resume")
    rows[LARGER].get.click()
    qtbot.waitUntil(lambda: not rows[LARGER].pause.isHidden())
    done = [call for call in scripted.calls if isinstance(call, GetModel | PauseModel)]
    assert done == [GetModel(LARGER), PauseModel(LARGER), GetModel(LARGER)]


def test_a_model_is_removed_once_the_person_is_sure(qtbot, page, scripted, monkeypatch):
    asked = []
    monkeypatch.setattr(models_card, "confirmed", lambda *words: asked.append(words[1:]) or len(asked) == 2)
    page.models.rows[MINE].remove.click()
    page.models.rows[MINE].remove.click()
    qtbot.waitUntil(lambda: page.models.said.words == f"{MINE} is deleted.")
    assert scripted.calls.count(RemoveModel(MINE)) == 1
    assert asked[0][2] == "Its file is deleted. It can be downloaded again."


def test_a_file_of_ones_own_is_used_and_the_way_back_is_offered(qtbot, page, scripted, monkeypatch, tmp_path):
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    assert page.starter.isHidden()
    page.models.file.click()
    qtbot.waitUntil(lambda: page.local.facts["File"].text() == str(file))
    page.starter.click()
    qtbot.waitUntil(lambda: page.local.facts["File"].text() == STARTER)
    assert [call for call in scripted.calls if isinstance(call, UseModel)] == [UseModel(str(file)), UseModel("")]


def test_what_cannot_be_used_is_refused_in_a_sentence(qtbot, page, scripted, monkeypatch, tmp_path):
    scripted.pages.models.trouble = Problem("holiday.gguf is not a GGUF model file.", "Choose another file.")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "holiday.gguf"), ""))
    page.models.file.click()
    qtbot.waitUntil(lambda: "holiday.gguf is not a GGUF model file." in page.models.trouble.words)
    assert page.models.said.isHidden()
    assert page.local.facts["File"].text() == STARTER


def test_the_starter_model_is_not_offered_for_removal(qtbot, page):
    page.models.use(MINE)
    row = page.models.rows[TINY]
    qtbot.waitUntil(lambda: not row.use.isHidden())
    assert row.remove.isHidden()


def test_without_any_model_there_is_no_file_either(qtbot, page, scripted):
    scripted.change(model="", model_state="missing")
    qtbot.waitUntil(lambda: page.local.name.text() == NO_MODEL)
    assert page.local.facts["File"].text() == NO_FILE
    page._preferences.refresh()
    qtbot.waitSignal(page._preferences.changed).wait()
    assert page.local.facts["File"].text() == NO_FILE


def test_a_half_typed_address_outlasts_what_is_done_to_a_row(qtbot, page, scripted):
    page.models.address.setText("https://example.org/b")
    page.models.rows[FETCHED].pause.click()
    qtbot.waitUntil(lambda: page.models.rows[FETCHED].get.text() == "Resume")
    assert page.models.address.text() == "https://example.org/b"


def test_a_look_that_failed_is_not_the_last_while_something_is_fetched(qtbot, page, scripted):
    scripted.script.problem = Problem("The engine is busy.", "Try again.")
    before = scripted.calls.count(ListModels())
    qtbot.waitUntil(lambda: scripted.calls.count(ListModels()) > before)
    scripted.script.problem = None
    stands(scripted, done=300_000_000)
    qtbot.waitUntil(lambda: page.models.rows[FETCHED].progress.text().startswith("300 MB"))


def test_an_address_is_fetched(qtbot, page, scripted):
    page.models.fetch.click()
    page.models.address.setText("  https://example.org/a.gguf ")
    page.models.fetch.click()
    qtbot.waitUntil(lambda: GetModel("https://example.org/a.gguf") in scripted.calls)
    qtbot.waitUntil(lambda: page.models.address.text() == "")


def test_out_of_view_nobody_asks(qtbot, page, scripted):
    page.hide()
    qtbot.wait(50)
    before = scripted.calls.count(ListModels())
    qtbot.wait(700)
    assert scripted.calls.count(ListModels()) == before


def test_the_cloud_models_are_one_press_away(qtbot, page):
    assert page.cloud.text() == "None is set up."
    with qtbot.waitSignal(page.cloud_requested):
        page.set_up.click()


@pytest.mark.parametrize(
    ("left", "words"), [(0.2, "1 s left"), (89, "89 s left"), (600, "10 min left"), (8000, "2 h 13 min left")]
)
def test_nobody_knows_more_exactly_what_is_left(left, words):
    assert progress_words(msgspec.structs.replace(MODELS[1], seconds_left=left)).endswith(words)


def test_every_row_can_be_told_without_seeing_it(page):
    for row in page.models.rows.values():
        assert row.bar.accessibleName().endswith(row.name.text())
        assert all(row.name.text() in made.accessibleName() for made in (row.get, row.use, row.pause, row.remove))
