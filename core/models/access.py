"""Whether a provider can be asked at all: does it need a key, is there one, and is it behind a closed door."""

from collections.abc import Callable

from core.errors import CloudRefused, KeyringUnusable, Offline
from core.network import Gate, checked_host, is_here
from core.protocol import Provider, ProviderInfo
from indexer.records import Problem

LookUp = Callable[[str], str | None]


def key_for(provider: Provider, look_up: LookUp) -> str | None:
    """The key that a provider is asked with; None where it is asked without one.

    A server on this machine is asked without one when there is none: it hardly ever wants one, and says so if it does.

    Raises:
        CloudRefused: there is no key.
        KeyringUnusable: the key cannot be read.
    """
    if not provider.key:
        return None
    here = is_here(checked_host(provider.url))
    try:
        found = look_up(provider.key)
    except KeyringUnusable:
        if here:
            return None
        raise
    if not found and not here:
        raise CloudRefused(f"There is no key for {provider.name}.", f"Set it: `offhand keys set {provider.key}`.")
    return found or None


class Access:
    """What was last seen of each provider's key: a keyring can take seconds, so it is not asked for each look.

    Args:
        look_up: gives the key of a name.
        gate: the door to the network.
    """

    def __init__(self, look_up: LookUp, gate: Gate) -> None:
        self._look_up = look_up
        self._gate = gate
        self._seen: dict[Provider, str] = {}  # what is wrong with its key, "" for nothing

    def look(self, provider: Provider) -> None:
        """See now whether the provider's key is there."""
        try:
            key_for(provider, self._look_up)
            self._seen[provider] = ""
        except CloudRefused:
            self._seen[provider] = f"No key: offhand keys set {provider.key}."
        except Problem as problem:
            self._seen[provider] = f"No key: {problem}"

    def told(self, info: ProviderInfo) -> ProviderInfo:
        """The same report, unless something keeps the provider from being asked at all."""
        wrong = self._seen.get(info.provider, "")
        if wrong:
            return ProviderInfo(info.provider, "blocked", wrong, info.answered_s)
        try:
            self._gate.check(checked_host(info.provider.url))
        except Offline as closed:
            hint = f" {closed.next_step}" if is_here(checked_host(info.provider.url)) else ""
            return ProviderInfo(info.provider, "offline", f"It is not asked: offline.{hint}", info.answered_s)
        except Problem as problem:
            return ProviderInfo(info.provider, "blocked", str(problem), info.answered_s)
        return info
