"""When work in the background may go on: not while it is paused or the machine runs on battery, and with respect for a
person who is typing."""

import time
from collections.abc import Callable

import psutil

QUIET = 1.0  # seconds after a keystroke or an answer until bulk work goes on
HELD, LET_ON = 4.0, 1.0  # seconds held and let on in turn while somebody types without end: nothing starves
LOOK_SECONDS = 20.0  # between two looks at the power supply; `wake` comes sooner after a resume

PAUSED = "paused by you"
ON_BATTERY = "paused while the machine runs on battery"
RESUMED = "goes on although the machine runs on battery, until it is plugged in or you pause it"
GOES_ON = {
    PAUSED: "`offhand resume` goes on.",
    ON_BATTERY: "It goes on by itself once it is plugged in; `offhand resume` goes on now.",
}


def on_battery() -> bool:
    """Whether the machine runs on its battery now; False where there is none, or where the system does not tell."""
    read = getattr(psutil, "sensors_battery", None)  # missing on systems that psutil cannot ask
    battery = read() if read is not None else None
    return battery is not None and battery.power_plugged is False


class Pace:
    """Asked by every background loop before a piece of work.

    Args:
        on_change: called when `why` is found to be another one; work that rests should look again.
        on_battery: whether the machine runs on battery now.
    """

    def __init__(self, on_change: Callable[[], None], on_battery: Callable[[], bool] = on_battery) -> None:
        self._on_change = on_change
        self._read_battery = on_battery
        self._paused = False
        self._spare_battery = False
        self._resumed = False  # the person wants the work done on this battery
        self._looked_at = float("-inf")
        self._said = ""
        self._busy_since = 0.0
        self._quiet_at = 0.0

    def configure(self, *, paused: bool, spare_battery: bool) -> None:
        """Apply what the person chose."""
        self._paused, self._spare_battery = paused, spare_battery
        self._resumed &= spare_battery and not paused
        self._looked_at = float("-inf")
        _ = self.why

    def resume(self) -> None:
        """The person wants the work to go on now, on battery too: until it is plugged in, or they pause it."""
        self._resumed = self._spare_battery
        self._looked_at = float("-inf")
        _ = self.why

    @property
    def note(self) -> str:
        """That work goes on where it would rest had the person not resumed it, in words, or ""."""
        rests = self.why  # looks whether it is plugged in, first
        return RESUMED if self._resumed and self._spare_battery and not rests else ""

    def person_is_there(self) -> None:
        """Somebody typed, or waits for an answer."""
        now = time.monotonic()
        if now > self._quiet_at:
            self._busy_since = now
        self._quiet_at = now + QUIET

    @property
    def why(self) -> str:
        """Why no work is done, in words, or ""."""
        if self._paused:
            said = PAUSED
        elif not self._spare_battery:
            said = ""
        elif time.monotonic() - self._looked_at < LOOK_SECONDS:
            return self._said
        else:
            self._looked_at = time.monotonic()
            on_battery = self._read_battery()
            self._resumed &= on_battery
            said = ON_BATTERY if on_battery and not self._resumed else ""
        if said != self._said:
            self._said = said
            self._on_change()
        return said

    @property
    def sentence(self) -> str:
        """The same as a sentence, with what ends it."""
        why = self.why
        return f"Reading is {why}. {GOES_ON[why]}" if why else ""

    def rest(self, *, bulk: bool = True) -> float:
        """Seconds to wait before the next piece of work, 0 to go on.

        Args:
            bulk: it is one of many. A single note that was just saved is not held up for a person who types.
        """
        if self.why:
            return LOOK_SECONDS
        now = time.monotonic()
        if not bulk or now >= self._quiet_at:
            return 0.0
        turn = (now - self._busy_since) % (HELD + LET_ON)
        return min(self._quiet_at - now, HELD - turn) if turn < HELD else 0.0
