"""From the command line to the window, without typer and without Qt until it is certain that Qt is needed."""

import os
import sys

from core.paths import Profile
from core.protocol import Problem


def open_window(profile: Profile) -> int:
    """Open the window and stay until it is closed; returns the exit status.

    Raises:
        Problem: there is no display.
    """
    if not has_display():
        raise Problem(
            "There is no display to open a window on.", 'In a terminal, `offhand ask "..."` answers.', kind="display"
        )
    from ui import app

    return app.run(profile)


def toggle(profile: Profile) -> int:
    """Show or hide the palette of the running window, starting one where none runs."""
    from ui import instance

    return instance.toggle(profile)


def has_display() -> bool:
    """Whether there is a screen to draw on (only X11 and Wayland can be without one)."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in names)
