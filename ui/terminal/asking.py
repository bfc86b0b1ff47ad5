"""`offhand ask`: follows an answer as it comes, and stops it cleanly on Ctrl+C."""

from contextlib import closing

from rich.console import Group

from core.protocol import Ask, Listed, Quoted
from ui.terminal.barrier import INTERRUPTED, OK
from ui.terminal.card import Card, Tail, drawn, ending, listing, passages, quotation, spaced
from ui.terminal.session import RESTARTED, Session


def ask(session: Session, call: Ask) -> int:
    """Ask and print; returns the exit status. What is there when Ctrl+C or a failure ends it stays on the screen."""
    follow = _follow_lively if session.lively else _follow_plainly
    return INTERRUPTED if follow(session, call).stopped else OK


def _follow_lively(session: Session, call: Ask) -> Card:
    """For a terminal: the card is drawn again with each event; its last state stays."""
    from rich.live import Live

    card = Card()

    def again() -> None:
        nonlocal card
        card = Card(notes=[RESTARTED])

    live = Live(console=session.out, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
    try:
        with live, closing(session.events(call, on_restart=again)) as events:
            for event in events:
                card.take(event)
                live.update(Tail(Group(*drawn(card))), refresh=True)
    except KeyboardInterrupt:
        card.stopped = True
    finally:
        session.say(*drawn(card))
    return card


def _follow_plainly(session: Session, call: Ask) -> Card:
    """For pipes, files and simple terminals: each part is written once, when it will not change any more."""
    card = Card()

    def again() -> None:
        nonlocal card
        card = Card()
        session.aside(RESTARTED)

    try:
        with closing(session.events(call, on_restart=again)) as events:
            for event in events:
                card.take(event)
                part = quotation(card, framed=False) if isinstance(event, Quoted) else None
                part = listing(card) if isinstance(event, Listed) else part
                if part is not None:
                    session.say(part, "")
    except KeyboardInterrupt:
        card.stopped = True
    finally:
        session.say(*spaced([passages(card), *ending(card)]))
    return card
