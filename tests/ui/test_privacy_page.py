import pytest
from msgspec import json
from msgspec.structs import replace
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPlainTextEdit
from scripted_engine import DEPARTURE, REPORT
from scripted_pages import NO_KEYRING, info

from core.protocol import (
    AddProvider,
    Answered,
    Configure,
    Departure,
    Drill,
    OrderProviders,
    Preview,
    Problem,
    Provider,
    RemoveProvider,
    ShowLedger,
    Timings,
    TryProvider,
)
from ui.pages.ledger_section import AT_ONCE
from ui.pages.privacy import PrivacyPage
from ui.preferences import Preferences

GROQ = Provider("groq", "openai", "https://api.example.org/v1", "big", "groq")
HERE = Provider("ollama", "openai", "http://127.0.0.1:11434/v1", "llama3.2")
BROUGHT = Provider("old", "openai", "https://old.example.org/v1", "older", "old", confirmed=False)


@pytest.fixture
def page(qtbot, link, theme):
    preferences = Preferences(link)
    made = PrivacyPage(link, theme, preferences)
    qtbot.addWidget(made)
    made.resize(860, 900)
    made.show()
    qtbot.waitUntil(lambda: preferences.settings is not None)
    return made


@pytest.fixture
def providers(qtbot, page, scripted):
    scripted.pages.infos = [info(GROQ, words="It answers.", answered_s=130.0), info(HERE), info(BROUGHT)]
    scripted.change(providers=scripted.pages.infos)
    qtbot.waitUntil(lambda: list(page.providers._rows) == ["groq", "ollama", "old"])
    return page.providers


def press_in_box(text):
    def press():
        box = QApplication.activeModalWidget()
        press.said = f"{box.text()} {box.informativeText()}"
        next(button for button in box.buttons() if button.text().replace("&", "") == text).click()

    QTimer.singleShot(50, press)
    return press


# ---- models --------------------------------------------------------------------------------------------------------


def test_without_a_provider_the_page_says_that_nothing_leaves(page):
    assert "nothing leaves" in page.providers.none.text()
    assert page.subtitle.text() == "No cloud model is set up: nothing leaves this machine."


def test_each_provider_says_where_it_stands_and_when_it_answered_last(providers):
    assert providers._rows["groq"].words.text() == "It answers. Its last whole answer came 2 min ago."
    assert "came with an import" in providers._rows["old"].words.text()
    assert providers._rows["old"].confirm.isVisible()
    assert providers._rows["old"].test.isHidden()


def test_who_is_asked_first_is_switched_and_shown(qtbot, page, scripted):
    page.providers.prefer.segment("cloud").click()
    qtbot.waitUntil(lambda: Configure("prefer", "cloud") in scripted.calls)
    assert page.providers.prefer.value == "cloud"


def test_a_provider_is_added_with_its_key(qtbot, page, scripted):
    form = page.providers.form
    page.providers.add.click()
    form.service.setCurrentIndex(form.service.findData("groq"))
    assert (form.name.text(), form.url.text()) == ("groq", "https://api.groq.com/openai/v1")
    form.save.click()
    assert form.trouble.text() == "Model is still empty."
    form.model.setText("llama-3.3-70b")
    form.key.setText("gsk-secret")
    form.save.click()
    qtbot.waitUntil(form.isHidden)
    assert scripted.pages.keys == {"groq": "gsk-secret"}
    assert form.key.text() == "", "a key does not stay in a field"
    assert page.providers.note.words == "The key groq is in the system's keyring."
    qtbot.waitUntil(lambda: "groq" in page.providers._rows)
    added = next(call.provider for call in scripted.calls if isinstance(call, AddProvider))
    assert added == Provider("groq", "openai", "https://api.groq.com/openai/v1", "llama-3.3-70b", "groq")


