from pathlib import Path

import apsw
import msgspec
import pytest

from core.answering.history import History
from core.answering.opinions import Opinions
from core.errors import BadInput, ProfileUnusable
from core.protocol import Answered, Ask, Quote, Sentence, Source, Step, Timings


def answered(question: str) -> Answered:
    return Answered(
        question=question,
        answer="Café, 中文 and 😀.",
        quote=Quote("Café, 中文", "/notes/a.md", 3, None, 10, 18),
        sources=[Source(1, "/notes/a.md", "A", "A › B", 3, 2, 0.5, "Café, 中文 and more\n")],
        sentences=[Sentence("Café, 中文 and 😀.", None)],
        route=[Step("quote", "", "ok"), Step("local", "starter", "ok")],
        timings=Timings(1.0, 2.5, None, 4.0),
        note="A note.",
    )


def test_answers_come_back_as_they_were_newest_first(tmp_path: Path):
    given = [answered(f"Question {n}?") for n in range(4)]
    for each in given:
        History(tmp_path / "history").add(each)
    assert History(tmp_path / "history").recent(3) == given[:0:-1]


def test_before_the_first_answer_there_is_none_and_no_file(tmp_path: Path):
    assert History(tmp_path / "history").recent(10) == []
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_one_sentence_with_a_next_step_and_stays_as_it_is(tmp_path: Path):
    path = tmp_path / "history"
    path.write_bytes(b"this is no database " * 500)
    history = History(path)
    with pytest.raises(ProfileUnusable, match="could not be kept") as refused:
        history.add(answered("Why?"))
    assert refused.value.next_step
    with pytest.raises(ProfileUnusable, match="cannot be read") as refused:
        history.recent(1)
    assert str(path) in refused.value.next_step
    assert path.read_bytes().startswith(b"this is no database")


def test_an_answer_of_another_shape_is_one_sentence(tmp_path: Path):
    path = tmp_path / "history"
    History(path).add(answered("Why?"))
    connection = apsw.Connection(str(path))
    connection.execute("""UPDATE answers SET answered = '{"question": 3}'""")
    connection.close()
    with pytest.raises(ProfileUnusable, match="cannot be read"):
        History(path).recent(1)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    with pytest.raises(ProfileUnusable, match="could not be kept"):
        History(tmp_path / "no such folder" / "history").add(answered("Why?"))


def test_answers_that_rest_on_a_removed_folder_are_forgotten_to_the_last_byte(tmp_path: Path):
    history = History(tmp_path / "history")
    history.forget("/notes")
    assert not (tmp_path / "history").exists()
    history.add(answered("What about the Zwetschge?"))
    other = Source(1, "/notes-elsewhere/b.md", "B", "B", 1, None, 0.5, "words")
    kept = msgspec.structs.replace(answered("And this?"), quote=None, sources=[other])
    history.add(kept)
    history.forget("/notes")
    assert history.recent(10) == [kept]
    assert b"Zwetschge" not in (tmp_path / "history").read_bytes()


def test_an_answer_that_was_being_written_while_its_folder_was_removed_is_not_kept(tmp_path: Path):
    folders, owed = ["/notes", "/elsewhere"], []
    history = History(tmp_path / "history", lambda: owed.append(True), watched=lambda: folders)
    history.add(answered("Why?"), Ask("Why?"))
    folders.remove("/notes")
    history.forget("/notes")
    history.add(answered("What about the Zwetschge?"), Ask("What about the Zwetschge?"))
    assert history.recent(10) == []
    assert Opinions(history).counts() == (0, 0)
    assert len(owed) == 1
    assert b"Zwetschge" not in (tmp_path / "history").read_bytes()
    history.add(nothing_found := msgspec.structs.replace(answered("And this?"), quote=None, sources=[]))
    assert history.recent(10) == [nothing_found]


def test_it_is_looked_through_by_words_newest_first_and_page_by_page(tmp_path: Path):
    history = History(tmp_path / "history")
    assert history.past("", None, 10) == []
    for n in range(5):
        history.add(answered(f"Question {n}?"))
    history.add(msgspec.structs.replace(answered("Wo ist die Brücke?"), answer="Am Fluß."))
    first = history.past("", None, 2)
    assert [past.answered.question for past in first] == ["Wo ist die Brücke?", "Question 4?"]
    assert [past.answered.question for past in history.past("", first[-1].id, 9)] == [
        f"Question {n}?" for n in (3, 2, 1, 0)
    ]
    assert all(past.at.endswith("Z") for past in first)
    for words in ("brucke", "FLUSS", "wo brücke fluss"):
        assert [past.answered.question for past in history.past(words, None, 9)] == ["Wo ist die Brücke?"]
    assert len(history.past("café A.md", None, 9)) == 6, "answers, quotes and the sources' names count"
    assert history.past("brücke café nowhere", None, 9) == []


def test_one_answer_is_erased_or_all_to_the_last_byte(tmp_path: Path):
    history = History(tmp_path / "history")
    assert history.erase() == 0
    with pytest.raises(BadInput, match="no answer 1 in the history"):
        history.erase(1)
    for word in ("Zwetschge", "Quitte", "Mirabelle"):
        history.add(answered(word), key=word)
    newest = history.past("", None, 1)[0].id
    assert history.erase(newest) == 1
    assert [one.question for one in history.recent(9)] == ["Quitte", "Zwetschge"]
    assert b"Mirabelle" not in (tmp_path / "history").read_bytes()
    with pytest.raises(BadInput, match="no answer"):
        history.erase(newest)
    assert history.erase() == 2
    assert history.recent(9) == []
    assert b"Quitte" not in (tmp_path / "history").read_bytes()


def test_an_answer_is_recalled_by_its_key_the_last_one_first_and_never_another_one(tmp_path: Path):
    history = History(tmp_path / "history")
    assert history.recall("key") is None
    history.add(answered("First?"), key="key")
    history.add(answered("Second?"), key="key")
    history.add(answered("Third?"))
    recalled = history.recall("key")
    assert recalled is not None
    assert recalled.answered == answered("Second?")
    assert history.recall("other") is None
    assert history.recall("") is None
    history.erase(3)
    history.erase(2)
    history.add(answered("Another one gets the same number?"))
    assert history.recall("key") is None
    history.forget("/notes")
    history.add(answered("And so does this?"))
    assert history.recall("key") is None
