"""The call about a text that a person has selected somewhere."""

from typing import Literal

from msgspec import Struct

TransformAction = Literal["explain", "summarise", "translate", "rewrite", "tasks"]


class Transform(Struct, frozen=True, tag=True):
    """Do something with a text that the person has selected → [RouteStep, Restart?, Piece*]*, Transformed.

    No notes are looked at, and nothing is kept. The text stays here unless the person has agreed.

    language: into which it is translated, by its English name.
    consent: the cloud models are asked first, and given the text, redacted as any other.
    """

    text: str
    action: TransformAction
    language: str = "English"
    consent: bool = False
