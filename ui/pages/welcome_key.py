"""The step with the key: it lights up once it is pressed. Where it cannot be had, the way out stands there."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from core.protocol import Problem, Settings
from ui.hotkey import works
from ui.key_field import KeyField
from ui.preferences import Preferences
from ui.theme import Theme
from ui.widgets import label, set_role

DOT = 12  # px
LIT = "That is it: this key brings Offhand up over any program, and Esc sends it away."


class WelcomeKey(QFrame):
    """The card."""

    def __init__(self, theme: Theme, preferences: Preferences) -> None:
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self._preferences = preferences
        self._message = "One moment…"
        self._trouble = ""  # why the combination that was pressed is not taken
        self.lit = False
        self.lamp = QLabel()
        self.said = label("", "muted", wrap=True)
        self.field = KeyField("Key combination that opens Offhand")
        self.field.taken.connect(self._taken)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label("The key from anywhere", "heading"))
        words.addWidget(self.said)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(14)
        layout.addWidget(self.lamp)
        layout.addLayout(words, 1)
        layout.addWidget(self.field)
        preferences.changed.connect(self._settings_are)
        theme.changed.connect(self._refresh)
        if preferences.settings is not None:
            self._settings_are(preferences.settings)
        self._refresh()

    def show_shortcut(self, message: str) -> None:
        """How the registration of the key went, in a sentence; another one is a key that was not pressed yet."""
        if message != self._message:
            self.lit = False
        self._message, self._trouble = message, ""
        self._refresh()

    def light(self) -> None:
        """It was pressed."""
        self.lit, self._trouble = True, ""
        self._refresh()

    def put_out(self) -> None:
        """As if it had not been pressed yet."""
        self.lit, self._trouble = False, ""
        self._refresh()

    def _taken(self, keys: str) -> None:
        self._trouble = ""
        self._preferences.set("hotkey", keys, self._refused)

    def _refused(self, problem: Problem) -> None:
        self._trouble = str(problem)
        self._refresh()

    def _settings_are(self, settings: Settings) -> None:
        self.field.show_combination(settings.hotkey)
        self._refresh()

    def _refresh(self) -> None:
        self.lamp.setPixmap(self._theme.dot("good" if self.lit else "off", DOT))
        settings = self._preferences.settings
        if self._trouble:
            self._say(self._trouble, "bad")
        elif self.lit:
            self._say(LIT, "good")
        elif settings is not None and self._message == works(settings.hotkey).message:
            self._say(f"Press {settings.hotkey} once, now or later.")
        else:  # it cannot be had, or is only asked for, or the desktop has given another one
            self._say(self._message)

    def _say(self, words: str, role: str = "muted") -> None:
        set_role(self.said, role)
        self.said.setText(words)
        self.lamp.setAccessibleName("The key was pressed" if self.lit else "The key was not pressed yet")
