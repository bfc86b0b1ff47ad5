"""Arguments and options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Limit = Annotated[int, typer.Option("-n", "--limit", metavar="N", min=1, help="How many passages at most.")]
Follow = Annotated[bool, typer.Option("--follow", help="It follows the last question: 'and in March?'")]
CloudOk = Annotated[
    bool, typer.Option("--cloud-ok", help="The cloud model may be asked this once, about folders that ask first too.")
]
Directory = Annotated[str, typer.Argument(metavar="DIR", help="A folder.")]

Folder = Annotated[str, typer.Option("--folder", metavar="DIR", help="Only in files below this folder.")]
After = Annotated[str, typer.Option("--after", metavar="DATE", help="Only in files changed on this day or later.")]
Before = Annotated[str, typer.Option("--before", metavar="DATE", help="... or on this day or earlier.")]


def absolute(path: str) -> str:
    """`path` from the root, `~` expanded, `..` resolved by name; links are the engine's to follow."""
    return os.path.abspath(Path(path).expanduser())  # noqa: PTH100  # resolve() would follow links
