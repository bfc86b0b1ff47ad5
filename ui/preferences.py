"""The person's settings as the window last heard them, for every page that shows or changes some of them."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from core.protocol import Configure, CurrentSettings, Event, GetSettings, Problem, Settings
from ui.engine_link import EngineLink

Refused = Callable[[Problem], None]


class Preferences(QObject):
    """Asks the engine for the settings and has it change them; what it holds is always what the engine said last.

    Signals:
        changed(Settings): they were heard of, or are others now.
    """

    changed = Signal(object)

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.settings: Settings | None = None
        link.state_changed.connect(self._engine_changed)
        self._engine_changed()

    def refresh(self) -> None:
        """Hear them again: a command may have changed them."""
        self._link.call(GetSettings(), self._heard, lambda _: None)

    def set(self, name: str, value: str, refused: Refused, told: Callable[[str], None] = lambda _: None) -> None:
        """Change one.

        Args:
            name, value: as in `Configure`.
            refused: told why it stays as it was; `changed` comes then too, so that a control shows what is.
            told: what the engine remarks about the new value, "" for nothing.
        """

        def heard(event: Event) -> None:
            self._heard(event)
            if isinstance(event, CurrentSettings):
                told(event.note)

        def no(problem: Problem) -> None:
            refused(problem)
            if self.settings is not None:
                self.changed.emit(self.settings)

        self._link.call(Configure(name, value), heard, no)

    def _heard(self, event: Event) -> None:
        if isinstance(event, CurrentSettings):
            self.settings = event.settings
            self.changed.emit(event.settings)

    def _engine_changed(self) -> None:
        if self._link.state == "ready":
            self.refresh()
