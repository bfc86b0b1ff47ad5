"""What the engine is doing, in a few words for the palette's foot, the side bar and the tray. Plain text, no Qt."""

import re
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from core.protocol import Answered, CatalogItem, Coverage, FolderRule, ModelInfo, StatusReport

LinkState = Literal["starting", "ready", "gone", "stopped"]
QUANTISED = re.compile(r"([.-](I?Q\d\w*|B?F16|F32))?(\.gguf)?$", re.IGNORECASE)
RULES: dict[FolderRule, str] = {
    "cloud": "may go to the cloud",
    "ask": "goes to the cloud only if you say so",
    "local": "stays here",
}
VERDICTS = {
    "agrees": "The cloud model says the same.",
    "adds": "The cloud model says the same and more.",
    "leaves out": "The cloud model says a part of it.",
    "differs": "The cloud model says it in other words, or something else.",
}
MODEL_STATES = {
    "ready": "ready",
    "asleep": "loads with the next question",
    "off": "switched off after it failed repeatedly",
    "missing": "its file is not there; answers are quotes",
    "unusable": "its file cannot be loaded; answers are quotes",
}
Tone = Literal["good", "busy", "bad", "off"]


def state_words(state: LinkState, report: StatusReport | None) -> str:
    """One short line that is true now."""
    if state == "starting":
        return "Starting the engine…"
    if state == "stopped":
        return "Stopped"
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
    if counts.waiting > counts.scans:
        on_battery = " on battery" if report.resumed else ""
        return f"Reading {counts.files - counts.waiting:,} of {counts.files:,} files{on_battery}"
    if counts.vectors_owed:
        done = 100 * max(0, counts.chunks - counts.vectors_owed) // max(1, counts.chunks)
        return f"{files(counts.indexed)}, {done} % done"
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
        said.append(f"newest {ago_words(max(0.0, (time.time() if now is None else now) - coverage.newest))}")
    counts = (("waiting", coverage.waiting), ("skipped", coverage.skipped), ("failed", coverage.failed))
    return ", ".join([*said, *(f"{count:,} {state}" for state, count in counts if count)])


def at_time(moment: float) -> str:
    """A moment of today or another day, in local time: "at 14:05", "on 2026-03-14 at 09:30"."""
    local = time.localtime(moment)
    same_day = local[:3] == time.localtime()[:3]
    return time.strftime("at %H:%M" if same_day else "on %Y-%m-%d at %H:%M", local)


def ago_words(passed: float) -> str:
    """How long ago something was, `passed` in seconds: "just now", "3 min ago"."""
    for length, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if passed >= length:
            return f"{passed // length:.0f} {name} ago"
    return "just now"


def tone(state: LinkState, report: StatusReport | None) -> Tone:
    """The colour of the state's dot."""
    if state == "stopped":
        return "off"
    if state != "ready":
        return "busy" if state == "starting" else "bad"
    if report is None or not report.folders:
        return "off"
    if report.counts.waiting > report.counts.scans or report.counts.vectors_owed:
        return "off" if report.paused else "busy"
    return "good"


def local_words(report: StatusReport) -> str:
    """The local model and how it stands."""
    if not report.model:
        return "no local model; answers are quotes"
    state = MODEL_STATES.get(report.model_state, report.model_state)
    speed = f", {report.tokens_per_s:.0f} tokens/s" if report.tokens_per_s else ""
    return f"{model_name(report.model)}, {state}{speed}"


def speed_words(info: ModelInfo) -> str:
    """How fast a model is here, "" where it has not been measured: "Reads 312 and writes 63 tokens/s."."""
    return f"Reads {info.reading:.0f} and writes {info.writing:.0f} tokens/s." if info.measured else ""


def wait_words(info: ModelInfo) -> str:
    """How long a usual answer takes with a model, "" where nothing is known. An estimate says that it is one."""
    if info.wait is None:
        return ""
    took = "under a second" if info.wait < 1 else f"about {left_words(info.wait)}"
    if info.measured:
        return f"A usual answer takes {took}."
    return f"A usual answer should take {took} (an estimate)."


