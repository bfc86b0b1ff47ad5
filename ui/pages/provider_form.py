"""Adding a provider, or changing one: its name, interface, address, model and key."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from core.protocol import AddProvider, Done, Event, Problem, Provider, Providers, RemoveKey, SetKey
from ui.engine_link import EngineLink
from ui.provider_presets import PRESETS, Interface, is_here
from ui.segments import Segments
from ui.widgets import button, label, row

OTHER = "other"
INTERFACES = {"openai": "OpenAI's", "anthropic": "Anthropic's"}
KEPT = "Leave this empty to keep the key that is set"
ASKED = "Goes into the system's keyring, and into no file"


class ProviderForm(QFrame):
    """The form. It stays open until the engine has taken what it holds.

    Signals:
        closed(str): it is done, with a sentence for the person, or taken back, with none.
    """

    closed = Signal(str)

    def __init__(self, link: EngineLink) -> None:
        super().__init__()
        self.setObjectName("form")
        self._link = link
        self._changing: Provider | None = None
        self.title = label("", "heading")
        self.service = QComboBox()
        self.service.setAccessibleName("Service")
        for name, preset in PRESETS.items():
            self.service.addItem(preset.title, name)
        self.service.addItem("Another service or server", OTHER)
        self.name = _field("Name", "A short word, as you like")
        self.interface = Segments("Interface", INTERFACES)
        self.url = _field("Address", "https://host/v1")
        self.model = _field("Model", "The model's name at the service")
        self.key = _field("API key", ASKED)
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.trouble = label("", "bad", wrap=True)
        self.save = button("Add", "primary", self._save)
        self.cancel = button("Cancel", "quiet", lambda: self.closed.emit(""))
        self.forget_key = button("Remove the key", "quiet", self._forget_key)
        self._build()
        self.service.currentIndexChanged.connect(lambda _: self._preset())
        for field in (self.name, self.url, self.model, self.key):
            field.returnPressed.connect(self._save)
        QShortcut(
            QKeySequence("Esc"), self, lambda: self.closed.emit(""),
            context=Qt.ShortcutContext.WidgetWithChildrenShortcut,
        )  # fmt: skip
        self.setVisible(False)

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        self._service_words = label("Service", "muted")
        fields: tuple[tuple[QWidget, QWidget], ...] = (
            (self._service_words, self.service),
            (label("Name", "muted"), self.name),
            (label("Interface", "muted"), self.interface),
            (label("Address", "muted"), self.url),
            (label("Model", "muted"), self.model),
            (label("API key", "muted"), self.key),
        )
        for number, (words, control) in enumerate(fields):
            grid.addWidget(words, number, 0)
            grid.addWidget(control, number, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(self.title)
        layout.addLayout(grid)
        layout.addWidget(self.trouble)
        layout.addWidget(row(self.forget_key, None, self.cancel, self.save))

    def add(self) -> None:
        """Begin with the first known service."""
        self._begin(None)
        self.service.setCurrentIndex(0)
        self._preset()
        self.service.setFocus()

    def change(self, provider: Provider) -> None:
        """Begin with what a provider is now."""
        self._begin(provider)
        self.name.setText(provider.name)
        self.interface.show_value(provider.kind)
        self.url.setText(provider.url)
        self.model.setText(provider.model)
        self.model.setFocus()

    def _begin(self, provider: Provider | None) -> None:
        self._changing = provider
        self.title.setText(f"Change {provider.name}" if provider is not None else "Add a cloud model or a model server")
        self.save.setText("Save" if provider is not None else "Add")
        self.save.setAccessibleName(self.save.text())
        self.save.setEnabled(True)
        for part in (self._service_words, self.service):
            part.setVisible(provider is None)
        self.name.setReadOnly(provider is not None)
        self.forget_key.setVisible(provider is not None and bool(provider.key))
        self.key.setPlaceholderText(KEPT if provider is not None and provider.key else ASKED)
        for field in (self.name, self.url, self.model, self.key):
            field.clear()
        self._refuse("")
        self.setVisible(True)

    def _preset(self) -> None:
        preset = PRESETS.get(self.service.currentData())
        if preset is None:
            self.name.clear()
            self.url.clear()
            return
        self.name.setText(self.service.currentData())
        self.interface.show_value(preset.kind)
        self.url.setText(preset.url)
        self.key.setPlaceholderText(ASKED if preset.wants_key else "It wants none, as a rule")

    def _save(self) -> None:
        empty = next((field for field in (self.name, self.url, self.model) if not field.text().strip()), None)
        if empty is not None:
            self._refuse(f"{empty.accessibleName()} is still empty.")
            empty.setFocus()
            return
        self._refuse("")
        self.save.setEnabled(False)
        self._link.call(AddProvider(self._provider()), self._added, self._failed)

    def _provider(self) -> Provider:
        name, url = self.name.text().strip().lower(), self.url.text().strip()
        known = self._changing.key if self._changing is not None else ""
        wants = bool(self.key.text().strip()) or not is_here(url)
        kind: Interface = "anthropic" if self.interface.value == "anthropic" else "openai"
        return Provider(name, kind, url, self.model.text().strip(), known or (name if wants else ""))

    def _added(self, event: Event) -> None:
        if not isinstance(event, Providers):
            return
        provider, key = self._provider(), self.key.text().strip()
        if key:
            self._link.call(SetKey(provider.key, key), self._key_set, self._failed)
        else:
            self.closed.emit("")

    def _key_set(self, event: Event) -> None:
        if isinstance(event, Done):
            self.key.clear()
            self.closed.emit(event.message)

    def _forget_key(self) -> None:
        if self._changing is not None:
            self._link.call(RemoveKey(self._changing.key), self._key_set, self._failed)

    def _failed(self, problem: Problem) -> None:
        self.save.setEnabled(True)
        self._refuse(str(problem))

    def _refuse(self, words: str) -> None:
        self.trouble.setText(words)
        self.trouble.setVisible(bool(words))


def _field(name: str, hint: str) -> QLineEdit:
    made = QLineEdit()
    made.setAccessibleName(name)
    made.setPlaceholderText(hint)
    made.setMaxLength(2000)
    return made
