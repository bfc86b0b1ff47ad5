"""What stands under an empty question line, or while the engine cannot answer."""

from collections.abc import Callable

from ui.engine_link import EngineLink
from ui.state_pane import StatePane


def say_state(pane: StatePane, link: EngineLink, add_folder: Callable[[], object], *, typed: bool) -> bool:
    """Let the pane say how things stand; returns whether there was anything to say.

    Args:
        add_folder: called when the person wants to add their first folder.
        typed: something is typed.
    """
    report, problem = link.report, link.problem
    kept = "What you typed stays and is looked up then." if typed else "It takes a moment."
    if link.state == "gone":
        words = str(problem) if problem is not None else ""
        pane.say("The engine is not running", words, "Try now", link.retry)
    elif link.state == "stopped":
        words = "It was ended with `offhand stop`, and nothing is read or answered until it runs again."
        pane.say("Offhand is stopped", words, "Start", link.retry)
    elif link.state == "starting":
        pane.say("Starting the engine…" if report is None else "Starting the engine again…", kept)
    elif report is not None and not report.folders:
        words = "Add a folder of notes or documents. It is only read, never changed, and nothing leaves this machine."
        pane.say("Offhand does not read any folder yet", words, "Add a folder…", add_folder)
    elif not typed:
        pane.say("Ask, or look something up", "Type to find a passage. Press Enter for an answer with its source.")
    else:
        return False
    return True
