"""The terminal as rich sees it. Loaded only when there is something to print for a person."""

from typing import NoReturn

from rich.console import Console


class Screen(Console):
    """Standard output or standard error: text is printed as it is, never read as markup; `NO_COLOR` is honoured."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, highlight=False, emoji=False)

    def on_broken_pipe(self) -> NoReturn:
        """Let `ui.terminal.run` decide what a reader that left means; rich would exit with status 1."""
        raise  # noqa: PLE0704  # rich calls this while it handles the BrokenPipeError
