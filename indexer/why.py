"""Why a path is or is not in the index, in one sentence for a person."""

import os
import stat
import time
from pathlib import Path

from indexer.extract.reading import LINK_OUT
from indexer.ignore import IgnoreRules, explain
from indexer.records import Coverage, FileRecord, Folder


def sentence(path: Path, folder: Folder | None, rules: IgnoreRules, record: FileRecord | None, below: Coverage) -> str:
    """Say it.

    Args:
        path: absolute; it need not exist.
        folder: the watched folder it lies in, if any.
        rules: which files are left alone.
        record: what the ledger has about it.
        below: what the ledger has about everything under it.
    """
    if folder is None:
        return f"{path} is not in the index: it lies in none of your folders."
    if record is not None:
        return _known(path, record, reachable=folder.reachable)
    if not os.path.lexists(path):
        return f"{path} is not in the index: there is no such file."
    rule = against(path, folder, rules)
    if rule:
        return f"{path} is not in the index: {rule}."
    if path.is_dir():
        said = f"{below.indexed:,} of {below.files:,} files in it are in the index"
        return f"{path} is looked into: {said}{f', {below.failed:,} failed' if below.failed else ''}."
    return f"{path} is not in the index yet: it was not noticed so far; `offhand index` looks again."


def against(path: Path, folder: Folder, rules: IgnoreRules) -> str:
    """What speaks against a path that exists in a watched folder, in words, or "" when nothing does."""
    if path == Path(folder.path):
        return ""
    return explain(folder.path, str(path), rules) or _nature(path, folder)


def _known(path: Path, record: FileRecord, *, reachable: bool) -> str:
    if record.state == "indexed":
        kept = "" if reachable else "; its folder cannot be reached now, and what was read is kept"
        return f"{path} is in the index{_since(record.at)}{kept}."
    if record.state == "waiting" and record.reason:
        return f"{path} is not in the index yet: {record.reason[:1].lower()}{record.reason[1:]}"
    if record.state == "waiting":
        away = "" if reachable else "; its folder cannot be reached now"
        return f"{path} waits to be read{away}."
    reason = record.reason.rstrip(".")
    if record.state == "skipped":
        return f"{path} is not in the index: {reason}."
    reason = reason[:1].lower() + reason[1:]
    if record.retry_at:
        again = f"it is tried again {time.strftime('%Y-%m-%d %H:%M', time.localtime(record.retry_at))}"
    else:
        again = "it is tried again when it changes, or by `offhand retry`"
    return f"{path} is not in the index: {reason}; {again}."


def _since(at: int) -> str:
    return f" since {time.strftime('%Y-%m-%d %H:%M', time.localtime(at))}" if at else ""


def _nature(path: Path, folder: Folder) -> str:
    """What speaks against a path besides the rules. Each directory on the way to it can be a link."""
    top = Path(folder.path)
    on_the_way = [part for part in reversed(path.parents) if part != top and part.is_relative_to(top)]
    for part in on_the_way:
        said = _link(part, folder)
        if said:
            return f"{part} is {said}"
    said = _link(path, folder)
    if said:
        return f"it is {said}"
    mode = path.stat().st_mode
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "it is not a regular file"


def _link(path: Path, folder: Folder) -> str:
    """Why what lies behind a link is not read under its name; "" for what is no link, or is followed."""
    if not path.is_symlink():
        return ""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "a link that leads nowhere"
    outside = not real.is_relative_to(Path(folder.path).resolve())
    if outside and not folder.links:
        return LINK_OUT
    if path.is_dir() and not outside:
        return f"a link to a directory of this folder, which is read under its own name, {real}"
    return ""
