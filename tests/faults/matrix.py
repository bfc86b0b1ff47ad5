"""The fault matrix: every way a cloud service can fail, times who is asked first, times the state of the local model.

Each cell asks one question of real parts: answering, route, breaker, SDK and sockets, a server on loopback that fails
in that way, and the local model in its own process. The limits are short, so that the whole matrix takes minutes; what
is measured is therefore the added delay under these limits. DNS alone is replaced, inside this process: there is no
name server of ours to break.
"""

import contextlib
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec import Struct

from core.answering import answer as answering
from core.answering.answer import LATER, Answering
from core.answering.history import History
from core.models import llama
from core.models.breaker import Breaker
from core.models.cloud import CloudModel, Patience
from core.models.local import LocalModel
from core.models.model import ChatModel
from core.models.route import Route
from core.network import Gate
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import Answered, Ask, Draft, Event, Piece, Provider, Quoted, Restart, RouteStep, Settings
from indexer.child import Child
from indexer.worker import Cancellation
from tests.core.fault_server import IN_THE_MIDDLE, FaultServer
from tests.core.shelf import Shelf

PASSAGES = ["The boat is blue. It lies at the third pier.", "The sail was mended by Ida in May."]
QUESTION = "What colour is the boat?"
SAID = "The boat is blue, "  # what a cloud that breaks in the middle has said
WORDS = ("The boat ", "is blue", ", ", "and ", "it lies ", "at the ", "third pier.")
SAID_PIECES = 3
ANSWER_TOKENS = 16
HURRIED = Patience(connect=0.4, first_word=0.6, probe=0.3, stall=0.5)

SERVED = (
    "401,402,404,429,429 after 1,429 after 60,500,502 html,503,302,web page,no stream,silence,drip,reset at once,"
    "rubbish,not text,another shape,empty,error inside,huge line,gzip bomb,gzip rubbish"
).split(",")
CONNECTING = ("refused", "no such name", "silent name server", "silent host", "not TLS", "wrong certificate")
FAULTS = (*CONNECTING, *SERVED, *IN_THE_MIDDLE)
NO_OUTAGE = ("filtered",)  # the service works: it is asked again at once
REFUSALS = ("401", "402", "404", "filtered")  # the service works, and would refuse the same question later too

Order = Literal["cloud first", "local first"]
Local = Literal["ready", "loading", "none"]
ORDERS: tuple[Order, ...] = ("cloud first", "local first")
LOCALS: tuple[Local, ...] = ("ready", "loading", "none")


class Cell(Struct, frozen=True):
    """What came of one question. Times are milliseconds since it was asked; None where no model wrote a word."""

    fault: str
    order: Order
    local: Local
    events: list[Any]
    at: list[float]  # when each event came, on the monotonic clock in seconds
    answered: Answered
    first_ms: float | None
    passed_by_ms: float | None  # what the cloud cost before the local model had its turn
    requests: int

    @property
    def by(self) -> str:
        """Whose words the answer is made of."""
        kinds = [step.kind for step in self.answered.route if step.start is not None]
        return " → ".join(kinds) or "quote"


class Bench:
    """Everything the cells share.

    Args:
        server: the service that fails.
        llm: the local model's process.
        embedder: the embedding model, for the quote.
        folder: for the history and the certificate.
    """

    def __init__(self, server: FaultServer, llm: "Child[llama.Call, llama.Event]", embedder: Any, folder: Path) -> None:
        self.server = server
        self.llm = llm
        self._shelf = Shelf(PASSAGES, embed=embedder)
        self._folder = folder
        ledger = Ledger(folder / "outgoing.sqlite3")
        self.patience = HURRIED
        self._outgoing = Outgoing(lambda paths: dict.fromkeys(paths, "cloud"), Settings, ledger)
        self._certificate: Path | None = None
        answering.ANSWER_TOKENS = ANSWER_TOKENS

    def ask(
        self, fault: str, order: Order, local: Local, breaker: Breaker | None = None, after: int = SAID_PIECES
    ) -> Cell:
        """One cell. With a breaker of the caller's, what it knows from earlier questions counts.

        Args:
            after: pieces that the cloud says before it breaks in the middle.
        """
        server = self.server
        server.words, server.after = WORDS, after
        server.fault = fault if fault in (*SERVED, *IN_THE_MIDDLE) else "none"
        before = len(server.requests)
        if local == "loading":
            self.llm.rest()
        elif local == "ready":
            self.llm.ask(llama.Warm(), patience=120)
        with self._address(fault) as url:
            cloud = CloudModel(
                Provider("test", "openai", url, "big"),
                lambda _: None,
                OPEN,
                breaker or Breaker(),
                self._outgoing.card(),
                patience=self.patience,
            )
            here: list[ChatModel] = [] if local == "none" else [LocalModel(self.llm, "starter")]
            models = [cloud, *here] if order == "cloud first" else [*here, cloud]
            history = History(self._folder / "history.sqlite3")
            asking = Answering(self._shelf, lambda *_: Route(models), history, owes=lambda *_: True)
            return self._followed(fault, order, local, asking, before)

    def _followed(self, fault: str, order: Order, local: Local, asking: Answering, before: int) -> Cell:
        started = time.monotonic()
        events: list[Event] = []
        moments: list[float] = []
        for event in asking.answer(Ask(QUESTION), Cancellation()):
            events.append(event)
            moments.append(time.monotonic())
        at = [(moment - started) * 1000 for moment in moments]
        answered = events[-1]
        assert isinstance(answered, Answered)
        turns = [
            ms for event, ms in zip(events, at, strict=True)
            if isinstance(event, RouteStep) and event.step.outcome == "asked"
        ]  # fmt: skip
        return Cell(
            fault,
            order,
            local,
            events,
            moments,
            answered,
            next((ms for event, ms in zip(events, at, strict=True) if isinstance(event, Piece)), None),
            turns[1] - turns[0] if len(turns) > 1 else None,
            len(self.server.requests) - before,
        )

    @contextlib.contextmanager
    def _address(self, fault: str) -> Iterator[str]:
        plain = self.server.url
        if fault == "refused":
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            yield f"http://127.0.0.1:{port}/v1"
        elif fault in ("no such name", "silent name server"):
            with names(silent=fault == "silent name server"):
                yield "https://cloud.test/v1"
        elif fault == "silent host":
            with silent_host() as port:
                yield f"http://127.0.0.1:{port}/v1"
        elif fault == "not TLS":
            yield plain.replace("http://", "https://")
        elif fault == "wrong certificate":
            self._certificate = self._certificate or self_made(self._folder)
            with stranger(self._certificate) as port:
                yield f"https://127.0.0.1:{port}/v1"
        else:
            yield plain


