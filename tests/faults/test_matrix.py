"""Every fault of a cloud service, whoever is asked first, whatever state the local model is in: an answer comes, and no
word is lost or said twice. `matrix` says what is real in it."""

import openai  # noqa: F401  # here, so that no short limit pays for the import
import pytest

from core.models.breaker import Breaker
from core.models.cloud import Patience
from tests.faults.matrix import (
    FAULTS,
    HURRIED,
    IN_THE_MIDDLE,
    LOCALS,
    NO_OUTAGE,
    ORDERS,
    Bench,
    Cell,
    Local,
    Order,
    faults_of,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("local", LOCALS)
@pytest.mark.parametrize("fault", ["none", *FAULTS])
def test_an_answer_reaches_the_card(bench: Bench, cells: list[Cell], fault: str, local: Local, order: Order) -> None:
    cell = bench.ask(fault, order, local)
    cells.append(cell)
    assert not faults_of(cell)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in NO_OUTAGE])
def test_the_second_question_of_an_outage_does_not_knock_again(bench: Bench, fault: str) -> None:
    breaker = Breaker()
    bench.ask(fault, "cloud first", "ready", breaker)
    second = bench.ask(fault, "cloud first", "ready", breaker)
    assert second.requests == 0
    assert second.answered.route[1].outcome.startswith("test was not asked")
    assert second.by == "local"
    print(f"{fault}: {second.passed_by_ms:.1f} ms")


@pytest.mark.parametrize("fault", sorted(set(IN_THE_MIDDLE) - {"filtered"}))
def test_a_real_model_server_that_breaks_off_is_continued_from_its_very_words(
    bench: Bench, cloud: str, fault: str
) -> None:
    bench.server.upstream = cloud
    bench.patience = Patience(connect=5.0, first_word=30.0, stall=3.0)  # a real model on a busy machine
    try:
        cell = bench.ask(fault, "cloud first", "ready")
    finally:
        bench.server.upstream, bench.patience = "", HURRIED
    first, second = (step for step in cell.answered.route if step.kind != "quote")
    assert (first.kind, second.kind, second.outcome) == ("cloud", "local", "ok")
    assert first.outcome.startswith("stopped: ")
    assert first.start == 0
    assert second.start is None or second.start > 0
