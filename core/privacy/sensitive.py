"""Finds what should not leave in clear: addresses, phone, card and account numbers, keys, and names on a list.

Numbers are believed only when their checksum or their country's numbering plan bears them out, so that dates, prices,
versions and ISBNs stay readable.
"""

import locale
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

Kind = Literal["KEY", "EMAIL", "ACCOUNT", "CARD", "PHONE", "NAME", "TEXT"]

REGIONS = ("GB", "US", "DE", "FR")
"""Where numbers without a country code are looked up, after the person's own country: the languages we know best."""

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+")
_CARD = re.compile(r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\w-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE)
_ACCOUNT = re.compile(
    r"(?:\b(?:account|acct|a/c|routing|sort code|aba|iban|konto(?:nummer)?|kto|blz|bankleitzahl)\b"
    r"[ .]*(?:number|no|nr|num|#)?[ .:=#]*)(\d(?:[ -]?\d){5,17})(?![\w-])",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\[?\b(?:KEY|EMAIL|ACCOUNT|CARD|PHONE|NAME|TEXT)-\d+\b\]?")

# The forms in which services hand out their keys, from their own documentation, and PEM (RFC 7468).
_KEYS = re.compile(
    r"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY(?:\ BLOCK)?-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY(?:\ BLOCK)?-----|\Z)
    | (?<![\w-])(?:
        (?:sk|rk|pk)[-_](?:[a-zA-Z]+[-_])*[\w-]{16,}            # OpenAI, Anthropic, OpenRouter, Stripe
      | (?:AKIA|ASIA|AIDA|AROA)[A-Z2-7]{16}                     # AWS
      | gh[pousr]_\w{30,} | github_pat_\w{30,}                  # GitHub
      | gl(?:pat|ptt|dt|rt|cbt)-[\w-]{20,}                      # GitLab
      | xox[abeoprs]-[\w-]{10,} | xapp-[\w-]{10,}               # Slack
      | AIza[\w-]{35} | GOCSPX-[\w-]{20,} | ya29\.[\w-]{20,}    # Google
      | hf_[a-zA-Z]{30,} | gsk_\w{20,} | r8_\w{30,} | xai-\w{20,} | pplx-\w{30,} | nvapi-[\w-]{30,}
      | npm_\w{30,} | pypi-[\w-]{50,} | dop_v1_[a-f0-9]{60,} | shpat_[a-f0-9]{30,} | dckr_pat_[\w-]{20,}
      | SG\.[\w-]{16,}\.[\w-]{16,} | key-[a-f0-9]{32} | AC[a-f0-9]{32} | SK[a-f0-9]{32}
      | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}                   # a JSON web token (RFC 7519)
      | \d{8,10}:AA[\w-]{32,}                                   # Telegram
    )(?![\w-])
    | (?<=://)[^\s/:@]+:[^\s/@]+(?=@)                           # name and password in a URL
    """,
    re.VERBOSE | re.DOTALL,
)
# "password: …" and its like: the value alone, to the end of the word.
_NAMED_KEY = re.compile(
    r"\b(?:pass(?:word|wort|phrase|code)?|pwd|passwd|kennwort|secret|token|pin|puk|(?:api|access|secret|licen[cs]e|auth)"
    r"[ _-]?(?:key|token|secret|code))\b[\"']?(?:\s+(?:is|ist)\s+|\s*[:=]\s*)[\"'`]?([^\s\"'`,;]{4,})",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")


class Found(NamedTuple):
    """Something sensitive: its kind and the characters `[start:end)` it stands at."""

    kind: Kind
    start: int
    end: int


def find(text: str, names: Sequence[str] = ()) -> list[Found]:
    """All that is sensitive in a text, in its order, without overlaps.

    Args:
        names: the personal list, in any case; each counts as whole words only.
    """
    found: list[Found] = []
    taken = [False] * len(text)
    for kind, start, stop in _candidates(text, names):
        end = stop if kind == "NAME" else start + len(text[start:stop].rstrip(".,;:!?)"))
        if start < end and not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            found.append(Found(kind, start, end))
    return sorted(found, key=lambda one: one.start)


def _candidates(text: str, names: Sequence[str]) -> Iterator[Found]:
    """The surest first: what an earlier one has taken, a later one cannot have."""
    for match in _PLACEHOLDER.finditer(text):  # looks like one of ours: hidden too, or it would come back as another
        yield Found("TEXT", *match.span())
    for match in _KEYS.finditer(text):
        yield Found("KEY", *match.span())
    for match in _EMAIL.finditer(text):
        yield Found("EMAIL", *match.span())
    for match in _NAMED_KEY.finditer(text):
        if _DIGIT.search(match[1]) or not match[1].isalpha():
            yield Found("KEY", *match.span(1))
    yield from _accounts(text)
    for match in _CARD.finditer(text):
        if _is_card(match[0]):
            yield Found("CARD", *match.span())
    yield from _phones(text)
    for name in sorted(filter(str.strip, names), key=len, reverse=True):
        for match in re.finditer(rf"(?<!\w){re.escape(name.strip())}(?!\w)", text, re.IGNORECASE):
            yield Found("NAME", *match.span())


def _accounts(text: str) -> Iterator[Found]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        words = match[0].split(" ")
        while words:  # the words after it can look as if they belonged to it
            candidate = " ".join(words)
            if iban.is_valid(candidate):
                yield Found("ACCOUNT", match.start(), match.start() + len(candidate))
                break
            words.pop()
    for match in _ACCOUNT.finditer(text):
        yield Found("ACCOUNT", *match.span(1))


def _is_card(digits: str) -> bool:
    from stdnum import luhn

    bare = re.sub(r"\D", "", digits)
    return 13 <= len(bare) <= 19 and len(set(bare)) > 1 and luhn.is_valid(bare)


def _phones(text: str) -> Iterator[Found]:
    if not _DIGIT.search(text):
        return
    import phonenumbers  # a fifth of a second, once, and only for those who use the cloud

    strict = phonenumbers.Leniency.STRICT_GROUPING
    for region in dict.fromkeys((*_own_region(), *REGIONS)):
        for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=strict):
            yield Found("PHONE", match.start, match.end)


@cache
def _own_region() -> tuple[str, ...]:
    """The person's country as the system tells it, "de_AT.UTF-8" → ("AT",)."""
    found = re.match(r"[a-z]{2,3}_([A-Z]{2})\b", locale.getlocale()[0] or "")
    return (found[1],) if found else ()
