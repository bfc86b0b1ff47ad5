"""`offhand models`: the models that write on this machine."""

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.protocol import Event, GetModel, ListModels, ModelInfo, Models, PauseModel, RemoveModel, UseModel
from ui.state_words import large_size, speed_words, wait_words
from ui.terminal.options import Json, absolute
from ui.terminal.session import Session, no_answer
from ui.terminal.wording import duration, one_line

if TYPE_CHECKING:
    from rich.progress import Progress

LOADING = 180.0  # seconds; longer than the engine gives a model to load

Name = Annotated[str, typer.Argument(metavar="NAME", help="The model's name, as `offhand models` lists it.")]
Wanted = Annotated[str, typer.Argument(metavar="NAME|URL|FILE", help="A name of the list, a web address, or a file.")]

STATES = {
    "in use": "in use",
    "here": "here",
    "running": "being fetched",
    "checking": "being checked",
    "paused": "paused",
    "failed": "failed",
    "available": "",
}


def models(context: typer.Context, json: Json = False) -> None:
    """List the models: what is in use, what is here, what can be had, and what fits into this machine's memory."""
    if context.invoked_subcommand is not None:
        return
    session: Session = context.obj
    told = session.last(ListModels(), Models)
    if json:
        session.give(told)
        return
    here = [info for info in told.models if info.state != "available"]
    fitting = [info for info in told.models if info.state == "available" and info.fits]
    larger = [info for info in told.models if info.state == "available" and not info.fits]
    for title, group in (
        ("On this machine", here),
        (f"Can be had, and fits into this machine's {large_size(told.memory)} of memory", fitting),
        ("Needs more memory than this machine has", larger),
    ):
        if group:
            session.say(title)
            session.say(*(f"  {line}" for info in group for line in lines(info)))
    session.aside(f"{large_size(told.free)} are free on the disk. `offhand models get NAME`, then `use NAME`.")


def get(context: typer.Context, wanted: Wanted, json: Json = False) -> None:
    """Fetch a model, or go on with it. Ctrl+C leaves it to the engine; `pause` lets it rest.

    A file is looked at and stays where it is.
    """
    session: Session = context.obj
    source = _source(wanted)
    try:
        with closing(session.events(GetModel(source, wait=True))) as events:
            told = _follow(events, source, quiet=json)
    except KeyboardInterrupt:
        session.aside("It is fetched in the background. `offhand models` says how far it is.")
        raise
    _tell(session, told, json)


def pause(context: typer.Context, name: Name, json: Json = False) -> None:
    """Let a download rest; `get` goes on with it."""
    session: Session = context.obj
    told = session.last(PauseModel(name), Models)
    session.give(told) if json else session.say(f"{name} rests. `offhand models get {name}` goes on with it.")


def use(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A model that is here, or a GGUF file.")],
    json: Json = False,
) -> None:
    """Let a model write from now on. One that cannot be loaded leaves the one before."""
    session: Session = context.obj
    _tell(session, session.last(UseModel(_source(name)), Models, patience=LOADING), json)


def remove(context: typer.Context, name: Name, json: Json = False) -> None:
    """Delete a model, or what is here of one. A file of your own is only forgotten."""
    session: Session = context.obj
    _tell(session, session.last(RemoveModel(name), Models), json)


def lines(info: ModelInfo) -> list[str]:
    """A model in one or two lines."""
    facts = [large_size(info.size), info.licence, f"needs {large_size(info.memory)}" if info.memory else ""]
    state = STATES[info.state]
    if info.state in ("running", "paused") and info.size:
        state += f" {100 * info.done // info.size} %"
    if info.rate:
        state += f" at {info.rate / 1e6:.1f} MB/s"
    if info.seconds_left is not None:
        state += f", {duration(info.seconds_left)} left"
    head = f"{one_line(info.name)}  " + ", ".join(part for part in (state, *facts) if part)
    good_for = f"{info.good_for[:1].upper()}{info.good_for[1:]}." if info.good_for else ""
    below = " ".join(part for part in (good_for, speed_words(info), wait_words(info), info.note) if part)
    return [head, f"  {one_line(below)}"] if below else [head]


def _source(wanted: str) -> str:
    """A file's path becomes absolute; names and addresses stay."""
    is_path = "://" not in wanted and (wanted.lower().endswith(".gguf") or "/" in wanted or Path(wanted).is_file())
    return absolute(wanted) if is_path else wanted


def _tell(session: Session, told: Models, json: bool) -> None:
    session.give(told) if json else session.say(told.note)


def _follow(events: Iterable[Event], source: str, *, quiet: bool) -> Models:
    """Show how far it is until it ends, and return the last that was told."""
    last: Models | None = None
    if quiet or not sys.stderr.isatty():
        for event in events:
            last = event if isinstance(event, Models) else last
    else:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        from ui.terminal.screen import Screen

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, TimeRemainingColumn(), console=Screen(stderr=True), auto_refresh=False) as bars:
            for event in events:
                if isinstance(event, Models):
                    last = event
                    _draw(bars, event, source)
    if last is None:
        raise no_answer()
    return last


def _draw(bars: "Progress", told: Models, source: str) -> None:
    name = Path(source.split("?", maxsplit=1)[0]).name.removesuffix(".gguf") if "://" in source else source
    info = next((one for one in told.models if one.name.casefold() == name.casefold()), None)
    if info is None or info.state not in ("running", "checking"):
        return
    if not bars.task_ids:
        bars.add_task(one_line(info.name))
    words = f"{one_line(info.name)}: checking" if info.state == "checking" else one_line(info.name)
    bars.update(bars.task_ids[0], description=words, completed=info.done, total=info.size or None)
    bars.refresh()
