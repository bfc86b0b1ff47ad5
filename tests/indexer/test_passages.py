"""Passages: what an edit keeps, what the triggers keep in step, what is found by words."""

from collections.abc import Callable

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer import check
from indexer.records import Extracted, Fact, Folder
from indexer.store import files, folders, outbox, passages
from indexer.store.database import Database
from indexer.store.outbox import Pointer
from indexer.store.passages import embedding_text, vector_hash
from tests.indexer.conftest import extracted, files_of

Store = Callable[..., int]

MODEL = "a model"


def ids(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return dict(connection.execute("SELECT body, id FROM chunks").fetchall())


def embed_all(database: Database) -> int:
    """Stand in for the semantics process: any vector will do here. Returns how many texts were embedded."""
    with database.write() as connection:
        unseen = outbox.unseen(connection, MODEL, 1000)
        outbox.store_vectors(connection, MODEL, {digest: text.encode() for digest, text in unseen.items()})
        upserts = outbox.upserts(connection, MODEL, 1000)
        outbox.clear(connection, [number for number, _ in upserts], outbox.removals(connection, 1000))
    return len(unseen)


def found(database: Database, expression: str) -> list[str]:
    with database.read() as connection:
        return [hit.text for hit in passages.hits(connection, passages.matching(connection, expression, 100))]


def assert_sound(database: Database) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)")
        assert outbox.orphans(connection) == 0
        right = {number for (number,) in connection.execute("SELECT id FROM chunks")}
        owed = dict(connection.execute("SELECT chunk_id, kind FROM vector_outbox").fetchall())
        embedded = {number for number, _ in outbox.upserts(connection, MODEL, 10_000)} | (right - owed.keys())
        assert {number for number, kind in owed.items() if kind == "upsert"} <= right
        assert not {number for number, kind in owed.items() if kind == "delete"} & right
        for number in embedded:
            assert connection.execute(
                "SELECT 1 FROM chunks JOIN embeddings ON hash = vector_hash WHERE chunks.id = ?", (number,)
            ).fetchall()


def test_an_edit_keeps_the_passages_whose_text_stays(database: Database, store: Store) -> None:
    file_id = store("a.md", extracted("one", "two", "three"))
    assert embed_all(database) == 3
    before = ids(database)
    with database.write() as connection:
        path = files_of(connection, 1)[0].path
        assert passages.replace(connection, file_id, path, extracted("new", "two", "one", title="Other"))
    after = ids(database)
    assert after["one"] == before["one"]
    assert after["two"] == before["two"]
    assert "three" not in after
    assert after["new"] > max(before.values())
    with database.read() as connection:
        assert list(outbox.unseen(connection, MODEL, 10).values()) == ["new"]
        assert outbox.removals(connection, 10) == [before["three"]]
        places = connection.execute("SELECT body, ordinal, title FROM chunks ORDER BY ordinal").fetchall()
    assert places == [("new", 0, "Other"), ("two", 1, "Other"), ("one", 2, "Other")]
    assert sorted(found(database, "title: other")) == ["new", "one", "two"]
    assert embed_all(database) == 1
    assert_sound(database)


def test_passages_without_spaces_come_change_and_go_with_their_words(database: Database, store: Store) -> None:
    file_id = store("a.md", extracted("第一: 屋顶很旧", "B细胞", title="会议记录", tags=("项目",)))
    assert set(found(database, '"屋顶" OR "项目"')) == {"屋顶很旧", "B细胞"}
    with database.write() as connection:
        path = files_of(connection, 1)[0].path
        assert passages.replace(connection, file_id, path, extracted("第一: 屋顶很旧", "新的", title="其他标题"))
    assert found(database, '"会议" OR "项目" OR "细胞"') == []
    assert set(found(database, '"标题"')) == {"屋顶很旧", "新的"}
    assert_sound(database)
    with database.write() as connection:
        connection.execute("INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild')")
    assert set(found(database, '"标题"')) == {"屋顶很旧", "新的"}
    with database.write() as connection:
        files.forget(connection, [file_id])
        assert connection.execute("SELECT count(*) FROM chunks_vocabulary").fetchall() == [(0,)]
    assert_sound(database)


def test_the_same_text_twice_is_embedded_once(database: Database, store: Store) -> None:
    store("a.md", extracted("same", "same", "h: same"))
    store("b.md", extracted("same"))
    assert embed_all(database) == 2
    assert len(ids(database)) == 1
    assert_sound(database)


