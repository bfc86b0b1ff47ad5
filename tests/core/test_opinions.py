"""What waits for a second opinion and what came, beside the history's answers."""

from pathlib import Path

import apsw
import pytest
from msgspec import structs
from test_history import answered

from core.answering.history import History
from core.answering.opinions import DAYS, MOST, TOO_MANY, TOO_OLD, Opinions, arrived, dropped
from core.errors import ProfileUnusable
from core.protocol import Answered, Ask, SecondOpinion, Sentence, Source

OLD_SCHEMA = "CREATE TABLE answers (id INTEGER PRIMARY KEY, at TEXT NOT NULL, answered TEXT NOT NULL)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history"


@pytest.fixture
def history(path: Path) -> History:
    return History(path)


@pytest.fixture
def opinions(history: History) -> Opinions:
    return Opinions(history)


def owe(history: History, question: str) -> None:
    history.add(answered(question), Ask(question))


def later(question: str, folder: str = "/notes") -> Answered:
    source = Source(1, f"{folder}/b.md", "B", "B", 1, None, 0.5, "words")
    said = [Sentence("It is so.", 1)]
    return structs.replace(answered(question), answer="It is so.", sentences=said, sources=[source])


def listed(opinions: Opinions, *, seen: bool = False) -> list[SecondOpinion]:
    return opinions.newest(seen=seen)[0]


def test_before_the_first_answer_nothing_waits_and_there_is_no_file(opinions: Opinions, path: Path) -> None:
    assert opinions.waiting() == []
    assert listed(opinions, seen=True) == []
    assert opinions.counts() == (0, 0)
    assert opinions.erase() == 0
    assert not path.exists()


def test_a_question_waits_until_its_opinion_comes(history: History, opinions: Opinions, path: Path) -> None:
    history.add(answered("Why not?"))
    owe(history, "Why?")
    (one,) = Opinions(History(path)).waiting()
    assert (one.ask.question, one.first) == ("Why?", answered("Why?"))
    assert opinions.counts() == (1, 0)
    (told,) = listed(opinions, seen=True)
    assert (told.question, told.first, told.state) == ("Why?", "Café, 中文 and 😀.", "waiting")
    assert opinions.keep(one, arrived(one, later("Why?"), "big", "A note."))
    assert opinions.counts() == (0, 1)
    (told,) = listed(opinions)
    assert (told.state, told.answer, told.model, told.new, told.asked_at) == (
        "arrived",
        "It is so.",
        "big",
        True,
        one.at,
    )
    assert told.difference is not None
    assert told.difference.verdict == "differs"
    assert told.at
    listed(opinions, seen=True)
    assert opinions.counts() == (0, 0)
    assert [one.new for one in listed(opinions)] == [False]


def test_what_came_is_told_before_what_waits_and_only_what_is_told_counts_as_seen(
    history: History, opinions: Opinions
) -> None:
    for question in ("Why?", "When?", "Who?", "How?"):
        owe(history, question)
    for one in opinions.waiting()[:3]:
        opinions.keep(one, dropped(one, "It stays here."))
    told, more = opinions.newest(2, seen=True)
    assert ([one.question for one in told], more) == (["Who?", "When?"], 2)
    assert opinions.counts() == (1, 1)
    told, more = opinions.newest(5, seen=False)
    assert ([one.question for one in told], more) == (["Who?", "When?", "Why?", "How?"], 0)
    assert [one.new for one in told] == [False, False, True, False]
    assert told[-1].state == "waiting"


def test_the_same_question_waits_once(history: History, opinions: Opinions) -> None:
    for question in ("Why?", "When?", "Why?"):
        owe(history, question)
    assert [one.ask.question for one in opinions.waiting()] == ["When?", "Why?"]


def test_what_waits_too_long_and_what_is_too_much_is_given_up_with_the_reason(
    history: History, opinions: Opinions, path: Path
) -> None:
    for number in range(MOST + 1):
        owe(history, f"Question {number}?")
    assert [one.ask.question for one in opinions.waiting()] == [f"Question {n}?" for n in range(1, MOST + 1)]
    with apsw.Connection(str(path)) as file:
        file.execute(f"UPDATE waiting SET at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-{DAYS} days', '-1 minutes')")
    assert opinions.waiting() == []
    given_up = {one.question: one.note for one in listed(opinions)}
    assert given_up.pop("Question 0?") == TOO_MANY
    assert set(given_up.values()) == {TOO_OLD}
    assert len(given_up) == MOST


def test_erased_it_is_gone_to_the_last_byte_and_what_comes_late_is_not_kept(
    history: History, opinions: Opinions, path: Path
) -> None:
    owe(history, "Why?")
    owe(history, "When?")
    first, second = opinions.waiting()
    opinions.keep(first, dropped(first, "Zwetschge"))
    assert opinions.erase() == 2
    assert not opinions.keep(second, dropped(second, "Zwetschge"))
    assert listed(opinions) == []
    assert len(history.recent(10)) == 2
    assert b"Zwetschge" not in path.read_bytes()


def test_what_comes_late_is_not_taken_for_what_waits_now(history: History, opinions: Opinions) -> None:
    owe(history, "Why?")
    (one,) = opinions.waiting()
    history.forget("/notes")
    owe(history, "When?")  # SQLite gives its answer the same number again
    assert opinions.waiting()[0].answer == one.answer
    assert not opinions.keep(one, dropped(one, "x"))
    assert [waiting.ask.question for waiting in opinions.waiting()] == ["When?"]


def test_what_rests_on_a_removed_folder_goes_with_it(history: History, opinions: Opinions) -> None:
    for question in ("Why?", "When?", "Who?"):
        owe(history, question)
    first, second, _ = opinions.waiting()
    opinions.keep(first, arrived(first, later("Why?", "/elsewhere"), "big", ""))
    opinions.keep(second, arrived(second, later("When?"), "big", ""))
    history.forget("/elsewhere")  # the opinion rests on it, the first answer does not
    assert [one.question for one in listed(opinions)] == ["When?", "Who?"]
    assert len(history.recent(10)) == 3
    history.forget("/notes")
    assert listed(opinions) == []
    assert history.recent(10) == []


def test_an_opinion_that_came_while_its_folder_was_removed_is_not_kept(path: Path) -> None:
    folders = ["/notes", "/elsewhere"]
    history = History(path, watched=lambda: folders)
    opinions = Opinions(history)
    owe(history, "Why?")
    (one,) = opinions.waiting()
    folders.remove("/elsewhere")
    history.forget("/elsewhere")
    zwetschge = structs.replace(later("Why?", "/elsewhere"), answer="Zwetschge")
    assert not opinions.keep(one, arrived(one, zwetschge, "big", ""))
    assert listed(opinions) == []
    assert b"Zwetschge" not in path.read_bytes()


def test_a_history_of_before_goes_on(history: History, opinions: Opinions, path: Path) -> None:
    with apsw.Connection(str(path)) as file:
        file.execute(OLD_SCHEMA)
    assert opinions.counts() == (0, 0)
    owe(history, "Why?")
    assert opinions.counts() == (1, 0)


def test_a_damaged_file_is_one_sentence(opinions: Opinions, path: Path) -> None:
    path.write_bytes(b"this is no database " * 500)
    for use in (opinions.waiting, opinions.counts, opinions.erase, lambda: listed(opinions)):
        with pytest.raises(ProfileUnusable, match=r"second opinions|waiting questions") as refused:
            use()
        assert refused.value.next_step