def cloud_words(report: StatusReport) -> list[str]:
    """Each provider and how it stands."""
    return [f"{info.provider.name}: {info.words.rstrip('.')}" for info in report.providers]


def light_words(report: StatusReport) -> str:
    """Who can answer now, in one line: the local model, then the cloud."""
    clouds = cloud_words(report)
    away = "offline" if report.offline and not clouds else "no cloud model"
    return "; ".join([local_words(report), *(clouds or [away])])


def later_words(report: StatusReport) -> str:
    """Second opinions that nobody has looked at, "" for none."""
    new = report.later.new
    return f"{new:,} second opinions have come" if new > 1 else "A second opinion has come" if new else ""


def when_words(stamp: str, now: datetime | None = None) -> str:
    """A moment (ISO 8601) as a list shows it: "14:02", "Yesterday, 09:30", "14 March", "14 March 2025".

    Args:
        now: the moment from which it is seen, by default this one.
    """
    at = datetime.fromisoformat(stamp).astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    days = (today - at.date()).days
    if days < 2:
        return f"{at:%H:%M}" if days < 1 else f"Yesterday, {at:%H:%M}"
    return f"{at.day} {at:%B}" if at.year == today.year else f"{at.day} {at:%B %Y}"


def due_words(day: str, today: date) -> str:
    """When a task is due (ISO date), seen from `today`: "Today", "Friday", "28 November", "3 days overdue"."""
    due = date.fromisoformat(day)
    ahead = (due - today).days
    if ahead < 0:
        return "1 day overdue" if ahead == -1 else f"{-ahead:,} days overdue"
    if ahead < 2:
        return "Tomorrow" if ahead else "Today"
    if ahead < 7:
        return f"{due:%A}"
    return f"{due.day} {due:%B}" if due.year == today.year else f"{due.day} {due:%B %Y}"


def by_words(answered: Answered) -> str:
    """Who gave an earlier answer."""
    spoke = next((step for step in reversed(answered.route) if step.kind != "quote" and step.outcome == "ok"), None)
    if spoke is not None and spoke.kind == "catalog":
        return "from the catalog"
    if answered.quote is None:
        return "not in the notes"
    if spoke is None:
        return "quote alone"
    return f"{model_name(spoke.model)} {'in the cloud' if spoke.kind == 'cloud' else 'on this machine'}"


def remembered_words(stamp: str) -> str:
    """That an answer is the one of another time (UTC, ISO 8601), and that it still holds."""
    at, now = datetime.fromisoformat(stamp).astimezone(), datetime.now().astimezone()
    day = f"{at.day} {at:%B}" if at.year == now.year else f"{at.day} {at:%B} {at.year}"
    when = f"today at {at:%H:%M}" if at.date() == now.date() else f"on {day}"
    return f"Answered {when}; nothing it rests on has changed."


def item_words(item: CatalogItem) -> str:
    """What is known of a line of a list: "due 3 Mar 2026", "changed 20 Nov 2026", "4 files", "" for nothing."""
    if item.count:
        return files(item.count)
    if not item.date:
        return ""
    day = date.fromisoformat(item.date)
    return f"{'due' if item.state else 'changed'} {day.day} {day:%b %Y}"


def files(count: int) -> str:
    """A number of files, as one says it."""
    return "1 file" if count == 1 else f"{count:,} files"


def size(count: int) -> str:
    """Bytes in MB (10^6), as a person reads them."""
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def large_size(count: int) -> str:
    """Bytes in GB (10^9), below one in MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def left_words(left: float) -> str:
    """Seconds that are left, no more exactly than anybody knows: "40 s", "3 min", "2 h 10 min"."""
    if left < 90:
        return f"{max(1, round(left)):d} s"
    minutes = round(left / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def seconds(milliseconds: float) -> str:
    """A duration: milliseconds below a second, else seconds with one decimal."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def seam_words(model: str) -> str:
    """What stands where one model's words end and another's begin."""
    return f"{model_name(model)} goes on"


def model_name(model: str) -> str:
    """A model's name without the ending and the quantisation that only its file needs."""
    return QUANTISED.sub("", Path(model).name) if model else "a model"