def test_without_a_usable_keyring_the_page_says_so(qtbot, page, scripted):
    scripted.pages.said = NO_KEYRING
    page.providers.form.add()
    page.providers.form.model.setText("big")
    page.providers.form.key.setText("key")
    page.providers.form.save.click()
    qtbot.waitUntil(lambda: page.providers.note.words == NO_KEYRING)


def test_a_server_on_this_machine_wants_no_key(qtbot, page, scripted):
    form = page.providers.form
    form.add()
    form.service.setCurrentIndex(form.service.findData("ollama"))
    form.model.setText("llama3.2")
    form.save.click()
    qtbot.waitUntil(form.isHidden)
    assert HERE in [call.provider for call in scripted.calls if isinstance(call, AddProvider)]


@pytest.mark.parametrize(
    ("name", "url", "says"),
    [
        ("two words", "https://host/v1", "cannot be a provider's name"),
        ("mine", "not an address", "address"),
        ("mine", "https://me:secret@host/v1", "password"),
        ("mine", "https://[::1", "address"),
        ("n" * 300, "https://host/v1", "cannot be a provider's name"),
    ],
)
def test_a_wrong_provider_is_answered_in_the_form_which_keeps_what_was_typed(qtbot, page, name, url, says):
    form = page.providers.form
    form.add()
    form.service.setCurrentIndex(form.service.count() - 1)
    form.name.setText(name)
    form.url.setText(url)
    form.model.setText("m")
    form.save.click()
    qtbot.waitUntil(lambda: says in form.trouble.text())
    assert form.isVisible()
    assert form.save.isEnabled()
    assert (form.name.text(), form.url.text()) == (name, url)


def test_a_provider_is_changed_in_its_place_and_keeps_its_key(qtbot, providers, scripted):
    providers._rows["groq"].change.click()
    assert providers.form.name.isReadOnly()
    providers.form.model.setText("bigger")
    providers.form.save.click()
    qtbot.waitUntil(lambda: "bigger at" in providers._rows["groq"].model.text())
    assert next(iter(providers._rows)) == "groq"
    assert scripted.pages.keys == {}


def test_a_key_can_be_taken_out(qtbot, providers, scripted):
    scripted.pages.keys["groq"] = "secret"
    providers._rows["groq"].change.click()
    providers.form.forget_key.click()
    qtbot.waitUntil(lambda: scripted.pages.keys == {})
    qtbot.waitUntil(lambda: providers.note.words == "The key groq is removed.")


def test_testing_says_what_came_of_it(qtbot, providers, scripted):
    row = providers._rows["groq"]
    row.test.click()
    assert not row.test.isEnabled()
    qtbot.waitUntil(lambda: row.result.text() == "big at groq answers; its first word came after 0.4 s.")
    assert TryProvider("groq") in scripted.calls
    scripted.pages.trouble = Problem("The key of groq was refused.", "Set another.", kind="cloud")
    row.test.click()
    qtbot.waitUntil(lambda: row.result.text() == "The key of groq was refused. Set another.")
    assert row.test.isEnabled()


def test_the_order_is_changed_with_arrows(qtbot, providers, scripted):
    assert not providers._rows["groq"].up.isEnabled()
    assert not providers._rows["old"].down.isEnabled()
    providers._rows["ollama"].up.click()
    qtbot.waitUntil(lambda: OrderProviders(["ollama", "groq", "old"]) in scripted.calls)
    qtbot.waitUntil(lambda: list(providers._rows) == ["ollama", "groq", "old"])


def test_an_imported_provider_is_confirmed_after_its_address_was_shown(qtbot, providers):
    press = press_in_box("Let it be asked")
    providers._rows["old"].confirm.click()
    assert "https://old.example.org/v1" in press.said
    qtbot.waitUntil(lambda: not providers._rows["old"].test.isHidden())