def test_a_copy_keeps_the_vector_when_the_original_goes(database: Database, store: Store) -> None:
    original = store("a.md", extracted("same"))
    store("b.md", extracted("same"))
    embed_all(database)
    with database.write() as connection:
        files.forget(connection, [original])
    assert_sound(database)
    assert found(database, "same") == ["same"]


def test_a_reading_of_a_forgotten_file_is_dropped(database: Database, store: Store) -> None:
    file_id = store("a.md", extracted("one"))
    with database.write() as connection:
        path = files_of(connection, 1)[0].path
        files.forget(connection, [file_id])
        assert not passages.replace(connection, file_id, path, extracted("late"))
    assert ids(database) == {}


def test_a_passage_deleted_while_its_vector_is_on_the_way_is_still_taken_out(database: Database, store: Store) -> None:
    file_id = store("a.md", extracted("one"))
    with database.write() as connection:
        outbox.store_vectors(connection, MODEL, {vector_hash("", "one"): b"vector"})
        on_the_way = outbox.upserts(connection, MODEL, 10)
        files.forget(connection, [file_id])
        outbox.clear(connection, [number for number, _ in on_the_way], [])
        assert outbox.removals(connection, 10) == [number for number, _ in on_the_way]


def test_a_vector_that_comes_too_late_is_not_kept(database: Database, store: Store) -> None:
    file_id = store("a.md", extracted("one"))
    with database.write() as connection:
        digest = next(iter(outbox.unseen(connection, MODEL, 10)))
        files.forget(connection, [file_id])
        outbox.store_vectors(connection, MODEL, {digest: b"late"})
    assert_sound(database)


def test_ids_are_never_used_again(database: Database, store: Store) -> None:
    file_id = store("a.md", extracted("one"))
    before = ids(database)["one"]
    with database.write() as connection:
        files.forget(connection, [file_id])
    store("b.md", extracted("two"))
    assert ids(database)["two"] > before


def test_the_work_goes_breadth_first_and_newest_first(database: Database, store: Store) -> None:
    store("old.md", extracted("old first", "old second"), mtime_ns=1)
    store("new.md", extracted("new first", "new second"), mtime_ns=2)
    with database.read() as connection:
        order = list(outbox.unseen(connection, MODEL, 10).values())
    assert order == ["new first", "old first", "new second", "old second"]


def test_another_model_owes_everything_again(database: Database, store: Store) -> None:
    store("a.md", extracted("one", "two"))
    with database.write() as connection:
        outbox.point(connection, Pointer(1, "s", MODEL))
    embed_all(database)
    with database.write() as connection:
        outbox.point(connection, Pointer(2, "s", "another"))
        assert len(outbox.unseen(connection, "another", 10)) == 2
        assert outbox.pointer(connection) == Pointer(2, "s", "another")
    assert embed_all(database) == 2


def test_what_chroma_lacks_and_what_it_should_not_have_is_owed(database: Database, store: Store) -> None:
    store("a.md", extracted("one", "two"))
    embed_all(database)
    store("b.md", extracted("three"))  # owed already
    with database.write() as connection:
        missing, ghosts = outbox.differences(connection, {2, 99})
        assert (missing, ghosts) == ([1], [99])
        outbox.owe(connection, missing)
        outbox.owe_removal(connection, ghosts)
        assert {number for number, _ in outbox.upserts(connection, MODEL, 10)} == {1}
        assert outbox.removals(connection, 10) == [99]


def test_facts_are_replaced(database: Database, store: Store) -> None:
    file_id = store("a.md", extracted("one", facts=(Fact("task", "pay rent", "open", 3, "2026-01-31"),)))
    with database.write() as connection:
        assert connection.execute("SELECT kind, text, value, line, due FROM facts").fetchall() == [
            ("task", "pay rent", "open", 3, "2026-01-31")
        ]
        path = files_of(connection, 1)[0].path
        passages.replace(connection, file_id, path, extracted("one", facts=(Fact("tag", "House", "house", 1),)))
        assert connection.execute("SELECT value FROM facts").fetchall() == [("house",)]


def test_hits_know_their_place(database: Database, store: Store, folder: Folder) -> None:
    store("a.md", extracted("zero", "Top › Inner: the words", title="A title", tags=("home", "money")))
    with database.read() as connection:
        ((number, _),) = passages.matching(connection, "words", 10)
        (hit,) = passages.hits(connection, [(number, 0.5)])
    assert (hit.path, hit.title, hit.heading, hit.text) == (
        f"{folder.path}/a.md",
        "A title",
        "Top › Inner",
        "the words",
    )
    assert (hit.line, hit.start, hit.end, hit.page, hit.score) == (2, 5, 14, None, 0.5)
    assert found(database, "tags: money") == ["zero", "the words"]
    assert found(database, "headings: inner") == ["the words"]


