"""The step with the key: it lights up once it is pressed. Where it cannot be had, the way out stands there."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from core.protocol import Settings
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
        self._registered = False
        self.lit = False
        self.lamp = QLabel()
        self.said = label("", "muted", wrap=True)
        self.field = KeyField("Key combination that opens Offhand")
        self.field.taken.connect(lambda keys: preferences.set("hotkey", keys, lambda no: self._say(str(no), "bad")))
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

    def show_shortcut(self, message: str, *, registered: bool) -> None:
        """How the registration of the key went, in a sentence."""
        self._message, self._registered = message, registered
        self._refresh()

    def light(self) -> None:
        """It was pressed."""
        self.lit = True
        self._refresh()

    def put_out(self) -> None:
        """As if it had not been pressed yet."""
        self.lit = False
        self._refresh()

    def _settings_are(self, settings: Settings) -> None:
        self.field.show_combination(settings.hotkey)
        self._refresh()

    def _refresh(self) -> None:
        self.lamp.setPixmap(self._theme.dot("good" if self.lit else "off", DOT))
        settings = self._preferences.settings
        if self.lit:
            self._say(LIT, "good")
        elif self._registered and settings is not None:
            self._say(f"Press {settings.hotkey} once, now or later.")
        else:
            self._say(self._message)

    def _say(self, words: str, role: str = "muted") -> None:
        set_role(self.said, role)
        self.said.setText(words)
        self.lamp.setAccessibleName("The key was pressed" if self.lit else "The key was not pressed yet")
