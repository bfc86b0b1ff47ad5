"""What the interfaces of cloud services have in common, and a connection that nothing can overfill."""

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from core.errors import CloudFailed
from core.models.failures import NEXT
from core.models.model import Cleared, Finished, Message, Token
from core.protocol import VERSION

if TYPE_CHECKING:
    import httpx2

_OF_OPENAI = ("openai-organization", "openai-project")  # the SDK takes them from the environment, for any address
LARGEST = 8 << 20  # bytes of one answer; its few hundred tokens come to a hundredth of that


class Request(Struct, frozen=True):
    """What a service is asked.

    model: the model's name there.
    max_tokens: the answer's limit, where the service wants one.
    cleared: the prompt, and in `so_far` the answer's words that exist already and may be shown.
    """

    host: str
    key: str
    base_url: str
    model: str
    cleared: Cleared
    max_tokens: int

    @property
    def messages(self) -> Sequence[Message]:
        """The prompt."""
        return self.cleared.messages

    @property
    def so_far(self) -> str:
        """The answer's words that the model goes on from."""
        return self.cleared.so_far


class Service(Protocol):
    """One interface, spoken through its SDK. The SDK is imported by the first question."""

    def __call__(self, http: "httpx2.Client", request: Request) -> Iterator[Token | Finished]:
        """Ask once and pass on what comes; nothing is tried twice here, for each request is cleared on its own.

        Raises:
            CloudFailed, and its kinds: sorted by `failures`.
        """
        ...


_settled: set[str] = set()


def settle(interface: str) -> None:
    """Take what an SDK made when it was loaded and first used out of the garbage collector's rounds, once.

    It stays for ever; but each full round would stop every thread of the engine to look at it: for 37 ms with openai
    used, 106 ms with anthropic too, 7 ms without them (reference machine).
    """
    if interface not in _settled:
        _settled.add(interface)
        gc.collect()
        gc.freeze()


class Line:
    """One HTTP client under supervision: it tells when its connection stands, and refuses what no model would send.

    Compressed answers are neither asked for nor taken: a few bytes of them can become gigabytes. What the SDKs tell
    about this machine with each request is taken out again.

    Args:
        http: the client.
        host: whom it asks.
        check: called when the connection stands, before the first byte of a request: what it raises keeps that here.
            A name server, a handshake or an SDK can take long, and the person may have changed their mind meanwhile.
        unwanted: asked with each piece that comes; once it is true, reading ends.
    """

    def __init__(
        self, http: "httpx2.Client", host: str, check: Callable[[], None], unwanted: Callable[[], bool]
    ) -> None:
        self.begun = False  # the SDK is loaded, the connection is being made
        self.stands = False
        self._host = host
        self._check = check
        self._unwanted = unwanted
        http.headers["Accept-Encoding"] = "identity"
        hooks = http.event_hooks
        hooks["request"].append(self._watch)
        hooks["response"].append(self._bound)
        http.event_hooks = hooks

    def _watch(self, request: "httpx2.Request") -> None:
        self.begun = True
        for name in list(request.headers):
            if name.startswith("x-stainless-") or (name in _OF_OPENAI and self._host != "api.openai.com"):
                del request.headers[name]
        request.headers["User-Agent"] = f"offhand/{VERSION}"
        request.extensions = {**request.extensions, "trace": self._trace}

    def _trace(self, event: str, _info: Any) -> None:
        if event.endswith("send_request_headers.started"):  # through a proxy twice: to it, and to the host behind it
            self._check()
            self.stands = True

    def _bound(self, response: "httpx2.Response") -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise CloudFailed(f"{self._host} answered with something unreadable.", NEXT)
        response.stream = _bounded(response.stream, self._host, self._unwanted)


def _bounded(stream: Any, host: str, unwanted: Callable[[], bool]) -> Any:
    import httpx2

    class Bounded(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            room = LARGEST
            for piece in stream:
                room -= len(piece)
                if room < 0:
                    raise CloudFailed(f"{host} sent far more than an answer.", NEXT)
                if unwanted():  # looked at here too: what drips makes no event for ever
                    raise CloudFailed(f"The answer of {host} is not wanted any more.", NEXT)
                yield piece

        def close(self) -> None:
            stream.close()

    return Bounded()
