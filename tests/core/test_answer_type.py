import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answering.answer_type import asked_for, attribute, has_one


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who services the boiler?", "person"),
        ("who services the boiler", "person"),
        ("To whom did we lend the tent?", "person"),
        ("When was the valve replaced?", "time"),
        ("In which year did we buy the car?", "time"),
        ("By when is the passport due", "time"),
        ("How much was the deposit?", "number"),
        ("How many valves were replaced when the boiler failed?", "number"),
        ("How long does the loaf rise?", "number"),
        ("Wer wartet die Heizung?", "person"),
        ("Wann kommt der Schornsteinfeger?", "time"),
        ("Wie viel kostet die Wartung?", "number"),
        ("Combien coûte le bateau ?", "number"),
        ("¿Quién reparó la caldera?", "person"),
        ("What did Anna say when the boiler failed?", None),
        ("Where is the key?", None),
        ("How do I bleed a radiator?", None),
        ("boiler pressure", None),
        ("", None),
    ],
)
def test_the_first_interrogative_says_what_is_asked_for(question: str, kind: str | None):
    assert asked_for(question) == kind


@pytest.mark.parametrize(
    ("kind", "text", "there"),
    [
        ("person", "Serviced every October by Mr Hale.", True),
        ("person", "Dave Metcalfe came at noon.", True),
        ("person", "| 2023-10-17 | Dave | ok |", True),
        ("person", "The boiler stops in October.", False),
        ("person", "Boiler and chimney are old.", False),
        ("time", "He came on 9 January.", True),
        ("time", "| 2023-10-17 | Dave | ok |", True),
        ("time", "The ice went about 11,600 BP.", True),
        ("time", "It cost 118 euros.", False),
        ("number", "It cost 118 euros.", True),
        ("number", "Two black levers.", True),
        ("number", "Open both slowly.", False),
    ],
)
def test_a_text_has_what_is_asked_for_or_not(kind, text: str, there: bool):
    assert has_one(kind, text, "Who services the boiler?") is there


def test_a_name_of_the_question_is_no_answer_to_who():
    assert not has_one("person", "Then the boiler of Anna was old.", "Who repaired Anna's boiler?")


@given(st.text(max_size=60), st.text(max_size=120))
def test_any_question_and_any_text_can_be_judged(question: str, text: str):
    kind = asked_for(question) or "person"
    assert has_one(kind, text, question) in (True, False)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("What colour is the boat?", "colour"),
        ("In which year was it built?", "year"),
        ("Welche Farbe hat das Boot?", "farbe"),
        ("Quelle couleur a le bateau ?", "couleur"),
        ("What is the password?", "is"),
        ("Who has the key?", ""),
        ("locker 77", ""),
    ],
)
def test_the_word_behind_what_names_what_is_asked_for(question: str, word: str):
    assert attribute(question) == word
