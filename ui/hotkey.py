"""The global shortcut as the app sees it: one object that registers a combination and says honestly how that went.

One small file per system stands behind it in `ui/hotkeys`. No system's keyboard is ever listened to as a whole.
"""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence

from core.protocol import combination

Status = Literal["ok", "asked", "taken", "unavailable", "invalid"]

WAY_OUT = "Bind the command `offhand toggle` to a key in your desktop's own settings."


@dataclass(frozen=True)
class Result:
    """How a registration went; `message` is a sentence for the person, with the way out where there is one.

    status: "asked" where the desktop has yet to answer; `changed` tells how it did.
    """

    status: Status
    message: str


@dataclass(frozen=True)
class Combination:
    """A key with its modifiers, in Qt's words."""

    key: Qt.Key
    modifiers: Qt.KeyboardModifier


class Hotkey(QObject):
    """A shortcut that works in every program.

    Signals:
        activated(int, str): it was pressed; the time of the press as the display system tells it, 0 where it does not,
            and the token with which the desktop lets a window have the focus for it, "" where there is none.
        changed(Result): the system changed its mind about the registration.
    """

    activated = Signal(object, str)  # object: X11 times have 32 bits without a sign, and a C int has not
    changed = Signal(object)

    def register(self, combination: str) -> Result:
        """Ask for `combination` ("Ctrl+Alt+Space") in place of the one registered so far."""
        raise NotImplementedError

    def focus(self, window: int, time: int) -> None:
        """Tell the window manager that `window` answers the key pressed at `time`."""

    def close(self) -> None:
        """Give the shortcut back."""


class NoHotkey(Hotkey):
    """For systems on which no global shortcut can be had, or not yet."""

    def __init__(self, why: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._why = why

    def register(self, _combination: str) -> Result:
        """Say why not."""
        return Result("unavailable", f"{self._why} {WAY_OUT}")


def parse(typed: str) -> Combination | None:
    """The key and modifiers that `typed` names, or None where it names none that may be taken from everybody."""
    named = combination(typed)
    if not named:
        return None
    pressed = QKeySequence.fromString(named, QKeySequence.SequenceFormat.PortableText)[0]  # type: ignore[index]  # the stubs do not know it
    return Combination(pressed.key(), pressed.keyboardModifiers())


def works(combination: str) -> Result:
    """It is ours."""
    return Result("ok", f"{combination} opens Offhand from anywhere.")


def unusable(typed: str) -> Result:
    """It is none that may be taken from everybody."""
    return Result("invalid", f"“{typed}” is not a usable shortcut: it needs Ctrl, Alt or Meta and a key.")


def not_on_keyboard(combination: str) -> Result:
    """There is no such key."""
    return Result("invalid", f"This keyboard has no key for “{combination}”.")


def taken(combination: str) -> Result:
    """Another program has it."""
    return Result("taken", f"{combination} belongs to another program. Choose another one, or: {WAY_OUT}")


def refused(combination: str) -> Result:
    """The system does not give it away, and does not say why."""
    return Result("unavailable", f"The system does not give {combination} away. Choose another one, or: {WAY_OUT}")
