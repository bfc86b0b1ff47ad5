"""Commands about what leaves this machine: rule, preview, ledger, drill."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from core.protocol import (
    Departure,
    Done,
    Drill,
    Drilled,
    DrillOver,
    EraseLedger,
    FolderRule,
    Folders,
    LedgerPage,
    Preview,
    Previewed,
    Problem,
    Said,
    SetRule,
    ShowLedger,
)
from ui import ledger_file
from ui.terminal.options import CloudOk, Directory, Follow, Json, Limit, absolute
from ui.terminal.question import last_answer, typed_or_piped
from ui.terminal.session import PATIENCE, Session, no_answer

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWN = 20  # entries, unless a date is given


def rule(
    context: typer.Context,
    folder: Directory,
    what: Annotated[str, typer.Argument(metavar="cloud|ask|local", help="May go to the cloud, ask me, stays here.")],
    *,
    json: Json = False,
) -> None:
    """Say what may become of a folder's text: it may go to a cloud model, only if you say so, or never."""
    if what not in get_args(FolderRule):
        raise Problem(f"{what!r} is no rule.", "A rule is cloud, ask or local.", kind="usage")
    session: Session = context.obj
    path, chosen = absolute(folder), cast("FolderRule", what)
    folders = session.last(SetRule(path, chosen), Folders)
    if json:
        session.give(folders)
        return
    from ui.state_words import RULES

    session.say(f"{path}: {RULES[chosen]}.")


def preview(
    context: typer.Context,
    question: Annotated[list[str], typer.Argument(metavar="QUESTION", help="The question; - reads standard input.")],
    *,
    cloud_ok: CloudOk = False,
    follow: Follow = False,
    limit: Limit = 6,
    json: Json = False,
) -> None:
    """Show what a question would send to each cloud model that is asked, word for word, without sending anything."""
    session: Session = context.obj
    call = Preview(typed_or_piped(question), limit, cloud_ok, last_answer(session) if follow else 0)
    would = [event for event in session.events(call, patience=PATIENCE) if isinstance(event, Previewed)]
    if not would:
        raise no_answer()
    if json:
        session.give({"models": would})
        return
    from ui.terminal.report import hidden_words

    for one, following in zip(would, [*would[1:], None], strict=True):
        if one.messages:
            facts = f"{one.bytes:,} bytes. Allowed by: {one.why}. {hidden_words(one.hidden)}"
            session.say(f"To {one.host}, {one.model}; {facts}")
        if following is None or (following.messages, following.note) != (one.messages, one.note):
            # what several would get alike is shown once, after the last of them
            stays = [f"Stays here: {path}" for path in one.withheld]
            session.say(*(_messages(one.messages) if one.messages else [one.note]), *stays)


def ledger(
    context: typer.Context,
    *,
    since: Annotated[str, typer.Option(metavar="DATE", help="Only what left since then (2026-11-24).")] = "",
    full: Annotated[bool, typer.Option("--full", help="With the exact text of each request.")] = False,
    export: Annotated[str, typer.Option(metavar="FILE", help="Write all of it into a new file, a line each.")] = "",
    erase: Annotated[bool, typer.Option("--erase", help="Forget all of it, for good.")] = False,
    json: Json = False,
) -> None:
    """List every request that left this machine: when, to whom, why, what was hidden, how it ended."""
    session: Session = context.obj
    if erase:
        done = session.last(EraseLedger(), Done)
        session.give(done) if json else session.say(done.message)
        return
    whole = bool(since or export or json)
    entries = _entries(session, since, 0 if whole else SHOWN)
    if export:
        ledger_file.write(Path(export).expanduser(), entries)
        session.give({"written": len(entries)}) if json else session.say(f"{len(entries):,} entries are in {export}.")
    elif json:
        session.give({"entries": entries})
    elif not entries:
        session.say("Nothing has left this machine." if not since else "Nothing has left this machine since then.")
    else:
        from ui.terminal.report import departure_lines

        for entry in entries:
            session.say(*departure_lines(entry), *(_messages(entry.messages) if full else ()))


def drill(
    context: typer.Context,
    *,
    questions: Annotated[str, typer.Option(metavar="FILE", help="Questions, one a line; yours without it.")] = "",
    most: Annotated[int, typer.Option("-n", "--most", metavar="N", min=1, help="How many of your own questions.")] = 5,
    json: Json = False,
) -> None:
    """Rehearse an outage: ask your last questions as if no cloud model could be reached, and report."""
    from ui.terminal.report import drill_line

    session: Session = context.obj
    results: list[Drilled] = []
    over: DrillOver | None = None
    with closing(session.events(Drill(_read(questions) if questions else [], most))) as events:
        for event in events:
            if isinstance(event, Drilled):
                results.append(event)
                if not json:
                    session.say(drill_line(event))
            elif isinstance(event, DrillOver):
                over = event
    if over is None:
        raise no_answer()
    if json:
        session.give({"questions": results, "asked": over.asked, "answered": over.answered})
    else:
        session.say(over.message)


def _entries(session: Session, since: str, most: int) -> list[Departure]:
    entries: list[Departure] = []
    for event in session.events(ShowLedger(since, most)):
        if isinstance(event, LedgerPage):
            entries += event.entries
    return entries


def _messages(messages: list[Said]) -> "list[RenderableType]":
    from ui.terminal.wording import printable

    return [f"--- {said.role}\n{printable(said.content)}" for said in messages]


def _read(path: str) -> list[str]:
    try:
        lines = [line.strip() for line in Path(path).expanduser().read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path} cannot be read ({error}).", "Give a text file in UTF-8.", kind="input") from error
    found = [line for line in lines if line]
    if not found:
        raise Problem(f"There is no question in {path}.", "Write one a line.", kind="input")
    return found
