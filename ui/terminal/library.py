"""Commands about what is read: add, remove, folders, index, pause, resume, retry."""

from contextlib import closing
from typing import Annotated

import typer

from core.protocol import (
    AddFolder,
    Configure,
    CurrentSettings,
    Folders,
    Index,
    ListFolders,
    Problem,
    Progress,
    RemoveFolder,
    Retry,
)
from ui.terminal.options import Directory, Json, absolute
from ui.terminal.progress import follow, summary
from ui.terminal.session import Session


def add(
    context: typer.Context,
    folder: Directory,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Read also what links in the folder lead to outside of it.")
    ] = False,
    json: Json = False,
) -> None:
    """Watch a folder: its notes are read and kept up to date. Nothing is ever written into it."""
    session: Session = context.obj
    path = absolute(folder)
    try:
        folders = session.last(AddFolder(path, follow_links), Folders)
    except Problem as problem:
        if problem.kind != "known":
            raise
        if json:
            session.give(session.last(ListFolders(), Folders))
        else:
            session.say(problem.what)
        return
    if json:
        session.give(folders)
    else:
        session.say(f"{path} is watched from now on. `offhand index --wait` shows how far it is read.")


def remove(context: typer.Context, folder: Directory, json: Json = False) -> None:
    """Forget a folder and everything read from it. The folder itself is not touched."""
    session: Session = context.obj
    path = absolute(folder)
    folders = session.last(RemoveFolder(path), Folders)
    if json:
        session.give(folders)
    else:
        session.say(f"{path} is forgotten. The folder itself was not touched.")


def folders(context: typer.Context, json: Json = False) -> None:
    """List the watched folders."""
    from ui.terminal.report import folder_words

    session: Session = context.obj
    listed = session.last(ListFolders(), Folders)
    if json:
        session.give(listed)
    else:
        session.say(*(map(folder_words, listed.folders) if listed.folders else ["No folders yet: `offhand add DIR`."]))


def index(
    context: typer.Context,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until everything is read, with a progress bar.")] = False,
    json: Json = False,
) -> None:
    """Look at all folders again."""
    session: Session = context.obj
    try:
        with closing(session.events(Index(wait))) as events:
            progress = follow(events, quiet=json)
    except KeyboardInterrupt:
        if wait:
            session.aside("Indexing goes on in the background.")
        raise
    counts = progress.counts
    if progress.paused and (counts.waiting or counts.vectors_owed):
        if wait:
            raise Problem(f"{summary(progress)} {progress.paused}", kind="paused")
        session.aside(progress.paused)
    _tell(session, progress, json)


def pause(context: typer.Context, json: Json = False) -> None:
    """Read nothing more until `offhand resume`. What was read is found as ever."""
    _set_paused(context.obj, json, paused=True)


def resume(context: typer.Context, json: Json = False) -> None:
    """Go on reading."""
    _set_paused(context.obj, json, paused=False)


def _set_paused(session: Session, json: bool, *, paused: bool) -> None:
    settings = session.last(Configure("paused", "true" if paused else "false"), CurrentSettings).settings
    if json:
        session.give({"paused": settings.paused})
    else:
        session.say("Reading is paused; `offhand resume` ends that." if paused else "Reading goes on.")


def retry(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="A file or folder; everything without it.")] = "",
    json: Json = False,
) -> None:
    """Try the files again that could not be read."""
    session: Session = context.obj
    _tell(session, session.last(Retry(absolute(path) if path else ""), Progress), json)


def _tell(session: Session, progress: Progress, json: bool) -> None:
    if json:
        session.give(progress)
    else:
        session.say(summary(progress))
