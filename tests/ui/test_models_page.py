import pytest
from PySide6.QtWidgets import QFileDialog

from core.protocol import ChildInfo, Configure
from ui.pages.models import STARTER, ModelsPage
from ui.preferences import Preferences


@pytest.fixture
def page(qtbot, link, theme):
    preferences = Preferences(link)
    made = ModelsPage(link, theme, preferences)
    qtbot.addWidget(made)
    made.resize(800, 700)
    made.show()
    qtbot.waitUntil(lambda: made.local.facts["File"].text() == STARTER)
    return made


def test_what_runs_is_told_with_its_speed_and_memory(qtbot, page, scripted):
    assert page.local.name.text() == "SmolLM2-135M-Instruct"
    assert page.local.state.text() == "Ready."
    assert page.local.facts["Memory"].text() == "348 MB"
    assert page.local.facts["File"].text() == STARTER
    assert page.local.facts["Speed"].text().startswith("not measured yet")
    scripted.change(tokens_per_s=63.4, embedder="all-MiniLM-L6-v2", vectors="embedded, 3,168 vectors")
    qtbot.waitUntil(lambda: page.local.facts["Speed"].text().startswith("63 tokens/s"))
    assert page.meaning.name.text() == "all-MiniLM-L6-v2"
    assert page.meaning.facts["Memory"].text() == "212 MB"
    assert page.meaning.facts["Vectors"].text() == "embedded, 3,168 vectors"


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


def test_another_file_is_chosen_and_the_way_back_is_offered(qtbot, page, scripted, monkeypatch, tmp_path):
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF" + (3).to_bytes(4, "little") + (5).to_bytes(8, "little") + (5).to_bytes(8, "little"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    assert page.starter.isHidden()
    page.choose.click()
    qtbot.waitUntil(lambda: page.local.facts["File"].text() == str(file))
    page.starter.click()
    qtbot.waitUntil(lambda: page.local.facts["File"].text() == STARTER)
    assert Configure("local_model", "") in scripted.calls


def test_a_file_that_is_no_model_is_refused_in_a_sentence(qtbot, page, monkeypatch, tmp_path):
    file = tmp_path / "holiday.gguf"
    file.write_bytes(b"a picture")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    page.choose.click()
    qtbot.waitUntil(lambda: "holiday.gguf is not a GGUF model file." in page.trouble.words)
    assert page.local.facts["File"].text() == STARTER


def test_the_cloud_models_are_one_press_away(qtbot, page):
    assert page.cloud.text() == "None is set up."
    with qtbot.waitSignal(page.cloud_requested):
        page.set_up.click()
