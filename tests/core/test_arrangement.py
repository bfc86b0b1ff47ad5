"""Excerpts that were read already come first, in the order in which they were read."""

from core.models.arrangement import arranged
from core.models.model import FromNotes, Message, composed

SYSTEM = Message("system", "Be brief.")


def prompt(*texts: str, question: str = "Why?") -> list[Message]:
    return [SYSTEM, composed("user", *(FromNotes(f"<{text}>\n", (text,)) for text in texts), f"\n{question}")]


def said(messages: list[Message], before: list[str]) -> tuple[str, list[str]]:
    (system, user), order = arranged(messages, before)
    assert system == SYSTEM
    return user.content, order


def test_a_first_prompt_stays_as_it_is() -> None:
    messages = prompt("a", "b")
    assert arranged(messages, []) == (messages, ["<a>\n", "<b>\n"])


def test_what_was_read_keeps_its_place_and_what_is_new_comes_after_it() -> None:
    content, order = said(prompt("c", "b", "a", "d"), ["<a>\n", "<x>\n", "<b>\n"])
    assert content == "<a>\n<b>\n<c>\n<d>\n\nWhy?"
    assert order == ["<a>\n", "<b>\n", "<c>\n", "<d>\n"]


def test_an_excerpt_with_other_words_is_a_new_one() -> None:
    content, _ = said(prompt("a, longer", "b"), ["<a>\n", "<b>\n"])
    assert content == "<b>\n<a, longer>\n\nWhy?"


def test_the_same_text_twice_is_left_alone() -> None:
    assert said(prompt("a", "b", "a"), ["<b>\n"])[0] == "<a>\n<b>\n<a>\n\nWhy?"


def test_excerpts_after_other_words_are_left_alone() -> None:
    message = composed("user", "Notes: ", FromNotes("one", ("a",)), " and ", FromNotes("two", ("b",)))
    assert arranged([message], ["two", "one"]) == ([message], [])
    mixed = composed("user", FromNotes("one", ("a",)), " and ", FromNotes("two", ("b",)))
    assert arranged([mixed], ["two", "one"]) == ([mixed], ["one"])


def test_a_message_without_excerpts_is_left_alone() -> None:
    assert arranged([SYSTEM], ["<a>\n"]) == ([SYSTEM], [])
