"""Sensitive things planted in sentences as they stand in notes, and harmless ones that look a little like them.

The secrets are made anew from a seed; none of them is or was anybody's.
"""

import random
import string
from typing import NamedTuple

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from core.privacy.sensitive import Kind


class Planted(NamedTuple):
    """A sentence, what in it is sensitive, and of which kind."""

    kind: Kind
    sentence: str
    secret: str


def secrets(seed: int) -> list[Planted]:
    """Sentences, each with one secret."""
    chance = random.Random(seed)
    planted = []
    for kind, values, frames in (
        ("EMAIL", _emails(chance), _EMAILS),
        ("PHONE", list(_PHONES), _PHONED),
        ("CARD", _cards(chance), _CARDS),
        ("ACCOUNT", _accounts(chance), _ACCOUNTS),
        ("KEY", _keys(chance), _KEYS),
        ("KEY", _passwords(chance), _PASSWORDS),
    ):
        for value in values:
            planted.append(Planted(kind, chance.choice(frames).format(value), value))  # type: ignore[arg-type]
    return planted


def _letters(chance: random.Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(chance.choice(alphabet) for _ in range(count))


def _emails(chance: random.Random) -> list[str]:
    people = ["mara.lind", "h_olsen", "info", "j.p.smith+news", "Anna-Lena", "büro", "x", "first.last1984", "O.Brien"]
    hosts = ["example.org", "mail.example.co.uk", "example.museum", "uni-example.de", "müller-example.de", "ex.io"]
    return [f"{person}@{chance.choice(hosts)}" for person in people * 3]


_PHONES = """
+44 20 7946 0958|+44 7911 123456|020 7946 0123|(020) 7946 0018|0161 496 0345|07911 123456|+1 415-555-2671|
(415) 555-2671|415-555-2671|415.555.2671|+1 (212) 555-0187|1-800-555-0199|+49 30 901820|+49 (0)151 12345678|
030 901820|0171 2345678|0171/2345678|0221-4710123|+49 89 21083|089 / 2180 0|+33 1 42 68 53 00|01 42 68 53 00|
06 12 34 56 78|+33 6 12 34 56 78|+43 1 5138670|+41 44 668 18 00|+46 8 506 350 00|+34 91 372 62 00|+39 06 6982|
+31 20 570 5200|+45 33 92 33 92|+48 22 694 55 55|+61 2 9374 4000|+81 3-6384-9000|+351 21 381 9600|0049 30 901820
""".replace("\n", "").split("|")


def _cards(chance: random.Random) -> list[str]:
    found = []
    for start, length in (("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16), ("36", 14), ("35", 16)) * 3:
        digits = start + _letters(chance, length - len(start) - 1, string.digits)
        digits += luhn.calc_check_digit(digits)
        groups = [4, 6, 5] if length == 15 else [4] * (length // 4) + ([length % 4] if length % 4 else [])
        spaced, at = [], 0
        for size in groups:
            spaced.append(digits[at : at + size])
            at += size
        found.append(chance.choice(["", " ", "-"]).join(spaced))
    return found


def _accounts(chance: random.Random) -> list[str]:
    found = []
    for country, shape in (("DE", 18), ("FR", 23), ("AT", 16), ("NL", 0), ("ES", 20), ("GB", 0), ("SE", 20)) * 3:
        if country in ("NL", "GB"):
            bank = _letters(chance, 4, string.ascii_uppercase)
            bare = bank + _letters(chance, 10 if country == "NL" else 14, string.digits)
        else:
            bare = _bare(country, chance, shape)
        whole = country + mod_97_10.calc_check_digits(bare + country) + bare
        spaced = " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))
        found.append(chance.choice([whole, spaced]))
    return found


def _bare(country: str, chance: random.Random, length: int) -> str:
    if country == "ES":  # two check digits of its own stand in the middle
        from stdnum.es import ccc

        start = _letters(chance, 8, string.digits)
        number = _letters(chance, 10, string.digits)
        return start + ccc.calc_check_digits(start + "00" + number) + number
    return _letters(chance, length, string.digits)


def _keys(chance: random.Random) -> list[str]:
    capitals, hexadecimal = string.ascii_uppercase + "234567", "0123456789abcdef"
    token = "eyJ" + _letters(chance, 24) + ".eyJ" + _letters(chance, 40) + "." + _letters(chance, 43)
    return [
        "sk-" + _letters(chance, 48),
        "sk-proj-" + _letters(chance, 60),
        "sk-ant-api03-" + _letters(chance, 80),
        "sk-or-v1-" + _letters(chance, 64, hexadecimal),
        "sk_" + "live_" + _letters(chance, 24),
        "rk_" + "live_" + _letters(chance, 24),
        "AKIA" + _letters(chance, 16, capitals),
        "ghp_" + _letters(chance, 36),
        "github_pat_" + _letters(chance, 22) + "_" + _letters(chance, 59),
        "glpat-" + _letters(chance, 20),
        "xoxb-" + _letters(chance, 12, string.digits) + "-" + _letters(chance, 24),
        "AIza" + _letters(chance, 35),
        "hf_" + _letters(chance, 34, string.ascii_letters),
        "gsk_" + _letters(chance, 52),
        "npm_" + _letters(chance, 36),
        "pypi-" + _letters(chance, 80),
        "SG." + _letters(chance, 22) + "." + _letters(chance, 43),
        "dop_v1_" + _letters(chance, 64, hexadecimal),
        token,
        _letters(chance, 9, string.digits) + ":AA" + _letters(chance, 33),
        "-----BEGIN OPENSSH PRIVATE KEY-----\n" + _letters(chance, 70) + "\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n" + _letters(chance, 64) + "\n" + _letters(chance, 64),
        "AGE-SECRET-KEY-1" + _letters(chance, 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
        _letters(chance, 40, hexadecimal),
    ]


def _passwords(chance: random.Random) -> list[str]:
    return [
        *(_letters(chance, length) + str(length) for length in (6, 8, 10, 12, 16)),
        *(_letters(chance, 7) + chance.choice("!$%&*#+") + _letters(chance, 3) for _ in range(5)),
        "correct-horse-battery-staple",
        "Sommer2026!",
        *(str(chance.randint(1000, 9999)) for _ in range(3)),
    ]


_EMAILS = ["Write to {} about the deposit.", "Anna <{}> wants the minutes.", "mailto:{}", "- [ ] ask {}", "({})"]
_PHONED = [
    "Call {} after six.",
    "Tel.: {}",
    "The plumber ({}) comes on Friday.",
    "- roofer, {}, ask for Tom",
    "cell {}",
]
_CARDS = ["Paid with {} in March.", "Card: {}, expires 04/28", "| Visa | {} | 12/27 |", "The number is {}."]
_ACCOUNTS = ["Transfer the rent to {}.", "IBAN: {}", "| landlord | {} | monthly |", "From account {} on the first."]
_KEYS = ["The key for it: {}", "export TOKEN={}", "curl -H 'Authorization: Bearer {}' …", "`{}`", 'api_key = "{}"']
_PASSWORDS = ["password: {}", "Wi-Fi password is {}", "PIN: {}", "pwd={}", "Passwort: {}", "The alarm code, PIN = {}"]

HARMLESS = """
The meeting is on 2026-11-24 at 14:30.|Due 24.11.2026, 12.03.2026 or 24/11/2026.|ISBN 978-3-16-148410-0|
ISBN 3-16-148410-X and ISSN 0378-5955|Version 1.24.3 of 2025, build 20251124.1|
It cost EUR 1,234.56, later £118.50.|Invoice 2026-004711 of 3 May|Order no. 302-1182736-2219933|
Section 4.2.1, page 1024|192.168.178.21 and 10.0.0.1|The years 2019-2020 and 1989/90|
Between 10,000 and 12,500 euros|52.5200, 13.4050|Room 4071, seat 12A|RFC 7468 and ISO 8601|
GET /api/v1/users?id=12345|commit 1a2b3c4d|sha256 is a hash|The password is changed every month.|
The password must be long.|A token is a small coin.|pin the notice to the board|secret: nobody knows|
@mara on the chat|half past seven @ the office|Tax year 2025/26: 12 570|0.0123 bar, 1.4 bar, 230 V|
Bus 100, 8:15, 8:35, 8:55|3.141592653589793|100 000 000 inhabitants|4 x 100 m in 37.10 s|1. e4 e5 2. Nf3 Nc6|
Chapter 12, verses 13-16|Flight LH 4711 to Oslo|Postcode SW1A 1AA, 10115 Berlin|Apartment 12/34, 56 High Street|
Model GT-I9300, series WH-1000XM4|task-risk-disk-whisk|skip-level meeting-room-booking-form|
NAME-tag and EMAIL list|Bought 12 at 4.99, 3 at 14.50|2026-11-24T10:15:30Z|10:15:30.123456|
1,000,000 and 1.000.000|Heinz replaced the pressure valve on 3 May.
""".replace("\n", "").split("|")
"""Lines in which nothing is to be hidden."""
