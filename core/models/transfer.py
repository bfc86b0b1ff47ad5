"""Fetching one model through the network door: gone on with after every interruption, checked at the end.

`huggingface_hub` is not used: since 2.0 it begins anew after each interruption, its transfers of large files go past
any HTTP client by a library in Rust, and it compares no checksum. What the hub needs is little: a redirect to where
the file lies, whose answer states the SHA-256 of the file (`X-Linked-Etag`) and its size (`X-Linked-Size`).
"""

import errno
import hashlib
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from msgspec import Struct, structs

from core.errors import BadInput, CloudFailed, DownloadFailed, ModelMissing, Offline
from core.models import gguf
from core.models.catalogue import is_sha256
from core.models.failures import out_of_reach, retry_after
from core.models.parts import Part
from core.network import Gate, checked_host
from core.protocol import VERSION
from indexer.worker import Cancellation

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)

CHUNK = 1 << 18  # bytes
SPARE = 1 << 30  # bytes that stay free on the disk; below that the vectors cannot be built anew
HOPS = 5  # redirects
LOOK_SECONDS = 0.5  # between two looks at the door
LONGEST_PAUSE = 30.0  # seconds that a server may ask for; a longer one is told to the person
MOVED = (301, 302, 303, 307, 308)
MAGIC = b"GGUF"
LATER = "What is here stays, and it goes on from there when you get it again."
ELSEWHERE = "Choose another model, or add a file that you have."


class Patience(Struct, frozen=True):
    """How long a server is waited for, in seconds.

    connect: until the connection stands.  stall: between two pieces.
    pauses: before each further try; they begin anew with every piece that comes.
    """

    connect: float = 10.0
    stall: float = 30.0
    pauses: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)


class Broken(DownloadFailed):
    """It broke off, and may be tried again at once.

    Args:
        after: seconds that the server asks to be left alone.
    """

    def __init__(self, what: str, after: float = 0.0) -> None:
        super().__init__(what, LATER, passing=True)
        self.after = after


