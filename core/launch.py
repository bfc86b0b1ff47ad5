"""Find the profile's engine, or start it. Many clients may do this at once; exactly one engine comes of it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import AuthenticationError
from typing import Any

import msgspec

from core.errors import EngineUnreachable
from core.paths import Profile, build_id, command
from core.protocol import Call, Done, Event, Finding, Import, Shutdown
from indexer.records import CatalogDamaged, Problem
from indexer.worker import Channel, start_thread

START_SECONDS = 20.0
"""How long a cold start may take before it is reported as failed."""

EXIT_ANOTHER = 75
"""What an engine exits with when another already serves the profile (EX_TEMPFAIL of sysexits.h)."""

EXIT_REFUSED = 3
"""What the process of an import or a renewal exits with when it says why it cannot."""

EXIT_DAMAGED = 65
"""What an engine exits with when its catalog is damaged (EX_DATAERR of sysexits.h)."""

FULL = 1 << 16  # bytes; a disk with less room is full

ANSWER_SECONDS = 10.0  # that an engine is given to say that it ends
STUCK_SECONDS = 5.0  # after these one that did not say so is killed
END_SECONDS = 60.0  # and after these one that did: it stores what is in hand and ends its children one by one
LOCK_SECONDS = 30.0  # for an engine to end whose lock is wanted
SLOW_SECONDS = 3.0  # after which the person is told what is being waited for

EngineChannel = Channel[Call, Event]


def find(profile: Profile) -> EngineChannel | None:
    """A channel to the running engine, whatever its build, or None."""
    try:
        key = bytes.fromhex(profile.token.read_text())
        return Channel(profile.engine_address, key, Event)
    except (OSError, EOFError, ValueError, AuthenticationError):
        return None  # none running, or one that is just ending or starting: a stale token or socket looks the same


def find_or_start(profile: Profile) -> EngineChannel:
    """A channel to an engine of this very build, started if need be; an engine of another build is replaced.

    Raises:
        EngineUnreachable: it did not come up.
        ProfileUnusable: the profile cannot be written.
    """
    channel = find(profile)
    if channel is not None and channel.hello.build == build_id():
        return channel
    profile.create()
    if channel is not None:
        _end(channel)
    return _start(profile)


def stop(profile: Profile, on_wait: Callable[[str], None] = lambda _: None) -> bool:
    """End the running engine and wait for its end. Returns False when none was running.

    Args:
        profile: whose engine.
        on_wait: told in a sentence what is being waited for, when it takes long.
    """
    channel = find(profile)
    if channel is None:
        return False
    _end(channel, on_wait)
    return True


@contextlib.contextmanager
def without_engine(profile: Profile, stays: Problem) -> Iterator[None]:
    """End the profile's engine and hold its lock: none can start until this is left.

    Args:
        profile: whose engine.
        stays: raised when it does not end.
    """
    from filelock import FileLock, Timeout  # brings asyncio, which no client should wait for

    lock = FileLock(profile.lock)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        stop(profile)
        try:
            lock.acquire(timeout=0.2)
            break
        except Timeout:
            if time.monotonic() > deadline:
                raise stays from None
    try:
        yield
    finally:
        lock.release()


def restore(profile: Profile, call: Import) -> Done:
    """Have a process of its own put an archive in the place of the profile; its engine is ended for that.

    Raises:
        Problem: the process says why it cannot.
    """
    status, said = _run(profile, "import", msgspec.json.encode(call))
    if status:
        raise EngineUnreachable(
            f"The import ended unexpectedly (exit status {status}).",
            "Your profile is either as it was or the new one, and sound; import again.",
        )
    return msgspec.json.decode(said, type=Done)


def renew(profile: Profile) -> Finding:
    """Have a process of its own put a new catalog in the place of a damaged one; its engine is ended for that.

    Raises:
        Problem: the process says why it cannot.
    """
    status, said = _run(profile, "renew")
    if status:
        raise EngineUnreachable(
            f"The repair of the catalog ended unexpectedly (exit status {status}); its log is in {profile.logs}.",
            "`offhand doctor --fix` tries again.",
        )
    return msgspec.json.decode(said, type=Finding)


def refusal(problem: Problem) -> bytes:
    """A problem as these processes write it to their standard output."""
    return msgspec.json.encode([problem.kind, problem.what, problem.next_step])


def _run(profile: Profile, name: str, given: bytes = b"") -> tuple[int, bytes]:
    """Exit status and output of one of our processes that ends by itself.

    Raises:
        Problem: it says why it cannot do its work.
    """
    profile.create()
    with (profile.logs / f"{name}.stderr").open("ab") as words:
        done = subprocess.run(
            command("--process", name),
            input=given,
            stdout=subprocess.PIPE,
            stderr=words,
            env=_environment(profile),
            check=False,
        )
    if done.returncode == EXIT_REFUSED:
        kind, what, next_step = msgspec.json.decode(done.stdout, type=tuple[str, str, str])
        raise Problem(what, next_step, kind=kind)
    return done.returncode, done.stdout


def _start(profile: Profile) -> EngineChannel:
    deadline = time.monotonic() + START_SECONDS
    process, before = _spawn(profile)
    while time.monotonic() < deadline:
        channel = find(profile)
        if channel is not None and channel.hello.build == build_id():
            return channel
        status = process.poll()
        if status == EXIT_ANOTHER:
            # Another client's engine holds the lock: it is coming up (wait for it) or going down (try again).
            time.sleep(0.05)
            process, before = _spawn(profile) if channel is None else (process, before)
        elif status is not None:
            raise _failed(profile, before, status)
        time.sleep(0.02)
    raise EngineUnreachable(
        f"The engine did not answer within {START_SECONDS:.0f} seconds.", "Try again; `offhand doctor` looks into it."
    )


def _spawn(profile: Profile) -> "tuple[subprocess.Popen[bytes], int]":
    """The started process, and where in `engine.stderr` its words begin."""
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    with (profile.logs / "engine.stderr").open("ab") as words:
        before = words.tell()
        process = subprocess.Popen(
            command("--process", "engine"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=words,
            cwd=profile.data,
            env={**_environment(profile), "OFFHAND_STARTED": "1"},
            **detached,
        )
    start_thread("reap", process.wait)  # it outlives this client, or must not stay behind as a zombie of it
    return process, before


def _environment(profile: Profile) -> dict[str, str]:
    return dict(os.environ) if profile.home is None else {**os.environ, "OFFHAND_HOME": str(profile.home)}


def _end(channel: EngineChannel, on_wait: Callable[[str], None] = lambda _: None) -> None:
    pid = channel.hello.pid
    limit = STUCK_SECONDS
    try:
        for event in channel.call(Shutdown(), patience=ANSWER_SECONDS):
            assert isinstance(event, Done)
            limit = END_SECONDS  # it is ending in good order, and a kill would cost what it has in hand
    except Problem:
        pass  # it ended while answering, or is too old or too stuck to answer
    channel.close()
    asked = time.monotonic()
    told = False
    while (waited := time.monotonic() - asked) < limit:
        if not _alive(pid):
            return
        if waited > SLOW_SECONDS and not told and limit == END_SECONDS:
            told = True
            on_wait(f"The engine stores what it has in hand and ends its processes; it is given {limit:.0f} seconds.")
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):  # it ended just now
        os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _alive(pid: int) -> bool:
    import psutil  # only needed when an engine is ended: it would cost every command 20 ms

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _failed(profile: Profile, before: int, status: int) -> Problem:
    said = _last_words(profile, before)
    if said and status == EXIT_DAMAGED:
        return CatalogDamaged(said)  # its next step is among its words
    if said:
        return EngineUnreachable(said, "`offhand doctor` looks for the cause.")
    if shutil.disk_usage(profile.data).free < FULL:  # not even its last words had room
        return EngineUnreachable(
            "The disk that holds your profile is full, and Offhand cannot start on it; nothing is lost.",
            "Free some space there and try again.",
        )
    return EngineUnreachable(
        f"The engine could not start (exit status {status}); its log is in {profile.logs}.",
        "`offhand doctor` looks for the cause.",
    )


def _last_words(profile: Profile, before: int) -> str:
    try:
        lines = (profile.logs / "engine.stderr").read_bytes()[before:].decode(errors="replace").splitlines()
    except OSError:
        lines = []
    return next((line.removeprefix("offhand: ") for line in reversed(lines) if line.startswith("offhand: ")), "")
