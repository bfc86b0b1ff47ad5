"""From the command line to the window, without typer and without Qt until it is certain that Qt is needed."""

import os
import sys

from core.paths import Profile
from core.protocol import Problem
from ui import instance


def open_window(profile: Profile, *, palette: bool = False, hidden: bool = False) -> int:
    """Open the window, with `palette` the palette, with `hidden` nothing yet, and stay until the app is quit; returns
    the exit status.

    Raises:
        Problem: there is no display.
    """
    _need_display()
    from ui import app

    return app.run(profile, palette=palette, hidden=hidden)


def toggle(profile: Profile, answer: instance.Answer | None = None) -> int:
    """Show or hide the palette of the running app, starting that where none runs; returns the exit status.

    Args:
        answer: what became of a knock at the running app just now, where there was one.

    Raises:
        Problem: there is no display, or the app does not answer.
    """
    _need_display()
    return instance.toggle(profile, answer)


def has_display() -> bool:
    """Whether there is a screen to draw on (only X11 and Wayland can be without one)."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in names)


def _need_display() -> None:
    if not has_display():
        raise Problem(
            "There is no display to open a window on.", 'In a terminal, `offhand ask "..."` answers.', kind="display"
        )
