"""Commands that find something: search and ask."""

import sys
from typing import Annotated

import typer

from core.protocol import Answered, Ask, Found, HistoryPage, Hit, Problem, Related, Search, ShowHistory
from ui.snippet import excerpt
from ui.terminal.options import After, Before, CloudOk, Folder, Follow, Json, Limit, absolute
from ui.terminal.session import Session

SNIPPET = 160  # characters


def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What to look for.")],
    *,
    limit: Limit = 10,
    words_only: Annotated[bool, typer.Option("--words-only", help="By words alone, not by meaning.")] = False,
    folder: Folder = "",
    after: After = "",
    before: Before = "",
    json: Json = False,
) -> None:
    """Find passages in your notes. A DATE is a day, a month or a year: 2026-03-31, 2026-03, 2026.

    Filters may stand among the words: 'roof -slate "clay tiles" folder:house tag:work file:offer after:2026-03'. Put
    all of it in single quotes, which keep the double ones and the minus sign from your shell.
    """
    session: Session = context.obj
    query = " ".join(words)
    place = absolute(folder) if folder else ""
    call = Search(query, limit, meaning=not words_only, folder=place, after=after, before=before)
    found = session.last(call, Found)
    if json:
        session.give({"hits": [_hit(hit, found.words or query) for hit in found.hits]})
        return
    from ui.terminal import passages

    passages.show(session, query, found)


def related(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A note of yours.")],
    *,
    line: Annotated[int, typer.Option("--line", metavar="N", min=0, help="Only to what stands at this line.")] = 0,
    limit: Limit = 10,
    json: Json = False,
) -> None:
    """Find the passages of your other notes that are close to one of them."""
    session: Session = context.obj
    found = session.last(Related(absolute(file), line, limit), Found)
    if json:
        session.give({"hits": [_hit(hit, found.words) for hit in found.hits], "note": found.note})
        return
    from ui.terminal import passages

    passages.show(session, found.words, found)


def ask(
    context: typer.Context,
    question: Annotated[list[str], typer.Argument(metavar="QUESTION", help="The question; - reads standard input.")],
    *,
    no_model: Annotated[bool, typer.Option("--no-model", help="Quote and passages only.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Keep the network door closed for this question.")] = False,
    cloud_ok: CloudOk = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Not an earlier answer, though nothing has changed.")] = False,
    follow: Follow = False,
    shorter: Annotated[bool, typer.Option("--shorter", help="In fewer words.")] = False,
    bigger: Annotated[bool, typer.Option("--bigger", help="By a cloud model, not the local one.")] = False,
    limit: Limit = 6,
    folder: Folder = "",
    after: After = "",
    before: Before = "",
    json: Json = False,
) -> None:
    """Answer a question from your notes: a quote, its source, then prose. Ctrl+C stops it.

    A DATE is a day, a month or a year: 2026-03-31, 2026-03, 2026. Filters may stand in the question, as in a search.
    """
    session: Session = context.obj
    call = Ask(
        typed_or_piped(question),
        model=not no_model,
        offline=offline,
        limit=limit,
        consent=cloud_ok,
        fresh=fresh,
        follows=last_answer(session) if follow else 0,
        shorter=shorter,
        bigger=bigger,
        folder=absolute(folder) if folder else "",
        after=after,
        before=before,
    )
    if json:
        session.give(session.last(call, Answered, patience=None))
        return
    from ui.terminal import asking

    raise typer.Exit(asking.ask(session, call))


def last_answer(session: Session) -> int:
    """The number of the last answer in the history.

    Raises:
        Problem: there is none.
    """
    page = session.last(ShowHistory(most=1), HistoryPage)
    if not page.answers:
        raise Problem("There is no answer yet that this could follow.", "Ask the whole question.", kind="input")
    return page.answers[0].id


def typed_or_piped(words: list[str]) -> str:
    """The question from the command line, or for "-" from standard input.

    Raises:
        Problem: it is not UTF-8.
    """
    if words != ["-"]:
        return " ".join(words)
    try:
        return sys.stdin.buffer.read().decode("utf-8").strip()
    except UnicodeDecodeError:
        raise Problem("The question is not valid UTF-8 text.", "Convert it to UTF-8 first.", kind="input") from None


def _hit(hit: Hit, query: str) -> dict[str, object]:
    return {
        "path": hit.path,
        "title": hit.title,
        "heading": hit.heading,
        "line": hit.line,
        "page": hit.page,
        "score": hit.score,
        "snippet": excerpt(hit.text, query, SNIPPET)[0],
    }
