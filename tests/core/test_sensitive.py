"""How much of what is sensitive is found in text as it stands in notes, and how little else."""

from collections import Counter

import pytest
from planted import HARMLESS, secrets

from core.privacy.sensitive import Found, find

ENOUGH = 0.95


def covered(sentence: str, secret: str, found: list[Found]) -> bool:
    start = sentence.index(secret)
    left = set(range(start, start + len(secret)))
    for one in found:
        left -= set(range(one.start, one.end))
    return not [at for at in left if sentence[at].isalnum()]


def test_at_least_95_of_100_planted_secrets_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    planted = secrets(seed=2026)
    missed = [one for one in planted if not covered(one.sentence, one.secret, find(one.sentence))]
    kinds = Counter(one.kind for one in planted)
    with capsys.disabled():
        print(f"\n{len(planted) - len(missed)} of {len(planted)} found {dict(kinds)}; missed: {missed}")
    assert len(planted) >= 100
    assert len(planted) - len(missed) >= ENOUGH * len(planted)


@pytest.mark.parametrize("line", HARMLESS)
def test_dates_prices_versions_and_their_like_stay_readable(line: str) -> None:
    assert [line[one.start : one.end] for one in find(line)] == []


def test_a_whole_note_is_read_as_its_lines_are() -> None:
    planted = secrets(seed=7)
    note = "\n\n".join([*(one.sentence for one in planted), *HARMLESS])
    harmless = note.index(HARMLESS[0])
    found = find(note)
    assert not [note[one.start : one.end] for one in found if one.start >= harmless]
    missed = [one for one in planted if not covered(note, one.secret, found)]
    assert len(missed) <= (1 - ENOUGH) * len(planted), missed


@pytest.mark.parametrize(
    ("names", "text", "found"),
    [
        (["Mara Lind"], "Mara Lind and mara lind's dog; Maral Lindau.", ["Mara Lind", "mara lind"]),
        (["Jo"], "Jo joined Joanna.", ["Jo"]),
        (["", "  "], "No name at all.", []),
        (["C++ (club)"], "The C++ (club) meets.", ["C++ (club)"]),
    ],
)
def test_names_on_the_list_are_found_as_whole_words(names: list[str], text: str, found: list[str]) -> None:
    assert [text[one.start : one.end] for one in find(text, names)] == found
