"""The local models on the page: those that are here, being fetched or to be had, and one's own by file or address."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QLineEdit, QVBoxLayout

from core.protocol import (
    Event,
    GetModel,
    ListModels,
    ModelCall,
    ModelInfo,
    Models,
    PauseModel,
    Problem,
    RemoveModel,
    UseModel,
)
from ui.confirmation import confirmed
from ui.engine_link import EngineLink, Ticket
from ui.pages.model_row import ModelRow
from ui.state_words import large_size
from ui.theme import Theme
from ui.widgets import Note, button, clear, hairline, label, row

LOOK_MS = 500  # while one is being fetched


class ModelsCard(QFrame):
    """The card. It looks again twice a second while a download is under way and it is in view.

    Signals:
        changed(Models): what the engine said last.
        used: another model writes from now on.
    """

    changed = Signal(object)
    used = Signal()

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._link = link
        self._theme = theme
        self._ticket: Ticket | None = None
        self._names: list[str] = []
        self.told: Models | None = None
        self.rows: dict[str, ModelRow] = {}
        self.memory = label("", "muted", wrap=True)
        self.said = Note()
        self.trouble = Note("trouble")
        self.address = QLineEdit()
        self.address.setPlaceholderText("https://…/model.gguf")
        self.address.setAccessibleName("Address of a GGUF file")
        self.address.returnPressed.connect(self._get_address)
        self.fetch = button("Download", "", self._get_address, "Download the model at this address")
        self.file = button("Add a file…", "", self.choose, "Use a model file (GGUF) that is on this machine")
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._soon = QTimer(self, singleShot=True, interval=LOOK_MS)
        self._soon.timeout.connect(self.refresh)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 14)
        layout.setSpacing(8)
        layout.addWidget(label("Models for this machine", "section"))
        for part in (self.memory, self.trouble, self.said):
            layout.addWidget(part)
        layout.addLayout(self._list)
        layout.addWidget(hairline())
        layout.addWidget(label("Any other GGUF model, by its address or from this machine:", "muted"))
        line = row(self.address, self.fetch, self.file)
        line.layout().setStretch(0, 1)  # type: ignore[union-attr]
        layout.addWidget(line)
        link.state_changed.connect(lambda: self.refresh() if self.isVisible() else None)

    def showEvent(self, event: QShowEvent) -> None:
        """A command may have changed something since it was last in view."""
        super().showEvent(event)
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        super().hideEvent(event)
        self._soon.stop()

    def refresh(self) -> None:
        """Ask how they stand."""
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket = self._link.call(ListModels(), self._heard, lambda _: self._look_again())

    def use(self, name: str) -> None:
        """Let a model write from now on: a name, a file's absolute path, or "" for the one that came with Offhand."""
        self._say("Loading it…")
        self._do(UseModel(name))

    def choose(self) -> None:
        """Let the person choose a file, and use it."""
        kinds = "GGUF models (*.gguf);;All files (*)"
        chosen, _ = QFileDialog.getOpenFileName(self, "Choose a model file", str(Path.home()), kinds)
        if chosen:
            self.use(chosen)

    def _get_address(self) -> None:
        address = self.address.text().strip()
        if not address:
            self.address.setFocus()
            return
        self._do(GetModel(address), partial(self._address_taken, address))

    def _address_taken(self, address: str, told: Models) -> None:
        """Clear the line, unless something else was typed in the meantime."""
        if self.address.text().strip() == address and not told.note:
            self.address.clear()

    def _asked(self, deed: str, name: str) -> None:
        match deed:
            case "get":
                self._do(GetModel(name))
            case "pause":
                self._do(PauseModel(name))
            case "use":
                self.use(name)
            case "remove" if self._may_remove(name):
                self._do(RemoveModel(name))

    def _may_remove(self, name: str) -> bool:
        info = self._of(name)
        if info is not None and info.own:
            consequence = "Offhand forgets it; the file stays where it is."
        else:
            consequence = "Its file is deleted. It can be downloaded again."
        return confirmed(self, "Remove it?", f"Remove {name}?", consequence, "Remove")

    def _do(self, call: ModelCall, then: Callable[[Models], None] = lambda _: None) -> None:
        self.trouble.say("")
        self._link.call(call, partial(self._done, then), self._failed)

    def _done(self, then: Callable[[Models], None], event: Event) -> None:
        if not isinstance(event, Models):
            return
        self._heard(event)
        self._say(event.note)
        if any(info.path for info in event.models if info.state == "in use"):
            self.used.emit()
        then(event)

    def _failed(self, problem: Problem) -> None:
        self._say("")
        self.trouble.say(str(problem))
        self.used.emit()
        self.refresh()

    def _say(self, words: str) -> None:
        self.said.say(words)

    def _heard(self, event: Event) -> None:
        if not isinstance(event, Models):
            return
        self.told = event
        free = large_size(event.free)
        self.memory.setText(f"This machine has {large_size(event.memory)} of memory, and {free} free on its disk.")
        names = [info.name for info in event.models]
        if names != self._names:
            self._make_rows(event.models)
        for info in event.models:
            self.rows[info.name].show_info(info)
        self.changed.emit(event)
        self._look_again()

    def _look_again(self) -> None:
        """Before long, while something is fetched as far as is known: a look that failed says nothing of that."""
        models = self.told.models if self.told is not None else []
        if self.isVisible() and any(info.state in ("running", "checking") for info in models):
            self._soon.start()

    def _make_rows(self, models: list[ModelInfo]) -> None:
        self._names = [info.name for info in models]
        clear(self._list)
        self.rows = {info.name: ModelRow(info, self._theme, self._asked) for info in models}
        for number, made in enumerate(self.rows.values()):
            if number:
                self._list.addWidget(hairline())
            self._list.addWidget(made)

    def _of(self, name: str) -> ModelInfo | None:
        return next((info for info in self.told.models if info.name == name), None) if self.told is not None else None
