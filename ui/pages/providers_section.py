"""Which models may write, in which order they are asked, and what they may cost."""

from functools import partial

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from core.protocol import (
    Call,
    ConfirmProvider,
    Done,
    Event,
    OrderProviders,
    Problem,
    ProviderInfo,
    Providers,
    RemoveProvider,
    Settings,
    StatusReport,
    TryProvider,
)
from ui.confirmation import confirmed
from ui.engine_link import EngineLink
from ui.pages.budget_card import BudgetCard
from ui.pages.provider_form import ProviderForm
from ui.pages.provider_row import ProviderRow
from ui.preferences import Preferences
from ui.segments import Segments
from ui.theme import Theme
from ui.widgets import Note, Setting, button, card, clear, hairline, label, row

NONE = "No cloud model is set up. Answers come from this machine alone, and nothing leaves it."
ORDER = "The others follow when the first has no answer."


class ProvidersSection(QWidget):
    """The section."""

    def __init__(self, link: EngineLink, theme: Theme, preferences: Preferences) -> None:
        super().__init__()
        self._link = link
        self._theme = theme
        self._preferences = preferences
        self._infos: list[ProviderInfo] = []
        self._rows: dict[str, ProviderRow] = {}
        self.note = Note()
        self.trouble = Note("trouble")
        self.prefer = Segments("Asked first", {"local": "This machine first", "cloud": "Cloud first"})
        self.first = Setting("Who is asked first", ORDER, self.prefer)
        self.add = button("Add…", "", self._add, "Add a cloud model or a model server")
        self.form = ProviderForm(link)
        self.none = label(NONE, "muted", wrap=True)
        self._list = QVBoxLayout()
        self._list.setSpacing(6)
        self.budget = BudgetCard(link, preferences)
        self._build()
        self.prefer.chosen.connect(lambda value: preferences.set("prefer", value, self._refused))
        self.form.closed.connect(self._form_closed)
        preferences.changed.connect(self._set_up)

    def _build(self) -> None:
        providers = QFrame()
        providers.setObjectName("card")
        inner = QVBoxLayout(providers)
        inner.setContentsMargins(16, 12, 10, 12)
        inner.setSpacing(8)
        inner.addWidget(row(label("Cloud models and model servers", "heading"), None, self.add))
        inner.addWidget(self.none)
        inner.addLayout(self._list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        for part in (self.note, self.trouble, card(self.first), self.form, providers, self.budget):
            layout.addWidget(part)
        layout.addStretch(1)

    def refresh(self, report: StatusReport) -> None:
        """Where the providers stand now."""
        self._show(report.providers)
        self.budget.refresh(report)

    def _show(self, infos: list[ProviderInfo]) -> None:
        names = [info.provider.name for info in infos]
        if names != [info.provider.name for info in self._infos]:
            clear(self._list)
            self._rows = {}
            for info in infos:
                if self._list.count():
                    self._list.addWidget(hairline())
                made = self._rows[info.provider.name] = ProviderRow(info, self._theme, self._do)
                self._list.addWidget(made)
        self._infos = list(infos)
        for number, info in enumerate(infos):
            self._rows[info.provider.name].show_info(info, first=number == 0, last=number == len(infos) - 1)
        self.none.setVisible(not infos)

    def _set_up(self, settings: Settings) -> None:
        self.prefer.show_value(settings.prefer)

    def _add(self) -> None:
        self.note.say("")
        self.form.add()

    def _form_closed(self, words: str) -> None:
        self.add.setFocus()
        self.form.setVisible(False)
        self.note.say(words)
        self._preferences.refresh()

    def _do(self, what: str, name: str) -> None:
        provider = next(info.provider for info in self._infos if info.provider.name == name)
        self.note.say("")
        self.trouble.say("")
        match what:
            case "up" | "down":
                self._move(name, -1 if what == "up" else 1)
            case "test":
                self._rows[name].show_testing()
                self._link.call(TryProvider(name), partial(self._tested, name), partial(self._test_failed, name))
            case "change":
                self.form.change(provider)
            case "confirm":
                question = f"Let {name} be asked?"
                says = f"It came with an import. It gets questions at {provider.url}, and the key kept as its own."
                if confirmed(self, question, question, says, "Let it be asked"):
                    self._call(ConfirmProvider(name))
            case "remove":
                question = f"Remove {name}?"
                if confirmed(
                    self, question, question, "It is asked nothing more. Its key stays in the keyring.", "Remove"
                ):
                    self._call(RemoveProvider(name))

    def _move(self, name: str, by: int) -> None:
        names = [info.provider.name for info in self._infos]
        place = names.index(name)
        names[place], names[place + by] = names[place + by], names[place]
        self._call(OrderProviders(names))

    def _call(self, call: Call) -> None:
        self._link.call(call, self._heard, self._failed)

    def _heard(self, event: Event) -> None:
        if isinstance(event, Providers):
            self._show(event.providers)

    def _tested(self, name: str, event: Event) -> None:
        if isinstance(event, Done) and name in self._rows:
            self._rows[name].show_result(event.message, well=True)

    def _test_failed(self, name: str, problem: Problem) -> None:
        if name in self._rows:
            self._rows[name].show_result(str(problem), well=False)

    def _failed(self, problem: Problem) -> None:
        self.trouble.say(str(problem))

    def _refused(self, problem: Problem) -> None:
        self.first.refuse(str(problem))