class Transfer:
    """One download.

    Args:
        part: what is here of it.
        gate: the door to the network.
        told: called with each piece, and before the check at the end.
        patience: the time limits.
    """

    def __init__(
        self,
        part: Part,
        gate: Gate,
        told: Callable[[], None] = lambda: None,
        patience: Patience = Patience(),  # noqa: B008  # frozen value
    ) -> None:
        self._part = part
        self._gate = gate
        self._told = told
        self._patience = patience
        self.checking = False

    def run(self, cancelled: Cancellation) -> bool:
        """Fetch what is missing, and check all of it. Returns False when it was cancelled; what came then stays.

        Raises:
            Offline: the door is closed; what came stays.
            DownloadFailed: see `DownloadFailed.passing`.
            ModelMissing: what came is no model that can be used; nothing is kept.
            BadInput: the address cannot be used.
        """
        failures = 0
        while not cancelled.requested:
            before = self._part.length
            try:
                if self._is_all_here() or self._fetch(cancelled):
                    return self._check(cancelled)
            except Broken as broken:
                failures = 0 if self._part.length > before else failures
                if failures == len(self._patience.pauses):
                    raise
                log.info("%s; trying again", broken.what)
                cancelled.wait(max(self._patience.pauses[failures], broken.after))
                failures += 1
        return False

    def _is_all_here(self) -> bool:
        expected, length = self._part.record.expected, self._part.length
        if expected and length > expected:
            self._part.clear()
        return bool(expected) and length == expected

    def _fetch(self, cancelled: Cancellation) -> bool:
        """One try. Returns whether it came to its end."""
        import httpx2

        url = self._part.record.source.url
        for _ in range(HOPS + 1):
            host = self._host(url)
            try:
                with (
                    self._gate.client(url, connect=self._patience.connect, read=self._patience.stall) as http,
                    http.stream("GET", url, headers=self._headers()) as response,
                ):
                    if cancelled.requested:
                        return False
                    self._hear(response, host)
                    if response.status_code not in MOVED:
                        return self._take(response, host, cancelled)
                    url = _joined(url, response.headers.get("location", ""), host)
            except httpx2.HTTPError as error:
                found = out_of_reach(host, error)
                raise Broken(found.what) if isinstance(found, CloudFailed) else found from error
            except httpx2.InvalidURL as error:
                raise _astray(host) from error
            except OSError as error:
                raise unwritable(self._part.path.parent, self._part.record.source.name, error) from error
        raise DownloadFailed(f"{host} sends the download in circles.", ELSEWHERE, passing=True)

    def _host(self, url: str) -> str:
        host = host_of(url)
        self._admit(host)
        return host

    def _admit(self, host: str) -> None:
        try:
            self._gate.check(host)
        except Offline as closed:
            what = "Offline mode is on; no download was tried."
            raise Offline(what, "Switch offline mode off to get models; what is here of them stays.") from closed

    def _headers(self) -> dict[str, str]:
        record, length = self._part.record, self._part.length
        headers = {"Accept-Encoding": "identity", "User-Agent": f"offhand/{VERSION}"}
        strong = bool(record.etag) and not record.etag.startswith("W/")
        if length and (strong or record.sha256):  # without either nobody could tell that the halves belong together
            headers["Range"] = f"bytes={length}-"
            if strong:
                headers["If-Range"] = record.etag
        return headers

    def _hear(self, response: "httpx2.Response", host: str) -> None:
        """Take down what the hub states of the file.

        Raises:
            DownloadFailed: it is another one than the catalogue knows.
            Broken: it is another one than the bytes here are from.
        """
        record, source = self._part.record, self._part.record.source
        stated = response.headers.get("x-linked-etag", "").strip().removeprefix("W/").strip('"').lower()
        if not is_sha256(stated) or stated == record.stated:
            return
        if source.sha256 and stated != source.sha256:
            raise DownloadFailed(f"{host} now has another file in the place of {source.name}.", ELSEWHERE)
        if record.stated:
            self._anew()
        size = response.headers.get("x-linked-size", "")
        size_stated = int(size) if size.isdecimal() else self._part.record.size
        self._part.note(structs.replace(self._part.record, stated=stated, size=size_stated))
        if record.stated:
            raise Broken(f"{source.name} was changed at {host} meanwhile; it begins anew.")

    def _anew(self) -> None:
        self._part.clear()
        self._part.note(structs.replace(self._part.record, etag="", size=0, stated=""))

    def _take(self, response: "httpx2.Response", host: str, cancelled: Cancellation) -> bool:
        """Write down what comes. Returns whether it has come to its end."""
        source = self._part.record.source
        self._look_at_kind(response, host)
        start, total = self._place(response, host)
        if source.size and total and total != source.size:
            raise self._refused(f"{host} has another file than {source.name}: {total:,} bytes, not {source.size:,}")
        check_room(self._part.path.parent, source.name, max(total, source.size) - start)
        etag = response.headers.get("etag", "")
        if start == 0:  # before the new version is noted: whoever goes on after a kill must not join the two
            self._part.clear()
        self._part.note(structs.replace(self._part.record, etag=etag, size=total))
        looked, done = time.monotonic(), start
        with self._part.path.open("ab" if start else "wb") as file:
            for piece in response.iter_raw():
                done += len(piece)
                if total and done > total:
                    raise self._refused(f"{host} sent more than the {total:,} bytes of {source.name}")
                file.write(piece)
                file.flush()
                if done - len(piece) < len(MAGIC) <= done:
                    self._look_at_magic(host)
                self._told()
                if cancelled.requested:
                    return False
                if time.monotonic() - looked > LOOK_SECONDS:
                    looked = time.monotonic()
                    self._admit(host)
        if done < total:
            raise Broken(f"The connection to {host} broke after {done:,} of {total:,} bytes.")
        return True

    def _look_at_kind(self, response: "httpx2.Response", host: str) -> None:
        """Look at what it says it sends.

        Raises:
            DownloadFailed: it is no file.
        """
        name, headers = self._part.record.source.name, response.headers
        if response.status_code in (200, 206) and headers.get("content-encoding", "identity") != "identity":
            what = f"{host} sent {name} in a form that was not asked for."
            raise DownloadFailed(what, ELSEWHERE, passing=True)
        if response.status_code == 200 and "text/html" in headers.get("content-type", ""):
            what = f"{host} answered with a web page instead of {name}."
            raise DownloadFailed(what, "Sign in to this network if it asks for that, then get it again.", passing=True)

    def _place(self, response: "httpx2.Response", host: str) -> tuple[int, int]:
        """From which byte on the answer is, and how many there are in all, 0 where that is not known.

        Raises:
            DownloadFailed: there is none of either.
        """
        record, length = self._part.record, self._part.length
        status, headers = response.status_code, response.headers
        if status == 200:  # all of it, whatever was asked for: it was changed, or the server knows no ranges
            size = headers.get("content-length", "")
            return 0, int(size) if size.isdecimal() else record.source.size
        if status == 206:
            unit, _, rest = headers.get("content-range", "").partition(" ")
            span, _, total = rest.partition("/")
            other = bool(record.etag) and headers.get("etag", record.etag) != record.etag
            if unit == "bytes" and span.partition("-")[0] == str(length) and total.isdecimal() and not other:
                return length, int(total)
        if status in (206, 416):
            self._anew()
            raise Broken(f"{host} has another version of {record.source.name} than what is here; it begins anew.")
        raise self._by_status(response, host)

    def _look_at_magic(self, host: str) -> None:
        with self._part.path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise self._refused(f"What {host} sends is not a GGUF model file")

    def _by_status(self, response: "httpx2.Response", host: str) -> DownloadFailed:
        status, name, begun = response.status_code, self._part.record.source.name, bool(self._part.length)
        if status in (401, 403):
            what = f"{host} gives {name} only to those who are signed in there."
            step = "Fetch it with a browser, then add the file: offhand models get FILE."
            return DownloadFailed(what, step, passing=begun)
        if status in (404, 410):
            return DownloadFailed(f"{host} does not have {name}.", ELSEWHERE, passing=begun)
        if status in (408, 429) or status >= 500:
            after = retry_after(response.headers.get("retry-after", "")) or 0.0
            if after > LONGEST_PAUSE:
                return DownloadFailed(f"{host} asks to be left alone for {after:.0f} s.", LATER, passing=True)
            return Broken(f"{host} has a problem of its own ({status}).", after)
        return DownloadFailed(f"{host} refused the download ({status}).", ELSEWHERE, passing=begun)

    def _refused(self, what: str) -> DownloadFailed:
        self._part.clear()
        return DownloadFailed(f"{what}; nothing of it is kept.", ELSEWHERE)

    def _check(self, cancelled: Cancellation) -> bool:
        """Look at the whole file, and give it its name."""
        self.checking = True
        self._told()
        record, name = self._part.record, self._part.record.source.name
        if record.sha256:
            try:
                digest = _sha256(self._part.path, cancelled)
            except OSError as error:
                what = f"What is here of {name} cannot be read in {self._part.path.parent}: {error.strerror or error}."
                raise DownloadFailed(what, "Make it readable, and get it again.", passing=True) from error
            if cancelled.requested:
                return False
            if digest != record.sha256:
                raise self._refused(f"{name} came damaged: its checksum is not the one that was published")
        try:
            gguf.read(self._part.path, name)
        except ModelMissing:
            self._part.clear()
            raise
        try:
            self._part.finish()
        except OSError as error:
            raise unwritable(self._part.path.parent, name, error) from error
        return True


