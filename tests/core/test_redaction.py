"""Placeholders: the same one for the same thing, and the very words back however the stream is cut."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.privacy.redaction import Redactor

TEXT = (
    "Mara (mara@example.org, +44 20 7946 0958) paid with 4111 1111 1111 1111 from DE89 3704 0044 0532 0130 00 on "
    "24 November 2026; password: hunter2x. MARA has sk-proj-abcdefghijklmnop1234. See [EMAIL-1] and PHONE-1."
)


def hidden(redactor: Redactor, text: str) -> str:
    return redactor.hide([text])[0][0]


def test_everything_sensitive_has_a_placeholder_and_the_rest_stands() -> None:
    texts, counts = Redactor(["Mara"]).hide([TEXT])
    assert " ".join(texts) == (
        "[NAME-1] ([EMAIL-1], [PHONE-1]) paid with [CARD-1] from [ACCOUNT-1] on 24 November 2026; password: [KEY-1]. "
        "[NAME-1] has [KEY-2]. See [TEXT-1] and [TEXT-2]."
    )
    assert counts == {"name": 1, "email": 1, "phone": 1, "card": 1, "account": 1, "key": 2}


def test_a_thing_keeps_its_placeholder_through_the_whole_card_however_it_is_written() -> None:
    redactor = Redactor(["Mara Lind"])
    assert hidden(redactor, "+44 20 7946 0958, A@example.org") == "[PHONE-1], [EMAIL-1]"
    assert hidden(redactor, "b@example.org, a@EXAMPLE.org, +442079460958, mara lind") == (
        "[EMAIL-2], [EMAIL-1], [PHONE-1], [NAME-1]"
    )


def test_switched_off_it_hides_nothing() -> None:
    assert Redactor(["Mara"], enabled=False).hide([TEXT]) == ([TEXT], {})


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_originals_come_back_whatever_the_pieces(size: int) -> None:
    redactor = Redactor()
    away = hidden(redactor, TEXT)
    restorer = redactor.restorer()
    pieces = [restorer.feed(away[at : at + size]) for at in range(0, len(away), size)]
    assert "".join([*pieces, restorer.rest()]) == TEXT


@example(["[", "EMAIL-1]", "PHONE-1"])
@given(st.lists(st.sampled_from([*"[]-1 2.", "EMAIL", "EMA", "IL-", "PHONE-1", "[EMAIL-1", "EMAIL-1]", "x"])))
def test_no_word_is_lost_or_doubled(pieces: list[str]) -> None:
    redactor = Redactor()
    redactor.hide(["a@example.org +44 20 7946 0958"])
    restorer = redactor.restorer()
    back = "".join([*map(restorer.feed, pieces), restorer.rest()])
    at_once = redactor.restorer()
    assert back == at_once.feed("".join(pieces)) + at_once.rest()
    originals = {"EMAIL-1": "a@example.org", "PHONE-1": "+44 20 7946 0958"}
    either = re.compile(r"\[(?:EMAIL|PHONE)-1\]|(?<![\w\[])(?:EMAIL|PHONE)-1(?!\w)")
    assert back == either.sub(lambda found: originals[found[0].strip("[]")], "".join(pieces))


def test_models_that_drop_the_brackets_are_understood_and_longer_numbers_left_alone() -> None:
    redactor = Redactor()
    redactor.hide(["a@example.org"])
    restorer = redactor.restorer()
    assert restorer.feed("EMAIL-1 or EMAIL-12 or MYEMAIL-1, EMAIL-1") + restorer.rest() == (
        "a@example.org or EMAIL-12 or MYEMAIL-1, a@example.org"
    )


def test_words_without_placeholders_are_not_held_back() -> None:
    redactor = Redactor()
    redactor.hide(["a@example.org"])
    restorer = redactor.restorer()
    assert [restorer.feed(piece) for piece in ("The boat ", "is [2] ", "blue.")] == ["The boat ", "is [2] ", "blue."]
