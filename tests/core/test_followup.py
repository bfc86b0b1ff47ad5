"""A question that follows an answer is read together with it; the history is real, the model scripted."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from shelf import Shelf
from test_answer import Script

from core.answering.answer import Answering
from core.answering.followup import completed
from core.answering.history import History
from core.answering.moved import rename
from core.errors import BadInput
from core.models.model import FromNotes, composed
from core.models.route import Route
from core.privacy.clearance import Clearance
from core.privacy.redaction import Redactor
from core.privacy.rules import Withheld
from core.protocol import Answered, Ask
from indexer.records import FolderRule
from indexer.worker import Cancellation

VALVE = "Heinz replaced the pressure valve on 3 May. The old pressure valve had been leaking, so it was replaced."
PASSAGES = [VALVE, "Anna booked the cabin by the lake for June.", "Anna pays the chimney sweep every October."]
KEYS = "The router upstairs has the password: hunter22 and was paid with 4111 1111 1111 1111 in autumn."
QUESTION = "When was the pressure valve replaced?"


@pytest.mark.parametrize(
    ("question", "earlier", "read"),
    [
        ("and next week?", "what is due this week?", "what is due next week?"),
        ("and in March?", "what did we pay in February?", "what did we pay in March?"),
        ("what about yesterday?", "which notes did I change?", "which notes did I change yesterday?"),
        ("why?", QUESTION, "why: pressure valve replaced"),
        ("who else?", "Who booked the cabin?", "who: booked cabin"),
        ("How much did it cost?", QUESTION, "How much did it cost: pressure valve replaced"),
        ("and the boiler?", QUESTION, "the boiler: pressure valve replaced"),
    ],
)
def test_what_leans_on_the_question_before_is_completed_by_it(question: str, earlier: str, read: str):
    assert completed(question, earlier) == read


@pytest.mark.parametrize("question", ["Who booked the cabin by the lake?", "when does the chimney sweep come"])
def test_a_question_that_stands_by_itself_stays_as_it_is(question: str):
    assert completed(question, QUESTION) == question


class Home:
    def __init__(self, folder: Path, embedder: Any) -> None:
        self.history = History(folder / "history.sqlite3")
        self.says("Heinz replaced the pressure valve on 3 May. It leaked. A third sentence. And")
        self.shelf = Shelf([*PASSAGES, KEYS], embed=embedder)
        self.rules: dict[str, FolderRule] = {hit.path: "cloud" for hit in self.shelf.hits}

    def says(self, words: str) -> None:
        """What the model says from now on."""
        self.model = Script(words)

    def leaves(self) -> str:
        """What a cloud model would have been sent in the place of the last prompt."""
        rules = lambda paths: {path: self.rules[path] for path in paths if path in self.rules}  # noqa: E731
        passed = Clearance(rules, Redactor()).clear(self.model.prompts[-1])
        return passed.prompt.messages[-1].content

    def answer(self, ask: Ask) -> Answered:
        answering = Answering(
            self.shelf, lambda _: Route([self.model]), self.history, standing=lambda _ask, _paths: "as ever"
        )
        answered = list(answering.answer(ask, Cancellation()))[-1]
        assert isinstance(answered, Answered)
        return answered


@pytest.fixture
def home(tmp_path: Path, embedder: Any) -> Home:
    return Home(tmp_path, embedder)


def test_a_follow_up_is_answered_from_what_the_first_answer_rests_on(home: Home):
    first = home.answer(Ask(QUESTION))
    assert first.number == 1
    why = home.answer(Ask("why?", follows=first.number))
    assert (why.question, why.read_as, why.follows) == ("why?", "why: pressure valve replaced", 1)
    assert why.quote is not None
    assert "leaking" in why.quote.text
    assert home.history.past("", None, 1)[0].answered.follows == 1
    *_, last = home.model.prompts[-1]
    assert f"Earlier question: {QUESTION}\nEarlier answer: Heinz replaced" in last.content
    assert last.content.endswith("Question: why: pressure valve replaced")
    said = [last.content[one.start : one.end] for one in last.excerpts]
    assert said[-2].startswith("Earlier question"), "what was asked and said before counts as text of its notes"
    assert said[-1] == "why: pressure valve replaced"
    assert [one.paths for one in last.excerpts[-2:]] == [("/notes/0.md",), ("/notes/0.md",)]


def test_the_question_alone_finds_nothing(home: Home):
    home.answer(Ask(QUESTION))
    assert home.answer(Ask("why?")).quote is None


def test_what_follows_nothing_that_is_kept_is_refused_in_a_sentence(home: Home):
    with pytest.raises(BadInput, match="in the history no more"):
        home.answer(Ask("why?", follows=7))


def test_shorter_is_two_whole_sentences_and_is_not_given_again(home: Home):
    whole = home.answer(Ask(QUESTION))
    short = home.answer(Ask(QUESTION, shorter=True))
    assert short.answer == "Heinz replaced the pressure valve on 3 May. It leaked."
    assert home.model.prompts[-1][-1].content.endswith("in as few words as you can.")
    again = home.answer(Ask(QUESTION))
    assert (again.answer, again.number) == (whole.answer, whole.number)
    assert again.remembered_at


def test_a_chain_keeps_every_file_that_it_may_be_text_of(home: Home):
    home.answer(Ask(QUESTION))
    second = home.answer(Ask("Who booked the cabin by the lake?", follows=1))
    assert {source.path for source in second.sources} == {"/notes/1.md"}
    assert set(second.given) == {"/notes/0.md", "/notes/1.md"}
    home.answer(Ask("why?", follows=2))
    earlier = home.model.prompts[-1][-1].excerpts[-1]
    assert set(earlier.paths) == {"/notes/0.md", "/notes/1.md"}


def test_an_answer_from_before_files_were_kept_with_it_takes_them_from_those_it_follows(home: Home):
    home.answer(Ask(QUESTION))
    second = home.answer(Ask("Who booked the cabin by the lake?", follows=1))
    home.history.add(structs.replace(second, given=[]))
    home.answer(Ask("why?", follows=3))
    assert set(home.model.prompts[-1][-1].excerpts[-1].paths) == {"/notes/0.md", "/notes/1.md"}


def test_with_a_folder_goes_every_answer_that_followed_one_from_it(home: Home):
    home.answer(Ask(QUESTION))
    home.answer(Ask("Who booked the cabin by the lake?", follows=1))
    home.answer(Ask("When does the chimney sweep come?"))
    home.history.forget("/notes/0.md")
    assert [past.id for past in home.history.past("", None, 9)] == [3]


def test_a_follow_up_is_not_kept_where_the_folder_of_the_first_answer_was_removed_meanwhile(home: Home, tmp_path: Path):
    first = home.answer(Ask(QUESTION))
    second = home.answer(Ask("Who booked the cabin by the lake?", follows=1))
    other = History(tmp_path / "other.sqlite3", watched=lambda: ["/notes/1.md"])
    assert first.given == ["/notes/0.md"]
    assert other.add(second) == 0


def test_files_that_an_answer_was_given_move_with_their_folder(home: Home):
    home.answer(Ask(QUESTION))
    rename(home.history, lambda path: path.replace("/notes", "/elsewhere"))
    assert home.history.recent(1)[0].given == ["/elsewhere/0.md"]


def test_the_third_question_searches_for_what_the_second_was_read_as(home: Home):
    home.answer(Ask(QUESTION))
    home.answer(Ask("why?", follows=1))
    home.shelf.searches.clear()
    home.answer(Ask("Who booked the cabin by the lake?", follows=2))
    assert home.shelf.searches == ["Who booked the cabin by the lake?", "why: pressure valve replaced"]


def test_what_an_earlier_answer_says_of_a_secret_leaves_as_little_as_in_its_note(home: Home):
    home.says("It is hunter22. Or HUNTER-22, paid with 4111-11111111-1111.")
    home.answer(Ask("What password has the router?"))
    home.answer(Ask("Who booked the cabin by the lake?", follows=1))
    sent = home.leaves()
    assert "Earlier answer: It is [KEY-" in sent
    assert "hunter" not in sent.lower()
    assert "1111" not in sent


def test_a_secret_of_the_first_answer_is_known_in_the_third_question(home: Home):
    home.answer(Ask("What password has the router?"))
    home.says("Anna booked it, with hunter22.")
    home.answer(Ask("Who booked the cabin by the lake?", follows=1))
    home.answer(Ask("When does the chimney sweep come?", follows=2))
    assert "Earlier answer: Anna booked it, with [KEY-" in home.leaves()


def test_a_card_number_that_the_shortened_answer_breaks_off_in_does_not_leave(home: Home):
    home.says(f"{'The router upstairs is old. ' * 8}Cost 4111 1111 1111 1111 in autumn.")
    home.answer(Ask("What password has the router?"))
    home.answer(Ask("Who booked the cabin by the lake?", follows=1))
    assert "4111 1111…" in home.model.prompts[-1][-1].content, "it has to be cut there"
    assert "4111" not in home.leaves()


def test_words_of_a_secret_that_were_lent_to_the_question_do_not_leave(home: Home):
    home.answer(Ask("Has the router the password: hunter22?"))
    why = home.answer(Ask("why?", follows=1))
    assert "hunter22" in why.read_as
    assert "hunter22" not in home.leaves()


def test_where_an_answer_of_the_chain_was_erased_nothing_of_the_others_leaves(home: Home):
    home.answer(Ask(QUESTION))
    home.answer(Ask("why?", follows=1))
    home.history.erase(1)
    third = home.answer(Ask("Who booked the cabin by the lake?", follows=2))
    assert "Earlier" in home.model.prompts[-1][-1].content
    assert "Earlier" not in home.leaves()
    assert set(third.given) == {"/notes/0.md", "/notes/1.md"}
    assert third.number, "it is kept"


def test_a_held_back_question_leaves_neither_beside_the_next_one_nor_in_it(home: Home):
    home.answer(Ask(QUESTION))
    assert "valve" in home.answer(Ask("and who booked the cabin by the lake?", follows=1)).read_as
    assert "Earlier question: When was the pressure valve replaced?" in home.leaves()
    home.rules["/notes/0.md"] = "local"
    sent = home.leaves()
    assert "valve" not in sent
    assert sent.endswith("\nQuestion: and who booked the cabin by the lake?")


def test_lent_words_alone_let_nothing_leave(home: Home):
    home.rules["/notes/1.md"] = "local"
    lent = FromNotes("why: pressure valve", ("/notes/0.md",), instead="why?")
    home.model.prompts.append([composed("user", FromNotes("The cabin.", ("/notes/1.md",)), "\nQuestion: ", lent)])
    with pytest.raises(Withheld):
        home.leaves()
