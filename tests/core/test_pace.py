"""How fast the local model writes is measured between its first and its last piece."""

from core.answering.pace import Pace
from core.protocol import Piece, RouteKind, RouteStep, Step


def answer(pace: Pace, kind: RouteKind, pieces: int) -> float:
    take = pace.watch()
    take(RouteStep(Step(kind, "model", "asked")))
    for _ in range(pieces):
        take(Piece("word "))
    take(RouteStep(Step(kind, "model", "ok")))
    return pace.per_second


def test_only_long_enough_answers_of_the_local_model_count() -> None:
    ticks = iter([0.0, 0.5, 10.0, 10.25])
    pace = Pace(lambda: next(ticks))
    assert answer(pace, "cloud", 100) == 0
    assert answer(pace, "local", 26) == 50.0
    assert answer(pace, "cloud", 100) == 50.0
    assert answer(pace, "local", 26) == 100.0


def test_a_few_words_say_nothing() -> None:
    pace = Pace()
    assert answer(pace, "local", 3) == 0
