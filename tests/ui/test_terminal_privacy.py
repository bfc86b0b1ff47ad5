"""What leaves this machine, as the command line tells and decides it, against a scripted engine."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from scripted import CommandLine
from scripted_engine import DEPARTURE, NOTES

from core.protocol import (
    Answered,
    Ask,
    Drill,
    Drilled,
    DrillOver,
    EraseLedger,
    Event,
    HistoryPage,
    LedgerPage,
    PastAnswer,
    Preview,
    Previewed,
    Said,
    SetRule,
    ShowHistory,
    ShowLedger,
    Step,
    Timings,
)
from indexer.worker import Cancellation
from ui.terminal.card import Card, remarks

WOULD = Previewed("api.host", "big", [Said("user", "Ask [NAME-1]")], 12, {"name": 1}, "the rule", ["/diary/c.md"])


def test_a_rule_is_set_and_said(offhand: CommandLine) -> None:
    ran = offhand("rule", str(NOTES), "local")
    assert offhand.engine.calls == [SetRule(str(NOTES), "local")]
    assert ran.out == f"{NOTES}: stays here.\n"
    assert f"{NOTES}: 198 files, 196 indexed, 2 failed; stays here" in offhand("folders").out
    assert offhand("rule", str(NOTES), "cloud", "--json").object["folders"][0]["rule"] == "cloud"


def test_what_is_no_rule_is_refused_before_the_engine_hears_of_it(offhand: CommandLine) -> None:
    ran = offhand("rule", str(NOTES), "perhaps", "--json")
    assert ran.status == 2
    assert "cloud, ask or local" in ran.object["error"]["next_step"]
    assert offhand.engine.calls == []


def test_consent_reaches_the_engine(offhand: CommandLine) -> None:
    offhand("ask", "--cloud-ok", "which tiles?")
    assert offhand.engine.calls == [Ask("which tiles?", consent=True)]


def test_a_preview_can_follow_the_last_answer(offhand: CommandLine) -> None:
    past = PastAnswer(12, "2026-11-24T10:00:00Z", Answered("who?", "Tom.", None, [], [], [], Timings()))
    offhand.engine.answers[ShowHistory] = lambda call, cancelled: iter([HistoryPage([past])])
    offhand.engine.answers[Preview] = lambda call, cancelled: iter([WOULD])
    offhand("preview", "and when?", "--follow")
    assert offhand.engine.calls == [ShowHistory(most=1), Preview("and when?", follows=12)]


def test_a_preview_shows_the_very_words_and_what_stays(offhand: CommandLine) -> None:
    offhand.engine.answers[Preview] = lambda call, cancelled: iter([WOULD])
    out = offhand("preview", "who?", "--cloud-ok").out
    assert offhand.engine.calls == [Preview("who?", 6, True)]
    for words in ("To api.host, big; 12 bytes", "Hidden: 1 name.", "--- user\nAsk [NAME-1]", "Stays here: /diary/c.md"):
        assert words in out
    (one,) = offhand("preview", "who?", "--json").object["models"]
    assert one["messages"] == [{"role": "user", "content": "Ask [NAME-1]"}]


def test_a_preview_names_each_model_and_shows_the_same_text_once(offhand: CommandLine) -> None:
    other, less = (
        replace(WOULD, host="other.host"),
        replace(WOULD, model="small", messages=[Said("user", "Ask")], bytes=3),
    )
    offhand.engine.answers[Preview] = lambda call, cancelled: iter([WOULD, other, less])
    out = offhand("preview", "who?").out
    places = [
        out.index(words) for words in ("To api.host, big", "To other.host, big", "--- user", "To api.host, small")
    ]
    assert places == sorted(places)
    assert (out.count("Ask [NAME-1]"), out.count("--- user\nAsk\n")) == (1, 1)
    assert len(offhand("preview", "who?", "--json").object["models"]) == 3


def test_the_ledger_is_listed_with_its_words_only_when_asked(offhand: CommandLine) -> None:
    out = offhand("ledger").out
    assert "2026-03-14T09:30:00Z  api.example.org, big: ok" in out
    assert "19 bytes, 64 tokens; you agreed, for this question; Hidden: 1 name." in out
    assert "[NAME-1]" not in out
    assert "Ask [NAME-1]" in offhand("ledger", "--full").out
    assert offhand("ledger", "--json").object["entries"][0]["hidden"] == {"name": 1}
    offhand("ledger", "--since", "2026-03-01")
    assert offhand.engine.calls[-1] == ShowLedger("2026-03-01", 0)


def test_the_ledger_is_put_together_from_its_pages(offhand: CommandLine) -> None:
    pages = [LedgerPage([DEPARTURE] * 2), LedgerPage([DEPARTURE]), LedgerPage([])]
    offhand.engine.answers[ShowLedger] = lambda call, cancelled: iter(pages)
    assert len(offhand("ledger", "--json").object["entries"]) == 3


def test_the_ledger_is_exported_for_its_owner_alone_and_never_over_a_file(offhand: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "left.jsonl"
    assert "1 entries are in" in offhand("ledger", "--export", str(file)).out
    assert json.loads(file.read_text())["host"] == "api.example.org"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = offhand("ledger", "--export", str(file))
    assert again.status == 3
    assert "exists already" in again.err


def test_the_ledger_is_erased(offhand: CommandLine) -> None:
    assert "erased" in offhand("ledger", "--erase").out
    assert offhand.engine.calls == [EraseLedger()]
    assert offhand("ledger").out == "Nothing has left this machine.\n"


def drilled(_call: Drill, _cancelled: Cancellation) -> Iterator[Event]:
    yield Drilled("Which tiles?", "local", "SmolLM2.Q4_1.gguf", Timings(12.0, 34.0, 410.0, 1870.0))
    yield Drilled("Who is Tom?", "nobody", "", Timings(9.0, 20.0), "Your notes do not seem to say.")
    yield DrillOver(2, 1, "Without the cloud, 1 of 2 questions were answered.")


def test_a_drill_reports_by_whom_and_how_fast(offhand: CommandLine, tmp_path: Path) -> None:
    offhand.engine.answers[Drill] = drilled
    file = tmp_path / "questions.txt"
    file.write_text("Which tiles?\n\n  Who is Tom?\n")
    out = offhand("drill", "--questions", str(file)).out
    assert offhand.engine.calls == [Drill(["Which tiles?", "Who is Tom?"], 5)]
    assert "Which tiles?: by SmolLM2, quote 34 ms, in all 1.9 s" in out
    assert "NOT       Who is Tom?: not answered" in out
    assert "1 of 2" in out
    ran = offhand("drill", "-n", "3", "--json").object
    assert offhand.engine.calls[-1] == Drill([], 3)
    assert [question["answered_by"] for question in ran["questions"]] == ["local", "nobody"]
    assert (ran["asked"], ran["answered"]) == (2, 1)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\xfa"])
def test_a_file_without_questions_is_said(offhand: CommandLine, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "questions.txt"
    if content is not None:
        file.write_bytes(content)
    assert offhand("drill", "--questions", str(file), "--json").status == 3


def test_a_cloud_model_that_was_kept_from_the_notes_is_offered_and_otherwise_not_mentioned() -> None:
    answer = Answered("who?", "Tom.", None, [], [], [], Timings(), offer="api.host")
    assert "cloud" not in str(remarks(Card(answer=answer)) or "")
    withheld = replace(answer, route=[Step("cloud", "big", "The notes stay")])
    assert "The cloud model at api.host can be asked this once: offhand ask --cloud-ok" in str(
        remarks(Card(answer=withheld))
    )
