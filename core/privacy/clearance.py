"""The one place where a prompt becomes fit to leave: sorted by the folders' rules, then redacted, then typed so."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from core.models.model import Cleared, FromNotes, Message, composed
from core.privacy.redaction import Redactor, Restorer
from core.privacy.rules import Rules, check, sort

TRIAL = "a trial of the service, with none of your notes in it"


class Passed(NamedTuple):
    """A prompt that may leave, and the facts about it.

    hidden: what was redacted, as numbers by kind.  why: the rule or click.  withheld: files whose text was taken out.
    """

    prompt: Cleared
    hidden: dict[str, int]
    why: str
    withheld: list[str]


class Clearance:
    """Clears the prompts of one answer card, whichever models they are for.

    Args:
        rules: the folders' rules, looked up anew for each prompt.
        redactor: the card's placeholders.
        consent: the person agreed, for this question.
        trial: it is for a prompt of our own, without question and notes, that tries whether a service answers.
        occasion: what the prompts are for, where it is no question that was asked just now; it is told with the `why`.
    """

    def __init__(
        self, rules: Rules, redactor: Redactor, *, consent: bool = False, trial: bool = False, occasion: str = ""
    ) -> None:
        self._rules = rules
        self._redactor = redactor
        self._consent = consent
        self._trial = trial
        self._occasion = occasion

    def clear(self, messages: Sequence[Message], so_far: FromNotes | None = None) -> Passed:
        """What of a prompt may leave now.

        Args:
            so_far: words of the answer that exist already, with all files that they may be text of. They stay here as a
                whole where they show a part of something that is hidden.

        Raises:
            Withheld: no text of any note may, and so nothing does, the question included.
        """
        if self._trial and so_far is None and not any(message.excerpts for message in messages):
            return Passed(Cleared(tuple(messages), lambda: None), {}, TRIAL, [])
        whole = [*messages, composed("assistant", so_far)] if so_far is not None else list(messages)
        left, why, used, withheld = sort(whole, self._rules, consent=self._consent)
        said = [excerpt for message in left for excerpt in message.excerpts if excerpt.context]
        self._redactor.learn([excerpt.context for excerpt in said])
        repeats = [[(one.start, one.end) for one in message.excerpts if one.context] for message in left]
        redacted, hidden = self._redactor.hide([message.content for message in left], repeats)
        cleared = [Message(message.role, text) for message, text in zip(left, redacted, strict=True)]
        going_on = cleared.pop().content if so_far is not None and left[-1].role == "assistant" else ""
        going_on = "" if self._redactor.is_shown_by(going_on) else going_on
        why = f"{self._occasion}; {why}" if self._occasion else why
        still = partial(check, used, self._rules, consent=self._consent)
        return Passed(Cleared(tuple(cleared), still, going_on), hidden, why, withheld)

    def restorer(self) -> Restorer:
        """Takes back the placeholders in one answer."""
        return self._redactor.restorer()
