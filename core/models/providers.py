"""The cloud services we know by name, and what makes a provider that a person names usable."""

import re

from core.errors import BadInput
from core.network import checked_host
from core.protocol import Provider

MOST = 20
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def checked(provider: Provider) -> Provider:
    """The provider, fit to be kept.

    Raises:
        BadInput: its name, address or model cannot be used.
    """
    name = provider.name.strip().lower()
    if not _NAME.fullmatch(name) or name == "local":
        raise BadInput(
            f"{provider.name!r} cannot be a provider's name.",
            "A name is one short word of letters and digits, and not `local`.",
        )
    model = provider.model.strip()
    if not model or len(model) > 200 or not model.isprintable():
        raise BadInput(f"The model of {name} needs a name.", "It is the name that the service itself uses.")
    url = provider.url.strip().rstrip("/")
    checked_host(url)
    if "@" in url.split("//", 1)[-1].split("/", 1)[0]:
        raise BadInput(
            "An address with a password in it is not kept.", f"Give the address alone, and `offhand keys set {name}`."
        )
    return Provider(name, provider.kind, url, model, provider.key.strip())


def named(providers: list[Provider], name: str) -> Provider:
    """The provider of that name.

    Raises:
        BadInput: there is none.
    """
    for provider in providers:
        if provider.name == name.strip().lower():
            return provider
    known = ", ".join(provider.name for provider in providers) or "none yet"
    raise BadInput(f"There is no provider called {name!r}.", f"The providers are: {known}.")


def with_added(providers: list[Provider], added: Provider) -> list[Provider]:
    """The list with `added` at its end, or in the place of the one that had its name.

    Raises:
        BadInput: the list is full.
    """
    if any(provider.name == added.name for provider in providers):
        return [added if provider.name == added.name else provider for provider in providers]
    if len(providers) == MOST:
        raise BadInput(f"There are {MOST} providers already.", "Remove one first.")
    return [*providers, added]


def unconfirmed(provider: Provider) -> str:
    """Why a provider that an archive brought is not asked, and what to do, as one sentence."""
    return (
        f"{provider.name} at {provider.url} came with an import and is not asked until you say so: "
        f"offhand providers confirm {provider.name}."
    )


def ordered(providers: list[Provider], names: list[str]) -> list[Provider]:
    """The list with the named ones first.

    Raises:
        BadInput: a name is not on the list.
    """
    first = list(dict.fromkeys(named(providers, name) for name in names))
    return [*first, *(provider for provider in providers if provider not in first)]