def test_hits_come_in_the_order_asked_for_and_skip_what_is_gone(database: Database, store: Store) -> None:
    store("a.md", extracted(*(f"text {number}" for number in range(600))))
    wanted = [(number, float(number)) for number in (600, 3, 9999, 1)]
    with database.read() as connection:
        assert [hit.text for hit in passages.hits(connection, wanted)] == ["text 599", "text 2", "text 0"]
        assert len(passages.hits(connection, [(number, 0.0) for number in range(1, 601)])) == 600


def test_neighbours_stay_in_the_file(database: Database, store: Store) -> None:
    store("a.md", extracted("a0", "a1", "a2", "a3"))
    store("b.md", extracted("b0"))
    with database.read() as connection:
        assert [hit.text for hit in passages.around(connection, 2, 1)] == ["a0", "a1", "a2"]


def test_a_title_weighs_more_than_a_body(database: Database, store: Store) -> None:
    store("body.md", extracted("boiler boiler in the text", title="Something"))
    store("title.md", extracted("other words in the text", title="Boiler"))
    assert found(database, "boiler")[0] == "other words in the text"


def test_document_frequency_counts_passages(database: Database, store: Store) -> None:
    store("a.md", extracted("Café au lait", "cafe cafe", "tea"))
    with database.read() as connection:
        assert passages.document_frequency(connection, ["cafe", "tea", "coffee"]) == (
            {"cafe": 2, "tea": 1, "coffee": 0},
            3,
        )


def test_a_removed_folder_is_found_no_more_at_once(database: Database, store: Store, folder: Folder) -> None:
    store("a.md", extracted("one"))
    with database.write() as connection:
        folders.mark_removed(connection, folder.id)
    assert found(database, "one") == []
    with database.read() as connection:
        assert folders.watched(connection) == []
        assert folders.counts(connection).files == 0


def test_the_text_of_a_passage_never_changes_under_its_id(database: Database, store: Store) -> None:
    store("a.md", extracted("one"))
    with pytest.raises(apsw.ConstraintError, match="never changes"), database.write() as connection:
        connection.execute("UPDATE chunks SET body = 'other'")
    assert found(database, "one") == ["one"]


def test_what_is_embedded_is_what_is_hashed() -> None:
    assert embedding_text("A › B", "text") == "A › B\ntext"
    assert embedding_text("", "text") == "text"
    assert vector_hash("A", "text") != vector_hash("B", "text")
    assert len(vector_hash("", "\ud800")) == 16


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a.md", "b.md"]),
            st.one_of(st.none(), st.lists(st.sampled_from(["one", "two", "h: two", "three"]), max_size=5)),
            st.booleans(),
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_to_the_files_all_stays_in_step(
    database: Database, store: Store, steps: list[tuple[str, list[str] | None, bool]]
) -> None:
    for name, texts, embed in steps:
        with database.write() as connection:
            known = next((row for row in files_of(connection, 1) if row.path.endswith(name)), None)
            if known is not None and texts is None:
                files.forget(connection, [known.id])
            elif known is not None:
                reading: Extracted = extracted(*(texts or []))
                passages.replace(connection, known.id, known.path, reading)
        if known is None and texts is not None:
            store(name, extracted(*texts))
        if embed:
            embed_all(database)
        assert_sound(database)


def test_a_vector_outlives_its_last_passage_until_it_is_dropped(database: Database, store: Store) -> None:
    file_id = store("a.md", extracted("one", "two"))
    assert embed_all(database) == 2
    with database.write() as connection:
        files.forget(connection, [file_id])
    assert_sound(database)
    restored = store("a.md", extracted("one", "two"))
    assert embed_all(database) == 0, "a note that is put back is not embedded again"
    with database.write() as connection:
        files.forget(connection, [restored])
        outbox.drop_unused(connection, older_than=3600)
        assert connection.execute("SELECT count(*) FROM embeddings").fetchone() == (2,)
        outbox.drop_unused(connection)
        assert connection.execute("SELECT count(*) FROM embeddings").fetchone() == (0,)


def test_a_merged_word_index_is_not_taken_for_a_damaged_one(database: Database, store: Callable[..., int]) -> None:
    for turn in range(6):
        for number in range(20):
            store(f"{turn} {number}.md", extracted(f"word {number} of {turn}", f"another {turn}"))
        assert [finding.what for finding in check.catalog(database, fix=False) if not finding.ok] == []
        with database.write() as connection:
            files.forget(connection, [row.id for row in files_of(connection, 1)[::2]])
        database.tidy()
