"""Commands that take a whole profile to another place: export and import."""

from typing import Annotated

import typer

from core.protocol import Done, Export, Import
from ui.terminal.options import Json, absolute
from ui.terminal.session import Session

File = Annotated[str, typer.Argument(metavar="FILE", help="The archive.")]


def export(context: typer.Context, file: File, json: Json = False) -> None:
    """Write folders, passages, vectors, history, ledger and settings into one archive. Keys are left out."""
    _tell(context.obj, Export(absolute(file)), json)


def import_(
    context: typer.Context,
    file: File,
    replace: Annotated[bool, typer.Option("--replace", help="Put the present profile aside; it is kept.")] = False,
    map_: Annotated[
        list[str], typer.Option("--map", metavar="OLD=NEW", help="A folder that lies elsewhere now; may be repeated.")
    ] = [],  # noqa: B006  # typer reads it, nobody changes it
    json: Json = False,
) -> None:
    """Put an archive in the place of this profile. Nothing is read or embedded anew."""
    _tell(context.obj, Import(absolute(file), replace, map_), json)


def _tell(session: Session, call: Export | Import, json: bool) -> None:
    done = session.last(call, Done, patience=None)
    if json:
        session.give(done)
    else:
        session.say(done.message)
