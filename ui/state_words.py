"""What the engine is doing, in a few words for the palette's foot, the side bar and the tray. Plain text, no Qt."""

import re
import time
from pathlib import Path
from typing import Literal

from core.protocol import Coverage, StatusReport

LinkState = Literal["starting", "ready", "gone"]
QUANTISED = re.compile(r"([.-](I?Q\d\w*|B?F16|F32))?(\.gguf)?$", re.IGNORECASE)
Tone = Literal["good", "busy", "bad", "off"]


def state_words(state: LinkState, report: StatusReport | None) -> str:
    """One short line that is true now."""
    if state == "starting":
        return "Starting the engine…"
    if state == "gone":
        return "The engine is not running; trying again"
    if report is None:
        return "Ready"
    counts = report.counts
    if not report.folders:
        return "No folders yet"
    if report.paused and (counts.waiting or counts.vectors_owed):
        left = f"{files(counts.waiting)} waiting" if counts.waiting else f"{counts.vectors_owed:,} passages waiting"
        return f"Paused, {left}"
    if counts.waiting:
        return f"Reading {counts.files - counts.waiting:,} of {counts.files:,} files"
    if counts.vectors_owed:
        done = 100 * max(0, counts.chunks - counts.vectors_owed) // max(1, counts.chunks)
        return f"{files(counts.indexed)}, meaning {done} %"
    return coverage_words(report.coverage)


def coverage_words(coverage: Coverage, now: float | None = None) -> str:
    """How much can be found, as one says it: "423 of 501 files, newest 2 min ago, 75 waiting, 3 failed".

    Args:
        coverage: the numbers.
        now: the time (seconds since 1970), by default this moment.
    """
    whole = coverage.indexed == coverage.files
    said = [files(coverage.files) if whole else f"{coverage.indexed:,} of {files(coverage.files)}"]
    if coverage.newest:
        said.append(f"newest {_ago(max(0.0, (time.time() if now is None else now) - coverage.newest))}")
    counts = (("waiting", coverage.waiting), ("skipped", coverage.skipped), ("failed", coverage.failed))
    return ", ".join([*said, *(f"{count:,} {state}" for state, count in counts if count)])


def at_time(moment: float) -> str:
    """A moment of today or another day, in local time: "at 14:05", "on 2026-03-14 at 09:30"."""
    local = time.localtime(moment)
    same_day = local[:3] == time.localtime()[:3]
    return time.strftime("at %H:%M" if same_day else "on %Y-%m-%d at %H:%M", local)


def _ago(passed: float) -> str:
    for length, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if passed >= length:
            return f"{passed // length:.0f} {name} ago"
    return "just now"


def tone(state: LinkState, report: StatusReport | None) -> Tone:
    """The colour of the state's dot."""
    if state != "ready":
        return "busy" if state == "starting" else "bad"
    if report is None or not report.folders:
        return "off"
    if report.counts.waiting or report.counts.vectors_owed:
        return "off" if report.paused else "busy"
    return "good"


def files(count: int) -> str:
    """A number of files, as one says it."""
    return "1 file" if count == 1 else f"{count:,} files"


def size(count: int) -> str:
    """Bytes in MB (10^6), as a person reads them."""
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def seconds(milliseconds: float) -> str:
    """A duration: milliseconds below a second, else seconds with one decimal."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def seam_words(model: str) -> str:
    """What stands where one model's words end and another's begin."""
    return f"{model_name(model)} goes on"


def model_name(model: str) -> str:
    """A model's name without the ending and the quantisation that only its file needs."""
    return QUANTISED.sub("", Path(model).name) if model else "a model"
