"""How fast each local model reads and writes on this machine, measured at real answers and kept; and what follows.

A model that has not run here yet gets an estimate: both rates fall with the bytes that every token has to go through.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from core.models.llama import Reading
from core.models.model import Finished, Token

FEWEST_READ = 24  # tokens; fewer say nothing about a speed
FEWEST_WRITTEN = 8
NEWEST = 0.3  # what the newest measurement counts beside all before it
SMALL = 250_000_000  # bytes of the file; about where `local.SMALL` lies, below which a model is given the quote alone
USUAL_PROMPT = {True: 60, False: 420}  # tokens that are read once it is known what is asked; small models, others
USUAL_ANSWER = 20  # tokens; the starter model writes 18 on average to the example questions, and reads 60


class Speed(Struct, frozen=True):
    """Tokens a second, read and written; 0 where it is not known."""

    reading: float = 0.0
    writing: float = 0.0

    def scaled(self, size: int, other: int) -> "Speed":
        """The estimate for a model of `other` bytes, from this one of `size` bytes."""
        share = size / max(other, 1)
        return Speed(self.reading * share, self.writing * share)

    def wait(self, size: int) -> float | None:
        """Seconds that a usual answer takes with a model of so many bytes, None where it is not known."""
        if not self.reading or not self.writing:
            return None
        return USUAL_PROMPT[size < SMALL] / self.reading + USUAL_ANSWER / self.writing


class Meter:
    """Watches one call to the local model.

    Args:
        clock: the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._read: list[tuple[float, int]] = []  # when, and how many tokens of the prompt were read then
        self._words: list[float] = []  # when the first and the last token came
        self._written = 0  # tokens, once they are all there

    def take(self, event: object) -> None:
        """An event of the call, as it comes."""
        match event:
            case Reading(done):
                self._read = [*self._read[:1], (self._clock(), done)]
            case Token():
                self._words = [*self._words[:1], self._clock()]
            case Finished():
                self._written = event.tokens

    @property
    def speed(self) -> Speed:
        """What the call has shown."""
        reading = writing = 0.0
        if len(self._read) == 2:  # the first event ends a piece whose beginning nobody saw
            (begun, first), (ended, last) = self._read
            if last - first >= FEWEST_READ:
                reading = (last - first) / max(ended - begun, 1e-6)
        if len(self._words) == 2 and self._written >= FEWEST_WRITTEN:
            writing = (self._written - 1) / max(self._words[1] - self._words[0], 1e-6)
        return Speed(reading, writing)


class Speeds:
    """What was measured, by model. It changes with each answer, and survives the engine.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._kept()

    def of(self, model: Path | None) -> Speed:
        """What is known of a model's file."""
        return self._known.get(_key(model), Speed())

    def add(self, model: Path | None, measured: Speed) -> None:
        """Another answer was measured. That it cannot be kept costs nothing but the figure."""
        if not measured.reading and not measured.writing:
            return
        before = self.of(model)
        now = Speed(_mean(before.reading, measured.reading), _mean(before.writing, measured.writing))
        self._known = {**self._known, _key(model): now}
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.encode(self._known))
            fresh.replace(self._path)
        except OSError:
            pass

    def _kept(self) -> dict[str, Speed]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Speed])
        except (OSError, msgspec.DecodeError):
            return {}


def _mean(before: float, now: float) -> float:
    if not before or not now:
        return round(before or now, 1)
    return round((1 - NEWEST) * before + NEWEST * now, 1)


def _key(model: Path | None) -> str:
    """Another file under the same name is another model."""
    try:
        return f"{model.name} {model.stat().st_size}" if model is not None else ""
    except OSError:
        return ""
