"""What a person typed, made fit to be asked, or refused with a sentence that says why."""

import unicodedata

from core.errors import BadInput

LONGEST = 2_000
"""Characters. A longer text is a document, not a question: it belongs in a note."""


def clean(typed: str) -> str:
    """The question as one line without control characters.

    Raises:
        BadInput: it is empty, only punctuation, too long, or not readable text.
    """
    if len(typed) > LONGEST:
        raise BadInput(
            f"The question has {len(typed):,} characters; the limit is {LONGEST:,}.",
            "Ask in a few sentences; a long text can be saved as a note.",
        )
    if any(unicodedata.category(character) == "Cs" for character in typed):
        raise BadInput("The question is not readable text (not UTF-8).", "Type it again, or set the terminal to UTF-8.")
    visible = "".join(" " if unicodedata.category(c) == "Cc" else c for c in typed)
    question = " ".join(unicodedata.normalize("NFC", visible).split())
    if not question:
        raise BadInput("The question is empty.", "Type what you want to know.")
    if not any(character.isalnum() for character in question):
        raise BadInput("The question has no words in it.", "Type what you want to know.")
    return question
