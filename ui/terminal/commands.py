"""The command line as a whole: which commands there are, their help, and how one of them is run."""

from collections.abc import Sequence
from typing import Annotated

import typer

from core.paths import Profile
from core.protocol import VERSION, Problem
from ui.terminal import (
    barrier,
    evaluation,
    history,
    later,
    ledger,
    library,
    models,
    moving,
    privacy,
    providers,
    question,
    upkeep,
    window,
)
from ui.terminal.session import Session

ABOUT = "Answers from your own notes, at once, on your own machine. Without a command the window opens."
EPILOG = "\n\n".join(["Exit status:", *(f"{status:>3}  {meaning}" for status, meaning in barrier.MEANINGS.items())])


def dispatch(arguments: Sequence[str], profile: Profile) -> int:
    """Run one command; returns the exit status.

    Raises:
        Problem: what cannot be done, of kind "usage" where the command was typed wrongly.
        KeyboardInterrupt: Ctrl+C.
    """
    command = typer.main.get_command(build())
    try:
        # not `command.main`, which has its own idea of Ctrl+C and of a reader that left
        with command.make_context("offhand", list(arguments), obj=Session(profile)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        path = getattr(getattr(error, "ctx", None), "command_path", "offhand")
        said = error.format_message().rstrip(".")
        what = said if said.endswith(("?", "!")) else f"{said}."
        raise Problem(what, f"`{path} --help` shows how it is used.", kind="usage") from None
    return barrier.OK


def build() -> typer.Typer:
    """The command line, in the order in which the help lists it."""
    app = typer.Typer(
        help=ABOUT,
        epilog=EPILOG,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_common)
    for panel, functions in (
        ("Ask", (question.ask, question.search, question.related, history.history, later.later, evaluation.eval_)),
        ("Folders", (library.add, library.remove, library.folders, privacy.rule, library.index, library.retry)),
        ("Reading", (library.pause, library.resume)),
        ("Files", (ledger.files, ledger.why)),
        ("What leaves this machine", (privacy.preview, privacy.ledger, privacy.drill)),
        ("Offhand itself", (upkeep.status, upkeep.doctor, upkeep.settings, upkeep.engine, upkeep.stop)),
        ("Moving house", (moving.export, moving.import_)),
        ("Window", (open_window, toggle, demo)),
    ):
        for function in functions:
            app.command(function.__name__.removesuffix("_window").rstrip("_"), rich_help_panel=panel)(function)
    keys = typer.Typer(help="Set or remove the key of a cloud model, in the system keyring.")
    keys.command("set")(upkeep.keys_set)
    keys.command("remove")(upkeep.keys_remove)
    app.add_typer(keys, name="keys", rich_help_panel="Offhand itself")
    local = typer.Typer(help="The models that write on this machine: list, get, use, pause, remove.")
    local.callback(invoke_without_command=True)(models.models)
    for command in (models.get, models.use, models.pause, models.remove):
        local.command(command.__name__)(command)
    app.add_typer(local, name="models", rich_help_panel="Offhand itself")
    clouds = typer.Typer(help="The cloud models that may write: list, add, test, order, remove.")
    clouds.callback(invoke_without_command=True)(providers.providers)
    clouds.command("add")(providers.add)
    clouds.command("confirm")(providers.confirm)
    clouds.command("test")(providers.try_out)
    clouds.command("order")(providers.order)
    clouds.command("remove")(providers.remove)
    app.add_typer(clouds, name="providers", rich_help_panel="Offhand itself")
    return app


def open_window(
    context: typer.Context,
    palette: Annotated[bool, typer.Option("--palette", help="Come up with the palette instead.")] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Wait in the tray and show nothing yet.")] = False,
) -> None:
    """Open the window, as `offhand` alone does."""
    raise typer.Exit(window.open_window(context.obj.profile, palette=palette, hidden=hidden))


def toggle(context: typer.Context) -> None:
    """Show or hide the palette; bind this to a key combination of your desktop."""
    raise typer.Exit(window.toggle(context.obj.profile))


def demo() -> None:
    """Ask the example notes three questions, in a profile that is thrown away."""
    from ui import demo as demonstration

    raise typer.Exit(demonstration.run())


def _print_version(asked: bool) -> None:
    if asked:
        print(f"offhand {VERSION}")
        raise typer.Exit


def _common(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None: ...
