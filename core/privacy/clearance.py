"""The one place where a prompt becomes fit to leave: sorted by the folders' rules, then redacted, then typed so."""

from collections.abc import Sequence
from typing import NamedTuple

from core.models.model import Cleared, Message
from core.privacy.redaction import Redactor, Restorer
from core.privacy.rules import Rules, sort


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
    """

    def __init__(self, rules: Rules, redactor: Redactor, *, consent: bool) -> None:
        self._rules = rules
        self._redactor = redactor
        self._consent = consent

    def clear(self, messages: Sequence[Message]) -> Passed:
        """What of a prompt may leave now.

        Raises:
            Withheld: no text of any note may, and so nothing does, the question included.
        """
        left, why, withheld = sort(messages, self._rules, consent=self._consent)
        hidden: dict[str, int] = {}
        redacted = []
        for message in left:
            text, counts = self._redactor.hide(message.content)
            redacted.append(Message(message.role, text))
            for kind, count in counts.items():
                hidden[kind] = hidden.get(kind, 0) + count
        return Passed(Cleared(tuple(redacted)), hidden, why, withheld)

    def restorer(self) -> Restorer:
        """Takes back the placeholders in one answer."""
        return self._redactor.restorer()