def host_of(url: str) -> str:
    """The host of an address that a model may be fetched from.

    Raises:
        BadInput: it is no web address, or one from which anybody on the way could send another file.
    """
    try:
        return checked_host(url)
    except BadInput as error:
        if not url.lower().startswith("http://"):  # not taken apart: it may be none
            raise
        what = f"{url} would fetch a model unencrypted through the internet, where anybody could change it."
        raise BadInput(what, "Use https.") from error


def check_room(folder: Path, name: str, needed: int) -> None:
    """Pass when the disk has room for so many more bytes, and some to spare.

    Raises:
        DownloadFailed: it has not.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise unwritable(folder, name, error) from error
    if free < needed + SPARE:
        raise DownloadFailed(
            f"{name} needs {needed / 1e9:.1f} GB and {SPARE / 1e9:.0f} GB to spare; {free / 1e9:.1f} GB are free where "
            f"models are kept ({folder}).",
            "Make room there, and get it again.",
            passing=True,
        )


def unwritable(folder: Path, name: str, error: OSError) -> DownloadFailed:
    """What a person is told when the disk takes no more."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadFailed(f"The disk is full, and {name} rests where it is.", f"Make room. {LATER}", passing=True)
    what = f"{name} cannot be written in {folder}: {error.strerror or error}."
    return DownloadFailed(what, "Make that folder writable, and get it again.", passing=True)


def _joined(url: str, location: str, host: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise _astray(host) from error


def _astray(host: str) -> DownloadFailed:
    what = f"{host} sends the download to an address that is none."
    return DownloadFailed(what, ELSEWHERE, passing=True)


def _sha256(path: Path, cancelled: Cancellation) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while (piece := file.read(CHUNK)) and not cancelled.requested:
            digest.update(piece)
    return digest.hexdigest()
