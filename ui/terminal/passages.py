"""`offhand search`: hits as a person reads them."""

from rich.text import Text

from core.protocol import Found, Hit
from ui.snippet import excerpt, spans
from ui.state_words import seconds
from ui.terminal.links import place_text, whole
from ui.terminal.session import Session
from ui.terminal.wording import printable, trail

WIDEST = 160  # characters of a snippet


def show(session: Session, query: str, found: Found) -> None:
    """Print the hits, best first, each with the stretch that holds most of the query's words."""
    query = found.words if found.words or found.parts else query
    if not found.hits and not found.note:
        session.say("Nothing found. `offhand status` shows what is indexed.")
    for number, hit in enumerate(found.hits, 1):
        session.say(
            whole((f"{number:>2}  ", "dim"), place_text(hit.path, hit.line, hit.page)),
            whole("    ", (trail(hit.title, hit.heading), "bold")),
            whole("    ", _snippet(hit, query, min(session.out.width - 6, WIDEST))),
        )
    if found.note:
        session.aside(found.note)
    elif (
        found.hits
        and query.strip()
        and not any(spans(f"{hit.title}\n{hit.heading}\n{hit.text}", query) for hit in found.hits)
    ):
        session.aside("None of these passages has your words; they are the closest in meaning.")
    if found.hits:
        session.aside(f"{len(found.hits)} found in {seconds(found.ms)}")


def _snippet(hit: Hit, query: str, width: int) -> Text:
    text, marks = excerpt(printable(hit.text), query, width)
    shown = Text(text)
    for start, end in marks:
        shown.stylize("bold yellow", start, end)
    return shown
