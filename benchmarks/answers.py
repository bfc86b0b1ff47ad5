"""Measures the prose: how soon it begins where its prompt was read while one typed, how fast it stops, and its rate.

    python benchmarks/answers.py [--questions 12] [--write]

The example notes and their questions, the starter model, a throw-away profile. What is compared is measured in turn in
the same run. `--write` puts the table into docs/BENCHMARKS.md. Figures depend on the machine: read the ratios first.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import Row, keep, table  # noqa: E402  # the project is not installed in a plain checkout
from benchmarks.spine import index_folder, spread  # noqa: E402
from core import client  # noqa: E402
from core.engine.engine import Engine  # noqa: E402
from core.models import llama  # noqa: E402
from core.models.llama import REPEAT_PENALTY, Generate, LanguageModel, Warm  # noqa: E402
from core.models.local import NOTES_TOKENS  # noqa: E402
from core.models.model import Message, Token, Turn  # noqa: E402
from core.paths import Profile  # noqa: E402
from core.protocol import Ask, Search, Shutdown  # noqa: E402
from indexer.child import Child  # noqa: E402
from indexer.worker import Cancellation, start_thread  # noqa: E402
from ui.question_list import Wanted, read  # noqa: E402
from ui.scoring import Given, follow, percentile  # noqa: E402

Llm = Child[llama.Call, llama.Event]

OTHER = [Message("system", "Something else."), Message("user", "What was read before is of no use now.")]
STORY = [Message("user", "Write a long story about a boat, a lighthouse and the people who live there.")]
LONG = [Message("user", "The sheep graze on the hill behind the house. " * 120)]
STORY_TOKENS = 160
ROUNDS = 5
STOPS = 24


def first_word(llm: Llm, call: Generate) -> float:
    """Milliseconds until the first word comes; the rest is not waited for."""
    started = time.perf_counter()
    events = llm.call(call)
    for event in events:
        if isinstance(event, Token):
            passed = (time.perf_counter() - started) * 1000
            events.close()
            return passed
    return float("nan")


def prefill_rows(llm: Llm, turns: list[Turn]) -> Iterator[Row]:
    """The same prompts cold and read ahead: the quote alone, as the starter model gets it, and the best sentences."""
    for notes_tokens, name in ((0, "the quote alone"), (NOTES_TOKENS, f"{NOTES_TOKENS} tokens of notes")):
        cold: list[float] = []
        ahead: list[float] = []
        for turn in turns:
            messages = list(turn.prompt(notes_tokens))
            call = Generate(messages, turn.max_tokens)
            list(llm.call(Generate(OTHER, 1, only_read=True)))
            cold.append(first_word(llm, call))
            list(llm.call(Generate(OTHER, 1, only_read=True)))
            list(llm.call(Generate(messages, turn.max_tokens, only_read=True)))
            ahead.append(first_word(llm, call))
        ratio = percentile(ahead, 0.5) / percentile(cold, 0.5)
        yield f"first word, cold, {name} (p50 / p95)", spread(cold)
        yield f"first word, read ahead, {name} (p50 / p95)", spread(ahead)
        yield f"read ahead, of cold, {name} (medians)", f"{ratio:.3f}"


def stop_rows(llm: Llm) -> Iterator[Row]:
    """From a stop until the llm process is free for the next call, at any moment of reading and of writing."""
    dice = random.Random(5)
    for name, call, least, most in (
        ("reading", Generate(LONG, 8), 0.02, 0.6),
        ("writing", Generate(STORY, 400), 0.6, 1.6),
    ):
        took: list[float] = []
        for _ in range(STOPS):
            list(llm.call(Generate(OTHER, 1, only_read=True)))
            took.append(stopped(llm, call, dice.uniform(least, most)))
        yield f"stop while {name}: the processor is free after (p50 / p95)", spread(took)
        yield f"stop while {name}: at most", f"{max(took):.1f} ms"


def stopped(llm: Llm, call: Generate, after: float) -> float:
    """Milliseconds from a stop, `after` seconds into a call, until the process has answered another one."""
    cancelled = Cancellation()
    thread = start_thread("call", lambda: list(llm.call(call, cancelled=cancelled)))
    time.sleep(after)
    started = time.perf_counter()
    cancelled.cancel()
    llm.ask(Warm())
    passed = (time.perf_counter() - started) * 1000
    thread.join()
    return passed


def stream_rows(llm: Llm, model_file: Path) -> Iterator[Row]:
    """Words a second through the llm process, and by llama-cpp-python's own loop in this one, in turn."""
    model = llama.build({"model": str(model_file), "threads": os.cpu_count() or 1})
    list(model.handle(Warm(), Cancellation()))
    prompt = model._tokens(STORY, STORY_TOKENS)[0]
    ways: dict[str, Callable[[], float]] = {"through the llm process": lambda: ours(llm)}
    for threads in sorted({1, os.cpu_count() or 1}):
        ways[f"bare loop, {threads} threads"] = partial(bare, model, prompt, threads)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            rates[name].append(way())
    medians = {name: percentile(values, 0.5) for name, values in rates.items()}
    for name, rate in medians.items():
        yield f"writing, tokens a second, {name} (median of {ROUNDS})", f"{rate:.1f}"
    mine = medians.pop("through the llm process")
    yield "what the way through the process costs, of the better bare loop", f"{max(medians.values()) / mine - 1:+.1%}"