def test_removing_asks_first(qtbot, providers, scripted):
    press_in_box("Cancel")
    providers._rows["ollama"].remove.click()
    assert not any(isinstance(call, RemoveProvider) for call in scripted.calls)
    press_in_box("Remove")
    providers._rows["ollama"].remove.click()
    qtbot.waitUntil(lambda: list(providers._rows) == ["groq", "old"])


def test_the_budget_shows_what_is_spent_and_takes_a_limit(qtbot, providers, scripted):
    budget = providers.budget
    qtbot.waitUntil(lambda: budget.lines["budget_day"].remark.text() == "1,204 spent today. 0 means no limit.")
    assert budget.fields["budget_day"].text() == "no limit"
    budget.fields["budget_day"].setValue(5000)
    budget.fields["budget_day"].editingFinished.emit()
    qtbot.waitUntil(lambda: scripted.script.settings.budget_day == 5000)
    scripted.script.problem = Problem("The settings could not be saved.", kind="profile")
    budget.fields["budget_month"].setValue(9)
    budget.fields["budget_month"].editingFinished.emit()
    qtbot.waitUntil(lambda: budget.lines["budget_month"].trouble.text() == "The settings could not be saved.")
    assert budget.fields["budget_month"].value() == 0, "it shows what is"


# ---- what may leave ------------------------------------------------------------------------------------------------


def test_the_door_is_closed_here_and_said(qtbot, page, scripted):
    page.show_part("leaving")
    page.leaving.offline.click()
    qtbot.waitUntil(lambda: page.subtitle.text() == "Offline: nothing leaves this machine.")
    assert page.chip.isVisible()


def test_the_rules_of_the_folders_are_counted(qtbot, page, scripted):
    folders = [replace(REPORT.folders[0], rule="local"), REPORT.folders[1]]
    scripted.change(folders=folders)
    qtbot.waitUntil(lambda: "1 folder: stays here" in page.leaving.rules.text())
    assert "1 folder: goes to the cloud only if you say so" in page.leaving.rules.text()


def test_names_to_hide_are_saved_one_a_line(qtbot, page, scripted):
    page.show_part("leaving")
    card = page.leaving
    card.names.setPlainText("Mara\n\n  Lindqvist & Sons \n")
    card.save.click()
    qtbot.waitUntil(lambda: scripted.script.settings.private_names == ["Mara", "Lindqvist & Sons"])
    qtbot.waitUntil(card.save.isHidden)
    card.names.setPlainText("Smith, John")
    card.save.click()
    assert "comma" in card.trouble.text()
    assert scripted.script.settings.private_names == ["Mara", "Lindqvist & Sons"]
    card.redact.click()
    qtbot.waitUntil(lambda: Configure("redact", "false") in scripted.calls)


def test_the_last_question_is_rehearsed_word_for_word(qtbot, page, scripted):
    scripted.pages.history.add(Answered("Which tiles?", "Clay.", None, [], [], [], Timings()))
    page.show_part("leaving")
    preview = page.leaving.preview
    qtbot.waitUntil(lambda: preview.question.text() == "Which tiles?")
    preview.consent.click()
    preview.show_button.click()
    qtbot.waitUntil(lambda: preview.found.count() == 3)
    assert Preview("Which tiles?", consent=True) in scripted.calls
    text = preview.findChild(QPlainTextEdit)
    assert text.isReadOnly()
    assert "Ask [NAME-1]." in text.toPlainText()
    facts = [said.text() for said in preview.findChildren(QLabel)]
    assert any(
        "128 bytes" in words and "hidden: 1 name" in words and "1 file would stay here" in words for words in facts
    )


def test_a_rehearsal_that_would_send_nothing_says_why(qtbot, page, scripted):
    scripted.pages.previews = [
        replace(scripted.pages.previews[0], messages=[], withheld=[], note="Nothing would be sent.")
    ]
    page.show_part("leaving")
    page.leaving.preview.question.setText("What?")
    page.leaving.preview.look()
    qtbot.waitUntil(lambda: page.leaving.preview.found.count() == 1)
    assert page.leaving.preview.found.itemAt(0).widget().text() == "Nothing would be sent."


