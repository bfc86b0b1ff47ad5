"""The answer card as a value: what an `ask` has brought so far, and how it is drawn. Reads and writes nothing."""

from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.segment import Segment
from rich.text import Text

from core.protocol import (
    Answered,
    CatalogItem,
    Draft,
    Event,
    Found,
    Hit,
    Listed,
    Piece,
    Quoted,
    Restart,
    RouteStep,
    Sentence,
    Source,
    Step,
)
from ui.state_words import coverage_words, item_words, model_name, remembered_words, seam_words, seconds
from ui.terminal.links import place_text, whole
from ui.terminal.wording import one_line, printable, trail

NOT_SUPPORTED = "(not from your notes)"
NOT_IN_NOTES = "Your notes do not seem to say this."
SHORT_LIST = 3
MARKS = {"open": "[ ]", "done": "[x]"}  # as in the notes


@dataclass
class Card:
    """Grows with each event of an `Ask`. `stopped` is set when the person has had enough."""

    hits: list[Hit] = field(default_factory=list)
    listed: Listed | None = None
    quoted: Quoted | None = None
    draft: Draft = field(default_factory=Draft)
    seams: list[Step] = field(default_factory=list)
    answer: Answered | None = None
    notes: list[str] = field(default_factory=list)
    stopped: bool = False

    def take(self, event: Event) -> None:
        """Put one event of the answer in its place."""
        match event:
            case Found(hits=hits, note=note):
                self.hits = hits
                self.notes.append(note)
            case Listed():
                self.listed = event
            case Quoted():
                self.quoted = event
            case Piece() | Restart():
                self.draft.take(event)
            case RouteStep(step=step):
                self.draft.take(event)
                self.seams += [step] if step.outcome not in ("asked", "ok") else []
            case Answered():
                self.answer = event


def passages(card: Card) -> RenderableType | None:
    """The short list of what was found, until the sources, which are among them, take its place."""
    if sources(card) is not None:
        return None
    lines = [
        whole(
            (f"{number:>2}  ", "dim"),
            place_text(hit.path, hit.line, hit.page, "dim cyan"),
            (f"  {trail(hit.title, hit.heading)}", "dim"),
        )
        for number, hit in enumerate(card.hits[:SHORT_LIST], 1)
    ]
    return Group(*lines) if lines else None


def listing(card: Card) -> RenderableType | None:
    """What the catalog answered: how the question was understood, and a line for each thing."""
    if card.listed is None:
        return None
    listed = card.listed
    lines = [_item_line(item) for item in listed.items]
    left = listed.total - len(listed.items)
    lines += [Text(f"    and {left:,} more", style="dim")] if left > 0 and lines else []
    return Group(Text(printable(listed.title), style="bold"), *lines)


def quotation(card: Card, *, framed: bool) -> RenderableType | None:
    """The verbatim quote with its source under it, or that there is none; None while that is not known.

    Args:
        framed: draw a frame around the quote; otherwise each of its lines begins with `> `.
    """
    if card.quoted is None:
        return None
    quote = card.quoted.quote
    if quote is None and card.listed is not None:
        return None  # its title says it
    if quote is None:
        return Text(NOT_IN_NOTES, style="bold")
    source = whole("  ", place_text(quote.path, quote.line, quote.page))
    if framed:
        return Group(Panel(Text(printable(quote.text)), border_style="cyan", padding=(0, 1)), source)
    return Group(*(Text(f"> {line}") for line in printable(quote.text).splitlines()), source)


def prose(card: Card) -> Text | None:
    """The generated words: bare while they stream, with their sources and marks once these are known.

    Where another model took over stands its name; words that a new version is about to replace are dimmed. None where
    the quote, which stands above, is the answer.
    """
    if card.answer is not None:
        answer = card.answer
        if answer.answer == (answer.quote.text if answer.quote is not None else answer.listed and answer.listed.title):
            return None
        return marked(answer.answer, answer.sentences, seams(answer.route)) if answer.answer.strip() else None
    draft = card.draft
    if not draft.shown.strip():
        return None
    text = Text()
    if draft.fading:
        text.append(f"{printable(draft.fading.rstrip())}\n\n", style="dim")
    text.append_text(_stretch(draft.text, 0, {span.start: span.model for span in draft.seams}, ""))
    text.rstrip()
    return text


def seams(route: list[Step]) -> dict[int, str]:
    """Where in a whole answer another model took over, and which."""
    return {step.start: step.model for step in route if step.start}


