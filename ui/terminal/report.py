"""`offhand status`, `folders`, `doctor` and `settings`, in lines a person reads at a glance."""

from rich.text import Text

from core.protocol import (
    ChildInfo,
    Departure,
    Drilled,
    FileProblem,
    Finding,
    FolderInfo,
    LaterInfo,
    Provider,
    ProviderInfo,
    Settings,
    StatusReport,
)
from ui.state_words import RULES, at_time, coverage_words, files, local_words, model_name, seconds, size
from ui.terminal.wording import counted, duration, one_line

COLUMN = 10  # characters of the labels on the left


def status_lines(report: StatusReport) -> list[Text]:
    """The state of everything."""
    counts = report.counts
    owed = f", {counted(counts.vectors_owed, 'vector')} owed" if counts.vectors_owed else ""
    children = [_child(child) for child in report.children]
    total = report.memory + sum(child.memory for child in report.children)
    lines = [
        _line("Engine", f"version {report.version}, process {report.pid}, up {duration(report.uptime_s)}"),
        _line("Files", coverage_words(report.coverage)),
        *([_line("Reading", report.paused or report.resumed, "yellow")] if report.paused or report.resumed else []),
        _line("Passages", f"{counts.chunks:,}{owed}"),
        *([_line("Vectors", report.vectors)] if report.vectors else []),
        _line("Model", local_words(report)),
        *([_line("Cloud", "none")] if not report.providers else []),
        *(_line("Cloud", provider_words(info), "" if info.state == "ready" else "yellow") for info in report.providers),
        *([_line("Later", later)] if (later := _later(report.later)) else []),
        _line("Network", "offline: the door is closed" if report.offline else "allowed"),
        _line("Memory", f"{size(total)}: " + ", ".join([f"engine {size(report.memory)}", *children])),
        *(_line("Folder", folder_words(folder)) for folder in report.folders),
        *(_line(file.state.capitalize(), _problem(file), "yellow") for file in report.problems),
        *(_line("Notice", notice, "yellow") for notice in report.notices),
    ]
    return lines if report.folders else [*lines, _line("Folder", "none yet: `offhand add DIR`")]


def _later(later: LaterInfo) -> str:
    said = [counted(later.waiting, "question") + " waiting for a second opinion"] if later.waiting else []
    said += [counted(later.new, "second opinion") + " to read"] if later.new else []
    return f"{', '.join(said)}: `offhand later`" if said else ""


def provider_words(info: ProviderInfo) -> str:
    """A provider and where it stands."""
    provider = info.provider
    return f"{provider.name} ({provider.model}): {info.words}"


def folder_words(folder: FolderInfo) -> str:
    """A folder and where it stands."""
    if not folder.reachable:
        return f"{folder.path}: not reachable now; what was read of it is kept; {RULES[folder.rule]}"
    said = f"{folder.path}: {files(folder.files)}, {folder.indexed:,} indexed"
    said += f", {folder.waiting:,} waiting" if folder.waiting else ""
    said += f", {folder.skipped:,} skipped" if folder.skipped else ""
    said += f", {folder.failed:,} failed" if folder.failed else ""
    said += ", links followed" if folder.links else ""
    return f"{said}; {RULES[folder.rule]}"


def _problem(file: FileProblem) -> str:
    again = f" It is tried again {at_time(file.retry_at)}." if file.retry_at else ""
    return f"{file.path}: {file.reason}{again}"


def departure_lines(entry: Departure) -> list[Text]:
    """A request that left."""
    facts = f"{entry.bytes:,} bytes, {entry.tokens:,} tokens; {entry.why}; {hidden_words(entry.hidden)}"
    return [
        Text.assemble((entry.at, "bold"), f"  {entry.host}, {entry.model}: {one_line(entry.outcome or 'under way')}"),
        Text(f"    {facts}", style="dim"),
    ]


def hidden_words(hidden: dict[str, int]) -> str:
    """What was redacted, as numbers by kind."""
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(hidden.items()))
    return f"Hidden: {listed or 'nothing'}."


def drill_line(result: Drilled) -> Text:
    """One question of an outage drill: by whom it was answered, and how fast."""
    names = {"local": f"by {model_name(result.model)}", "quote": "by the quote", "catalog": "from the catalog"}
    by = names.get(result.answered_by, "not answered")
    first, total = result.timings.quote_ms, result.timings.total_ms
    times = [f"{name} {seconds(ms)}" for name, ms in (("quote", first), ("in all", total)) if ms is not None]
    good = result.answered_by != "nobody"
    words = ", ".join([by, *times]) + (f" ({result.note})" if result.note else "")
    return Text.assemble(
        (f"{'ok' if good else 'NOT':<{COLUMN}}", "green" if good else "bold red"),
        (f"{one_line(result.question)}: ", "bold"),
        one_line(words),
    )


def finding_line(finding: Finding) -> Text:
    """One finding of the doctor, with what to do about it."""
    word, style = ("ok", "green") if finding.ok else ("PROBLEM", "bold red")
    if finding.fixed:
        word, style = "repaired", "yellow"
    words = f"{one_line(finding.what)} {'' if finding.ok else one_line(finding.next_step)}".strip()
    return Text.assemble((f"{word:<{COLUMN}}", style), (f"{finding.name}: ", "bold"), words)


def setting_lines(settings: Settings) -> list[Text]:
    """All settings in the form in which they are typed."""
    names = settings.__struct_fields__
    width = max(map(len, names))
    return [Text.assemble((f"{name:<{width}}  ", "bold"), setting_text(getattr(settings, name))) for name in names]


def setting_text(value: object) -> str:
    """A setting's value as `offhand settings NAME VALUE` takes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return one_line(", ".join(part.name if isinstance(part, Provider) else str(part) for part in value))
    return one_line(str(value))


def _child(child: ChildInfo) -> str:
    return f"{child.name} {size(child.memory) if child.pid is not None else child.state}"


def _line(label: str, words: str, style: str = "bold") -> Text:
    return Text.assemble((f"{label:<{COLUMN}}", style), one_line(words), no_wrap=True, overflow="ignore")
