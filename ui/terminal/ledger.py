"""Commands about single files: which are in the index, which are not, and why."""

from contextlib import closing
from typing import Annotated

import typer

from core.protocol import Explain, Explained, FileRecord, Files, FileState, ListFiles, Problem
from ui.state_words import at_time
from ui.terminal.options import Json, absolute
from ui.terminal.session import Session
from ui.terminal.wording import one_line

STATES: tuple[FileState, ...] = ("indexed", "waiting", "skipped", "failed")


def files(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="A file or folder; everything without it.")] = "",
    state: Annotated[
        str, typer.Option("--state", metavar="STATE", help=f"Only those in one state: {', '.join(STATES)}.")
    ] = "",
    json: Json = False,
) -> None:
    """List the files and what became of each."""
    session: Session = context.obj
    wanted = next((known for known in STATES if known == state), None)
    if state and wanted is None:
        raise Problem(f"There is no state {state!r}.", f"The states are: {', '.join(STATES)}.", kind="usage")
    listed: list[FileRecord] = []
    none = True
    with closing(session.events(ListFiles(wanted, absolute(path) if path else ""))) as events:
        for event in events:
            if not isinstance(event, Files):
                continue
            none = none and not event.files
            if json:
                listed.extend(event.files)
            else:
                session.say(*map(_line, event.files))
    if json:
        session.give(Files(listed))
    elif none:
        session.say("No files." if state or path else "No files yet: `offhand add DIR`.")


def why(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="Any file or folder.")],
    json: Json = False,
) -> None:
    """Say why a file is or is not in the index."""
    session: Session = context.obj
    explained = session.last(Explain(absolute(path)), Explained)
    if json:
        session.give(explained)
    else:
        session.say(one_line(explained.sentence))


def _line(file: FileRecord) -> str:
    said = f"{file.state:<8} {one_line(file.path)}"
    if file.reason:
        said += f": {one_line(file.reason)}"
    return f"{said} It is tried again {at_time(file.retry_at)}." if file.retry_at else said
