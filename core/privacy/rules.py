"""Which notes a prompt for the cloud may carry, by the rules of their folders as they stand at this moment."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from core.models.model import NO_FILE, Excerpt, Message
from indexer.records import FolderRule, Problem

Rules = Callable[[Sequence[str]], dict[str, FolderRule]]
"""The rule of each file's folder, now; a file that is left out is in no folder and stays here."""

ASK_FIRST = "The notes that answer this go to a cloud model only if you say so."
BY_RULE = "the folders' rule: may go to the cloud"
BY_CLICK = "you agreed, for this question"


def open_rules(*, consent: bool) -> tuple[FolderRule, ...]:
    """The rules under which text may go to the cloud; `consent` as in `sort`."""
    return ("cloud", "ask") if consent else ("cloud",)


class Withheld(Problem):
    """Nothing of the notes may go to the cloud, and so nothing goes."""

    kind = "withheld"


class RulesChanged(Withheld):
    """The rules let a prompt leave, and did not any more when it was about to. It is sorted anew when asked again."""

    kind = "rules"


class Sorted(NamedTuple):
    """What is left of a prompt, why it may leave, the files it is text of, and those whose text was taken out."""

    messages: list[Message]
    why: str
    used: list[str]
    withheld: list[str]


def sort(messages: Sequence[Message], rules: Rules, *, consent: bool) -> Sorted:
    """Take out all text of notes that may not go to the cloud.

    What a model has said counts as text of every note it had been given by then, unless the message says otherwise.

    Args:
        rules: asked here and now; what was allowed a moment ago does not count.
        consent: the person agreed for this one question; it opens the folders of the rule "ask", never "local".

    Raises:
        Withheld: no text of any note is left.
    """
    messages = _inherited(messages)
    paths = sorted({path for message in messages for excerpt in message.excerpts for path in excerpt.paths})
    found = rules(paths)
    allowed = {path for path in paths if found.get(path) in open_rules(consent=consent)}
    left = [_without(message, allowed) for message in messages]
    used = {path for message in left for excerpt in message.excerpts for path in excerpt.paths}
    if all(excerpt.instead for message in left for excerpt in message.excerpts):
        raise _nothing_left(any(rule == "ask" for rule in found.values()) and not consent)
    why = BY_CLICK if any(found[path] == "ask" for path in used) else BY_RULE
    kept = [message for message in left if message.content.strip()]
    return Sorted(kept, why, sorted(used), sorted(set(paths) - used - {NO_FILE}))


def shut(paths: Sequence[str], rules: Rules, *, consent: bool) -> list[str]:
    """Those of the files whose text may not go to a cloud model now; `consent` as in `sort`."""
    found, opened = rules(paths), open_rules(consent=consent)
    return sorted({path for path in paths if found.get(path) not in opened})


def check(paths: Sequence[str], rules: Rules, *, consent: bool) -> None:
    """Pass if text of all these files may still leave, as it might when it was sorted.

    Raises:
        RulesChanged: of one of them it may not.
    """
    if shut(paths, rules, consent=consent):
        what = "A folder's rule was changed, or a folder removed, before the connection stood; nothing was sent."
        raise RulesChanged(what, "Ask again: the prompt is made anew, as the rules are now.")


def _inherited(messages: Sequence[Message]) -> list[Message]:
    known: set[str] = set()
    result = []
    for message in messages:
        excerpts = message.excerpts
        if message.role == "assistant" and known and not excerpts:
            excerpts = (Excerpt(0, len(message.content), tuple(sorted(known))),)
        known.update(path for excerpt in excerpts for path in excerpt.paths)
        result.append(replace(message, excerpts=excerpts))
    return result


def _without(message: Message, allowed: set[str]) -> Message:
    """The message without every excerpt that rests on a file that is not allowed, or on none that is named.

    Where such an excerpt has something to stand in its place, that does.
    """
    content, kept, at = "", [], 0
    for excerpt in sorted(message.excerpts, key=lambda one: (one.start, one.end)):
        start = max(excerpt.start, at)
        content += message.content[at:start]
        at = max(at, excerpt.end)
        if excerpt.paths and allowed.issuperset(excerpt.paths):
            kept.append(replace(excerpt, start=len(content), end=len(content) + at - start))
            content += message.content[start:at]
        else:
            content += excerpt.instead
    return Message(message.role, content + message.content[at:], tuple(kept))


def _nothing_left(could_be_asked: bool) -> Withheld:
    if could_be_asked:
        return Withheld(
            ASK_FIRST,
            "Agree for this question (the button under the answer, or --cloud-ok), or change the folder's rule.",
        )
    return Withheld(
        "The notes that answer this stay on this machine.", "That is their folder's rule: `offhand rule` changes it."
    )
