"""What may leave: sorted by the folders' rules at that moment, and typed so that nothing else can be sent."""

import pytest

from core.models.model import FromNotes, Message, composed
from core.privacy.clearance import TRIAL, Clearance
from core.privacy.redaction import Redactor
from core.privacy.rules import BY_CLICK, BY_RULE, Withheld
from indexer.records import FolderRule

RULES: dict[str, FolderRule] = {"/work/a.md": "cloud", "/notes/b.md": "ask", "/diary/c.md": "local"}
PROMPT = [
    Message("system", "Answer from the notes."),
    composed(
        "user",
        FromNotes("<note>open</note>\n", ("/work/a.md",)),
        FromNotes("<note>perhaps</note>\n", ("/notes/b.md",)),
        FromNotes("<note>never</note>\n", ("/diary/c.md",)),
        "\nQuestion: who?",
    ),
]


def clearance(*, consent: bool = False, rules: dict[str, FolderRule] | None = None) -> Clearance:
    known = RULES if rules is None else rules
    return Clearance(lambda paths: {p: known[p] for p in paths if p in known}, Redactor(), consent=consent)


SO_FAR = FromNotes("She never said", tuple(RULES))


def words(passed_by: Clearance) -> str:
    return "\n".join(message.content for message in passed_by.clear(PROMPT).prompt.messages)


def test_only_folders_that_may_go_to_the_cloud_go_by_themselves() -> None:
    passed = clearance().clear(PROMPT)
    assert [m.content for m in passed.prompt.messages] == [
        "Answer from the notes.",
        "<note>open</note>\n\nQuestion: who?",
    ]
    assert passed.why == BY_RULE
    assert passed.withheld == ["/diary/c.md", "/notes/b.md"]


def test_consent_opens_the_folders_that_ask_and_never_those_that_stay() -> None:
    passed = clearance(consent=True).clear(PROMPT)
    assert passed.prompt.messages[1].content == "<note>open</note>\n<note>perhaps</note>\n\nQuestion: who?"
    assert passed.why == BY_CLICK
    assert passed.withheld == ["/diary/c.md"]


@pytest.mark.parametrize(
    ("rules", "consent", "said"),
    [
        ({"/notes/b.md": "ask", "/diary/c.md": "local"}, False, "only if you say so"),
        ({"/diary/c.md": "local"}, True, "stay on this machine"),
        ({}, True, "stay on this machine"),
    ],
)
def test_with_no_note_left_nothing_leaves_the_question_neither(
    rules: dict[str, FolderRule], consent: bool, said: str
) -> None:
    with pytest.raises(Withheld, match=said) as caught:
        clearance(consent=consent, rules=rules).clear(PROMPT)
    assert caught.value.next_step


def test_a_rule_that_changes_between_two_requests_of_one_card_counts_at_once() -> None:
    rules: dict[str, FolderRule] = {"/work/a.md": "cloud", "/notes/b.md": "cloud"}
    passes = clearance(rules=rules)
    assert "perhaps" in words(passes)
    rules["/notes/b.md"] = "local"
    assert "perhaps" not in words(passes)
    del rules["/work/a.md"]  # the folder was removed
    with pytest.raises(Withheld):
        words(passes)


def test_words_that_a_model_has_written_are_text_of_every_note_it_had() -> None:
    assert clearance().clear(PROMPT, SO_FAR).prompt.so_far == ""
    everything: dict[str, FolderRule] = dict.fromkeys(RULES, "cloud")
    cleared = clearance(rules=everything).clear(PROMPT, SO_FAR).prompt
    assert cleared.so_far == "She never said"
    assert [message.role for message in cleared.messages] == ["system", "user"]


@pytest.mark.parametrize(
    ("so_far", "shown"),
    [
        ("She paid with 4111 1111 1111 11", ""),
        ("She paid with 4111-11", ""),
        ("She paid with 4111 1111 1111 1111", "She paid with [CARD-1]"),
        ("The password is Sommer", ""),
        ("The password: sommer20", "The password: [KEY-2]"),
        ("Sommer2026 opens it", ""),
        ("Ask Mara", ""),
        ("Ask Mara Lind", "Ask [NAME-1]"),
        ("Write to mara@exam", ""),
        ("She paid with a card, 4111 being", "She paid with a card, 4111 being"),
        ("A note of summer", "A note of summer"),
    ],
)
def test_words_so_far_that_break_off_in_the_middle_of_something_hidden_stay_here(so_far: str, shown: str) -> None:
    secrets = "Paid with 4111 1111 1111 1111; password: Sommer2026! Write to mara@example.org, Mara Lind."
    prompt = [composed("user", FromNotes(secrets, ("/work/a.md",)))]
    passes = Clearance(lambda paths: dict.fromkeys(paths, "cloud"), Redactor(["Mara Lind"]))
    passed = passes.clear(prompt, FromNotes(so_far, ("/work/a.md",)))
    assert passed.prompt.so_far == shown
    passes = Clearance(lambda paths: dict.fromkeys(paths, "cloud"), Redactor(["Mara Lind"], enabled=False))
    assert passes.clear(prompt, FromNotes(so_far, ("/work/a.md",))).prompt.so_far == so_far


def test_an_earlier_answer_in_a_follow_up_stays_when_one_of_its_notes_does() -> None:
    follow_up = [
        composed("user", FromNotes("never", ("/diary/c.md",)), "\nQuestion: who?"),
        Message("assistant", "It was never."),
        composed("user", FromNotes("open", ("/work/a.md",)), "\nQuestion: and when?"),
    ]
    sent = clearance(consent=True).clear(follow_up).prompt.messages
    assert not [message for message in sent if "never" in message.content]
    assert sent[-1].content == "open\nQuestion: and when?"


def test_an_excerpt_of_several_notes_needs_the_leave_of_all() -> None:
    mixed = [composed("user", FromNotes("both", ("/work/a.md", "/diary/c.md")), FromNotes("open", ("/work/a.md",)))]
    assert clearance().clear(mixed).prompt.messages[0].content == "open"


def test_an_excerpt_that_names_no_note_never_leaves() -> None:
    nameless = [composed("user", FromNotes("whose?", ()), FromNotes("open", ("/work/a.md",)))]
    assert clearance().clear(nameless).prompt.messages[0].content == "open"


def test_a_trial_of_a_service_leaves_only_without_notes() -> None:
    trial = Clearance(lambda _: {}, Redactor(), trial=True)
    assert trial.clear([Message("user", "Say: ready")]).why == TRIAL
    with pytest.raises(Withheld):
        trial.clear(PROMPT)
    with pytest.raises(Withheld):
        clearance().clear([Message("user", "A question without any note.")])


def test_the_words_of_all_messages_are_redacted_together() -> None:
    prompt = [
        composed(
            "user", FromNotes("Write to a@example.org.", ("/work/a.md",)), "\nWho is a@example.org, b@example.org?"
        )
    ]
    passed = clearance().clear(prompt)
    assert passed.prompt.messages[0].content == "Write to [EMAIL-1].\nWho is [EMAIL-1], [EMAIL-2]?"
    assert passed.hidden == {"email": 2}
