"""The check-up of the index: is the catalog sound, does it agree with the disk and with Chroma. Repairs when asked.

Nothing here can lose anything: the notes are the truth for the catalog, and the catalog for Chroma. The work goes on
meanwhile, so a difference counts only when several looks find the same one: what is on its way is gone by the next.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import apsw
from msgspec import structs

from indexer import scan, semantics
from indexer.records import CatalogDamaged, Finding, Folder, Problem
from indexer.scan import Changes
from indexer.semantics import Meaning
from indexer.store import folders, outbox, renewal
from indexer.store.database import Database, damaged, explained, open_reader
from indexer.store.files import Seen
from indexer.store.vector_index import Report
from indexer.vector_flow import PATIENCE
from indexer.vector_words import standing

OPENING_LOOKS, OPENING_PAUSE = 100, 0.2  # times, seconds
LOOK_AGAIN = 1.0  # seconds between two looks at what differs: more than a saved file takes to be in the catalog
IDLE_LOOKS = 2  # that must agree with the first one, and find the engine at rest
LONGEST_LOOK = 30.0  # seconds that a look at everything by the engine itself is waited for
FIX = "`offhand doctor --fix` repairs it."


def catalog(database: Database, *, fix: bool) -> Iterator[Finding]:
    """The file's structure, its word index, and vectors nobody uses.

    Raises:
        CatalogDamaged: it cannot be repaired in its place, and that was asked for.
    """
    try:
        # On a connection of its own: one that has searched before the word index was merged remembers parts of it that
        # are gone, and takes that for damage.
        with explained(database.path), closing(open_reader(database.path)) as connection:
            said = renewal.damage(connection)
        if said:
            raise damaged(database.path, said[0])
    except CatalogDamaged as problem:
        if fix:
            raise  # it is renewed while no engine has it open
        yield Finding("catalog", False, problem.what, problem.next_step)
        return
    except Problem as problem:
        yield Finding("catalog", False, problem.what, problem.next_step)
        return
    yield Finding("catalog", True, "The catalog is sound.")
    yield _word_index(database, fix=fix)
    with database.read() as connection:
        orphans = outbox.orphans(connection)
    if fix and orphans:
        with database.write() as connection:
            outbox.drop_unused(connection)
    yield _finding(
        "stored vectors",
        orphans,
        f"{orphans} stored vectors belong to no passage.",
        "Every stored vector is used.",
        fix,
    )


def disk(
    database: Database, compare: Callable[[Folder], Changes], looking: Callable[[], bool], *, fix: bool
) -> Iterator[Finding]:
    """Each folder against what the catalog says about it.

    Args:
        database: the catalog.
        compare: looks at a folder, and leaves out files that are being written.
        looking: says whether the engine looks at folders itself just now.
        fix: bring the catalog up to what was seen.
    """
    with database.read() as connection:
        watched = folders.watched(connection)
    for folder in watched:
        look = _lasting(lambda folder=folder: compare(folder), looking)  # type: ignore[misc]
        if look is None:
            yield Finding("folder", True, f"{folder.path} is being looked through; what is new there is on its way.")
            continue
        if look.identity is None:
            what = f"{folder.path} is not reachable; its passages are kept."
            yield Finding("folder", False, what, "Connect the disk, or take the folder off the list.")
            continue
        if fix and len(look):
            scan.apply(database, [look])
        what = (
            f"{folder.path} has {len(look.new)} new, {len(look.changed)} changed and {len(look.gone)} vanished files "
            "that the catalog does not know."
        )
        yield _finding("folder", len(look), what, f"The catalog agrees with {folder.path}.", fix)


def vectors(database: Database, meaning: Meaning, doubt: Callable[[], None], *, fix: bool) -> Iterator[Finding]:
    """Chroma against the catalog: a sample must find itself, and the ids must be the same."""
    try:
        report = _settled(meaning)
        if report.state != "ready":
            if fix and report.state == "broken":
                meaning.ask(semantics.Rebuild("asked by the doctor"), patience=PATIENCE)
            doubt()
            yield _unready(report, fix=fix)
            return
        doubt()  # it may have been built anew since the engine last looked
        missing, ghosts = _unmatched(database, meaning)
        if missing or ghosts:  # it was asked at another moment than the catalog
            time.sleep(LOOK_AGAIN)
            missing_still, ghosts_still = _unmatched(database, meaning)
            missing = sorted(set(missing) & set(missing_still))
            ghosts = sorted(set(ghosts) & set(ghosts_still))
    except Problem as problem:
        yield Finding("vector index", False, problem.what, problem.next_step)
        return
    if fix and (missing or ghosts):
        with database.write() as connection:
            outbox.owe(connection, missing)
            outbox.owe_removal(connection, ghosts)
        doubt()
    what = f"The vector index lacks {len(missing)} passages and holds {len(ghosts)} that are gone."
    well = f"The vector index is sound and holds {report.vectors} vectors ({report.store})."
    yield _finding("vector index", len(missing) + len(ghosts), what, well, fix)


def _lasting(compare: Callable[[], Changes], looking: Callable[[], bool]) -> Changes | None:
    """What differs at two looks, or None: the engine's own look at everything takes too long to tell."""
    found = compare()
    deadline = time.monotonic() + LONGEST_LOOK
    idle = 0
    while len(found) and idle < IDLE_LOOKS:
        if time.monotonic() > deadline:
            return None
        time.sleep(LOOK_AGAIN)
        idle = 0 if looking() else idle + 1
        found = _in_both(found, compare())
    return found