def marked(answer: str, sentences: list[Sentence], seams: dict[int, str] | None = None) -> Text:
    """The prose with each sentence's source number behind it; a sentence without one is dimmed and says so."""
    text, position = Text(), 0
    seams = seams or {}
    for sentence in sentences:
        found = answer.find(sentence.text, position)
        start = found if found >= 0 else position
        if found >= 0:
            text.append_text(_stretch(answer[position:found], position, seams, ""))
            position = found + len(sentence.text)
        elif text:
            text.append(" ")
        style = "dim italic" if sentence.source is None else ""
        text.append_text(_stretch(sentence.text, start, seams if found >= 0 else {}, style))
        if sentence.source is None:
            said = f"{NOT_SUPPORTED[:-1]}: {', '.join(sentence.foreign)})" if sentence.foreign else NOT_SUPPORTED
            text.append(f" {printable(said)}", style=style)
        else:
            text.append(f" [{sentence.source}]", style="cyan")
    text.append_text(_stretch(answer[position:], position, seams, ""))
    text.rstrip()
    return text


def _stretch(words: str, start: int, seams: dict[int, str], style: str) -> Text:
    """A part of the answer that begins at its `start`-th character, with the seams that fall into it."""
    text, position = Text(), 0
    for place in sorted(seams):
        if start <= place < start + len(words):
            text.append(printable(words[position : place - start]), style=style)
            text.append(f"[{seam_words(seams[place])}]", style="dim magenta")
            position = place - start
    return text.append(printable(words[position:]), style=style)


def sources(card: Card) -> RenderableType | None:
    """The numbered sources."""
    if card.answer is None or not card.answer.sources:
        return None
    return Group(*(_source_line(source) for source in card.answer.sources))


def last_line(card: Card) -> Text | None:
    """Who answered and how long each stage took."""
    if card.answer is None:
        return None
    times = card.answer.timings
    stages = (
        ("passages", times.passages_ms),
        ("quote", times.quote_ms),
        ("first word", times.first_token_ms),
        ("in all", times.total_ms),
    )
    said = [_step(step) for step in card.answer.route]
    said += [f"{name} {seconds(value)}" for name, value in stages if value is not None]
    said += [f"from {coverage_words(card.answer.coverage)}"] if card.answer.coverage else []
    return Text(printable(" · ".join(said)), style="dim")


def remarks(card: Card) -> Text | None:
    """What the person should know besides: a part that was not available, a model that broke off, a stop."""
    said = [*card.notes]
    said += [f"Read as: {card.answer.read_as}"] if card.answer and card.answer.read_as else []
    if card.answer and card.answer.offer and any(step.kind == "cloud" for step in card.answer.route):
        said.append(f"The cloud model at {card.answer.offer} can be asked this once: offhand ask --cloud-ok …")
    if card.answer and card.answer.remembered_at:
        said.append(f"{remembered_words(card.answer.remembered_at)} Anew: offhand ask --fresh …")
    said += [card.answer.note] if card.answer else [_step(step) for step in card.seams]
    said += ["Stopped."] if card.stopped else []
    lines = [Text(printable(line), style="dim") for line in dict.fromkeys(said) if line]
    return Text("\n").join(lines) if lines else None


def ending(card: Card) -> list[RenderableType | None]:
    """What comes under the quote."""
    return [prose(card), sources(card), remarks(card), last_line(card)]


def drawn(card: Card) -> list[RenderableType]:
    """All parts that are known, in reading order."""
    return spaced([listing(card), passages(card), quotation(card, framed=True), *ending(card)])


def spaced(parts: list[RenderableType | None]) -> list[RenderableType]:
    """The parts that are known, a blank line between them."""
    known = [part for part in parts if part is not None]
    return [piece for part in known for piece in (part, Text())][:-1]


class Tail:
    """The last lines of something, as many as the screen holds: what streams stays in sight."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's way of drawing it."""
        lines = console.render_lines(self._content, options, pad=False)
        for line in lines[-max(1, console.size.height - 1) :]:
            yield from line
            yield Segment.line()


def _item_line(item: CatalogItem) -> Text:
    words = one_line(item.text)
    about = ", ".join(part for part in (item_words(item), one_line(item.heading)) if part)
    where = place_text(item.path, item.line, None)
    return whole((f"{MARKS.get(item.state, '-')} ", "dim"), f"{words}  ", where, (f"  {about}" if about else "", "dim"))


def _source_line(source: Source) -> Text:
    where = place_text(source.path, source.line, source.page)
    return whole((f"[{source.n}] ", "cyan"), where, (f"  {trail(source.title, source.heading)}", "dim"))


def _step(step: Step) -> str:
    who = f"{step.kind} {model_name(step.model)}" if step.model else step.kind
    return f"{who}: {step.outcome}"
