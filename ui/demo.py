"""What Offhand does where there is no display: it reads the example notes and answers three questions in the terminal,
in a profile that is thrown away. Writes nothing into the notes."""

import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

from rich.text import Text

from core import launch
from core.paths import ROOT, Profile
from core.protocol import AddFolder, Ask, Folders, Index
from ui.terminal import window
from ui.terminal.asking import ask
from ui.terminal.barrier import OK
from ui.terminal.progress import follow, summary
from ui.terminal.session import Session
from ui.terminal.wording import duration

NOTES = ROOT / "examples" / "notes"

QUESTIONS = (
    "Where is the borg passphrase written down on paper?",
    "On which days is the boatman around to give us the key for the weir at Skerton?",
    "What is the registration number of our car?",
)
"""The notes do not say the last one, and Offhand has to say so."""


def run() -> int:
    """Show everything in a profile of its own and take that away again; returns the exit status.

    Raises:
        Problem: the engine does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="offhand-demo-", ignore_cleanup_errors=True) as home:
        os.environ["OFFHAND_HOME"] = home  # the engine, a process of its own, finds its profile by it
        profile = Profile()
        try:
            return show(Session(profile), NOTES)
        finally:
            launch.stop(profile)


def show(session: Session, notes: Path) -> int:
    """Read `notes`, ask, print; returns the exit status, that of Ctrl+C where it stopped an answer."""
    if not window.has_display():
        session.say("There is no display, so this demonstration runs in the terminal.")
    session.say(f"Reading the example notes in {notes}; nothing is written into them.", "")
    started = time.monotonic()
    session.last(AddFolder(str(notes)), Folders)
    with closing(session.events(Index(wait=True))) as events:
        progress = follow(events, quiet=False)
    session.say(f"{summary(progress)} That took {duration(time.monotonic() - started)}.", "")
    for question in QUESTIONS:
        session.say(Text.assemble(("? ", "bold magenta"), (question, "bold")), "")
        status = ask(session, Ask(question))
        if status != OK:
            return status
        session.say("")
    session.say('Now your own notes: `offhand add DIR`, then `offhand ask "..."`. `offhand --help` has the rest.')
    return OK
