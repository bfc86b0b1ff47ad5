"""The names of folders and files that a question can be kept to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.facts import Facts
from indexer.records import CatalogQuery, Fact, Filter, FolderRefused
from indexer.store import files
from indexer.store.database import Database
from indexer.store.files import Seen
from tests.indexer.conftest import extracted

Store = Callable[..., int]


def test_a_folder_is_known_by_its_name_wherever_it_lies(database: Database, store: Store, root: Path) -> None:
    facts = Facts(database)
    assert facts.folder_called("house") == ""
    store("a.md", extracted("one"))
    store("Areas/House/roof.md", extracted("two"))
    assert facts.folder_called("house") == f"{root}/Areas/House"
    assert facts.folder_called("AREAS") == f"{root}/Areas", "it holds files of a folder in it"
    assert facts.folder_called("notes") == str(root)
    assert facts.folder_called(root.parent.name) == "", "folders around a watched one hold nothing"
    assert facts.folder_called("roof.md") == ""
    store("Areas/House/house/attic.md", extracted("three"))
    assert facts.folder_called("House") == f"{root}/Areas/House", "the outer one of two in one another"
    store("Garden/House/shed.md", extracted("four"))
    assert facts.folder_called("House") == "", "nobody knows which one is meant"
    store("Müll/list.md", extracted("five"))
    assert facts.folder_called("müll") == f"{root}/Müll"


def test_a_renamed_folder_is_known_after_another_look_and_one_that_is_gone_never(
    database: Database, store: Store, root: Path
) -> None:
    number = store("House/roof.md", extracted("one"))
    facts = Facts(database)
    assert facts.folder_called("house") == f"{root}/House"
    with database.write() as connection:
        known = files.rows(connection, [number])[number]
        assert files.move(connection, known, 1, Seen(f"{root}/Home/roof.md", 10, 1, 1))
    assert facts.folder_called("house") == ""
    facts.look_again()
    assert facts.folder_called("home") == f"{root}/Home"


def test_a_file_is_known_by_its_title_by_a_link_or_by_its_whole_name(database: Database, store: Store) -> None:
    store("trips/porto-2025.md", extracted("one", title="A week in Porto"))
    store("b.md", extracted("two", facts=(Fact("link", "the trip", "porto-2025", 1),)))
    facts = Facts(database)
    assert facts.file_called("a week in porto")
    assert facts.file_called("porto-2025")
    assert facts.file_called("Porto-2025.MD")
    assert not facts.file_called("porto")
    assert not facts.file_called("3.12")


def test_a_tag_is_known_and_one_above_it(database: Database, store: Store) -> None:
    store("a.md", extracted("one", facts=(Fact("tag", "Travel/Portugal", "travel/portugal", 1),)))
    facts = Facts(database)
    assert facts.has_tag("travel")
    assert facts.has_tag("travel/portugal")
    assert not facts.has_tag("trav")
    assert not facts.has_tag("portugal")


def test_items_come_a_page_at_a_time_and_all_are_counted(database: Database, store: Store, root: Path) -> None:
    tasks = tuple(Fact("task", f"task {line}", "open", line) for line in range(1, 8))
    store("a.md", extracted("one", facts=tasks))
    facts = Facts(database)
    total, items = facts.listed(CatalogQuery("tasks", limit=3, skip=3))
    assert (total, [item.line for item in items]) == (7, [4, 5, 6])
    with pytest.raises(FolderRefused):
        facts.listed(CatalogQuery("tasks", Filter(f"{root}/nowhere")))
