"""The cloud model against a real model server, and against a real server that misbehaves in every way we know."""

import logging
import socket
from collections.abc import Callable, Iterator

import openai  # noqa: F401  # here, so that no short deadline below pays for the import
import pytest
from fault_server import FaultServer

from core.errors import BadInput, CloudFailed, KeyringUnusable, Offline
from core.models import cloud as cloud_module
from core.models.cloud import CloudModel
from core.models.model import Cleared, Finished, Message, Token, Uncleared
from core.network import Gate
from indexer.records import Problem
from indexer.worker import Cancellation

KEY = "sk-secret-0123456789"
OPEN = Gate(lambda: False)
RAW = ("Traceback", "Error(", "Exception", "httpx", "openai", "errno", "{", "<html", "fault ", KEY)

REFUSALS = {
    "400": "127.0.0.1 refused the request.",
    "401": "127.0.0.1 refused the API key.",
    "402": "127.0.0.1 says that the account has no credit left.",
    "403": "127.0.0.1 does not allow this key to use starter.",
    "404": "127.0.0.1 does not know starter.",
    "408": "127.0.0.1 took too long.",
    "413": "127.0.0.1 found the request too large.",
    "418": "127.0.0.1 refused the request (418).",
    "429": "127.0.0.1 is too busy, or your limit there is reached.",
    "500": "127.0.0.1 has a problem of its own (500).",
    "503": "127.0.0.1 has a problem of its own (503).",
    "302": "127.0.0.1 sent the request elsewhere.",
    "307": "127.0.0.1 sent the request elsewhere.",
    "web page": "127.0.0.1 answered with a web page instead of a model's words.",
    "no stream": "127.0.0.1 did not answer with a stream.",
    "empty": "127.0.0.1 sent no answer.",
    "rubbish": "127.0.0.1 answered with something unreadable.",
    "not text": "127.0.0.1 answered with something unreadable.",
    "another shape": "127.0.0.1 answered with something unreadable.",
    "error inside": "127.0.0.1 reported an error instead of an answer.",
}
BREAKS = {
    "cut": "127.0.0.1 broke off in the middle.",
    "cut chunk": "The connection to 127.0.0.1 broke.",
    "reset": "The connection to 127.0.0.1 broke.",
    "filtered": "127.0.0.1 withheld the answer (its content filter).",
}


PROMPT = [Message("user", "What colour is the boat? The boat is blue.")]


class Through:
    """Lets every prompt leave as it is; what may leave is tested with `core.privacy`."""

    def send(
        self, request: Uncleared, ask: Callable[[Cleared], Iterator[Token | Finished]]
    ) -> Iterator[Token | Finished]:
        return ask(Cleared(tuple(request.messages)))


def prompt(_tokens: int) -> list[Message]:
    return PROMPT


def model_at(url: str, gate: Gate = OPEN, key: Callable[[], str | None] = lambda: KEY) -> CloudModel:
    return CloudModel("starter", url, key, gate, Through())


def words_before(problem: type[Problem], events: Iterator[Token | Finished]) -> tuple[str, Problem]:
    """What was said before the failure, and the failure."""
    seen: list[Token | Finished] = []
    with pytest.raises(problem) as caught:
        seen.extend(events)
    assert not [event for event in seen if isinstance(event, Finished)], "a failure never looks like an end"
    return "".join(event.text for event in seen if isinstance(event, Token)), caught.value


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_real_server_streams_a_whole_answer(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_module, "FIRST_WORD_SECONDS", 90)  # a busy machine is not what is tested
    monkeypatch.setattr(cloud_module, "STALL_SECONDS", 90)
    *tokens, last = model_at(cloud).stream(prompt, 400, Cancellation())
    assert "".join(token.text for token in tokens if isinstance(token, Token)).strip()
    assert len(tokens) > 1, "it came word by word"
    assert isinstance(last, Finished)
    assert last.tokens > 0


def test_a_sound_answer_is_finished_and_the_request_carries_key_model_and_messages(faults: FaultServer) -> None:
    *tokens, last = model_at(faults.url).stream(prompt, 100, Cancellation())
    assert tokens == [Token("The boat "), Token("is "), Token("blue.")]
    assert last == Finished("stop", tokens=3)
    ((path, headers, body),) = faults.requests
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body["model"] == "starter"
    assert body["stream"] is True
    assert body["messages"] == [{"role": "user", "content": "What colour is the boat? The boat is blue."}]


