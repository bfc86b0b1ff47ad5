"""`offhand history`: what was asked and answered, to be looked through and forgotten."""

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from core.protocol import Done, EraseHistory, HistoryPage, PastAnswer, ShowHistory
from ui.state_words import at_time
from ui.terminal.options import Json
from ui.terminal.session import Session
from ui.terminal.wording import one_line

if TYPE_CHECKING:
    from rich.text import Text

SHOWN = 20  # answers, unless more are asked for


def history(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORDS]", help="Only those with all of these.")] = None,
    *,
    most: Annotated[int, typer.Option("-n", "--most", metavar="N", min=1, help="How many at most.")] = SHOWN,
    erase: Annotated[
        int | None,
        typer.Option("--erase", metavar="NUMBER", min=1, max=2**62, help="Forget the answer of this number."),
    ] = None,
    erase_all: Annotated[bool, typer.Option("--erase-all", help="Forget all of them, for good.")] = False,
    json: Json = False,
) -> None:
    """List what you asked and what was answered, newest first; with WORDS, look for it."""
    session: Session = context.obj
    if erase is not None or erase_all:
        done = session.last(EraseHistory(0 if erase_all or erase is None else erase), Done)
        session.give(done) if json else session.say(done.message)
        return
    wanted = " ".join(words or [])
    found = _found(session, ShowHistory(wanted, most))
    if json:
        session.give(HistoryPage(found))
    elif not found:
        session.say(f"No answer has “{wanted}” in it." if wanted else "Nothing has been asked yet.")
    else:
        for number, past in enumerate(found):
            session.say(*([""] if number else []), *_lines(past))


def _found(session: Session, call: ShowHistory) -> list[PastAnswer]:
    found: list[PastAnswer] = []
    with closing(session.events(call)) as events:
        for event in events:
            if isinstance(event, HistoryPage):
                found += event.answers
    return found


def _lines(past: PastAnswer) -> "list[Text]":
    """The question with its number and time, what was answered, and where the quote stands."""
    from rich.text import Text

    from ui.terminal.links import place_text, whole

    answered, at = past.answered, datetime.fromisoformat(past.at).timestamp()
    lines = [
        Text.assemble((one_line(answered.question), "bold"), (f"  {past.id}, asked {at_time(at)}", "dim")),
        Text(f"  {one_line(answered.answer)}"),
    ]
    quote = answered.quote
    return [*lines, whole("  ", place_text(quote.path, quote.line, quote.page))] if quote is not None else lines