def ours(llm: Llm) -> float:
    """Tokens a second between the first and the last word of a story, as the engine gets them."""
    times = [time.perf_counter() for event in llm.call(Generate(STORY, STORY_TOKENS)) if isinstance(event, Token)]
    return (len(times) - 1) / (times[-1] - times[0])


def bare(model: LanguageModel, prompt: list[int], threads: int) -> float:
    """The same of the library's own loop, which does nothing with the tokens."""
    model._write_with(threads)
    times: list[float] = []
    for token in model._llama.generate(prompt, temp=0.0, repeat_penalty=REPEAT_PENALTY):
        times.append(time.perf_counter())
        if model._ends(token) or len(times) > STORY_TOKENS:
            break
    return (len(times) - 1) / (times[-1] - times[0])


def engine_rows(engine: client.Engine, questions: list[Wanted]) -> Iterator[Row]:
    """From Enter, everything included: typed slowly enough that the model has read, and asked at once."""
    at_once: list[Given] = []
    typed: list[Given] = []
    for one in questions:
        ask = Ask(one.question, cloud=False, keep=False, fresh=True)
        at_once.append(follow(engine.call(ask)))
        list(engine.call(Ask(questions[0].question, cloud=False, keep=False, fresh=True)))
        list(engine.call(Search(one.question, 8, unfinished=True, ahead=True)))
        typed.append(follow(engine.call(ask)))
    for name, given in (("asked at once", at_once[1:]), ("typed, then asked", typed[1:])):
        yield f"Enter to quote, {name} (p50 / p95)", spread([one.quote_ms for one in given if one.quote_ms])
        words = [one.first_token_ms for one in given if one.first_token_ms]
        yield f"Enter to first word, {name}, {len(words)} answers (p50 / p95)", spread(words)


def quote_rows(engine: client.Engine, questions: list[Wanted]) -> Iterator[Row]:
    """From Enter to the quote, for every question of the list, without any prose."""
    given = [follow(engine.call(Ask(one.question, model=False, keep=False))) for one in questions]
    times = [one.quote_ms for one in given if one.quote_ms is not None]
    yield f"Enter to quote, {len(times)} questions, no prose (p50 / p95)", spread(times)


def told(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, each printed as soon as it is measured."""
    for row in rows:
        print(*row, sep=": ", file=sys.stderr, flush=True)
        yield row


def measure(most: int) -> list[Row]:
    """All rows of the table."""
    questions, _ = read(ROOT / "examples" / "questions.jsonl")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="offhand-benchmark-") as home:
        os.environ["OFFHAND_HOME"] = home
        profile = Profile()
        door = client.Engine(profile)
        try:
            index_folder(door, ROOT / "examples" / "notes")
            follow(door.call(Ask(questions[0].question)))  # wakes every process
            rows += told(quote_rows(door, questions))
            rows += told(engine_rows(door, [one for one in questions if one.answers][: most + 1]))
        finally:
            for _ in door.call(Shutdown()):
                pass
        engine = Engine(profile)
        try:
            engine.index.start()
            rows += told(model_rows(engine, questions, most))
        finally:
            engine.close()
    return rows


def model_rows(engine: Engine, questions: list[Wanted], most: int) -> Iterator[Row]:
    """What is measured at the llm process itself."""
    engine.children.wake_model()
    assert engine.children.model_file is not None
    drafted: list[Any] = [engine._answers.ahead(Ask(one.question)) for one in questions if one.answers]
    turns = [turn for _, turn in filter(None, drafted)][:most]
    yield from prefill_rows(engine.children.llm, turns)
    yield from stop_rows(engine.children.llm)
    yield from stream_rows(engine.children.llm, engine.children.model_file)


def main() -> None:
    """Measure and print; with --write keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    text = table(measure(options.questions), "python benchmarks/answers.py")
    print(text)
    if options.write:
        keep("Prose", text)


if __name__ == "__main__":
    main()
