"""The engine's process: one per profile, held by a lock; serves every front door until it is told to end or nobody
has needed it for a while."""

import contextlib
import gc
import logging
import os
import secrets
import shutil
import signal
import sys
from multiprocessing.connection import Listener
from pathlib import Path

from filelock import FileLock, Timeout

from core import logs
from core.engine.engine import Engine
from core.launch import EXIT_ANOTHER, EXIT_DAMAGED
from core.paths import Profile, build_id, unwritable
from core.protocol import Call
from core.settings import PARTIAL
from indexer.records import CatalogDamaged, Problem
from indexer.worker import Hello, Host, start_thread

log = logging.getLogger(__name__)

EXIT_UNUSABLE = 4
LAST_WORDS = 1.0  # seconds for those who watch to hear that the engine was stopped, and did not die


def run(profile: Profile) -> int:
    """Serve until the end. Returns 0, or `EXIT_ANOTHER` when this profile has an engine, `EXIT_DAMAGED` when its
    catalog is damaged, and 4 when it cannot start for another reason."""
    try:
        profile.create()
        lock = FileLock(profile.lock, timeout=0)
        lock.acquire()
    except Timeout:
        _say("another engine already serves this profile.")
        return EXIT_ANOTHER
    except Problem as problem:
        _say(problem)
        return EXIT_UNUSABLE
    with lock:
        try:
            logs.start(profile.logs, "engine", foreground=not os.environ.get("OFFHAND_STARTED"))
            if profile.importing.exists():
                from core import restore  # an import was interrupted, which is rare

                restore.settle(profile)
            engine = Engine(profile)
            listener, key = _open_door(profile)
        except (Problem, OSError) as error:
            return _cannot(profile, error)
        try:
            _serve(profile, engine, listener, key)
        except Problem as problem:  # found by the first look into the catalog
            return _cannot(profile, problem)
        finally:
            engine.close()
            with contextlib.suppress(FileNotFoundError):
                listener.close()  # or multiprocessing does it at exit, with a traceback
            _clear(profile)
    return 0


def _cannot(profile: Profile, error: Problem | OSError) -> int:
    """Tell why the engine cannot go on; returns the exit status."""
    log.error("the engine cannot start", exc_info=error)
    _say(unwritable(profile.runtime, error) if isinstance(error, OSError) else error)
    return EXIT_DAMAGED if isinstance(error, CatalogDamaged) else EXIT_UNUSABLE


def _say(words: object) -> None:
    with contextlib.suppress(OSError):  # what stands there is read by `core.launch`, and its disk may be full
        print(f"offhand: {words}", file=sys.stderr, flush=True)


def _open_door(profile: Profile) -> tuple[Listener, bytes]:
    """The socket that front doors connect to, and the key that lets them in."""
    _clear(profile)
    key = secrets.token_bytes(32)
    listener = Listener(profile.engine_address, backlog=64)
    _write_token(profile, key)
    return listener, key


def _serve(profile: Profile, engine: Engine, listener: Listener, key: bytes) -> None:
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: engine.end())
    host = Host(engine, Call, Hello(build_id(), os.getpid()))
    start_thread("serve", host.serve, listener, key)
    gc.freeze()  # what was loaded so far stays; no full round of the garbage collector need look at it (7 ms each)
    engine.start()
    log.info("serving %s", profile.data)
    while not engine.ended.wait(1.0):
        if host.idle_seconds() > engine.settings.current.idle_minutes * 60 and not engine.busy():
            log.info("nobody has needed the engine for %d minutes", engine.settings.current.idle_minutes)
            return
    host.finish(LAST_WORDS)


def _write_token(profile: Profile, key: bytes) -> None:
    fresh = profile.token.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(key.hex())
    fresh.replace(profile.token)


def _clear(profile: Profile) -> None:
    """Remove what an engine of this profile left behind, half-written files included; the lock makes all of it ours."""
    stale = [
        profile.token,
        *profile.runtime.glob("*.sock"),
        *profile.config.glob(f"{PARTIAL}*"),
        *profile.data.glob("models/*/.onnx-*"),
    ]
    if sys.platform != "win32":
        stale.append(Path(profile.engine_address))
    for path in stale:
        if str(path) != profile.app_address:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
    for place in profile.data.glob("export-*"):
        shutil.rmtree(place, ignore_errors=True)