# ---- what left -----------------------------------------------------------------------------------------------------


def test_what_left_is_listed_and_opened_to_its_exact_words(qtbot, page):
    page.show_part("ledger")
    ledger = page.ledger
    qtbot.waitUntil(lambda: ledger.rows.lines.rowCount() == 1)
    assert ledger.rows.lines.lines[0].title == "api.example.org, big"
    ledger.rows.opened.emit(DEPARTURE.id)
    assert "Ask [NAME-1]" in ledger.findChild(QPlainTextEdit).toPlainText()
    assert "Allowed by: you agreed, for this question" in ledger.facts.text()
    ledger.back.click()
    assert ledger.currentIndex() == 0


def test_a_long_ledger_comes_in_pages(qtbot, page, scripted):
    scripted.script.departures = [replace(DEPARTURE, id=number) for number in range(AT_ONCE + 30, 0, -1)]
    page.show_part("ledger")
    qtbot.waitUntil(lambda: page.ledger.rows.lines.rowCount() == AT_ONCE)
    page.ledger.rows.scrollToBottom()
    qtbot.waitUntil(lambda: page.ledger.rows.lines.rowCount() == AT_ONCE + 30)
    assert ShowLedger(most=AT_ONCE, before=31) in scripted.calls


def test_what_left_is_exported_into_a_new_file_only(qtbot, page, scripted, tmp_path, monkeypatch):
    page.show_part("ledger")
    file = tmp_path / "left.jsonl"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(file), ""))
    qtbot.waitUntil(page.ledger.export.isVisible)
    page.ledger.export.click()
    qtbot.waitUntil(lambda: page.ledger.note.words == f"1 entries are in {file}.")
    assert json.decode(file.read_bytes(), type=Departure) == DEPARTURE
    assert file.stat().st_mode & 0o777 == 0o600
    page.ledger.export.click()
    qtbot.waitUntil(lambda: page.ledger.trouble.words == f"{file} exists already. Name a new file.")


def test_forgetting_what_left_asks_first(qtbot, page):
    page.show_part("ledger")
    qtbot.waitUntil(page.ledger.erase.isVisible)
    press = press_in_box("Erase")
    page.ledger.erase.click()
    assert "still counts towards your budget" in press.said
    qtbot.waitUntil(lambda: page.ledger.pane.headline.text() == "Nothing has left this machine")


def test_a_ledger_that_cannot_be_read_is_said(qtbot, page, scripted):
    scripted.script.problem = Problem("The ledger cannot be read.", "Move it away.", kind="profile")
    page.show_part("ledger")
    qtbot.waitUntil(lambda: page.ledger.pane.headline.text() == "The ledger cannot be shown")


# ---- drill ---------------------------------------------------------------------------------------------------------


def test_a_drill_lists_how_each_question_was_answered(qtbot, page, scripted):
    page.show_part("drill")
    page.drill.most.setValue(3)
    page.drill.begin.click()
    qtbot.waitUntil(lambda: page.drill.said.text() == "Without the cloud, 2 of 3 questions were answered.")
    assert Drill([], 3) in scripted.calls
    assert [(line.detail, line.tone) for line in page.drill.rows.lines.lines] == [
        ("Answered by SmolLM2 on this machine", "good"),
        ("Answered by the quote", "good"),
        ("Not answered: The notes do not say it.", "bad"),
    ]
    qtbot.waitUntil(page.drill.begin.isVisible)


def test_a_drill_that_fails_says_so_and_can_be_begun_again(qtbot, page, scripted):
    scripted.script.problem = Problem("The history cannot be read.", kind="profile")
    page.show_part("drill")
    page.drill.begin.click()
    qtbot.waitUntil(lambda: page.drill.trouble.words == "The history cannot be read.")
    assert page.drill.begin.isVisible()
