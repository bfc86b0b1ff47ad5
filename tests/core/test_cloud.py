"""The cloud model against a real model server, and against a real server that misbehaves in every way we know.

Anthropic's interface is played by that server too: no model server that we can install speaks it.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import anthropic  # noqa: F401  # here, so that no short deadline below pays for the import
import openai  # noqa: F401
import pytest
from fault_server import FaultServer

from core.errors import BadInput, CloudFailed, CloudRefused, CloudResting, KeyringUnusable, Offline
from core.models.breaker import Breaker
from core.models.cloud import CloudModel, Patience
from core.models.model import (
    Anew,
    Cleared,
    Event,
    Finished,
    Message,
    Sender,
    Token,
    Turn,
    Uncleared,
    Waiting,
)
from core.network import Gate
from core.protocol import Provider
from indexer.records import Problem
from indexer.worker import Cancellation

KEY = "sk-secret-0123456789"
OPEN = Gate(lambda: False)
ENOUGH = Patience()
RAW = ("Traceback", "Error(", "Exception", "httpx", "openai", "errno", "{", "<html", "fault ", KEY)

KINDS = ("openai", "anthropic")
HURRIED = Patience(connect=0.4, first_word=0.4, probe=0.2, stall=0.4)

# fault: what is said, and how many requests it was worth
REFUSALS = {
    "400": ("127.0.0.1 refused the request.", 1),
    "400 too long": ("127.0.0.1 found the request too large.", 2),
    "401": ("127.0.0.1 refused the API key.", 1),
    "402": ("127.0.0.1 says that the account has no credit left.", 1),
    "403": ("127.0.0.1 does not allow this key to use starter.", 1),
    "403 html": ("127.0.0.1 answered with a web page instead of a model's words.", 1),
    "404": ("127.0.0.1 does not know starter.", 1),
    "408": ("127.0.0.1 took too long.", 1),
    "413": ("127.0.0.1 found the request too large.", 2),
    "418": ("127.0.0.1 refused the request (418).", 1),
    "429": ("127.0.0.1 is too busy, or your limit there is reached.", 1),
    "429 after 0": ("127.0.0.1 is too busy, or your limit there is reached.", 2),
    "429 after 60": ("127.0.0.1 is too busy, or your limit there is reached.", 1),
    "500": ("127.0.0.1 has a problem of its own (500).", 1),
    "502 html": ("127.0.0.1 has a problem of its own (502).", 1),
    "503": ("127.0.0.1 has a problem of its own (503).", 2),
    "529": ("127.0.0.1 has a problem of its own (529).", 2),
    "302": ("127.0.0.1 sent the request elsewhere.", 1),
    "307": ("127.0.0.1 sent the request elsewhere.", 1),
    "web page": ("127.0.0.1 answered with a web page instead of a model's words.", 1),
    "no stream": ("127.0.0.1 did not answer with a stream.", 1),
    "gzip bomb": ("127.0.0.1 answered with something unreadable.", 1),
    "gzip rubbish": ("127.0.0.1 answered with something unreadable.", 1),
    "huge line": ("127.0.0.1 sent far more than an answer.", 1),
    "reset at once": ("The connection to 127.0.0.1 broke.", 2),
    "empty": ("127.0.0.1 sent no answer.", 1),
    "rubbish": ("127.0.0.1 answered with something unreadable.", 1),
    "not text": ("127.0.0.1 answered with something unreadable.", 1),
    "another shape": ("127.0.0.1 answered with something unreadable.", 1),
    "error inside": ("127.0.0.1 reported an error instead of an answer.", 1),
    "silence": ("127.0.0.1 did not begin to answer in time.", 1),
    "drip": ("127.0.0.1 did not begin to answer in time.", 1),
}
BREAKS = {
    "cut": "127.0.0.1 broke off in the middle.",
    "cut chunk": "The connection to 127.0.0.1 broke.",
    "reset": "The connection to 127.0.0.1 broke.",
    "stall": "127.0.0.1 stopped in the middle of its answer.",
    "truncated": "127.0.0.1 broke off in the middle.",
    "rubbish later": "127.0.0.1 answered with something unreadable.",
    "error later": "127.0.0.1 reported an error instead of an answer.",
    "filtered": "127.0.0.1 withheld the answer (its content filter).",
}
# what Anthropic's SDK passes over instead: events without a name
UNNAMED = {"rubbish": "127.0.0.1 sent no answer.", "another shape": "127.0.0.1 sent no answer."}
UNNAMED |= {"rubbish later": "127.0.0.1 broke off in the middle."}


class Through:
    """Lets every prompt leave as it is; what may leave is tested with `core.privacy`."""

    def send(self, request: Uncleared, ask: Callable[[Cleared], Iterator[Event]]) -> Iterator[Event]:
        so_far = "" if request.so_far is None else request.so_far.text
        return ask(Cleared(tuple(request.messages), lambda: None, so_far))


def turn(max_tokens: int = 100, so_far: str = "") -> Turn:
    messages = [Message("system", "Be brief."), Message("user", "What colour is the boat? The boat is blue.")]
    return Turn(lambda _tokens: messages, max_tokens, so_far)


def model_at(
    url: str,
    gate: Gate = OPEN,
    key: Callable[[str], str | None] = lambda _: KEY,
    *,
    kind: str = "openai",
    breaker: Breaker | None = None,
    patience: Patience = ENOUGH,
    sender: Sender = Through(),  # noqa: B008  # it has no state
) -> CloudModel:
    provider = Provider("test", kind, url, "starter", "test")  # type: ignore[arg-type]
    return CloudModel(provider, key, gate, breaker or Breaker(), sender, patience=patience)


def said(events: Iterator[Event]) -> list[Event]:
    """All but the waiting in between, of which there is more or less."""
    return [event for event in events if not isinstance(event, Waiting)]


def words_before(problem: type[Problem], events: Iterator[Event]) -> tuple[str, Problem]:
    """What was said before the failure, and the failure."""
    seen: list[Event] = []
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
def test_a_real_server_streams_a_whole_answer(cloud: str) -> None:
    patience = Patience(first_word=90, stall=90, total=150)  # a busy machine is not what is tested
    *tokens, last = said(model_at(cloud, patience=patience).stream(turn(400), Cancellation()))
    assert "".join(token.text for token in tokens if isinstance(token, Token)).strip()
    assert len(tokens) > 1, "it came word by word"
    assert isinstance(last, Finished)
    assert last.tokens > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_answer_is_finished_and_the_request_carries_key_model_and_messages(
    faults: FaultServer, kind: str
) -> None:
    *tokens, last = said(model_at(faults.url, kind=kind).stream(turn(), Cancellation()))
    assert tokens == [Token("The boat "), Token("is "), Token("blue.")]
    assert isinstance(last, Finished)
    assert (last.reason, last.tokens) == ("stop", 3)
    ((path, headers, body),) = faults.requests
    asked = {"role": "user", "content": "What colour is the boat? The boat is blue."}
    if kind == "openai":
        assert path == "/v1/chat/completions"
        assert headers["authorization"] == f"Bearer {KEY}"
        assert body["messages"] == [{"role": "system", "content": "Be brief."}, asked]
    else:
        assert path == "/v1/messages", "its SDK adds the version itself"
        assert headers["authorization"] == f"Bearer {KEY}"
        assert (body["system"], body["messages"], body["max_tokens"]) == ("Be brief.", [asked], 100)
    assert body["model"] == "starter"
    assert body["stream"] is True
    assert headers["accept-encoding"] == "identity"
    assert not [name for name in headers if name.lower().startswith("x-stainless")], "nothing about this machine"


def test_what_the_environment_says_about_another_service_stays_here(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.test/v1")
    said(model_at(faults.url).stream(turn(), Cancellation()))
    assert "org-1" not in str(faults.requests[0][1])
    assert "project-1" not in str(faults.requests[0][1])


def test_a_server_that_wants_no_key_gets_none_of_ours(faults: FaultServer) -> None:
    list(model_at(faults.url, key=lambda _: None).stream(turn(), Cancellation()))
    assert faults.requests[0][1]["authorization"] == "Bearer none"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_is_one_clear_sentence_and_no_more_requests_than_it_is_worth(
    faults: FaultServer, fault: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    faults.fault = fault
    patience = HURRIED if fault in ("silence", "drip") else ENOUGH
    events = model_at(faults.url, kind=kind, patience=patience).stream(turn(), Cancellation())
    text, problem = words_before(CloudFailed, events)
    assert text == ""
    what, requests = REFUSALS[fault]
    assert problem.what == (UNNAMED.get(fault, what) if kind == "anthropic" else what)
    assert problem.next_step.endswith(".")
    assert not [raw for raw in RAW if raw in str(problem)]
    assert len(faults.requests) == requests, "no redirect followed, no try that is not ours"
    assert KEY not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", BREAKS)
def test_a_stream_that_breaks_off_keeps_its_words_and_is_a_failure(faults: FaultServer, fault: str, kind: str) -> None:
    faults.fault = fault
    patience = HURRIED if fault == "stall" else ENOUGH
    events = model_at(faults.url, kind=kind, patience=patience).stream(turn(), Cancellation())
    text, problem = words_before(CloudFailed, events)
    assert text == "The boat is blue."
    assert problem.what == (UNNAMED.get(fault, BREAKS[fault]) if kind == "anthropic" else BREAKS[fault])
    assert not [raw for raw in RAW if raw in str(problem)]
    assert len(faults.requests) == 1, "what has been said is never asked for again"


@pytest.mark.parametrize("fault", ["503", "429 after 1", "reset at once", "400 too long"])
def test_what_passes_in_a_moment_is_tried_once_more(faults: FaultServer, fault: str) -> None:
    faults.fault, faults.faulty = fault, 1
    *tokens, last = said(model_at(faults.url).stream(turn(), Cancellation()))
    assert "".join(token.text for token in tokens if isinstance(token, Token)) == "The boat is blue."
    assert isinstance(last, Finished)
    assert len(faults.requests) == 2


def test_the_second_request_of_one_that_was_too_long_has_fewer_notes(faults: FaultServer) -> None:
    faults.fault, faults.faulty = "413", 1
    rooms: list[int] = []
    asked = Turn(lambda tokens: rooms.append(tokens) or [Message("user", "q")], 100)  # type: ignore[func-returns-value]
    said(model_at(faults.url).stream(asked, Cancellation()))
    assert rooms[1] < rooms[0] / 2


def test_an_openai_service_begins_anew_and_says_so_before_its_first_word(faults: FaultServer) -> None:
    events = said(model_at(faults.url).stream(turn(so_far="The bo"), Cancellation()))
    assert events[:2] == [Anew(), Token("The boat ")]
    assert [message["role"] for message in faults.requests[0][2]["messages"]] == ["system", "user"]


def test_anthropic_goes_on_from_the_words_so_far(faults: FaultServer) -> None:
    faults.words = (" is ", "blue.")
    events = said(model_at(faults.url, kind="anthropic").stream(turn(so_far="The boat "), Cancellation()))
    assert events[:2] == [Token("is "), Token("blue.")], "the white space at the end is not said twice"
    assert faults.requests[0][2]["messages"][-1] == {"role": "assistant", "content": "The boat"}


def test_an_anthropic_model_that_cannot_go_on_is_asked_anew(faults: FaultServer) -> None:
    faults.fault = "no prefill"
    events = said(model_at(faults.url, kind="anthropic").stream(turn(so_far="The boat "), Cancellation()))
    assert events[:2] == [Anew(), Token("The boat ")]
    assert len(faults.requests) == 2


def test_silence_is_told_while_it_lasts(faults: FaultServer) -> None:
    faults.fault = "silence"
    seen: list[Event] = []
    with pytest.raises(CloudFailed):
        seen.extend(model_at(faults.url, patience=Patience(first_word=1.0)).stream(turn(), Cancellation()))
    waits = [event.seconds for event in seen if isinstance(event, Waiting)]
    assert len(waits) >= 2
    assert waits == sorted(waits)


def test_a_provider_that_failed_is_left_alone_at_once(faults: FaultServer) -> None:
    faults.fault = "500"
    breaker = Breaker()
    words_before(CloudFailed, model_at(faults.url, breaker=breaker).stream(turn(), Cancellation()))
    _, problem = words_before(CloudResting, model_at(faults.url, breaker=breaker).stream(turn(), Cancellation()))
    assert problem.what.startswith("test was not asked: 127.0.0.1 has a problem of its own (500). It is left alone for")
    assert len(faults.requests) == 1


def test_a_provider_that_rested_is_tried_with_less_patience_and_then_trusted(faults: FaultServer) -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0])
    patience = Patience(first_word=30, probe=0.2)
    faults.fault = "500"
    words_before(CloudFailed, model_at(faults.url, breaker=breaker, patience=patience).stream(turn(), Cancellation()))
    now[0] += 60
    faults.fault = "silence"
    _, problem = words_before(
        CloudFailed, model_at(faults.url, breaker=breaker, patience=patience).stream(turn(), Cancellation())
    )
    assert problem.what == "127.0.0.1 did not begin to answer in time."
    now[0] += 60
    faults.fault = "none"
    assert isinstance(said(model_at(faults.url, breaker=breaker).stream(turn(), Cancellation()))[-1], Finished)
    assert breaker.words == "It answers."


def test_a_try_that_was_taken_back_leaves_the_next_question_its_own(faults: FaultServer) -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0])
    faults.fault = "500"
    words_before(CloudFailed, model_at(faults.url, breaker=breaker).stream(turn(), Cancellation()))
    now[0] += 60
    faults.fault = "endless"
    cancelled = Cancellation()
    for _ in model_at(faults.url, breaker=breaker).stream(turn(), cancelled):
        cancelled.cancel()
    assert breaker.admit() == "half-open"


def test_nothing_listening_is_said_at_once(closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/v1"
    text, problem = words_before(CloudFailed, model_at(url).stream(turn(), Cancellation()))
    assert (text, problem.what) == ("", "Nothing answers at 127.0.0.1.")


def test_an_unknown_host_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:  # no test may ask a real name server
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    events = model_at("https://no.such.host/v1").stream(turn(), Cancellation())
    assert words_before(CloudFailed, events)[1].what == "no.such.host was not found: is this computer online?"


def test_a_name_server_that_says_nothing_costs_the_time_for_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def silent(*_: object, **__: object) -> None:
        released.wait(30)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    started = time.monotonic()
    events = model_at("https://slow.name.host/v1", patience=HURRIED).stream(turn(), Cancellation())
    _, problem = words_before(CloudFailed, events)
    assert problem.what == "slow.name.host could not be reached in time."
    assert time.monotonic() - started < 20
    released.set()


def test_https_to_a_server_that_speaks_http_is_said(faults: FaultServer) -> None:
    url = faults.url.replace("http://", "https://")
    _, problem = words_before(CloudFailed, model_at(url).stream(turn(), Cancellation()))
    assert problem.what == "127.0.0.1 does not speak https at this address."


def test_a_stop_ends_a_stalled_answer_without_an_error(faults: FaultServer) -> None:
    faults.fault = "stall"
    cancelled = Cancellation()
    seen = []
    for event in model_at(faults.url).stream(turn(), cancelled):
        seen += [] if isinstance(event, Waiting) else [event]
        if len(seen) == 3:
            cancelled.cancel()
    assert seen == [Token("The boat "), Token("is "), Token("blue.")]


def test_an_answer_ends_at_the_limit(faults: FaultServer) -> None:
    events = said(model_at(faults.url).stream(turn(2), Cancellation()))
    assert events == [Token("The boat "), Token("is "), Finished("length", tokens=2)]


@pytest.mark.parametrize("limit", [2, 1000])
def test_whoever_stops_listening_hangs_up_so_that_nothing_more_is_written_or_paid(
    faults: FaultServer, limit: int
) -> None:
    faults.fault = "endless"
    cancelled = Cancellation()
    for count, _ in enumerate(model_at(faults.url).stream(turn(limit), cancelled)):
        if count == 5:
            cancelled.cancel()
    assert faults.hung_up.wait(20)


def test_offline_asks_for_no_key_and_sends_nothing(faults: FaultServer) -> None:
    asked: list[str] = []
    model = model_at(faults.named_url, Gate(lambda: True), lambda name: asked.append(name) or KEY)  # type: ignore[func-returns-value]
    words_before(Offline, model.stream(turn(), Cancellation()))
    assert not asked
    assert not faults.requests


@pytest.mark.parametrize("moment", [2, 3])  # after the question and the client; after the name was looked up, too
def test_offline_switched_on_at_the_last_moment_still_sends_nothing(faults: FaultServer, moment: int) -> None:
    looks = iter([False] * moment)  # from then on offline
    model = model_at(faults.named_url, Gate(lambda: next(looks, True)))
    words_before(Offline, model.stream(turn(), Cancellation()))
    assert not faults.requests


def test_an_unusable_address_is_said_before_the_key_is_looked_up() -> None:
    words_before(BadInput, model_at("http://example.org/v1", key=pytest.fail).stream(turn(), Cancellation()))


def test_an_unusable_keyring_is_passed_on(faults: FaultServer) -> None:
    def locked(_name: str) -> str:
        raise KeyringUnusable("The system's keyring is locked.")

    far = model_at("https://api.example.org/v1", key=locked)
    words_before(KeyringUnusable, far.stream(turn(), Cancellation()))
    list(model_at(faults.url, key=locked).stream(turn(), Cancellation()))
    assert len(faults.requests) == 1, "a server on this machine is asked without a key"


def test_a_missing_key_is_said_and_nothing_is_sent() -> None:
    sent: list[object] = []

    class Watched(Through):
        def send(self, request, ask):
            sent.append(request)
            return super().send(request, ask)

    far = model_at("https://api.example.org/v1", key=lambda _: None, sender=Watched())
    _, problem = words_before(CloudRefused, far.stream(turn(), Cancellation()))
    assert str(problem) == "There is no key for test. Set it: `offhand keys set test`."
    assert not sent