OPEN = Gate(lambda: False)


@contextlib.contextmanager
def names(*, silent: bool) -> Iterator[None]:
    """A world in which no name is found, or whose name server never answers."""
    real, released = socket.getaddrinfo, threading.Event()

    def lookup(host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in ("cloud.test", b"cloud.test"):
            return real(host, *arguments, **named)
        if silent:
            released.wait(30)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    socket.getaddrinfo = lookup
    try:
        yield
    finally:
        released.set()
        socket.getaddrinfo = real


@contextlib.contextmanager
def silent_host() -> Iterator[int]:
    """A port on which connections are never made: its queue is full, so that the kernel drops what knocks."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            knock = stack.enter_context(socket.socket())
            knock.setblocking(False)
            knock.connect_ex(("127.0.0.1", port))
        yield port


@contextlib.contextmanager
def stranger(certificate: Path) -> Iterator[int]:
    """A TLS server whose certificate nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    raw, _ = listener.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as line:
                        line.recv(1)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept
    thread.join(5)


def self_made(folder: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-made.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def faults_of(cell: Cell) -> list[str]:
    """What is wrong with a cell, in words; nothing when all is as it should be."""
    answered = cell.answered
    wrong: list[str] = []

    def must(condition: object, words: str) -> None:
        wrong.extend([] if condition else [words])

    must(any(isinstance(event, Quoted) and event.quote for event in cell.events), "no quote was shown")
    must(answered.quote, "the card closed without its quote")
    draft = Draft()
    for event in cell.events:
        if isinstance(event, RouteStep | Restart | Piece):
            draft.take(event)
    written = draft.text.strip()
    must(not written or written == answered.answer, "the words that streamed are not the answer")
    outcomes = [step.outcome for step in answered.route if step.kind != "quote"]
    if cell.local != "none" or cell.fault == "none":
        must(outcomes[-1] == "ok", f"nobody answered: {outcomes}")
        must(answered.answer, "the answer is empty")
    else:
        must(answered.note, "that nobody was left is not said")
        kept = SAID.strip() if cell.fault in IN_THE_MIDDLE else answered.quote and answered.quote.text
        must(answered.answer == kept, "the card closed with other words")
    broke = cell.fault in IN_THE_MIDDLE and (cell.order == "cloud first" or cell.local == "none")
    if broke:
        must(answered.answer.startswith(SAID.strip()), f"the cloud's words are lost: {answered.answer!r}")
        must(answered.answer.count(SAID.strip()) == 1, f"words are doubled: {answered.answer!r}")
        places = [step.start for step in answered.route if step.kind == "local"]
        must(cell.local == "none" or places in ([len(SAID)], [None]), f"the seam is not where it was: {places}")
    waits = cell.fault not in ("none", *REFUSALS) and (cell.order == "cloud first" or cell.local == "none")
    must((LATER in answered.note) == waits, f"that it waits for a second opinion: {not waits}, of an outage: {waits}")
    if cell.order == "local first" and cell.local != "none":
        must(cell.requests == 0, "the cloud was asked although the local model answered")
    return wrong


def table(cells: list[Cell]) -> str:
    """The matrix as Markdown: time to the first word, and what the fault added to that of a sound service."""
    base = {(c.order, c.local): c.first_ms or 0.0 for c in cells if c.fault == "none"}
    columns = [(order, local) for order in ORDERS for local in LOCALS]
    rows = ["| fault | " + " | ".join(f"{order}, local {local}" for order, local in columns) + " |"]
    rows.append("|---" * (len(columns) + 1) + "|")
    by_place: dict[tuple[str, str, str], Cell] = {(c.fault, c.order, c.local): c for c in cells}
    for fault in ("none", *FAULTS):
        said: list[str] = []
        for order, local in columns:
            cell = by_place.get((fault, order, local))
            if cell is None:
                said.append("")
            elif cell.first_ms is None:
                said.append("quote")
            else:
                added = cell.first_ms - base.get((order, local), cell.first_ms)
                said.append(f"{cell.by}, {cell.first_ms:,.0f} ms ({added:+,.0f})")
        rows.append(f"| {fault} | " + " | ".join(said) + " |")
    return "\n".join(rows)
