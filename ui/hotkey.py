"""The global shortcut as the app sees it: one object that registers a combination and says honestly how that went.

One small file per system stands behind it in `ui/hotkeys`. No system's keyboard is ever listened to as a whole.
"""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence

Status = Literal["ok", "taken", "unavailable", "invalid"]

WAY_OUT = "Bind the command `offhand toggle` to a key in your desktop's own settings."


MODIFIER_KEYS = {
    Qt.Key(0),
    Qt.Key.Key_unknown,
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Meta,
}


@dataclass(frozen=True)
class Result:
    """How a registration went; `message` is a sentence for the person, with the way out where there is one."""

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
        activated(int): it was pressed; the time of the press as the display system tells it, 0 where it does not.
        changed(Result): the system changed its mind about the registration.
    """

    activated = Signal(int)
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


def parse(combination: str) -> Combination | None:
    """The key and modifiers that `combination` names, or None where it names none that may be taken from everybody.

    A plain key or one with Shift alone is refused: no program could be typed in any more. A function key may stand
    alone.
    """
    sequence = QKeySequence.fromString(combination, QKeySequence.SequenceFormat.PortableText)
    if sequence.count() != 1:
        return None
    pressed = sequence[0]  # type: ignore[index]  # the stubs do not know it
    key, modifiers = pressed.key(), pressed.keyboardModifiers()
    if key in MODIFIER_KEYS:
        return None
    strong = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    if not modifiers & strong and not Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35:
        return None
    return Combination(key, modifiers)
