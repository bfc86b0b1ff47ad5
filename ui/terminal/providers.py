"""`offhand providers`: the cloud models, or model servers nearby, that may write prose."""

from typing import Annotated

import typer

from core.protocol import (
    AddProvider,
    ConfirmProvider,
    Done,
    ListProviders,
    OrderProviders,
    Problem,
    Provider,
    ProviderInfo,
    Providers,
    RemoveProvider,
    TryProvider,
)
from ui.provider_presets import PRESETS, Interface, is_here
from ui.terminal.options import Json
from ui.terminal.session import Session

PATIENCE = 90.0  # seconds; longer than the engine gives a provider

Name = Annotated[str, typer.Argument(metavar="NAME", help="The provider's name.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME…", help="The providers' names, the first to be asked first.")]


def providers(context: typer.Context, json: Json = False) -> None:
    """List the providers in the order in which they are asked, and where each stands."""
    if context.invoked_subcommand is None:
        session: Session = context.obj
        _tell(session, session.last(ListProviders(), Providers), json)


def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(PRESETS)}, or a name of yours.")],
    *,
    model: Annotated[str, typer.Option("--model", help="The model's name at the provider.")],
    url: Annotated[str, typer.Option("--url", help="The address, for a name that is none of the above.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="The interface it speaks: openai or anthropic.")] = "",
    key: Annotated[
        str | None, typer.Option("--key", help="The name its API key is kept under; empty where it wants none.")
    ] = None,
    json: Json = False,
) -> None:
    """Add a provider, or change the one of that name. Its key is set apart: `offhand keys set NAME`."""
    session: Session = context.obj
    known = PRESETS.get(name.lower())
    if not url and known is None:
        step = f"Give --url, or take one of {', '.join(PRESETS)}."
        raise Problem(f"The address of {name!r} is not known.", step, kind="input")
    if kind not in ("", "openai", "anthropic"):
        raise Problem(f"There is no interface called {kind!r}.", "It is openai or anthropic.", kind="input")
    speaks, address, wants_key = known[:3] if known is not None else ("openai", "", not is_here(url))
    interface: Interface = "anthropic" if (kind or speaks) == "anthropic" else "openai"
    key_name = key if key is not None else name.lower() if wants_key else ""
    call = AddProvider(Provider(name, interface, url or address, model, key_name))
    _tell(session, session.last(call, Providers), json)


def try_out(context: typer.Context, name: Name, json: Json = False) -> None:
    """Ask a provider for one word, without any of your notes."""
    session: Session = context.obj
    done = session.last(TryProvider(name), Done, patience=PATIENCE)
    session.give(done) if json else session.say(done.message)


def confirm(context: typer.Context, name: Name, json: Json = False) -> None:
    """Let a provider be asked that came with an import: it gets questions, and the key of its name."""
    session: Session = context.obj
    _tell(session, session.last(ConfirmProvider(name), Providers), json)


def order(context: typer.Context, names: Names, json: Json = False) -> None:
    """Put providers first, in the order given; the others follow."""
    session: Session = context.obj
    _tell(session, session.last(OrderProviders(names), Providers), json)


def remove(context: typer.Context, name: Name, json: Json = False) -> None:
    """Take a provider off the list. Its key stays: `offhand keys remove NAME` removes that."""
    session: Session = context.obj
    _tell(session, session.last(RemoveProvider(name), Providers), json)


def _tell(session: Session, listed: Providers, json: bool) -> None:
    if json:
        session.give(listed)
        return
    if not listed.providers:
        session.say("There are no providers; nothing leaves this machine.")
    for number, info in enumerate(listed.providers, 1):
        session.say(provider_line(number, info))


def provider_line(number: int, info: ProviderInfo) -> str:
    """A provider and where it stands, on one line."""
    provider = info.provider
    return f"{number}. {provider.name}: {provider.model} at {provider.url} ({info.state}). {info.words}"
