"""Damaged copies of real documents, the same ones for the same seed.

Bytes are flipped, cut off, doubled, taken out, exchanged and overwritten, and numbers that look like lengths are made
absurd. A zip (most office formats) is also taken apart and put together again around a damaged member, under another
name, with one entry too many or too few: a flipped byte of the packed file rarely gets past its checksum.
"""

import io
import random
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

BLOCK = 64  # bytes; most structures in documents are about so long
ABSURD = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000)
LARGEST = 120_000  # bytes of a seed: larger ones only take longer

Change = Callable[[random.Random, bytes], bytes]


class Mutant(Struct, frozen=True):
    """A damaged file. `how` names the damage and `seed` the document, for the report of a failure."""

    name: str
    content: bytes
    seed: str
    how: str


def mutants(seeds: Sequence[Path], count: int, seed: int) -> Iterator[Mutant]:
    """`count` mutants: every document in turn, so that each format has its share, by a change that chance picks."""
    chance = random.Random(seed)
    by_suffix: dict[str, list[Path]] = {}
    for path in sorted(seeds):
        if path.stat().st_size <= LARGEST:
            by_suffix.setdefault(path.suffix.lower(), []).append(path)
    suffixes = sorted(by_suffix)
    for number in range(count):
        suffix = suffixes[number % len(suffixes)]
        path = chance.choice(by_suffix[suffix])
        content = path.read_bytes()
        is_zip = zipfile.is_zipfile(io.BytesIO(content))
        changes = ZIP_CHANGES if is_zip and chance.random() < 0.7 else CHANGES
        names, mutant = [], content
        for _ in range(chance.choice((1, 1, 2, 4))):
            change = chance.choice(changes)
            names.append(change.__name__.strip("_"))
            mutant = change(chance, mutant)
        yield Mutant(f"{number:05d}{suffix}", mutant, path.name, " then ".join(names))


# ---- any bytes ------------------------------------------------------------------------------------------------------


def _flip(chance: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 3, 20, 100)) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _scramble(chance: random.Random, content: bytes) -> bytes:
    at = _place(chance, content)
    return content[:at] + chance.randbytes(min(BLOCK, len(content) - at)) + content[at + BLOCK :]


def _truncate(chance: random.Random, content: bytes) -> bytes:
    return content[: _place(chance, content)]


def _behead(chance: random.Random, content: bytes) -> bytes:
    return content[chance.randrange(1, BLOCK) :]


def _double(chance: random.Random, content: bytes) -> bytes:
    at = _place(chance, content)
    block = content[at : at + BLOCK * chance.randrange(1, 20)]
    return content[:at] + block * chance.choice((2, 3, 50)) + content[at + len(block) :]


def _remove(chance: random.Random, content: bytes) -> bytes:
    at = _place(chance, content)
    return content[:at] + content[at + BLOCK * chance.randrange(1, 20) :]


def _shuffle(chance: random.Random, content: bytes) -> bytes:
    size = max(BLOCK, len(content) // 30)
    blocks = [content[at : at + size] for at in range(0, len(content), size)]
    chance.shuffle(blocks)
    return b"".join(blocks)


def _zeros(chance: random.Random, content: bytes) -> bytes:
    at = _place(chance, content)
    return content[:at] + bytes(chance.choice((1, 8, 512, 5000))) + content[at:]


def _length_field(chance: random.Random, content: bytes) -> bytes:
    form = chance.choice(("<H", "<I", ">H", ">I", "<Q"))
    size = struct.calcsize(form)
    at = _place(chance, content)
    value = chance.choice(ABSURD) & ((1 << 8 * size) - 1)
    return content[:at] + struct.pack(form, value) + content[at + size :]


def _number(chance: random.Random, content: bytes) -> bytes:
    """A number written in digits becomes another one: lengths in PDF, sizes in RTF, spans in XML and HTML."""
    digits = [at for at in range(len(content)) if content[at : at + 1].isdigit()]
    if not digits:
        return _flip(chance, content)
    at = chance.choice(digits)
    word = chance.choice((b"0", b"-1", b"999999999", b"4294967296", b"1e308", b"18446744073709551615"))
    return content[:at] + word + content[at + 1 :]


def _splice(chance: random.Random, content: bytes) -> bytes:
    """A part of the document stands in the middle of another part."""
    one, two = sorted((_place(chance, content), _place(chance, content)))
    return content[:two] + content[one:]


def _nest(chance: random.Random, content: bytes) -> bytes:
    """What stands between two brackets is put into itself, again and again."""
    opening = [at for at in range(len(content)) if content[at] in b"<([{"]
    if not opening:
        return _double(chance, content)
    at = chance.choice(opening)
    return content[:at] + content[at : at + 8] * chance.choice((30, 300, 3000)) + content[at:]


CHANGES: tuple[Change, ...] = (
    _flip,
    _scramble,
    _truncate,
    _behead,
    _double,
    _remove,
    _shuffle,
    _zeros,
    _length_field,
    _number,
    _splice,
    _nest,
)


# ---- what is inside a zip -------------------------------------------------------------------------------------------


def _member(chance: random.Random, content: bytes) -> bytes:
    """One member is damaged and packed anew with a right checksum, so that the reader's own parser meets the damage."""
    members = _members(content)
    texts = [name for name in members if name.endswith((".xml", ".rels", ".xhtml", ".html", ".opf", ".ncx"))]
    name = chance.choice(texts or sorted(members))
    members[name] = chance.choice(CHANGES)(chance, members[name])
    return _packed(members)


def _lost_member(chance: random.Random, content: bytes) -> bytes:
    members = _members(content)
    del members[chance.choice(sorted(members))]
    return _packed(members)


def _exchanged_members(chance: random.Random, content: bytes) -> bytes:
    members = _members(content)
    one, two = chance.choice(sorted(members)), chance.choice(sorted(members))
    members[one], members[two] = members[two], members[one]
    return _packed(members)


def _escaping_member(chance: random.Random, content: bytes) -> bytes:
    members = _members(content)
    name = chance.choice(("../../../../tmp/offhand-escaped", "/tmp/offhand-escaped", "..\\..\\offhand-escaped"))
    return _packed({**members, name: b"escaped"})


def _entry_count(chance: random.Random, content: bytes) -> bytes:
    """The end record tells another number of entries, or another size or place of the list."""
    at = content.rfind(b"PK\5\6")
    if at < 0:
        return _flip(chance, content)
    offset = at + chance.choice((8, 10, 12, 16))
    return content[:offset] + struct.pack("<H", chance.choice((0, 1, 0x7FFF, 0xFFFF))) + content[offset + 2 :]


def _declared_size(chance: random.Random, content: bytes) -> bytes:
    """The list of members tells an absurd size of one of them."""
    places = [at for at in range(len(content) - 46) if content.startswith(b"PK\1\2", at)]
    if not places:
        return _flip(chance, content)
    offset = chance.choice(places) + chance.choice((20, 24, 28, 30, 42))
    return content[:offset] + struct.pack("<I", chance.choice(ABSURD)) + content[offset + 4 :]


ZIP_CHANGES: tuple[Change, ...] = (
    _member,
    _member,
    _member,
    _member,
    _lost_member,
    _exchanged_members,
    _escaping_member,
    _entry_count,
    _declared_size,
)


def _members(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # noqa: BLE001  # a change before this one broke it in one of many ways
        found = {}
    return found or {"mimetype": b"application/epub+zip"}


def _packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _place(chance: random.Random, content: bytes) -> int:
    return chance.randrange(len(content)) if content else 0
