"""The figures of `offhand eval` as a table."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from ui.scoring import Figures, Share, Spread
from ui.state_words import model_name, seconds
from ui.terminal.wording import counted, printable


def table(figures: Figures, models: Sequence[str]) -> Table:
    """What was measured, the share or the time, and of how many questions.

    Args:
        figures: over all questions.
        models: whose words came.
    """
    writer = ", ".join(model_name(printable(model)) for model in models) or "no model"
    made = Table(title=f"{counted(figures.questions, 'question')}, {writer}", box=box.SIMPLE, title_justify="left")
    for name in ("", "", "of"):
        made.add_column(name, justify="left" if not made.columns else "right", no_wrap=True)
    shares: tuple[tuple[str, Share], ...] = (
        ("the right file is first (hit@1)", figures.hit_at_1),
        ("the right file is in the first five (hit@5)", figures.hit_at_5),
        ("answerable, and a quote is given", figures.quoted),
        ("the quote holds a right answer", figures.held),
        ("unanswerable, and nothing is quoted", figures.declined),
    )
    for what, share in shares:
        if share.of:
            made.add_row(what, f"{100 * share.count / share.of:.0f} %", f"{share.of:,}")
    times: tuple[tuple[str, Spread], ...] = (
        ("to the quote", figures.quote_ms),
        ("to the first word of prose", figures.first_token_ms),
        ("to the end", figures.total_ms),
    )
    for what, spread in times:
        if spread.p50 is not None and spread.p95 is not None:
            made.add_row(f"{what} (p50 / p95)", f"{seconds(spread.p50)} / {seconds(spread.p95)}", f"{spread.count:,}")
    return made
