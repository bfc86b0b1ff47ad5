"""What the engine is doing, in a few words for the palette's foot, the side bar and the tray. Plain text, no Qt."""

import re
from pathlib import Path
from typing import Literal

from core.protocol import StatusReport

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
    if counts.waiting:
        return f"Reading {counts.files - counts.waiting:,} of {counts.files:,} files"
    if counts.vectors_owed:
        done = 100 * max(0, counts.chunks - counts.vectors_owed) // max(1, counts.chunks)
        return f"{files(counts.indexed)}, meaning {done} %"
    return f"{files(counts.indexed)} ready"


def tone(state: LinkState, report: StatusReport | None) -> Tone:
    """The colour of the state's dot."""
    if state != "ready":
        return "busy" if state == "starting" else "bad"
    if report is None or not report.folders:
        return "off"
    if report.counts.waiting or report.counts.vectors_owed:
        return "busy"
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
