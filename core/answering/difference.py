"""How a later answer differs from the first one. Sentences are the same only word for word: two that differ in a number
or in a "not" look alike to any measure of likeness, and are the ones that matter."""

import re
from collections.abc import Sequence
from typing import Literal

from core.protocol import Difference

_EMPHASIS = re.compile(r"\*\*|__|`")


def difference(then: Sequence[str], now: Sequence[str]) -> Difference:
    """Compare the sentences of two answers; their order does not count, nor do capitals, spacing and the full stop."""
    before, after = {_plain(one) for one in then}, {_plain(one) for one in now}
    new = [one for one in now if _plain(one) not in before]
    gone = [one for one in then if _plain(one) not in after]
    return Difference(_verdict(new, gone), [one for one in now if _plain(one) in before], new, gone)


def _verdict(new: list[str], gone: list[str]) -> Literal["agrees", "adds", "leaves out", "differs"]:
    if new and gone:
        return "differs"
    return "adds" if new else "leaves out" if gone else "agrees"


def _plain(sentence: str) -> str:
    return " ".join(_EMPHASIS.sub("", sentence).split()).casefold().rstrip(". ")
