"""The process that renews a damaged catalog: it ends the engine, holds its lock, and tells what was saved."""

import logging
import sys

import msgspec

from core import launch
from core.paths import Profile
from core.protocol import Finding, Problem
from indexer.store import renewal
from indexer.store.renewal import Renewed

log = logging.getLogger(__name__)

STAYS = Problem(
    "The engine of this profile does not end, and the catalog stays as it is.",
    "Close Offhand's window, then `offhand doctor --fix` again.",
    kind="engine",
)


def renew(profile: Profile) -> Finding:
    """Set a damaged catalog aside and put a new one in its place that watches the same folders.

    Raises:
        Problem: the engine does not end, or the new catalog cannot be written; the old one is where it was.
    """
    profile.create()
    with launch.without_engine(profile, STAYS):
        if not renewal.is_damaged(profile.catalog):
            return Finding("catalog", True, "The catalog is sound.")  # somebody else was quicker
        return _finding(renewal.renew(profile.catalog))


def _finding(done: Renewed) -> Finding:
    log.warning("the damaged catalog is kept as %s", done.aside)
    kept = f"The catalog was damaged; it is kept as {done.aside}."
    count = len(done.folders)
    if not count and not done.whole:
        what = f"{kept} Its list of folders was lost; settings and the history of answers are untouched."
        return Finding("catalog", False, what, "Add your folders again: offhand add DIR.", fixed=True)
    all_of_it = "The list of folders was saved" if done.whole else "The list of folders was saved from its copy"
    listed = "1 folder and its rule" if count == 1 else f"{count} folders and their rules"
    rest = "settings and the history of answers are untouched. What was read of the files is read again now."
    return Finding("catalog", False, f"{kept} {all_of_it} ({listed}); {rest}", fixed=True)


def run(profile: Profile) -> int:
    """The process: writes the finding, or why there is none, to standard output."""
    try:
        said = msgspec.json.encode(renew(profile))
    except Problem as problem:
        sys.stdout.buffer.write(launch.refusal(problem))
        return launch.EXIT_REFUSED
    except OSError as error:
        what = f"The damaged catalog could not be set aside: {error.strerror or error}."
        step = f"See that {profile.data} can be written and its disk has room."
        sys.stdout.buffer.write(launch.refusal(Problem(what, step, kind="profile")))
        return launch.EXIT_REFUSED
    sys.stdout.buffer.write(said)
    return 0
