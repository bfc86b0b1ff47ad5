"""`offhand later`: what a cloud model says about questions that an outage kept from it."""

from typing import Annotated

import typer

from core.protocol import Done, EraseLater, Later, ShowLater
from ui.terminal.options import Json
from ui.terminal.session import Session

OFF = "Second opinions are switched off: `offhand settings second_opinions on`."
NONE = """Nothing waits. A question that an outage keeps from the cloud model is asked again when it is back.
One that the local model may answer first never waits: `offhand settings prefer cloud` asks the cloud model first."""
WAITS = "What waits is asked again by itself, for the first time in a few seconds: look again in a minute."


def later(
    context: typer.Context,
    *,
    erase: Annotated[bool, typer.Option("--erase", help="Forget all of them, and what waits for one.")] = False,
    json: Json = False,
) -> None:
    """Show the second opinions on questions that an outage kept from the cloud model, and what still waits."""
    session: Session = context.obj
    if erase:
        done = session.last(EraseLater(), Done)
        session.give(done) if json else session.say(done.message)
        return
    told = session.last(ShowLater(seen=not json), Later)
    if json:
        session.give(told)
        return
    from ui.terminal.opinions import opinion_lines

    for number, opinion in enumerate(told.opinions):
        session.say(*([""] if number else []), *opinion_lines(opinion))
    if not told.on:
        session.say(OFF)
    elif not told.opinions:
        session.say(NONE)
    elif any(opinion.state == "waiting" for opinion in told.opinions):
        session.say("", WAITS)
