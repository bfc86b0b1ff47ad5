"""How a command ends: exit statuses, the one sentence for a problem, and the last resort for a fault of our own."""

import os
import sys
from collections.abc import Sequence
from types import TracebackType

import msgspec

from core.paths import Profile
from core.protocol import Problem
from ui.terminal.wording import printable

OK, BUG, USAGE, INPUT, NEEDED, FINDINGS, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

MEANINGS = {
    OK: 'it worked; "nothing found" and "not in your notes" count as that',
    BUG: "a fault in Offhand itself; the details are in the log",
    USAGE: "the command was typed wrongly",
    INPUT: "what was given cannot be used: a question, a folder, a setting",
    NEEDED: "something needed is missing, broken or paused: model, profile, engine, keyring, cloud, reading",
    FINDINGS: "doctor found problems that remain",
    INTERRUPTED: "interrupted with Ctrl+C",
}


def exit_status(kind: str) -> int:
    """The exit status for a problem's `kind`. A kind nobody listed is something that is missing or broken."""
    return {"bug": BUG, "usage": USAGE, "input": INPUT, "folder": INPUT, "interrupted": INTERRUPTED}.get(kind, NEEDED)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` was typed. Asked before the arguments are parsed, so that a usage error is JSON too."""
    words = list(arguments)
    return "--json" in words[: words.index("--") if "--" in words else None]


def check_encoding(arguments: Sequence[str]) -> None:
    """Refuse arguments that are not UTF-8 (Python shows their bytes as lone surrogates).

    Raises:
        Problem: of kind "input".
    """
    for word in arguments:
        if not word.isascii() and any("\ud800" <= letter <= "\udfff" for letter in word):
            raise Problem("What was typed is not valid UTF-8 text.", "Check the terminal's encoding.", kind="input")


def tell(problem: Problem, as_json: bool) -> int:
    """Print a problem, as one JSON object on standard output or as sentences on standard error."""
    if as_json:
        give_json({"error": {"kind": problem.kind, "what": problem.what, "next_step": problem.next_step}})
    elif problem.kind != "interrupted":
        print(f"offhand: {printable(str(problem))}", file=sys.stderr)
    return exit_status(problem.kind)


def tell_interrupted(as_json: bool) -> int:
    """End after Ctrl+C: a person knows what they pressed, a script gets its object."""
    return tell(Problem("Interrupted.", kind="interrupted"), as_json)


def give_json(value: object) -> None:
    """Write the one JSON object of a `--json` command to standard output, UTF-8 whatever the terminal speaks."""
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def reader_left() -> int:
    """Whoever read our output has had enough (`offhand search x | head -1`): end without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


class LastResort:
    """A `sys.excepthook`: a fault of ours becomes one sentence; its traceback goes to `cli.log` of the profile."""

    def __init__(self, profile: Profile, as_json: bool) -> None:
        self._profile = profile
        self._as_json = as_json

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Write down and tell the exception that nobody caught; the interpreter then exits with status 1."""
        if issubclass(kind, KeyboardInterrupt):
            return
        import logging.handlers  # 20 ms that a command without a fault need not spend

        step = f"The details are in {self._profile.logs / 'cli.log'}."
        try:
            self._profile.create()
            log = logging.getLogger(__name__)
            log.propagate = False
            path = self._profile.logs / "cli.log"
            log.addHandler(logging.handlers.RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1))
            log.error("a command failed", exc_info=(kind, error, trace))
        except (OSError, Problem):
            step = f"Its log could not be written in {self._profile.logs}."
        tell(Problem(f"Something went wrong inside Offhand ({kind.__name__}).", step, kind="bug"), self._as_json)
