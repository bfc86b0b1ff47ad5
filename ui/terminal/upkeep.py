"""Commands that look after Offhand itself: status, doctor, engine, stop, settings, keys."""

import os
import sys
from typing import Annotated

import typer

from core import launch
from core.paths import command
from core.protocol import (
    Checked,
    Configure,
    CurrentSettings,
    Doctor,
    Done,
    Finding,
    GetSettings,
    Problem,
    RemoveKey,
    SetKey,
    Status,
    StatusReport,
)
from ui.terminal.barrier import FINDINGS
from ui.terminal.options import Json, absolute
from ui.terminal.session import Session

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose key; a provider's has its name.")]


def status(context: typer.Context, json: Json = False) -> None:
    """Say what is indexed, what waits, what failed and why, and what runs."""
    session: Session = context.obj
    report = session.last(Status(), StatusReport)
    if json:
        session.give(report)
        return
    from ui.terminal.report import status_lines

    session.say(*status_lines(report))


def doctor(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Repair what can be repaired.")] = False,
    json: Json = False,
) -> None:
    """Check the whole set-up, and whether the catalog and the vectors agree."""
    from ui.terminal.report import finding_line

    session: Session = context.obj
    findings: list[Finding] = []
    try:
        for event in session.events(Doctor(fix)):
            if isinstance(event, Checked):
                findings.append(event.finding)
                if not json:
                    session.say(finding_line(event.finding))
    except Problem as problem:
        if problem.kind not in ("engine", "profile", "damaged"):
            raise
        log = session.profile.logs / "engine.log"
        findings.append(Finding("engine", False, problem.what, f"{problem.next_step} Its log is {log}."))
        if not json:
            session.say(finding_line(findings[-1]))
    remain = sum(not finding.ok and not finding.fixed for finding in findings)
    if json:
        session.give({"ok": not remain, "findings": findings})
    elif not remain:
        session.say("All is well.")
    raise typer.Exit(FINDINGS if remain else 0)


def engine(context: typer.Context) -> None:
    """Run the engine here, in the foreground, with its log on standard error. Ctrl+C ends it."""
    session: Session = context.obj
    running = launch.find(session.profile)
    if running is not None:
        pid = running.hello.pid
        running.close()
        raise Problem(f"An engine runs already (process {pid}).", "`offhand stop` ends it.", kind="engine")
    words = command("--process", "engine")
    if sys.platform == "win32":  # no exec there: it would return to the shell at once
        raise typer.Exit(os.spawnv(os.P_WAIT, words[0], [f'"{word}"' for word in words]))  # noqa: S606
    os.execv(words[0], words)  # noqa: S606  # our own process, and no shell is wanted


def stop(context: typer.Context, json: Json = False) -> None:
    """End the engine. The next command starts another; an open window does so only when you press Start there."""
    session: Session = context.obj
    stopped = launch.stop(session.profile, session.aside)
    if json:
        session.give({"stopped": stopped})
    else:
        session.say("The engine has ended. The next command starts it again." if stopped else "No engine was running.")


def settings(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One setting; all of them without it.")] = "",
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="The new value; lists with commas.")] = None,
    json: Json = False,
) -> None:
    """Show the settings, show one, or change one."""
    from ui.terminal.report import setting_lines, setting_text

    session: Session = context.obj
    if name == "local_model" and value:
        value = absolute(value)  # the engine runs elsewhere
    call = GetSettings() if value is None else Configure(name, value)
    told = session.last(call, CurrentSettings)
    current = told.settings
    if not name:
        session.give(current) if json else session.say(*setting_lines(current))
        return
    known = current.__struct_fields__
    if name not in known:
        raise Problem(f"There is no setting called {name!r}.", f"The settings are: {', '.join(known)}.", kind="input")
    one = getattr(current, name)
    session.give({name: one, **({"note": told.note} if told.note else {})}) if json else session.say(setting_text(one))
    if told.note and not json:
        session.aside(told.note)


def keys_set(context: typer.Context, name: Name, json: Json = False) -> None:
    """Put a service's API key into the system keyring. It is typed hidden, or read from standard input."""
    session: Session = context.obj
    if sys.stdin.isatty():
        key = str(typer.prompt(f"Key for {name}", hide_input=True, err=True))
    else:
        key = sys.stdin.buffer.readline().decode("utf-8", "replace")
    if not key.strip():
        raise Problem("The key is empty.", "Nothing was changed.", kind="input")
    _tell(session, session.last(SetKey(name, key.strip()), Done), json)


def keys_remove(context: typer.Context, name: Name, json: Json = False) -> None:
    """Take a key out of the system keyring."""
    session: Session = context.obj
    _tell(session, session.last(RemoveKey(name), Done), json)


def _tell(session: Session, done: Done, json: bool) -> None:
    if json:
        session.give(done)
    else:
        session.say(done.message or "Done.")
