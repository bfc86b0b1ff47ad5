"""The calls about cloud models, one `case` each, and the route that a question takes."""

import time
from collections.abc import Callable, Iterator

from msgspec import structs

from core.errors import BadInput
from core.models import providers
from core.models.access import Access
from core.models.breaker import Breakers
from core.models.cloud import CloudModel
from core.models.keys import Keys
from core.models.model import ChatModel, Finished, Message, Sender, Token, Turn
from core.models.route import Route
from core.network import Gate
from core.privacy.outgoing import Outgoing
from core.protocol import (
    AddProvider,
    Ask,
    ConfirmProvider,
    Done,
    Event,
    ListProviders,
    OrderProviders,
    Provider,
    ProviderCall,
    ProviderInfo,
    Providers,
    RemoveProvider,
    TryProvider,
)
from core.settings import SettingsFile
from indexer.worker import Cancellation

TEST_TOKENS = 16
OCCASION = "second opinion"
TEST = [Message("user", "Answer with the one word: ready")]


class ProviderDesk:
    """Knows the providers and how each is doing.

    Args:
        settings: where the list is kept.
        keys: where their keys are.
        gate: the door to the network.
        outgoing: what clears each prompt and writes down that it left.
        on_answer: called after each whole answer of a cloud model.
    """

    def __init__(
        self,
        settings: SettingsFile,
        keys: Keys,
        gate: Gate,
        outgoing: Outgoing,
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._gate = gate
        self._outgoing = outgoing
        self._breakers = Breakers(on_answer)
        self._access = Access(keys.get, gate)

    def handle(self, call: ProviderCall, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see `core.protocol` for what each yields."""
        known = self._settings.current.providers
        match call:
            case ListProviders():
                pass
            case AddProvider(provider):
                self._keep(providers.with_added(known, providers.checked(provider)))
            case ConfirmProvider(name):
                wanted = providers.named(known, name)
                self._keep(providers.with_added(known, structs.replace(wanted, confirmed=True)))
            case RemoveProvider(name, again):
                gone = None if again else providers.named(known, name)
                self._keep([provider for provider in known if provider != gone and provider.name != name])
            case OrderProviders(names):
                self._keep(providers.ordered(known, names))
            case TryProvider(name):
                yield self._test(providers.named(known, name), cancelled)
                return
        self.look_for_keys()
        yield Providers(self.report())

    def look_for_keys(self) -> None:
        """See which providers have their key: a matter of milliseconds, or of seconds where the keyring hangs."""
        for provider in self._settings.current.providers:
            self._access.look(provider)

    def report(self) -> list[ProviderInfo]:
        """Each provider and where it stands, with its key as it was last seen."""
        return [
            self._access.told(self._breakers.of(provider).report(provider))
            if provider.confirmed
            else ProviderInfo(provider, "blocked", providers.unconfirmed(provider))
            for provider in self._settings.current.providers
        ]

    def key_changed(self, name: str) -> None:
        """What was refused for this key may be granted now."""
        self._breakers.forget(name)
        for provider in self._settings.current.providers:
            if provider.key == name:
                self._access.look(provider)

    def route(self, local: ChatModel | None, ask: Ask, *, cut: bool) -> Route:
        """The models of one question in their order, behind the door as it stands for that question.

        Args:
            local: the local model, where there is one.
            cut: for a drill: no cloud model can be reached, not even one on this machine.
        """
        settings = self._settings.current
        gate = Gate(lambda: True) if ask.offline else self._gate
        if cut:
            gate = Gate(lambda: True, reason="An outage drill is on", loopback=False)
        here = [local] if local is not None else []
        cloud = self._clouds(gate, self._outgoing.card(consent=ask.consent)) if ask.cloud else []
        if ask.bigger:
            return Route(cloud)
        cloud_first = ask.consent or settings.prefer == "cloud"
        return Route([*cloud, *here] if cloud_first else [*here, *cloud])

    def for_selection(self, local: ChatModel | None, *, consent: bool) -> Route:
        """The models for a text that the person has selected: it is as a note of the rule "ask".

        With consent that is the service which was offered, and no other.
        """
        here = [local] if local is not None else []
        if not consent:
            return Route(here)
        card = self._outgoing.card(consent=True, rules=lambda paths: dict.fromkeys(paths, "ask"))
        clouds = self._clouds(self._gate, card)
        offered = [model for model in clouds if isinstance(model, CloudModel) and model.open][:1]
        return Route([*offered, *here])

    def offered(self) -> str:
        """The service that could be asked now if the person agrees, "" for none."""
        models = self.for_selection(None, consent=True).models
        return next((model.host for model in models if isinstance(model, CloudModel) and model.open), "")

    def for_later(self) -> Route:
        """The cloud models for a question that an outage kept from them; nobody has agreed to anything."""
        return Route(self._clouds(self._gate, self._outgoing.card(occasion=OCCASION)))

    def _clouds(self, gate: Gate, sender: Sender) -> list[ChatModel]:
        known = self._settings.current.providers
        return [self._model(provider, gate, sender) for provider in known if provider.confirmed]

    def _model(self, provider: Provider, gate: Gate, sender: Sender) -> CloudModel:
        return CloudModel(
            provider,
            self._keys.get,
            gate,
            self._breakers.of(provider),
            sender,
            listed=lambda: provider in self._settings.current.providers,
        )

    def _keep(self, changed: list[Provider]) -> None:
        self._settings.replace(providers=changed)

    def _test(self, provider: Provider, cancelled: Cancellation) -> Done:
        if not provider.confirmed:
            raise BadInput(providers.unconfirmed(provider))
        self._breakers.forget_one(provider)
        started = time.perf_counter()
        first = None
        for event in self._model(provider, self._gate, self._outgoing.card(trial=True)).stream(
            Turn(lambda _: TEST, TEST_TOKENS), cancelled
        ):
            if isinstance(event, Token) and event.text.strip() and first is None:
                first = time.perf_counter() - started
            if isinstance(event, Finished):
                break
        return Done(f"{provider.model} at {provider.name} answers; its first word came after {first or 0:.1f} s.")
