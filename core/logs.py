"""Log files: one per process, rotated. Questions, note text and keys are never logged; paths and reasons are."""

import faulthandler
import logging
import logging.handlers
import sys
from pathlib import Path
from types import TracebackType

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LARGEST = 1_000_000  # bytes a file, of which three are kept
QUIET = (
    "chromadb",
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "openai",
    "anthropic",
    "watchdog",
    "urllib3",
    "keyring",
)


def start(folder: Path, name: str, *, foreground: bool = False) -> None:
    """Send this process's log to `folder/name.log` (and to standard error in the foreground), crashes included."""
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(folder / f"{name}.log", maxBytes=LARGEST, backupCount=2, encoding="utf-8")
    ]
    if foreground:
        handlers.append(logging.StreamHandler())
    logging.raiseExceptions = False  # a full or read-only disk costs log lines, nothing else
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers, force=True)
    for noisy in QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if sys.stderr is not None:
        faulthandler.enable()
    sys.excepthook = _log_and_say


def _log_and_say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("offhand").critical("unexpected end", exc_info=(kind, error, trace))
    print(f"offhand: something went wrong inside Offhand ({kind.__name__}); the log has the details.", file=sys.stderr)
