"""The few things a person may want otherwise. Each change goes to the engine; a wrong value is answered beside it."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QSpinBox, QVBoxLayout

from core.protocol import Problem, Settings
from ui.autostart import Autostart
from ui.key_field import KeyField
from ui.preferences import Preferences
from ui.segments import Segments
from ui.theme import Theme
from ui.widgets import Page, Setting, Switch, button, hairline, label, number_field

THEMES = {"system": "System", "light": "Light", "dark": "Dark"}
SWITCHES = {
    "offline": ("Offline", "Nothing leaves this machine: no cloud model is asked and nothing is downloaded."),
    "second_opinions": (
        "Second opinions",
        "A question that an outage keeps from the cloud models is put to them when they are back.",
    ),
    "notify": (
        "Notifications",
        "The desktop tells when a new folder is read, and when a second opinion has come. It needs a tray.",
    ),
    "pause_on_battery": ("Pause on battery", "Nothing is read in the background until the machine is plugged in."),
    "ocr": ("Read scanned pages", "Words are read off pictures of pages when everything else is read."),
}
NUMBERS = {
    # name: title, words, the largest, what 0 is called, what stands behind the number
    "threads": ("Processor threads", "How many the models may use.", 1024, "all", ""),
    "idle_minutes": (
        "End when idle",
        "The engine ends when nothing has needed it for this long.",
        10_000,
        "at once",
        " min",
    ),
}
SHORTCUT = "Press the keys that open Offhand from anywhere."
VECTORS = "“embedded”, or the address of a Chroma server"


LOGIN = "Offhand waits in the tray from the moment you log in; nothing is shown until you ask."
WELCOME = "Choose folders, try the key, add a cloud model: what you saw at the first start."


class SettingsPage(Page):
    """The page.

    Signals:
        welcome_requested: the person wants to see the welcome again.
    """

    welcome_requested = Signal()

    def __init__(self, theme: Theme, preferences: Preferences, login: Autostart | None = None) -> None:
        super().__init__("Settings")
        self._login = login
        self._preferences = preferences
        self.lines: dict[str, Setting] = {}
        self.theme = Segments("Colours", THEMES)
        self.hotkey = KeyField("Key combination that opens Offhand")
        self.switches = {name: Switch("", theme) for name in SWITCHES}
        self.numbers = {name: _number(name) for name in NUMBERS}
        self.vectors = QLineEdit()
        self.vectors.setFixedWidth(260)
        self.vectors.setAccessibleName("Where the vectors are kept")
        self.login = Switch("", theme)
        self.welcome = button("Welcome…", "", self.welcome_requested.emit)
        self._build()
        self._connect()
        self.subtitle.setText("A change holds at once.")

    def _build(self) -> None:
        theme = self._line("theme", "Colours", "Light, dark, or as the system has it.", self.theme)
        hotkey = self._line("hotkey", "Shortcut", SHORTCUT, self.hotkey)
        switches = {n: self._line(n, *SWITCHES[n], self.switches[n]) for n in SWITCHES}
        numbers = {n: self._line(n, *NUMBERS[n][:2], self.numbers[n]) for n in NUMBERS}
        vectors = self._line("vectors", "Vectors", VECTORS, self.vectors)
        login = self._line("login", "Start at login", LOGIN, self.login)
        login.setVisible(self._login is not None)
        welcome = self._line("welcome", "First steps", WELCOME, self.welcome)
        for title, lines in (
            ("Looks and keys", (theme, hotkey)),
            ("Answers", (switches["offline"], switches["second_opinions"])),
            ("Reading", (switches["pause_on_battery"], switches["ocr"])),
            ("This machine", (numbers["threads"], numbers["idle_minutes"], vectors)),
            ("Coming up", (login, switches["notify"], welcome)),
        ):
            self.parts.addWidget(_group(title, *lines))
        self.parts.addStretch(1)

    def _line(self, name: str, title: str, words: str, control: object) -> Setting:
        made = self.lines[name] = Setting(title, words, control)  # type: ignore[arg-type]
        return made

    def _connect(self) -> None:
        self.theme.chosen.connect(lambda value: self._set("theme", value))
        self.hotkey.taken.connect(lambda value: self._set("hotkey", value))
        for name, switch in self.switches.items():
            switch.clicked.connect(lambda on, name=name: self._set(name, "true" if on else "false"))
        for name, field in self.numbers.items():
            field.editingFinished.connect(lambda name=name, field=field: self._set(name, str(field.value())))
        self.vectors.editingFinished.connect(lambda: self._set("vectors", self.vectors.text().strip()))
        self.login.clicked.connect(self._switch_login)
        self._preferences.changed.connect(self._show)
        if self._preferences.settings is not None:
            self._show(self._preferences.settings)

    def show_shortcut(self, words: str, *, well: bool) -> None:
        """How the registration of the global shortcut went; where it did not, that stands below as what is wrong."""
        line = self.lines["hotkey"]
        line.remark.setText(words if well else SHORTCUT)
        line.refuse("" if well else words)

    def showEvent(self, event: QShowEvent) -> None:
        """A command may have changed something since it was last in view."""
        super().showEvent(event)
        self._preferences.refresh()
        if self._login is not None:
            self.login.setChecked(self._login.on())

    def _switch_login(self, on: bool) -> None:
        assert self._login is not None
        line = self.lines["login"]
        line.refuse("")
        try:
            self._login.switch(on=on)
        except Problem as problem:
            line.refuse(str(problem))
        self.login.setChecked(self._login.on())

    def _set(self, name: str, value: str) -> None:
        settings = self._preferences.settings
        line = self.lines[name]
        line.refuse("")
        if settings is None or value == _typed(getattr(settings, name)):
            return
        told: Callable[[str], None] = (
            (lambda note: line.remark.setText(note or VECTORS)) if name == "vectors" else _nothing
        )
        self._preferences.set(name, value, lambda problem: line.refuse(str(problem)), told)

    def _show(self, settings: Settings) -> None:
        self.theme.show_value(settings.theme)
        self.hotkey.show_combination(settings.hotkey)
        for name, switch in self.switches.items():
            switch.setChecked(getattr(settings, name))
        for name, field in self.numbers.items():
            field.setValue(getattr(settings, name))
        self.vectors.setText(settings.vectors)


def _typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(name: str) -> QSpinBox:
    title, _, largest, none, unit = NUMBERS[name]
    made = number_field(title, 0, largest, 110)
    made.setSpecialValueText(none)
    made.setSuffix(unit)
    return made


def _group(title: str, *lines: Setting) -> QFrame:
    made = QFrame()
    made.setObjectName("card")
    layout = QVBoxLayout(made)
    layout.setContentsMargins(16, 12, 16, 8)
    layout.setSpacing(2)
    layout.addWidget(label(title, "heading"))
    for number, line in enumerate(lines):
        if number:
            layout.addWidget(hairline())
        layout.addWidget(line)
    return made


def _nothing(_: str) -> None:
    pass
