"""Finding passages: any text is a question, never syntax; words first, meaning joins, both are fused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from indexer.index import Index
from indexer.records import Filter
from indexer.search import by_words
from indexer.store import passages
from indexer.store.database import Database
from indexer.terms import MOST_WORDS, expression, fold, phrase, query_words
from tests.indexer.conftest import extracted, indexed

Store = Callable[..., int]


def found(database: Database, text: str, limit: int = 10, *, unfinished: bool = False) -> list[str]:
    with database.read() as connection:
        matches = by_words(connection, text, limit, unfinished=unfinished)
        return [hit.text for hit in passages.hits(connection, [(match.number, match.points) for match in matches])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("When is the boiler serviced?", ["boiler", "serviced"]),
        ("Wann wird die Heizung gewartet?", ["heizung", "gewartet"]),
        ("Où est la clé?", ["cle"]),
        ("to be or not to be", ["to", "be", "or", "not"]),
        ("snake_case and kebab-case", ["snake", "case", "kebab"]),
        ("Crème BRÛLÉE crème", ["creme", "brulee"]),
        ("e\u0301te\u0301", ["ete"]),
        ("", []),
        ("?! -- ()", []),
        ("日本語 の メモ", ["日本", "本語", "の", "メモ"]),
        ("北京市B细胞 2026年", ["北京", "京市", "b", "细胞", "2026", "年"]),
        ("ガラス が", ["ガラ", "ラス", "が"]),
    ],
)
def test_the_words_of_a_question(text: str, words: list[str]) -> None:
    assert query_words(text) == words


def test_a_very_long_question_is_cut() -> None:
    assert len(query_words(" ".join(f"word{number}" for number in range(100_000)))) == MOST_WORDS


@given(st.one_of(st.text(max_size=200), st.text(alphabet="\"*^:()-+{}ANDORNOTNEAR \0\n'\\;%_", max_size=60)))
@example('"')
@example("title:")
@example("NEAR(a b, 2)")
@example("a AND")
@example("\0")
@example("-- '; DROP TABLE files")
@example("x" * 100_000)
@example("\ud800 half a character")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_a_person_types_breaks_the_search(database: Database, text: str) -> None:
    for unfinished in (False, True):
        found(database, text, unfinished=unfinished)


def test_passages_with_all_words_come_before_those_with_some(database: Database, store: Store) -> None:
    store("a.md", extracted("boiler boiler boiler", "the pressure of the old boiler", "pressure pressure"))
    assert found(database, "boiler pressure ")[0] == "the pressure of the old boiler"
    assert len(found(database, "boiler pressure ")) == 3


CHINESE = "他们决定用陶瓦屋顶，因为石板太贵。北京市的冬天很冷。"
JAPANESE = "屋根はガラスで、東京のメモに書いた。"
KOREAN = "학교에서 지붕을 고쳤다."
MIXED = "市北京 京市 the B细胞 of"
THAI = "ฉันกินข้าวที่ร้านอาหารทุกวัน"


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("屋顶", CHINESE), ("陶瓦屋顶", CHINESE), ("北京", CHINESE), ("贵", CHINESE), ("冷", CHINESE),
        ("冬天冷不冷", CHINESE), ("石板 北京", CHINESE), ("ガラス", JAPANESE), ("東京", JAPANESE), ("メモ", JAPANESE),
        ("학교는", KOREAN), ("지붕", KOREAN),
        ("ร้านอาหาร", THAI), ("ข้าว", THAI),
    ],
)  # fmt: skip
def test_words_of_scripts_without_spaces_are_found_inside(
    database: Database, store: Store, typed: str, text: str
) -> None:
    store("a.md", extracted(CHINESE, JAPANESE, KOREAN, THAI, "a roof of clay tiles"))
    assert found(database, typed)[:1] == [text]
    assert found(database, typed, unfinished=True)[:1] == [text]


def test_a_phrase_of_such_signs_is_exact(database: Database, store: Store) -> None:
    store("a.md", extracted(CHINESE, JAPANESE, KOREAN, MIXED, "B 细胞核"))
    for typed, text in (
        ("北京市", CHINESE), ("瓦屋顶", CHINESE), ("贵。北京", CHINESE), ("学校", None), ("瓦顶", None),
        ("冷", CHINESE), ("학교에서 지붕", KOREAN), ("b细胞 of", MIXED), ("京市 the", MIXED), ("B细胞核", "B 细胞核"),
    ):  # fmt: skip
        with database.read() as connection:
            matches = passages.matching(connection, phrase(typed), 9)
            assert [hit.text for hit in passages.hits(connection, matches)] == [text] * bool(text), typed


def test_how_often_a_pair_of_signs_occurs_is_known(database: Database, store: Store) -> None:
    store("a.md", extracted(CHINESE, "屋顶", JAPANESE))
    with database.read() as connection:
        frequency, total = passages.document_frequency(connection, ["屋顶", "瓦屋", "ガラ", "顶屋"])
    assert (frequency, total) == ({"屋顶": 2, "瓦屋": 1, "ガラ": 1, "顶屋": 0}, 3)


def test_an_unfinished_word_finds_its_continuations(database: Database, store: Store) -> None:
    store("a.md", extracted("the boiler", "a boil", "something else"))
    assert set(found(database, "boi", unfinished=True)) == {"the boiler", "a boil"}
    assert found(database, "boil ", unfinished=True) == ["a boil"]
    assert found(database, "boil?", unfinished=True) == ["a boil"]


def test_the_last_word_of_a_finished_question_is_whole(database: Database, store: Store) -> None:
    store("a.md", extracted("locker 777", "locker 77", "locker 1977"))
    assert found(database, "locker 77")[0] == "locker 77"
    assert found(database, "lock") == []
    assert found(database, "7") == []


def test_one_letter_finds_titles(database: Database, store: Store) -> None:
    store("a.md", extracted("about heating", title="Boiler"), mtime_ns=1)
    store("b.md", extracted("about fruit", title="bananas"), mtime_ns=2)
    store("c.md", extracted("b stands in the text", title="Letters"), mtime_ns=3)
    assert found(database, "b", unfinished=True) == ["about fruit", "about heating"]


def test_two_letters_find_titles_and_words_of_two_letters(database: Database, store: Store) -> None:
    store("a.md", extracted("about heating", title="Boiler"), mtime_ns=1)
    store("b.md", extracted("a new bo staff", title="Sport"), mtime_ns=2)
    store("c.md", extracted("bones in the text", title="Letters"), mtime_ns=3)
    assert found(database, "bo", unfinished=True) == ["about heating", "a new bo staff"]
    assert found(database, "bo ", unfinished=True) == ["a new bo staff"]


def test_accents_and_case_do_not_matter(database: Database, store: Store) -> None:
    store("a.md", extracted("The CAFÉ in Orléans"))
    assert found(database, "cafe orleans") == ["The CAFÉ in Orléans"]
    assert fold("ÉTÉ") == "ete"


def test_tags_and_headings_and_titles_are_searched(database: Database, store: Store) -> None:
    store("a.md", extracted("Deep heading: body", title="Peculiar title", tags=("odd-tag",)))
    for word in ("deep", "peculiar", "odd", "body"):
        assert found(database, word) == ["body"]


def test_expressions_are_quoted() -> None:
    assert expression(["a", "bcd"], every=True, unfinished=True) == '"a" AND "bcd"*'
    assert expression(["a", "bc"], every=True, unfinished=True) == '"a" AND "bc"', "two letters begin too many words"
    assert expression(["北"], every=True, unfinished=True) == '"北"*'
    assert expression(["bc", "a"], every=False, unfinished=True) == '"bc" OR "a"'
    assert expression(["北", "京市"], every=True) == '"北"* AND "京市"'


def test_only_passages_with_every_word_are_whole_matches(database: Database, store: Store) -> None:
    store("a.md", extracted("the boiler", "the boiler pressure", "boilers and pressures"))
    with database.read() as connection:
        found = by_words(connection, "boiler pressure", 5)
        typed = by_words(connection, "boiler pressure", 5, unfinished=True)
    assert [match.whole for match in found] == [True, False]
    assert [match.whole for match in typed] == [True, False, False]
    assert found[0].points > found[1].points


def test_words_come_first_and_meaning_joins(library: Index) -> None:
    stages = list(library.search("young pets", 3))
    assert [stage for stage, _, _ in stages] == ["words", "fused"]
    assert stages[0][1] == []
    assert Path(stages[1][1][0].path).name == "kittens.txt"
    assert stages[1][2] == ""


EXACT = {
    "car.md": "# Car\n\nGarage: Otley Road. The part on order has the number RB-2217, about two weeks.\n",
    "parts.md": "# Part numbers\n\nEvery part has a number on its label: RB and four digits, such as RB-2271.\n",
    "parkin.md": "# Parkin\n\nOatmeal, treacle and ginger. Keep it in a tin for a week.\n",
    "cakes.md": "# Cakes we like\n\nGinger cake, lemon drizzle cake, fruit cake. Parkin from Otley is not the same.\n",
    "gym.md": "# Gym\n\nThe locker by the door sticks. Mine is locker 77.\n",
    "station.md": "# Station\n\nThe locker with the tickets is number 777, the locker beside it 1577.\n",
}


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Index]:
    """EXACT, indexed: notes that are close in meaning to what another one says word for word."""
    with indexed(tmp_path_factory.mktemp("exact"), models, EXACT) as index:
        yield index


@pytest.mark.parametrize("words", ["RB-2217", "parkin", "parkin Otley", "locker 77"])
def test_a_passage_with_every_word_leads_both_stages(exact: Index, words: str) -> None:
    (_, by_words_alone, _), (_, fused, _) = exact.search(words, 3)
    assert by_words_alone[0].chunk_id == fused[0].chunk_id


def test_a_find_by_meaning_alone_is_close(exact: Index) -> None:
    *_, (_, hits, _) = exact.search("zzxqy vrelk", 10)
    assert hits == []
    *_, (_, hits, _) = exact.search("treacle cake", 10)
    assert {"gym.md", "station.md"}.isdisjoint(Path(hit.path).name for hit in hits)


def test_a_hit_says_where_it_stands(library: Index) -> None:
    (_, hits, _) = next(library.search("Tuesday Friday", 3, meaning=False))
    hit = hits[0]
    assert (Path(hit.path).name, hit.title, hit.page) == ("café.md", "Café notes", None)
    assert hit.heading.startswith("Café notes")
    assert hit.line <= 7 <= hit.line_end
    assert Path(hit.path).read_text()[hit.start : hit.end] == hit.text


def test_a_phrase_is_exact_and_a_word_can_be_excluded_in_both_stages(exact: Index) -> None:
    def named(words: str, chosen: Filter) -> set[str]:
        return {Path(hit.path).name for _, hits, _ in exact.search(words, 10, chosen=chosen) for hit in hits}

    assert named("ginger cake", Filter(having=(phrase("ginger cake"),))) == {"cakes.md"}
    assert named("parkin", Filter(lacking=(phrase("oatmeal"),))) >= {"cakes.md"}
    assert "parkin.md" not in named("parkin", Filter(lacking=(phrase("oatmeal"),)))


def test_without_words_the_newest_of_the_chosen_files_are_listed(exact: Index) -> None:
    stages = list(exact.search("  ", 10, chosen=Filter(names=("par",))))
    assert [stage for stage, _, _ in stages] == ["words", "fused"]
    for _, hits, note in stages:
        assert {Path(hit.path).name for hit in hits} == {"parts.md", "parkin.md"}
        assert note == ""


def test_without_meaning_there_is_one_stage(library: Index) -> None:
    assert [stage for stage, _, _ in library.search("boiler", 3, meaning=False)] == ["words"]
    assert len(list(library.search("   ", 3))) == 1


@pytest.mark.parametrize("text", ["", "?!", "x" * 100_000, '"NEAR( *', "\0", "\ud83d half"])
def test_odd_questions_get_an_answer(library: Index, text: str) -> None:
    for _, hits, note in library.search(text, 5):
        assert len(hits) <= 5
        assert note == ""


@pytest.mark.parametrize("question", ["Where are the cats", "Who services the boiler"])
def test_a_question_mark_changes_nothing(library: Index, question: str) -> None:
    def asked(text: str) -> list[tuple[int, float]]:
        *_, (_, hits, _) = library.search(text, 5)
        return [(hit.chunk_id, hit.score) for hit in hits]

    assert asked(question) == asked(f"{question}?") == asked(f"{question} ?!")
    assert library.similarity(question, ["Kittens."]) == library.similarity(f"{question}?", ["Kittens."])


def test_similarity_and_frequency(library: Index) -> None:
    close, far = library.similarity("Where are the cats?", ["Kittens play.", "Taxes are due."])
    assert close > far
    assert library.similarity("anything", []) == []
    counts, total = library.document_frequency(["Café", "boiler", "nowhere"])
    assert counts["Café"] >= 1
    assert counts["boiler"] >= 1
    assert counts["nowhere"] == 0
    assert total >= 6


def test_passages_by_id_and_their_neighbours(library: Index) -> None:
    (_, hits, _) = next(library.search("roastery", 1, meaning=False))
    assert [hit.text for hit in library.passages([hits[0].chunk_id, 10**9])] == [hits[0].text]
    around = library.neighbours(hits[0].chunk_id, 1)
    assert [hit.path for hit in around] == [hits[0].path] * len(around)
    assert hits[0].text in [hit.text for hit in around]
