"""When a provider is asked, left alone, and tried again. The clock is the test's own."""

import pytest

from core.errors import BadInput, CloudBusy, CloudFailed, CloudRefused, CloudTooLong, CloudWithheld, Offline
from core.models import breaker as module
from core.models.breaker import COOL_DOWN, LONGEST, MOST_ASKED, SPREAD, Breaker, Breakers
from core.protocol import Provider
from indexer.records import Problem

DOWN = CloudFailed("api.host did not answer in time.", "Ask again later.")
PROVIDER = Provider("big", "openai", "https://api.host/v1", "m", "big")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def rest(breaker: Breaker, clock: Clock) -> float:
    """Seconds until it may be tried again; the clock stands there afterwards."""
    began = clock.now
    while breaker.admit() == "open":
        clock.now += 0.5
    return clock.now - began


def test_a_new_one_is_closed(breaker: Breaker) -> None:
    assert breaker.admit() == "closed"
    assert breaker.words == "It has not been asked yet."


def test_one_failed_turn_opens_it_and_the_rest_grows_up_to_a_limit(breaker: Breaker, clock: Clock) -> None:
    expected = COOL_DOWN
    for _ in range(8):
        breaker.failed(DOWN)
        assert breaker.admit() == "open"
        assert expected * SPREAD[0] - 0.5 <= rest(breaker, clock) <= expected * SPREAD[1] + 0.5
        expected = min(expected * 2, LONGEST)


def test_one_question_tries_it_again_and_the_others_pass_by(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(DOWN)
    rest(breaker, clock)
    assert breaker.report(PROVIDER).state == "trying"
    assert [breaker.admit() for _ in range(3)] == ["open"] * 3
    breaker.succeeded()
    assert breaker.admit() == "closed"
    assert breaker.report(PROVIDER).state == "ready"


def test_after_a_success_a_failure_begins_with_a_short_rest_again(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        breaker.failed(DOWN)
        rest(breaker, clock)
    breaker.succeeded()
    breaker.failed(DOWN)
    assert rest(breaker, clock) <= COOL_DOWN + 0.5


@pytest.mark.parametrize(("asked", "given"), [(40.0, 40.0), (1e9, MOST_ASKED)])
def test_what_the_service_asks_for_wins(breaker: Breaker, clock: Clock, asked: float, given: float) -> None:
    breaker.failed(CloudBusy("api.host is too busy.", "", asked))
    assert given <= rest(breaker, clock) <= given + 0.5


def test_a_refused_key_opens_it_until_the_key_is_another() -> None:
    breakers = Breakers()
    breakers.of(PROVIDER).failed(CloudRefused("api.host refused the API key.", "Set a valid key."))
    assert breakers.of(PROVIDER).admit() == "open"
    assert breakers.of(PROVIDER).report(PROVIDER).state == "blocked"
    assert breakers.of(PROVIDER).words == "api.host refused the API key. Set a valid key."
    breakers.forget("another")
    assert breakers.of(PROVIDER).admit() == "open"
    breakers.forget("big")
    assert breakers.of(PROVIDER).admit() == "closed"


def test_lack_of_credit_is_looked_at_again_after_a_while(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(CloudRefused("No credit.", "", lasting=False))
    assert rest(breaker, clock) == pytest.approx(LONGEST, abs=0.5)


@pytest.mark.parametrize("problem", [CloudTooLong("a"), CloudWithheld("b"), Offline("c"), BadInput("d")])
def test_what_is_not_the_services_fault_does_not_open_it(breaker: Breaker, problem: Problem) -> None:
    breaker.failed(problem)
    assert breaker.admit() == "closed"


def test_a_try_that_is_taken_back_is_the_next_questions(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(DOWN)
    rest(breaker, clock)
    breaker.let_go()
    assert breaker.admit() == "half-open"


def test_the_state_is_said_in_words(breaker: Breaker, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.random, "uniform", lambda low, high: high)
    breaker.failed(DOWN)
    clock.now += 4
    assert breaker.words == "api.host did not answer in time. It is left alone for another 6 s."
    clock.now += 7
    assert breaker.words == "api.host did not answer in time. It is tried again with the next question."
    breaker.succeeded()
    clock.now += 12
    assert breaker.words == "It answers."
    assert breaker.report(PROVIDER).answered_s == 12.0


def test_another_model_at_the_same_place_has_a_breaker_of_its_own() -> None:
    breakers = Breakers()
    breakers.of(PROVIDER).failed(DOWN)
    assert breakers.of(Provider("big", "openai", "https://api.host/v1", "n", "big")).admit() == "closed"


def test_an_answer_is_told_and_an_outage_is_told_from_a_refusal(clock: Clock) -> None:
    told = []
    breaker = Breaker(clock, lambda: told.append(clock.now))
    breaker.failed(DOWN)
    assert breaker.outage
    assert not told
    breaker.failed(CloudRefused("api.host refused the API key.", "Set another."))
    assert not breaker.outage
    breaker.succeeded()
    assert told == [clock.now]
    assert not breaker.outage
