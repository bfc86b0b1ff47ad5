"""The command line: a front door that prints. It speaks the protocol only and never imports Qt.

Exit status:

    0    it worked; "nothing found" and "not in your notes" count as that
    1    a fault in Offhand itself; the details are in the log
    2    the command was typed wrongly
    3    what was given cannot be used: a question, a folder, a setting
    4    something needed is missing, broken or paused: model, profile, engine, keyring, cloud, reading
    5    doctor found problems that remain
    130  interrupted with Ctrl+C

With `--json` exactly one JSON object is on standard output, also for an error: `{"error": {"kind", "what",
"next_step"}}`. Logs and progress are on standard error.
"""

import sys
from collections.abc import Sequence

from core.paths import Profile
from ui import instance


def run(arguments: Sequence[str], profile: Profile | None = None) -> int:
    """Do what the command line says; returns the exit status.

    Args:
        arguments: as typed, without the program's name; none opens the window.
        profile: whose Offhand, by default the one `OFFHAND_HOME` or the system names.
    """
    words = list(arguments)
    profile = profile or Profile()
    if words != ["toggle"]:
        return _run(words, profile)
    try:
        answer = instance.knock(profile, "toggle")
    except Exception:  # noqa: BLE001  # the barrier, not loaded yet for the sake of speed, tells of it
        answer = None
    return 0 if answer == "heard" else _run(words, profile, answer)


def _run(words: list[str], profile: Profile, answer: instance.Answer | None = None) -> int:
    from core.protocol import Problem
    from ui.terminal import barrier, window

    as_json = barrier.wants_json(words)
    sys.excepthook = barrier.LastResort(profile, as_json)
    try:
        barrier.check_encoding(words)
        if words in ([], ["open"], ["open", "--palette"], ["open", "--hidden"]):
            return window.open_window(profile, palette="--palette" in words, hidden="--hidden" in words)
        if words == ["toggle"]:
            return window.toggle(profile, answer)
        from ui.terminal.commands import dispatch  # typer: the window and the hot key need not wait for it

        return dispatch(words, profile)
    except Problem as problem:
        return barrier.tell(problem, as_json)
    except KeyboardInterrupt:
        return barrier.tell_interrupted(as_json)
    except BrokenPipeError:
        return barrier.reader_left()
