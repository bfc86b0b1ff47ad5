"""An X screen with a window manager for the benchmarks, and a quick look at it from outside: Xlib through ctypes."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p
from pathlib import Path

WINDOW_MANAGERS = {
    "openbox": ["openbox", "--sm-disable"],
    "metacity": ["metacity", "--sm-disable", "--no-composite"],
    "xfwm4": ["xfwm4", "--compositor=off"],
}
PATIENCE = 30.0  # seconds until something counts as never coming
VIEWABLE = 2  # X.h, IsViewable
GLANCE, LOOK = 0.0005, 0.005  # seconds between two looks at the focus, and at all windows, which takes longer
SPACE, ESCAPE, RETURN, CONTROL, ALT = 0x20, 0xFF1B, 0xFF0D, 0xFFE3, 0xFFE9  # keysymdef.h


class _Attributes(Structure):  # Xlib.h, XWindowAttributes
    _fields_ = (
        *((name, c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        ("visual", c_void_p),
        ("root", c_ulong),
        *((name, c_int) for name in ("kind", "bit_gravity", "win_gravity", "backing_store")),
        ("backing_planes", c_ulong),
        ("backing_pixel", c_ulong),
        ("save_under", c_int),
        ("colormap", c_ulong),
        ("map_installed", c_int),
        ("map_state", c_int),
        *((name, c_long) for name in ("all_masks", "your_mask", "do_not_propagate")),
        ("override_redirect", c_int),
        ("screen", c_void_p),
    )


_HANDLER = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
_calm = _HANDLER(lambda _display, _error: 0)  # a window that is gone by now is no reason to end


class Screen:
    """The display `name`, seen from outside any program."""

    def __init__(self, name: str) -> None:
        self.environment = {k: v for k, v in os.environ.items() if k != "WAYLAND_DISPLAY"}
        self.environment |= {"DISPLAY": name, "QT_QPA_PLATFORM": "xcb", "XDG_SESSION_TYPE": "x11"}
        self._x, self._test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x.XOpenDisplay.restype = c_void_p
        self._x.XDefaultRootWindow.restype = c_ulong
        self._x.XSetErrorHandler(_calm)
        self._display = c_void_p(self._x.XOpenDisplay(name.encode()))
        self._root = c_ulong(self._x.XDefaultRootWindow(self._display))

    def press(self, *keysyms: int) -> None:
        """Press keys, one after the other, and hold them."""
        self._keys(keysyms, 1)

    def release(self, *keysyms: int) -> None:
        """Let go of keys."""
        self._keys(keysyms, 0)

    def focused(self) -> str:
        """The title of the window that gets what is typed."""
        window, revert = c_ulong(), c_int()
        self._x.XGetInputFocus(self._display, byref(window), byref(revert))
        return self._title(window) if window.value > 1 else ""

    def shown(self, title: str) -> bool:
        """Whether a window of this title is to be seen."""
        return any(self._title(one) == title and self._viewable(one) for one in self._windows())

    def until(self, condition: Callable[[], bool], pause: float = LOOK) -> float:
        """Wait until it holds, with pauses of so many seconds; the milliseconds that took.

        Raises:
            TimeoutError: it never did.
        """
        started = time.perf_counter()
        while not condition():
            if time.perf_counter() - started > PATIENCE:
                raise TimeoutError("what was waited for on the screen did not come about")
            time.sleep(pause)
        return (time.perf_counter() - started) * 1000

    def _keys(self, keysyms: tuple[int, ...], down: int) -> None:
        for keysym in keysyms:
            code = self._x.XKeysymToKeycode(self._display, c_ulong(keysym)) & 0xFF
            self._test.XTestFakeKeyEvent(self._display, code, down, c_ulong(0))
        self._x.XFlush(self._display)

    def _title(self, window: c_ulong) -> str:
        found = c_char_p()
        if not self._x.XFetchName(self._display, window, byref(found)) or not found.value:
            return ""
        title = found.value.decode(errors="replace")
        self._x.XFree(found)
        return title

    def _viewable(self, window: c_ulong) -> bool:
        told = _Attributes()
        return bool(self._x.XGetWindowAttributes(self._display, window, byref(told))) and told.map_state == VIEWABLE

    def _windows(self) -> list[c_ulong]:
        """The top windows and what stands in them: programs' windows lie in frames of the window manager."""
        frames = self._inside(self._root)
        return [*frames, *(window for frame in frames for window in self._inside(frame))]

    def _inside(self, window: c_ulong) -> list[c_ulong]:
        root, parent, children, count = c_ulong(), c_ulong(), POINTER(c_ulong)(), c_uint()
        if not self._x.XQueryTree(self._display, window, byref(root), byref(parent), byref(children), byref(count)):
            return []
        found = [c_ulong(children[number]) for number in range(count.value)]
        if count.value:
            self._x.XFree(children)
        return found


@contextmanager
def screen(window_manager: str, folder: Path) -> Iterator[Screen]:
    """A screen of 1280 by 900 with this window manager, whose settings are kept in `folder`; gone afterwards."""
    read, write = os.pipe()
    options = ["-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"]
    with _running(["Xvfb", *options], pass_fds=(write,)):
        os.close(write)
        with os.fdopen(read) as said:
            made = Screen(f":{said.readline().strip()}")
        own = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"), str(folder))
        environment = {**made.environment, **own, "GSETTINGS_BACKEND": "memory"}
        # A bus of its own: some ask one for their settings, and what it starts ends with its process group.
        command = ["dbus-run-session", "--", *WINDOW_MANAGERS[window_manager]]
        with _running(command, environment):
            made.until(lambda: bool(made._windows()))
            time.sleep(1.0)  # it looks around
            yield made


@contextmanager
def _running(
    command: list[str], environment: dict[str, str] | None = None, pass_fds: tuple[int, ...] = ()
) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, env=environment, pass_fds=pass_fds, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
