"""The prose of an answer as its events make it: the route and every door read a changing answer the same way."""

from msgspec import Struct

from core.protocol.events import Piece, Restart, RouteStep


class Span(Struct, frozen=True):
    """From `start` (characters) on, the words are those of the model whose turn was the `turn`-th, counted from 0."""

    start: int
    turn: int
    model: str


class Draft:
    """Words that grow, change hands, and may be replaced.

    text: the words that stand.
    fading: words that a new version in `text` is about to replace; "" for the most part.
    spans: whose words `text` is made of, in order.
    """

    def __init__(self) -> None:
        self.text = ""
        self.fading = ""
        self.spans: list[Span] = []
        self._faded: list[Span] = []
        self._turn = -1
        self._model = ""

    def take(self, event: RouteStep | Restart | Piece) -> None:
        """Put one event in its place."""
        match event:
            case RouteStep(step) if step.outcome == "asked":
                self._turn += 1
                self._model = step.model
            case RouteStep(step):
                self._end(whole=step.outcome == "ok")
            case Restart():
                self.fading, self._faded = self.text, self.spans
                self.text, self.spans = "", []
            case Piece(text):
                self._add(text)

    @property
    def shown(self) -> str:
        """What counts at this moment: the longer of the two versions while one is replacing the other."""
        return self.fading or self.text

    @property
    def seams(self) -> list[Span]:
        """Where in `text` another model took over."""
        return self.spans[1:]

    def _add(self, text: str) -> None:
        if not self.spans or self.spans[-1].turn != self._turn:
            self.spans.append(Span(len(self.text), self._turn, self._model))
        self.text += text
        if self.fading and len(self.text) >= len(self.fading):
            self.fading = ""

    def _end(self, *, whole: bool) -> None:
        if self.fading and not whole:
            self.text, self.spans = self.fading, self._faded
        self.fading = ""
