"""`offhand eval`: the person's own questions, asked of their own notes, and how well they are answered."""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct, structs

from core.client import Engine
from core.protocol import Ask, Call, Event, Problem, Status, StatusReport
from ui.question_list import Wanted, read
from ui.scoring import Given, figures, follow, holds, place
from ui.terminal.barrier import INTERRUPTED, OK
from ui.terminal.options import Json, Limit
from ui.terminal.session import PATIENCE, RESTARTED, Session, no_answer
from ui.terminal.wording import counted

INCOMPLETE = "Not everything is read yet; the figures may be better once it is: `offhand index --wait`."


class Result(Struct, frozen=True):
    """One question's part of the JSON object.

    line, id: of the list.  place: of the right file among those found, from 1, null for none.  held: null where the
    list names no answer.  The others are as in `ui.scoring.Given`.
    """

    line: int
    id: str
    question: str
    place: int | None
    quoted: bool
    held: bool | None
    files: list[str]
    models: list[str]
    quote_ms: float | None
    first_token_ms: float | None
    total_ms: float | None


def eval_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.jsonl", help="Questions, one JSON object a line.")],
    *,
    no_model: Annotated[bool, typer.Option("--no-model", help="Quote and passages only.")] = False,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Ask the cloud model first: each question goes there with its passages.")
    ] = False,
    limit: Limit = 6,
    json: Json = False,
) -> None:
    """Measure how well your own questions are answered from your notes. Ctrl+C gives the figures so far.

    A line is {"question": "...", "answers": ["..."], "file": "..."}; README.md says more. Nothing of it goes into the
    history, and none of it to a cloud model unless you say so.
    """
    session: Session = context.obj
    wanted, refused = read(Path(file).expanduser())
    for sentence in refused:
        session.aside(sentence)
    ask = Ask("", model=not no_model, limit=limit, consent=cloud, cloud=cloud, fresh=True, keep=False)
    raise typer.Exit(_Run(session, ask, wanted, refused).to_its_end(json=json))


class _Run:
    """All questions of a list, over one line to the engine: connecting is no part of an answer's time."""

    def __init__(self, session: Session, ask: Ask, wanted: list[Wanted], refused: list[str]) -> None:
        self._session = session
        self._ask = ask
        self._wanted = wanted
        self._refused = refused
        self._unasked: list[str] = []
        self._results: list[tuple[Wanted, Given]] = []

    def to_its_end(self, *, json: bool) -> int:
        """Ask and tell the figures, those so far when Ctrl+C ends it; returns the exit status."""
        stopped = False
        engine = Engine(self._session.profile, lambda: self._session.aside(RESTARTED))
        try:
            self._wake(engine)
            with _bar(len(self._wanted), quiet=json) as advance:
                for wanted in self._wanted:
                    self._put(engine, wanted)
                    advance()
        except KeyboardInterrupt:
            stopped = True
        except Problem:
            if self._results and not json:
                self._tell()
            raise
        finally:
            engine.close()
        self._give(stopped=stopped) if json else self._tell()
        return INTERRUPTED if stopped else OK

    def _wake(self, engine: Engine) -> None:
        """Start the engine where it does not run: that is no part of an answer's time either."""
        with closing(_events(engine, Status(), PATIENCE)) as events:
            report = next(events, None)
        if not isinstance(report, StatusReport):
            raise no_answer()
        if report.counts.waiting > report.counts.scans or report.counts.vectors_owed:
            self._session.aside(INCOMPLETE)

    def _put(self, engine: Engine, wanted: Wanted) -> None:
        try:
            with closing(_events(engine, structs.replace(self._ask, question=wanted.question))) as events:
                self._results.append((wanted, follow(events)))
        except Problem as problem:  # a question that cannot be asked does not end the others
            if problem.kind != "input":
                raise
            self._unasked.append(f"Line {wanted.line} cannot be asked: {problem}")

    def _tell(self) -> None:
        from ui.terminal.figures import table

        models = sorted({model for _, given in self._results for model in given.models})
        self._session.say(table(figures(self._results), models))
        left = len(self._wanted) - len(self._results) - len(self._unasked)
        if left:
            self._session.say(f"Stopped; {left:,} of {counted(len(self._wanted), 'question')} were not asked.")
        for sentence in self._unasked:
            self._session.aside(sentence)

    def _give(self, *, stopped: bool) -> None:
        told = {
            "figures": figures(self._results),
            "questions": [_result(wanted, given) for wanted, given in self._results],
            "refused": [*self._refused, *self._unasked],
            "stopped": stopped,
        }
        self._session.give(told)


def _result(wanted: Wanted, given: Given) -> Result:
    return Result(
        wanted.line,
        wanted.id,
        wanted.question,
        place(wanted, given),
        bool(given.quote),
        holds(wanted, given) if wanted.answers else None,
        given.files,
        given.models,
        given.quote_ms,
        given.first_token_ms,
        given.total_ms,
    )


def _events(engine: Engine, call: Call, patience: float | None = None) -> Generator[Event, None, None]:
    yield from engine.call(call, patience=patience)


@contextmanager
def _bar(questions: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A bar on standard error; what it gives is called after each question."""
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ui.terminal.screen import Screen

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Screen(stderr=True), transient=True) as bars:
        task = bars.add_task("Questions", total=questions)
        yield lambda: bars.advance(task)
