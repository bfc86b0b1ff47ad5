"""`offhand providers`, over the real wire to an engine that keeps the list in memory."""

from collections.abc import Iterator

import pytest
from scripted import CommandLine

from core.protocol import (
    AddProvider,
    ConfirmProvider,
    Done,
    Event,
    ListProviders,
    OrderProviders,
    Problem,
    Provider,
    ProviderInfo,
    Providers,
    RemoveProvider,
    TryProvider,
)
from indexer.worker import Cancellation
from ui.provider_presets import PRESETS

GROQ = Provider("groq", "openai", "https://api.groq.com/openai/v1", "big", "groq")


@pytest.fixture
def listed(offhand: CommandLine) -> CommandLine:
    def answer(_call: object, _cancelled: Cancellation) -> Iterator[Event]:
        yield Providers([ProviderInfo(GROQ, "resting", "api.groq.com is too busy. It is left alone for another 9 s.")])

    for call in (ListProviders, AddProvider, ConfirmProvider, OrderProviders, RemoveProvider):
        offhand.engine.answers[call] = answer
    return offhand


def test_the_list_says_where_each_stands(listed: CommandLine) -> None:
    assert listed("providers").out == (
        "1. groq: big at https://api.groq.com/openai/v1 (resting). "
        "api.groq.com is too busy. It is left alone for another 9 s.\n"
    )
    (info,) = listed("providers", "--json").object["providers"]
    assert info["provider"] == {
        "name": "groq", "kind": "openai", "url": GROQ.url, "model": "big", "key": "groq", "confirmed": True
    }  # fmt: skip
    assert info["state"] == "resting"


@pytest.mark.parametrize("name", PRESETS)
def test_a_known_name_needs_a_model_only(listed: CommandLine, name: str) -> None:
    assert listed("providers", "add", name, "--model", "m").status == 0
    (call,) = listed.engine.calls
    kind, url, wants_key, _ = PRESETS[name]
    assert call == AddProvider(Provider(name, kind, url, "m", name if wants_key else ""))


def test_any_other_needs_an_address(listed: CommandLine) -> None:
    ran = listed("providers", "add", "mine", "--model", "m")
    assert ran.status == 3
    assert "--url" in ran.err
    ran = listed("providers", "add", "mine", "--model", "m", "--url", "http://10.0.0.2/v1", "--key", "")
    assert ran.status == 0
    assert listed.engine.calls == [AddProvider(Provider("mine", "openai", "http://10.0.0.2/v1", "m", ""))]


def test_a_server_on_this_machine_is_not_given_the_name_of_a_key(listed: CommandLine) -> None:
    listed("providers", "add", "mine", "--model", "m", "--url", "http://127.0.0.1:9000/v1")
    listed("providers", "add", "far", "--model", "m", "--url", "https://api.host/v1")
    assert [call.provider.key for call in listed.engine.calls if isinstance(call, AddProvider)] == ["", "far"]


def test_an_interface_nobody_speaks_is_refused(listed: CommandLine) -> None:
    ran = listed("providers", "add", "mine", "--model", "m", "--url", "https://x/v1", "--kind", "soap")
    assert (ran.status, listed.engine.calls) == (3, [])


def test_order_confirm_and_remove_reach_the_engine(listed: CommandLine) -> None:
    listed("providers", "order", "groq", "mine")
    listed("providers", "confirm", "groq")
    listed("providers", "remove", "groq")
    assert listed.engine.calls == [OrderProviders(["groq", "mine"]), ConfirmProvider("groq"), RemoveProvider("groq")]


def test_a_test_says_what_came_of_it(offhand: CommandLine) -> None:
    def answers(_call: TryProvider, _cancelled: Cancellation) -> Iterator[Event]:
        yield Done("big at groq answers; its first word came after 0.4 s.")

    def refuses(_call: TryProvider, _cancelled: Cancellation) -> Iterator[Event]:
        raise Problem("api.groq.com refused the API key.", "Set a valid key with `offhand keys set`.", kind="cloud")
        yield

    offhand.engine.answers[TryProvider] = answers
    assert offhand("providers", "test", "groq").out == "big at groq answers; its first word came after 0.4 s.\n"
    offhand.engine.answers[TryProvider] = refuses
    ran = offhand("providers", "test", "groq")
    assert ran.status == 4
    assert ran.err == "offhand: api.groq.com refused the API key. Set a valid key with `offhand keys set`.\n"
