"""A question that follows an answer is read together with it; the history is real, the model scripted."""

from pathlib import Path
from typing import Any

import pytest
from shelf import Shelf
from test_answer import Script

from core.answering.answer import Answering
from core.answering.followup import completed
from core.answering.history import History
from core.errors import BadInput
from core.models.route import Route
from core.protocol import Answered, Ask
from indexer.worker import Cancellation

VALVE = "Heinz replaced the pressure valve on 3 May. The old pressure valve had been leaking, so it was replaced."
PASSAGES = [VALVE, "Anna booked the cabin by the lake for June.", "Anna pays the chimney sweep every October."]
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
        self.model = Script("Heinz replaced the pressure valve on 3 May. It leaked. A third sentence. And")
        self._shelf = Shelf(PASSAGES, embed=embedder)

    def answer(self, ask: Ask) -> Answered:
        answering = Answering(
            self._shelf, lambda _: Route([self.model]), self.history, standing=lambda _ask, _paths: "as ever"
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
    assert said[-1].startswith("Heinz replaced"), "the earlier answer counts as text of its notes"
    assert last.excerpts[-1].paths == ("/notes/0.md",)


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