def test_a_server_that_wants_no_key_gets_none_of_ours(faults: FaultServer) -> None:
    list(model_at(faults.url, key=lambda: None).stream(prompt, 100, Cancellation()))
    assert faults.requests[0][1]["authorization"] == "Bearer none"


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_is_one_clear_sentence_and_is_not_tried_twice(
    faults: FaultServer, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    faults.fault = fault
    text, problem = words_before(CloudFailed, model_at(faults.url).stream(prompt, 100, Cancellation()))
    assert text == ""
    assert problem.what == REFUSALS[fault]
    assert problem.next_step.endswith(".")
    assert not [raw for raw in RAW if raw in str(problem)]
    assert len(faults.requests) == 1, "no second try, no redirect followed"
    assert KEY not in caplog.text


@pytest.mark.parametrize("fault", BREAKS)
def test_a_stream_that_breaks_off_keeps_its_words_and_is_a_failure(faults: FaultServer, fault: str) -> None:
    faults.fault = fault
    text, problem = words_before(CloudFailed, model_at(faults.url).stream(prompt, 100, Cancellation()))
    assert text == "The boat is blue."
    assert problem.what == BREAKS[fault]
    assert not [raw for raw in RAW if raw in str(problem)]


def test_a_service_that_never_begins_is_given_up(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_module, "FIRST_WORD_SECONDS", 0.3)
    faults.fault = "silence"
    text, problem = words_before(CloudFailed, model_at(faults.url).stream(prompt, 100, Cancellation()))
    assert (text, problem.what) == ("", "127.0.0.1 did not begin to answer in time.")


def test_a_service_that_stalls_between_words_is_given_up(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_module, "STALL_SECONDS", 0.3)
    faults.fault = "stall"
    text, problem = words_before(CloudFailed, model_at(faults.url).stream(prompt, 100, Cancellation()))
    assert (text, problem.what) == ("The boat is blue.", "127.0.0.1 did not answer in time.")


def test_nothing_listening_is_said_at_once(closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/v1"
    text, problem = words_before(CloudFailed, model_at(url).stream(prompt, 100, Cancellation()))
    assert (text, problem.what) == ("", "Nothing answers at 127.0.0.1.")


def test_an_unknown_host_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:  # no test may ask a real name server
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    events = model_at("https://no.such.host/v1").stream(prompt, 100, Cancellation())
    assert words_before(CloudFailed, events)[1].what == "no.such.host was not found: is this computer online?"


def test_https_to_a_server_that_speaks_http_is_said(faults: FaultServer) -> None:
    url = faults.url.replace("http://", "https://")
    _, problem = words_before(CloudFailed, model_at(url).stream(prompt, 100, Cancellation()))
    assert problem.what == "127.0.0.1 does not speak https at this address."


def test_a_stop_ends_a_stalled_answer_without_an_error(faults: FaultServer) -> None:
    faults.fault = "stall"
    cancelled = Cancellation()
    seen = []
    for event in model_at(faults.url).stream(prompt, 100, cancelled):
        seen.append(event)
        if len(seen) == 3:
            cancelled.cancel()
    assert seen == [Token("The boat "), Token("is "), Token("blue.")]


def test_an_answer_ends_at_the_limit(faults: FaultServer) -> None:
    events = list(model_at(faults.url).stream(prompt, 2, Cancellation()))
    assert events == [Token("The boat "), Token("is "), Finished("length", tokens=2)]


@pytest.mark.parametrize("limit", [2, 1000])
def test_whoever_stops_listening_hangs_up_so_that_nothing_more_is_written_or_paid(
    faults: FaultServer, limit: int
) -> None:
    faults.fault = "endless"
    cancelled = Cancellation()
    for count, _ in enumerate(model_at(faults.url).stream(prompt, limit, cancelled)):
        if count == 5:
            cancelled.cancel()
    assert faults.hung_up.wait(20)


def test_offline_asks_for_no_key_and_sends_nothing(faults: FaultServer) -> None:
    asked: list[str] = []
    model = model_at(faults.named_url, Gate(lambda: True), lambda: asked.append("key") or KEY)  # type: ignore[func-returns-value]
    words_before(Offline, model.stream(prompt, 100, Cancellation()))
    assert not asked
    assert not faults.requests


def test_offline_switched_on_at_the_last_moment_still_sends_nothing(faults: FaultServer) -> None:
    looks = iter([False, False])  # the question, the client; from then on offline
    model = model_at(faults.named_url, Gate(lambda: next(looks, True)))
    words_before(Offline, model.stream(prompt, 100, Cancellation()))
    assert not faults.requests


def test_an_unusable_address_is_said_before_the_key_is_looked_up() -> None:
    words_before(BadInput, model_at("http://example.org/v1", key=pytest.fail).stream(prompt, 100, Cancellation()))


def test_an_unusable_keyring_is_passed_on(faults: FaultServer) -> None:
    def locked() -> str:
        raise KeyringUnusable("The system's keyring is locked.")

    words_before(KeyringUnusable, model_at(faults.url, key=locked).stream(prompt, 100, Cancellation()))
    assert not faults.requests
