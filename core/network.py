"""The door to the network. Every HTTP client of ours is made here, and none gets past the door while it is closed.

One connection is made by a library, to the Chroma server that the setting `vectors` names, if it names one. The process
with that client in it is told the address only when it may be asked (`may_be_known`).

What leaves the machine goes through here, so a closed door means that nothing does. A server on this very machine
(Ollama, LM Studio) is not outside: it may be asked while the door is closed, but only by a literal loopback address
such as 127.0.0.1, for which no name is looked up. What such a server does with the words is its own affair; the rules
of the folders hold for it as for any other. The door follows no redirects and trusts the certificates that the system
trusts.
"""

import ipaddress
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.errors import BadInput, Offline

if TYPE_CHECKING:
    import ssl

    import httpx2

NO_TELEMETRY = {
    "ANONYMIZED_TELEMETRY": "False",  # chromadb
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime, which reports to its maker from its first session on (since 1.29)
    "DO_NOT_TRACK": "1",
}
"""Tells libraries to send nothing of their own accord."""

TRUST_SECONDS = 600.0
_SWITCH = "Switch offline mode off to use the cloud model."
_LOCAL_ENDINGS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")


def silence_libraries() -> None:
    """Switch off what libraries would send by themselves, in this process and its children; before they are loaded."""
    os.environ.update(NO_TELEMETRY)


class Gate:
    """Lets requests out, or not.

    Args:
        is_offline: asked before each request; for one question, `Gate(lambda: True)` is a door that stays closed.
        reason: why it may be closed, for the person.
        loopback: whether servers on this machine may be asked while it is closed.
    """

    def __init__(
        self, is_offline: Callable[[], bool], *, reason: str = "Offline mode is on", loopback: bool = True
    ) -> None:
        self._is_offline = is_offline
        self._reason = reason
        self._loopback = loopback

    def check(self, host: str) -> None:
        """Pass, or not.

        Raises:
            Offline: the door is closed, and `host` is not literally this machine.
        """
        if self._is_offline() and not (self._loopback and is_this_machine(host)):
            named = self._loopback and is_here(host)
            instead = f"{host} could be asked by its address, 127.0.0.1." if named else _SWITCH
            raise Offline(f"{self._reason}; nothing was sent.", instead)

    def client(self, base_url: str, *, connect: float, read: float) -> "httpx2.Client":
        """An HTTP client for one service; the caller closes it.

        Args:
            base_url: where the service lives.
            connect: seconds until a connection must stand.
            read: seconds that may pass without a byte.

        Raises:
            Offline: the door is closed. Each later request of the client asks again, before any name is looked up.
            BadInput: the address is no web address, or would carry notes and key unencrypted through the internet.
        """
        host = checked_host(base_url)
        self.check(host)
        import httpx2  # an eighth of a second that only questions to the cloud should cost

        environment = not is_here(host)  # a proxy named there must not see what stays on this machine

        def ask_first(request: "httpx2.Request") -> None:
            self.check(request.url.host)

        return httpx2.Client(
            verify=_trusted(environment),
            timeout=httpx2.Timeout(read, connect=connect),
            event_hooks={"request": [ask_first]},
            trust_env=environment,
            follow_redirects=False,
        )


_trust: "dict[bool, tuple[float, ssl.SSLContext]]" = {}


def _trusted(environment: bool) -> "ssl.SSLContext":
    """The certificates that the system trusts, read again after `TRUST_SECONDS`.

    Reading them takes 26 ms (144 of them), and to give them up takes up to 9 ms of whichever thread the garbage
    collector happens to run in: not for each request.

    Args:
        environment: whether the environment may name others.
    """
    import httpx2

    read_at, trusted = _trust.get(environment, (float("-inf"), None))
    if trusted is None or time.monotonic() - read_at > TRUST_SECONDS:
        trusted = httpx2.create_ssl_context(trust_env=environment)
        _trust[environment] = time.monotonic(), trusted
    return trusted


def checked_host(base_url: str) -> str:
    """The host of a service's address, in lower case.

    Raises:
        BadInput: see `Gate.client`.
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise BadInput(f"{base_url or 'The empty text'} is not a web address.", "It looks like https://host/v1.")
    if parts.scheme == "http" and not _is_nearby(host):
        raise BadInput(
            f"http://{host} would carry your notes and your key unencrypted through the internet.", "Use https."
        )
    return host


def may_be_known(url: str, *, offline: bool) -> str:
    """The address of a vector server, for a process that opens its own connection to it.

    Raises:
        Offline: the door is closed and the server is not this machine: the process must not even learn of it.
        BadInput: see `Gate.client`.
    """
    if is_elsewhere(url) and offline:
        raise Offline("Offline mode is on, and the vector server is not on this computer.", "Switch offline mode off.")
    return url


def is_elsewhere(url: str) -> bool:
    """Whether a vector server is not on this machine.

    Raises:
        BadInput: see `Gate.client`.
    """
    return not is_here(checked_host(url))


def is_this_machine(host: str) -> bool:
    """Whether this is literally a loopback address; a name is not, whatever it may stand for."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_here(host: str) -> bool:
    """Whether this is meant to be this machine, by a loopback address or by a name that stands for one."""
    return is_this_machine(host) or host == "localhost" or host.endswith(".localhost")


def _is_nearby(host: str) -> bool:
    """Whether the name or address can only be this machine or one of its own network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_ENDINGS)
