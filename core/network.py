"""The one door to the network. Every HTTP client is made here, and none gets past the door while it is closed.

Closed means closed for loopback too: a server on this machine may be a tunnel or a proxy that passes the words on, and
nobody could tell from here. The door follows no redirects and trusts the certificates that the system trusts.
"""

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.errors import BadInput, Offline

if TYPE_CHECKING:
    import httpx2

_LOCAL_ENDINGS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")


class Gate:
    """Lets requests out, or not.

    Args:
        is_offline: asked before each request; for one question, `Gate(lambda: True)` is a door that stays closed.
    """

    def __init__(self, is_offline: Callable[[], bool]) -> None:
        self._is_offline = is_offline

    def check(self) -> None:
        """Pass, or not.

        Raises:
            Offline: the door is closed.
        """
        if self._is_offline():
            raise Offline("Offline mode is on; nothing was sent.", "Switch offline mode off to use the cloud model.")

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
        self.check()
        host = checked_host(base_url)
        import httpx2  # an eighth of a second that only questions to the cloud should cost

        def ask_first(_request: "httpx2.Request") -> None:
            self.check()

        return httpx2.Client(
            timeout=httpx2.Timeout(read, connect=connect),
            event_hooks={"request": [ask_first]},
            trust_env=not _is_loopback(host),  # a proxy of the environment must not see what stays on this machine
            follow_redirects=False,
        )


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
    if not _is_loopback(checked_host(url)) and offline:
        raise Offline("Offline mode is on, and the vector server is not on this computer.", "Switch offline mode off.")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_nearby(host: str) -> bool:
    """Whether the name or address can only be this machine or one of its own network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_ENDINGS)
