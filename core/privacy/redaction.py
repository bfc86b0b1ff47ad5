"""Puts placeholders in the place of what is sensitive, the same one through a whole card, and takes them back."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from core.privacy.sensitive import Found, Kind, find

Spans = Sequence[tuple[int, int]]

LEAST = 4  # letters and digits by which a value is known however it is spaced; fewer are in too many other words
_END = " \n.,;:!?…"


class Redactor:
    """The placeholders of one answer card.

    Args:
        names: the personal list of names to be hidden.
        enabled: whether anything is hidden at all.
    """

    def __init__(self, names: Sequence[str] = (), *, enabled: bool = True) -> None:
        self._names = names
        self._enabled = enabled
        self._placeholders: dict[tuple[Kind, str], str] = {}
        self._numbers: Counter[Kind] = Counter()
        self._originals: dict[str, str] = {}  # by the placeholder without its brackets

    def learn(self, texts: Sequence[str]) -> None:
        """Take note of what is sensitive in texts that do not leave themselves, but what is said after them might."""
        for text in texts if self._enabled else ():
            self._hidden(text, find(text, self._names), set())

    def hide(self, texts: Sequence[str], repeats: Sequence[Spans] = ()) -> tuple[list[str], dict[str, int]]:
        """The texts with placeholders, and how many different things of each kind these hide.

        Args:
            repeats: for each text the characters `[start:end)` that were written from others. There everything that is
                known to the card is hidden, however it is said, and the beginning of it where they break off.
        """
        if not self._enabled:
            return list(texts), {}
        used: set[str] = set()
        if any(repeats):
            self.learn(texts)
        parts = zip(texts, repeats or [()] * len(texts), strict=True)
        hidden = [self._hidden(text, self._found(text, spans), used) for text, spans in parts]
        kinds = Counter(placeholder.rpartition("-")[0].lower() for placeholder in used)
        del kinds["text"]  # what only looked like a placeholder is no secret
        return hidden, dict(kinds)

    def is_shown_by(self, text: str) -> bool:
        """Whether a text that was redacted still shows something that is hidden elsewhere in the card.

        It does where it breaks off in the middle of it, or says it without the words that gave it away there: nothing
        recognises half a card number, or a password that is not called one.
        """
        originals = [value for name, value in self._originals.items() if not name.startswith("TEXT-")]
        if any(value in text for value in originals):
            return True
        beginnings = [_bare(value) for value in originals]
        tails = {_bare(text[word.start() :]) for word in re.finditer(r"\b\w", text)} if originals else set()
        return any(value.startswith(tail) for tail in tails - {""} for value in beginnings)

    def restorer(self) -> "Restorer":
        """Takes back the placeholders in one stream of words."""
        return Restorer(self._originals)

    def _found(self, text: str, spans: Spans) -> list[Found]:
        """What is sensitive in a text, and in these spans of it what is known to be so from elsewhere."""
        found = find(text, self._names)
        known = [one for span in spans for one in self._known(text, *span)] if spans else []
        return _apart([*found, *known]) if known else found

    def _known(self, text: str, start: int, end: int) -> Iterator[Found]:
        known = [(kind, self._originals[name]) for (kind, _), name in self._placeholders.items()]
        originals = [(kind, value) for kind, value in known if kind != "TEXT"]
        part = text[start:end]
        for kind, value in originals:
            for match in _writings(value).finditer(part):
                yield Found(kind, start + match.start(), start + match.end())
        ends = [(word.start(), _bare(part[word.start() :])) for word in re.finditer(r"\b\w", part)]
        for kind, value in originals:
            for at, tail in ends:
                if tail and _bare(value).startswith(tail):
                    yield Found(kind, start + at, start + len(part.rstrip(_END)))
                    break

    def _hidden(self, text: str, found: Sequence[Found], used: set[str]) -> str:
        pieces, at = [], 0
        for kind, start, end in found:
            placeholder = self._placeholder(kind, text[start:end])
            used.add(placeholder)
            pieces += [text[at:start], f"[{placeholder}]"]
            at = end
        return "".join([*pieces, text[at:]])

    def _placeholder(self, kind: Kind, value: str) -> str:
        key = (kind, _same(kind, value))
        if key not in self._placeholders:
            self._numbers[kind] += 1
            self._placeholders[key] = f"{kind}-{self._numbers[kind]}"
            self._originals[self._placeholders[key]] = value
        return self._placeholders[key]


class Restorer:
    """Puts the originals back into words that come piece by piece, a placeholder possibly in several of them."""

    def __init__(self, originals: dict[str, str]) -> None:
        self._originals = originals
        known = "|".join(sorted(map(re.escape, originals), key=len, reverse=True))
        self._whole = re.compile(rf"\[(?:{known})\]|(?<![\w\[])(?:{known})(?!\w)") if originals else None
        self._longest = max(map(len, originals), default=0) + 1  # with the opening bracket
        self._before = ""  # the last character given out: it decides whether a word begins
        self._held = ""

    def feed(self, text: str) -> str:
        """The next words, as far as it is certain what they are."""
        if self._whole is None:
            return text
        whole = self._held + text
        keep = self._unsure(whole)
        self._held = whole[keep:]
        return self._replaced(whole[:keep])

    def rest(self) -> str:
        """What was held back; the stream has ended."""
        held, self._held = self._held, ""
        return self._replaced(held)

    def forget(self) -> None:
        """The words so far count no more: others follow, from the beginning."""
        self._before = self._held = ""

    def _replaced(self, text: str) -> str:
        if self._whole is None or not text:
            return text
        before, self._before = self._before, text[-1]
        whole = self._whole.sub(lambda match: self._originals[match[0].strip("[]")], before + text)
        return whole[len(before) :]

    def _unsure(self, text: str) -> int:
        """Where the end of the text begins that may be the beginning of a placeholder, or one that is not over."""
        for start in range(max(0, len(text) - self._longest), len(text)):
            before = text[start - 1] if start else self._before
            if re.match(r"\w", text[start]) and re.match(r"[\w\[]", before):
                continue  # in the middle of a word, or behind a bracket that was looked at before
            bare = text[start:].removeprefix("[")
            if any(original.startswith(bare) for original in self._originals):
                return start
        return len(text)


def _apart(found: list[Found]) -> list[Found]:
    """The same places in their order; those that overlap become one."""
    result: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if result and one.start < result[-1].end:
            result[-1] = result[-1]._replace(end=max(one.end, result[-1].end))
        else:
            result.append(one)
    return result


def _writings(value: str) -> re.Pattern[str]:
    """Finds a value, and its letters and digits in any case and with anything between them that is neither."""
    bare = _bare(value)
    loose = r"[\W_]*".join(map(re.escape, bare))
    return re.compile(f"{re.escape(value)}|{loose}" if len(bare) >= LEAST else re.escape(value), re.IGNORECASE)


def _bare(text: str) -> str:
    """Letters and digits alone: a number is the same however it is spaced."""
    return re.sub(r"[\W_]", "", text).casefold()


def _same(kind: Kind, value: str) -> str:
    """What two writings of one thing have in common."""
    match kind:
        case "PHONE" | "CARD" | "ACCOUNT":
            return re.sub(r"[^\dA-Z+]", "", value.upper())
        case "EMAIL" | "NAME":
            return value.lower()
        case _:
            return value
