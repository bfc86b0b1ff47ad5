"""Lists of questions with what is known of their answers: one JSON object a line, as in examples/questions.jsonl."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from core.protocol import Problem

LONGEST = 1 << 20  # bytes of a line; a longer one is no question


class Wanted(Struct, frozen=True):
    """A question and what is known of its answer.

    line: where it stands in the list, from 1.
    question: as it is asked.
    id: what the list calls it, "" for nothing.
    file: the file that holds the answer, its whole path or the end of it; "" where that is not known.
    answers: a right quote holds one of these; empty where the notes do not say it, None where nothing is known.
    """

    line: int
    question: str
    id: str = ""
    file: str = ""
    answers: list[str] | None = None

    @property
    def answerable(self) -> bool:
        """It is known that the notes say it."""
        return bool(self.answers) or (bool(self.file) and self.answers is None)

    @property
    def unanswerable(self) -> bool:
        """It is known that the notes do not say it."""
        return self.answers == []


class NoQuestion(Exception):
    """A line is no question: what is wrong with it, as the end of a sentence."""


def read(path: Path) -> tuple[list[Wanted], list[str]]:
    """The questions of a list, and a sentence for each line that is none.

    Raises:
        Problem: the file cannot be read, or has no question in it.
    """
    wanted: list[Wanted] = []
    refused: list[str] = []
    try:
        for number, line in _lines(path):
            try:
                wanted.append(_question(number, line))
            except NoQuestion as error:
                refused.append(f"Line {number} is left out: {error}.")
    except OSError as error:
        raise Problem(
            f"{path} cannot be read: {error.strerror or error}.", "Name another file.", kind="input"
        ) from error
    if not wanted:
        why = f" {refused[0]}" if refused else ""
        step = 'Write one JSON object a line: {"question": "...", "answers": ["..."], "file": "..."}'
        raise Problem(f"There is no question in {path}.{why}", step, kind="input")
    return wanted, refused


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        number, begins = 0, True
        while line := file.readline(LONGEST):
            number += begins
            if begins and line.removeprefix(b"\xef\xbb\xbf").strip():
                yield number, line
            begins = line.endswith(b"\n")


def _question(number: int, line: bytes) -> Wanted:
    """One line of a list.

    Raises:
        NoQuestion: it is none.
    """
    if len(line) == LONGEST:
        raise NoQuestion("it is longer than any question")
    try:
        entry = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoQuestion(f"it is not valid JSON in UTF-8 ({error})") from None
    if not isinstance(entry, dict):
        raise NoQuestion("it is no JSON object in braces")
    question, name, file, answers = (entry.get(key) for key in ("question", "id", "file", "answers"))
    if not isinstance(question, str) or not question.strip():
        raise NoQuestion('it has no text as its "question"')
    if not isinstance(file, str | None):
        raise NoQuestion('its "file" is no path')
    answers = [answers] if isinstance(answers, str) else answers
    if answers is not None and not (
        isinstance(answers, list) and all(isinstance(one, str) and one.strip() for one in answers)
    ):
        raise NoQuestion('its "answers" are no list of texts')
    return Wanted(number, question.strip(), "" if name is None else str(name), file or "", answers)
