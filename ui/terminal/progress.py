"""`offhand index --wait`: the bar that shows how far the notes are read. Drawn on standard error."""

import sys
from collections.abc import Iterable

from core.protocol import Event, Progress
from ui.state_words import files
from ui.terminal.session import no_answer
from ui.terminal.wording import counted, duration


def follow(events: Iterable[Event], *, quiet: bool) -> Progress:
    """Show each `Progress` until the last one and return that.

    Args:
        events: what `Index(wait=True)` yields.
        quiet: draw nothing.

    Raises:
        Problem: the engine gave no progress at all.
    """
    last: Progress | None = None
    if quiet or not sys.stderr.isatty():
        for event in events:
            last = event if isinstance(event, Progress) else last
    else:
        last = _draw(events)
    if last is None:
        raise no_answer()
    return last


def summary(progress: Progress) -> str:
    """Where the library stands, in one sentence."""
    counts = progress.counts
    said = f"{files(counts.indexed)} indexed, {counted(counts.chunks, 'passage')}"
    if counts.waiting > counts.scans:
        said += f", {files(counts.waiting - counts.scans)} waiting"
    if counts.scans:
        said += f", {counted(counts.scans, 'scan')} waiting to be recognised"
    if counts.skipped:
        said += f", {counts.skipped:,} skipped"
    if counts.failed:
        said += f", {counts.failed:,} failed (`offhand status` says why)"
    if counts.vectors_owed and not counts.waiting:
        said += f", {counted(counts.vectors_owed, 'passage')} not yet searchable by meaning"
    return said + "."


def _draw(events: Iterable[Event]) -> Progress | None:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    from ui.terminal.screen import Screen

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    last: Progress | None = None
    with Bars(*columns, console=Screen(stderr=True), auto_refresh=False) as bars:
        notes = bars.add_task("Notes read  ", total=None, rate="")
        passages = bars.add_task("By meaning  ", total=None, rate="")
        for event in events:
            if not isinstance(event, Progress):
                continue
            last, counts = event, event.counts
            left = "" if event.seconds_left is None or event.done else f"  {duration(event.seconds_left)} left"
            bars.update(
                notes,
                total=counts.files,
                completed=counts.files - counts.waiting,
                rate=f"{event.files_per_s:.0f} files/s",
            )
            bars.update(
                passages,
                total=counts.chunks,
                completed=max(0, counts.chunks - counts.vectors_owed),
                rate=f"{event.chunks_per_s:.0f} passages/s{left}",
            )
            bars.refresh()
    return last