def _in_both(before: Changes, now: Changes) -> Changes:
    """What both looks found in the same way; of a file that was saved again in between, nothing."""
    new = {_version(seen) for seen in before.new}
    changed = {_version(seen) for _, seen in before.changed}
    gone = {known.id for known in before.gone}
    return structs.replace(
        now,
        new=[seen for seen in now.new if _version(seen) in new],
        changed=[(known, seen) for known, seen in now.changed if _version(seen) in changed],
        gone=[known for known in now.gone if known.id in gone],
    )


def _version(seen: Seen) -> tuple[str, int, int, int]:
    return seen.path, seen.size, seen.mtime_ns, seen.inode


def _unmatched(database: Database, meaning: Meaning) -> tuple[list[int], list[int]]:
    """The passages that the index lacks, and the ids in it that belong to none."""
    listed = meaning.ask(semantics.ListIds(), patience=PATIENCE)
    assert isinstance(listed, semantics.Ids)
    with database.read() as connection:
        return outbox.differences(connection, set(listed.ids))


def _unready(report: Report, *, fix: bool) -> Finding:
    """What a person is told of an index that does not answer; an exact search does so meanwhile."""
    said = f"{standing(report)}."
    if report.state == "away":
        return Finding("vector index", False, said, "Start the server, or: offhand settings vectors embedded.")
    if report.state == "broken":
        return Finding("vector index", False, said, fixed=fix)
    return Finding("vector index", True, said)  # nothing is wrong: it is being made


def _settled(meaning: Meaning) -> Report:
    """What the vector index says of itself, once it is open or made: at a first start that takes a few seconds."""
    for _ in range(OPENING_LOOKS):
        if _report(meaning, sample=False).state in ("ready", "broken", "away"):
            break
        time.sleep(OPENING_PAUSE)
    return _report(meaning, sample=True)


def _report(meaning: Meaning, *, sample: bool) -> Report:
    verified = meaning.ask(semantics.Verify(sample), patience=PATIENCE)
    assert isinstance(verified, semantics.Verified)
    return verified.report


def _word_index(database: Database, *, fix: bool) -> Finding:
    try:
        with database.write() as connection:
            connection.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)")
        return Finding("word index", True, "The word index agrees with the passages.")
    except Problem as problem:
        if not isinstance(problem.__cause__, apsw.CorruptError):
            raise
    if fix:
        with database.write() as connection:
            connection.execute("INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild')")
    return _finding("word index", 1, "The word index does not agree with the passages.", "", fix)


def _finding(name: str, wrong: int, what: str, well: str, fix: bool) -> Finding:
    if not wrong:
        return Finding(name, True, well)
    return Finding(name, False, what, "" if fix else FIX, fixed=fix)
