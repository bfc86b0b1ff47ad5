"""Second opinions, in lines a person reads at a glance."""

from datetime import datetime

from rich.text import Text

from core.protocol import SecondOpinion
from ui.state_words import VERDICTS, at_time, model_name
from ui.terminal.wording import one_line


def opinion_lines(opinion: SecondOpinion) -> list[Text]:
    """A question, what was said then and now, and where the two differ."""
    asked = datetime.fromisoformat(opinion.asked_at).timestamp()
    head = Text.assemble((one_line(opinion.question), "bold"), (f"  asked {at_time(asked)}", "dim"))
    if opinion.state == "waiting":
        return [head, Text("  Waits for the cloud model.", style="yellow")]
    if opinion.state == "dropped":
        return [head, Text(f"  No second opinion: {one_line(opinion.note)}", style="yellow")]
    lines = [
        head,
        _line("Then", opinion.first),
        _line("Now", f"{opinion.answer} ({model_name(opinion.model)})"),
    ]
    if opinion.difference is not None:
        difference = opinion.difference
        lines.append(Text(f"  {VERDICTS[difference.verdict]}", style="green" if not difference.now else "yellow"))
        if difference.both:
            lines += [_line("Only now", sentence) for sentence in difference.now]
            lines += [_line("Only then", sentence) for sentence in difference.then]
    unsupported = sum(sentence.source is None for sentence in opinion.sentences)
    if unsupported:
        said = "1 sentence of it is" if unsupported == 1 else f"{unsupported} sentences of it are"
        lines.append(Text(f"  {said} not from your notes.", style="dim"))
    return [*lines, Text(f"  {one_line(opinion.note)}", style="dim")] if opinion.note else lines


def _line(label: str, words: str) -> Text:
    return Text.assemble((f"  {label + ':':<11}", "dim"), one_line(words))
