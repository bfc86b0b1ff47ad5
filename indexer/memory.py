"""How much memory our own processes take."""

from collections.abc import Iterable

import psutil


def resident(pids: Iterable[int | None]) -> dict[int, int]:
    """Resident bytes of children of this process, what they started themselves included.

    One look at the system's processes serves all: that look is what costs, and the window asks four times a second.

    Args:
        pids: the children; None stands for one that does not run.

    Returns:
        The bytes for each of them that runs.
    """
    found = dict.fromkeys((pid for pid in pids if pid is not None), 0)
    parents: dict[int, int] = {}
    bytes_of: dict[int, int] = {}
    for process in psutil.Process().children(recursive=True) if found else ():
        try:
            parents[process.pid] = process.ppid()
            bytes_of[process.pid] = int(process.memory_info().rss)
        except psutil.Error:
            continue  # it ended just now
    for process_id, size in bytes_of.items():
        above: int | None = process_id
        while above is not None and above not in found:
            above = parents.get(above)
        if above is not None:
            found[above] += size
    return found
