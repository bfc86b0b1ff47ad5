"""What other files are close to a note: by the vectors that are stored, and by rare words while there are none."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer import semantics
from indexer.child import Child
from indexer.index import Index
from indexer.records import Folder
from indexer.related import NO_WORDS, OF_A_FILE, RARE, RelatedPassages
from indexer.store.database import Database
from tests.indexer.conftest import Parts, embedded_texts, extracted, indexed, settled, write_notes

NOTES = {
    "boiler.md": "# Boiler\n\nThe boiler is serviced every October by Mr Hale. The pressure should be 1.4 bar.\n",
    "heating.md": "# Heating\n\nThe radiators lose pressure in winter, and the heating engineer bleeds them.\n",
    "cover.md": "# Cover plan\n\nThe boiler cover plan includes one service of the central heating a year.\n",
    "choir.md": "# Choir\n\nWe rehearse the Requiem on Thursdays; the altos are too quiet.\n",
    "tenor.md": "# Tenor part\n\nThe tenors sing too loudly in the Requiem, says our conductor.\n",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[tuple[Index, Path]]:
    place = tmp_path_factory.mktemp("related")
    with indexed(place, models, NOTES) as index:
        yield index, place / "notes"


def names(found: object) -> list[str]:
    return [Path(hit.path).name for hit in found.hits]  # type: ignore[attr-defined]


def test_the_closest_of_the_others_come_first_and_the_file_itself_never(library: tuple[Index, Path]) -> None:
    index, root = library
    found = index.related.of(root / "boiler.md", 0, 8)
    assert found is not None
    assert (found.stage, found.note) == ("fused", "")
    assert set(names(found)[:2]) == {"cover.md", "heating.md"}
    assert "boiler.md" not in names(found)
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)
    choir = index.related.of(root / "choir.md", 0, 8)
    assert choir is not None
    assert names(choir)[0] == "tenor.md"


def test_a_file_is_found_by_any_of_its_names(library: tuple[Index, Path], tmp_path: Path) -> None:
    index, root = library
    (tmp_path / "link").symlink_to(root)
    found = index.related.of(tmp_path / "link" / "choir.md", 0, 1)
    assert found is not None
    assert names(found) == ["tenor.md"]


def test_a_file_without_passages_has_none(library: tuple[Index, Path]) -> None:
    index, root = library
    assert index.related.of(root / "missing.md", 0, 8) is None


def test_no_other_file_takes_more_than_its_share_and_a_line_is_asked_for_alone(tmp_path: Path, models: Path) -> None:
    parts = "\n\n".join(f"## Part {n}\n\n" + "The boiler needs its service and new valves. " * 12 for n in range(4))
    two = "# Two things\n\n" + "The boiler needs service. " * 25 + "\n\n## Song\n\n" + "We sing the Requiem. " * 30
    with indexed(tmp_path, models, {"long.md": parts, "choir.md": NOTES["choir.md"], "two.md": two}) as index:
        root = tmp_path / "notes"
        found = index.related.of(root / "two.md", 0, 8)
        assert found is not None
        assert names(found).count("long.md") == OF_A_FILE
        assert "choir.md" in names(found)
        song = index.related.of(root / "two.md", 7, 8)
        assert song is not None
        assert names(song)[0] == "choir.md"


def test_nothing_is_embedded_for_it(parts: Parts) -> None:
    index = parts.index()
    write_notes(parts.home / "notes", NOTES)
    index.add_folder(parts.home / "notes")
    assert settled(index)
    texts = embedded_texts(parts.child(index, "semantics"))
    assert index.related.of(parts.home / "notes" / "boiler.md", 0, 8) is not None
    assert not texts


@pytest.fixture
def words_only(database: Database, store: Callable[..., int], tmp_path: Path) -> Iterator[RelatedPassages]:
    """A catalog without vectors, and a semantics process that cannot start."""
    store("boiler.md", extracted("Thermaline Ecosol pressure and valve", "serviced in the spring", title="Boiler"))
    store("cover.md", extracted("The valve of the Ecosol is covered by the plan", title="Plan"))
    store("other.md", extracted("the pressure of work", "and the rest of the week", title="Work"))
    store("alone.md", extracted("xylophone", title="Xylophone"))
    broken: Child[semantics.Call, semantics.Event] = Child(
        "semantics", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path, semantics.Event, {}
    )
    yield RelatedPassages(database, broken, lambda: None)
    broken.stop()


def test_without_meaning_the_rarest_words_find_what_is_near(words_only: RelatedPassages, folder: Folder) -> None:
    found = words_only.of(Path(folder.path) / "boiler.md", 0, 8)
    assert found is not None
    assert found.stage == "words"
    assert names(found)[0] == "cover.md"
    assert "boiler.md" not in names(found)
    assert "ecosol" in found.words
    assert "thermaline" not in found.words, "a word that no other note has finds none"
    assert found.note.endswith("; these passages share its rarest words.")


def test_a_note_like_no_other_says_that_meaning_was_not_asked(words_only: RelatedPassages, folder: Folder) -> None:
    found = words_only.of(Path(folder.path) / "alone.md", 0, 8)
    assert found is not None
    assert not found.hits
    assert found.note == f"The semantics process could not start (exit status 3); {NO_WORDS}"


def test_words_that_the_note_itself_repeats_are_not_rare_for_that(
    words_only: RelatedPassages, store: Callable[..., int], folder: Folder
) -> None:
    own = " ".join(f"peculiarity{letter}" for letter in "abcdefghij"[: RARE + 2])
    parts = [f"{own} and the flue", own, *(f"part {number}" for number in range(9))]  # only every second one is asked
    store("long.md", extracted(*parts, title="Long", tags=("flue",)))
    store("flue.md", extracted("sweep the flue", title="Chimney"))
    found = words_only.of(Path(folder.path) / "long.md", 0, 8)
    assert found is not None
    assert names(found) == ["flue.md"]
    assert found.words == ["flue"]


def test_pairs_of_signs_are_words_too(words_only: RelatedPassages, store: Callable[..., int], folder: Folder) -> None:
    store("tokyo.md", extracted("東京で会議", title="一"))
    store("kyoto.md", extracted("会議は京都", title="二"))
    found = words_only.of(Path(folder.path) / "tokyo.md", 0, 8)
    assert found is not None
    assert names(found) == ["kyoto.md"]
    assert "会議" in found.words


def test_a_note_whose_vectors_are_still_owed_is_found_by_words(parts: Parts) -> None:
    write_notes(parts.home / "notes", NOTES)
    index = parts.index()
    index.add_folder(parts.home / "notes")
    assert settled(index)
    with index._database.write() as connection:
        connection.execute("DELETE FROM embeddings")
    found = index.related.of(parts.home / "notes" / "choir.md", 0, 8)
    assert found is not None
    assert found.stage == "words"
    assert names(found) == ["tenor.md"]
    assert found.words[0] == "requiem"
    assert found.note.startswith("This note cannot be searched by meaning yet")
