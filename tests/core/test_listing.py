"""A question about the catalog on its whole way: the list in the place of quote and prose, and no model asked."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from core.answering.answer import Answering
from core.answering.history import History
from core.engine import filters
from core.engine.engine import Engine
from core.engine.shelf import Shelf as EngineShelf
from core.errors import BadInput
from core.models.route import Route
from core.protocol import Answered, Ask, Drill, Found, Listed, ListTasks, Preview
from indexer.facts import Facts
from indexer.records import CatalogQuery, Filter, Problem
from indexer.store.database import Database
from indexer.worker import Cancellation
from tests.core.shelf import Shelf
from tests.core.typed_library import TODAY, fill, write


class Library(Shelf):
    """The small library in memory, with the catalog of the files."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(["The tax return has to be sent by Sunday.", "The boiler is due for a service."])
        self.listed = facts.listed
        self.has_tag = facts.has_tag
        self.folder_called = facts.folder_called
        self.file_called = facts.file_called


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("listing")
    write(made / "Notes")
    return made


@pytest.fixture(scope="module")
def facts(place: Path, models: Path) -> Iterator[Facts]:
    database = Database(place / "catalog.sqlite3")
    yield fill(database, place / "Notes", models)
    database.close()


def no_model(_ask: Ask) -> Route:
    raise AssertionError("a model was asked about a list")


def answered(facts: Facts, question: str, history: History | None = None) -> list[Any]:
    answering = Answering(Library(facts), no_model, history, today=lambda: TODAY)
    return list(answering.answer(Ask(question, consent=True), Cancellation()))


def test_a_list_stands_in_the_place_of_quote_and_prose(facts: Facts) -> None:
    listed, answer = answered(facts, "Which open tasks were due last week?")
    assert isinstance(listed, Listed)
    assert isinstance(answer, Answered)
    assert answer.listed == listed
    assert (listed.kind, listed.total, len(listed.items)) == ("tasks", 2, 2)
    assert answer.answer == listed.title == "2 open tasks due last week (16–22 November 2026)"
    assert (answer.quote, answer.sources, answer.sentences, answer.offer) == (None, [], [], "")
    assert [(step.kind, step.outcome) for step in answer.route] == [("catalog", "ok")]


def test_that_there_is_nothing_is_said_and_the_passages_stand_without_a_model(facts: Facts) -> None:
    events = answered(facts, "What is due tomorrow?")
    assert [type(event) for event in events] == [Listed, Found, Answered]
    assert (events[0].total, events[0].items) == (0, [])
    answer = events[-1]
    assert answer.listed == events[0]
    assert answer.listed.title == "No open task is due tomorrow (25 November 2026)."
    assert (answer.route[0].kind, answer.route[0].outcome) == ("catalog", "nothing found")
    assert [source.text for source in answer.sources] == [hit.text for hit in events[1].hits]
    assert answer.sources
    assert (answer.quote, answer.sentences, answer.offer) == (None, [], "")


def test_an_ordinary_question_lists_nothing(facts: Facts) -> None:
    answering = Answering(Library(facts), lambda _: Route([]), None, today=lambda: TODAY)
    events = list(answering.answer(Ask("When is the tax return due?"), Cancellation()))
    assert Listed not in {type(event) for event in events}
    assert events[-1].listed is None


