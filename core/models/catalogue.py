"""The models that can be had by name, and where from. The list itself is `catalogue.toml`."""

import os
import re
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import msgspec
from msgspec import Struct

from core.errors import BadInput

HUB = "https://huggingface.co"
"""Where models are, unless the environment variable HF_ENDPOINT names a mirror."""

_LIST = Path(__file__).with_name("catalogue.toml")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_NAME = 120  # characters of a file's name


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A model of the catalogue.

    name: what a person calls it.  good_for: in a few words.
    size: of the file, in bytes.  sha256: of the file, in hexadecimal, "" where it is not known.
    memory: the RAM a machine needs at least, in bytes.  context: tokens it was trained for.
    repo, revision, file: where it is on the hub.
    """

    name: str
    good_for: str
    size: int
    licence: str
    memory: int
    context: int
    repo: str
    file: str
    sha256: str = ""
    revision: str = "main"


class Source(Struct, frozen=True):
    """A model that can be fetched.

    name: what a person calls it.  url: where it is.  file: its name on this disk.
    size: in bytes, 0 where it is not known.  sha256: in hexadecimal, "" where it is not known.
    """

    name: str
    url: str
    file: str
    size: int = 0
    sha256: str = ""


class _List(Struct, frozen=True, forbid_unknown_fields=True):
    model: tuple[Entry, ...]


@cache
def entries() -> tuple[Entry, ...]:
    """The catalogue, small to large."""
    return msgspec.convert(tomllib.loads(_LIST.read_text("utf-8")), _List).model


def named(name: str) -> Entry | None:
    """The model of that name, whatever its case, or None."""
    return next((entry for entry in entries() if entry.name.casefold() == name.casefold()), None)


def of_file(file: str) -> Entry | None:
    """The model whose file is called so, or None."""
    return next((entry for entry in entries() if entry.file.casefold() == file.casefold()), None)


def source(entry: Entry) -> Source:
    """Where a model of the catalogue is fetched from."""
    hub = os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB
    url = f"{hub}/{quote(entry.repo)}/resolve/{quote(entry.revision)}/{quote(entry.file)}"
    return Source(entry.name, url, entry.file, entry.size, entry.sha256)


def source_at(url: str) -> Source:
    """A model at a web address that a person gave; a page of the hub counts as the file it shows.

    Raises:
        BadInput: the address does not end in a GGUF file's name.
    """
    parts = urlsplit(url.strip())
    path = re.sub(r"^(/[^/]+/[^/]+)/blob/", r"\1/resolve/", parts.path)
    file = _UNFIT.sub("-", unquote(path.rsplit("/", 1)[-1])).lstrip(".-")
    if not file.lower().endswith(".gguf") or len(file) > LONGEST_NAME or len(file) == len(".gguf"):
        raise BadInput(f"{url} does not name a GGUF file.", "Such an address ends in .gguf.")
    known = of_file(file)
    if known is not None and path == urlsplit(source(known).url).path:
        return source(known)
    name = file[: -len(".gguf")]  # on this disk the ending is small, whatever it is there: that is what is looked for
    return Source(name, parts._replace(path=path, fragment="").geturl(), f"{name}.gguf")


def is_sha256(text: str) -> bool:
    """Whether this is a SHA-256 in hexadecimal."""
    return bool(_SHA256.fullmatch(text))