def test_the_history_keeps_the_list_until_its_folder_goes(facts: Facts, place: Path, tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite3")
    answer = answered(facts, "What is overdue?", history)[-1]
    kept = structs.replace(answer, number=0)  # which is the row's
    assert history.recent(1) == [kept]
    history.forget(str(place / "Elsewhere"))
    assert history.recent(1) == [kept]
    history.forget(str(place / "Notes"))
    assert history.recent(1) == []


@pytest.mark.parametrize(
    ("folder", "within", "names"),
    [
        ("", "", {"boiler.md", "roof.md"}),
        ("House", "", {"boiler.md", "roof.md"}),
        ("House/roof.md", "House", {"roof.md"}),
        ("", "House", {"boiler.md", "roof.md"}),
        ("House", "Work", set()),
    ],
)
def test_a_list_is_kept_to_the_chosen_folder(
    facts: Facts, place: Path, folder: str, within: str, names: set[str]
) -> None:
    notes = place / "Notes"
    shelf = EngineShelf(SimpleNamespace(facts=facts), Filter(str(notes / folder) if folder else ""))
    query = CatalogQuery("files", Filter(str(notes / within) if within else ""), tag="house")
    assert {Path(item.path).name for item in shelf.listed(query)[1]} == names


def test_a_list_is_kept_to_the_chosen_days(facts: Facts, place: Path) -> None:
    changed = (place / "Notes" / "House" / "roof.md").stat().st_mtime_ns
    shelf = EngineShelf(SimpleNamespace(facts=facts), Filter("", changed, changed + 1))
    assert {Path(item.path).name for item in shelf.listed(CatalogQuery("tasks"))[1]} == {"roof.md"}


def test_filters_among_the_words_hold_for_lists_too(facts: Facts) -> None:
    def names(typed: str) -> set[str]:
        chosen = filters.chosen(Ask(typed))
        shelf = EngineShelf(SimpleNamespace(facts=facts), chosen)
        return {Path(item.path).name for item in shelf.listed(CatalogQuery("files"))[1]}

    assert names("which notes do I have tag:house") == {"boiler.md", "roof.md"}
    assert names("which notes do I have folder:House -valve") == {"roof.md"}
    assert names("which notes do I have file:pancakes") == {"pancakes.md"}


def test_the_title_says_that_only_some_files_were_looked_into(facts: Facts) -> None:
    library = Library(facts)
    library.narrowed = True
    answering = Answering(library, no_model, None, today=lambda: TODAY)

    def title(question: str) -> str:
        return next(answering.answer(Ask(question), Cancellation())).title

    assert title("open tasks") == "9 open tasks, in the chosen files"
    assert title("what is due tomorrow?") == "No open task is due tomorrow (25 November 2026), in the chosen files."


def test_a_chosen_folder_without_files_is_refused(facts: Facts, place: Path) -> None:
    shelf = EngineShelf(SimpleNamespace(facts=facts), Filter(str(place / "Nowhere")))
    with pytest.raises(Problem, match="Nothing is indexed in"):
        shelf.listed(CatalogQuery("tasks"))


def test_the_engine_lists_tasks_for_a_page_of_them(engine: Engine, models: Path, tmp_path: Path) -> None:
    notes = tmp_path / "Notes"
    write(notes)
    fill(engine.index._database, notes, models)

    def listed(call: ListTasks) -> Listed:
        (event,) = engine.handle(call, Cancellation())
        assert isinstance(event, Listed)
        return event

    everything = listed(ListTasks(state="all"))
    assert (everything.total, len(everything.items), everything.title) == (12, 12, "12 tasks")
    assert listed(ListTasks()).total == 9
    assert listed(ListTasks(state="done")).total == 3
    overdue = listed(ListTasks(due_to="2026-11-23"))
    assert overdue.items[0].text.startswith("Pay the boiler invoice")
    assert overdue.title == "2 open tasks due up to 23 November 2026"
    assert listed(ListTasks(due_from="2026-11-24", due_to="2026-11-30", folder=str(notes / "Work"))).total == 2
    some = listed(ListTasks(limit=2, skip=1))
    assert (some.total, some.items) == (9, listed(ListTasks()).items[1:3])
    for wrong in (ListTasks(due_from="soon"), ListTasks(folder="Work"), ListTasks(limit=-1)):
        with pytest.raises(BadInput):
            listed(wrong)

    (preview,) = engine.handle(Preview("what is overdue?"), Cancellation())
    assert preview.messages == []
    drilled, over = engine.handle(Drill(["how many tasks are there?"]), Cancellation())
    assert (drilled.answered_by, over.answered) == ("catalog", 1)
