"""The book of what left: written before, ended after, erased for good, and with a hard stop where money ends."""

import stat
from pathlib import Path

import apsw
import pytest

from core.errors import CloudFailed
from core.models.model import Anew, Cleared, Event, Finished, FromNotes, Message, Token, Uncleared, Waiting, composed
from core.privacy.budget import Budget, BudgetSpent, estimate
from core.privacy.ledger import Ledger, LedgerUnusable, Ticket
from core.privacy.outgoing import Outgoing
from core.protocol import Settings

SAID = [Message("system", "Answer."), Message("user", "Wer räumt auf?")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outgoing.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return Ledger(path)


def begun(ledger: Ledger, budget: Budget | None = None, tokens: int = 100) -> Ticket:
    return ledger.begin(
        "api.host", "big", SAID, tokens=tokens, hidden={"email": 2}, why="a rule", budget=budget or Budget()
    )


def test_an_entry_is_there_before_the_request_leaves_and_its_end_is_added(ledger: Ledger, path: Path) -> None:
    ticket = begun(ledger)
    (entry,) = ledger.page()
    assert (entry.host, entry.model, entry.hidden, entry.why) == ("api.host", "big", {"email": 2}, "a rule")
    assert [(said.role, said.content) for said in entry.messages] == [("system", "Answer."), ("user", "Wer räumt auf?")]
    assert entry.bytes == len(b"Answer." + "Wer räumt auf?".encode())
    assert (entry.outcome, entry.tokens) == ("", 100)
    ledger.end(ticket, "ok", 31)
    (entry,) = ledger.page()
    assert (entry.outcome, entry.tokens) == ("ok", 31)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_read_in_pages_newest_first_and_from_a_date_on(ledger: Ledger) -> None:
    tickets = [begun(ledger) for _ in range(5)]
    assert [entry.id for entry in ledger.page(limit=2)] == [tickets[4].id, tickets[3].id]
    assert [entry.id for entry in ledger.page(before=tickets[3].id)] == [ticket.id for ticket in tickets[2::-1]]
    assert len(ledger.page(since="2020-01-01")) == 5
    assert ledger.page(since="2999-01-01") == []


def test_a_budget_stops_the_request_that_would_go_beyond_it(ledger: Ledger) -> None:
    ledger.end(begun(ledger, Budget(day=150), tokens=100), "ok", 40)  # what was not used is given back
    begun(ledger, Budget(day=150), tokens=110)
    with pytest.raises(BudgetSpent, match=r"limit of 150 cloud tokens a day .*150 spent today, about 1 needed"):
        begun(ledger, Budget(day=150), tokens=1)
    with pytest.raises(BudgetSpent, match="this month"):
        begun(ledger, Budget(month=150), tokens=1)
    begun(ledger, Budget(day=151), tokens=1)
    assert len(ledger.page()) == 3, "a request that was stopped did not leave"


def test_erasing_forgets_the_words_and_keeps_what_was_spent(ledger: Ledger, path: Path) -> None:
    begun(ledger)
    assert "räumt".encode() in path.read_bytes()
    assert ledger.erase() == 1
    assert ledger.page() == []
    assert "räumt".encode() not in path.read_bytes()
    with pytest.raises(BudgetSpent):
        begun(ledger, Budget(day=150))


def test_a_ledger_that_was_never_needed_is_empty_and_makes_no_file(ledger: Ledger, path: Path) -> None:
    assert ledger.page() == []
    assert ledger.erase() == 0
    assert not path.exists()


def test_a_damaged_ledger_says_so(ledger: Ledger, path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at as one" * 40)
    for use in (ledger.page, lambda: begun(ledger), ledger.erase):
        with pytest.raises(LedgerUnusable):
            use()


def request() -> Uncleared:
    return Uncleared("api.host", "big", [composed("user", FromNotes("The boat is blue.", ("/a.md",)), "\nWhich?")], 50)


def test_what_cannot_be_written_down_is_not_sent(path: Path) -> None:
    """A full disk, as SQLite meets it: the file may not grow."""

    class Full(Ledger):
        def _open(self) -> apsw.Connection:
            connection = super()._open()
            connection.execute("PRAGMA max_page_count = 1")
            return connection

    outgoing = Outgoing(lambda paths: dict.fromkeys(paths, "cloud"), Settings, Full(path))
    asked: list[Cleared] = []
    with pytest.raises(LedgerUnusable, match="Nothing was sent, because it could not be written down"):
        list(
            outgoing.card().send(
                Uncleared("h", "m", [composed("user", FromNotes("x" * 50_000, ("/a.md",)))], 50),
                lambda cleared: asked.append(cleared) or iter(()),
            )
        )  # type: ignore[func-returns-value]
    assert not asked


def test_how_a_request_ended_is_written_down_whatever_happens(ledger: Ledger) -> None:
    outgoing = Outgoing(lambda paths: dict.fromkeys(paths, "cloud"), Settings, ledger)

    def broken(_cleared: Cleared) -> "list[Token | Finished]":
        raise CloudFailed("It broke.")

    with pytest.raises(CloudFailed, match="It broke"):
        list(outgoing.card().send(request(), broken))  # type: ignore[arg-type]
    stopped = outgoing.card().send(request(), lambda _: iter([Token("The boat"), Finished("stop")]))
    next(stopped)
    stopped.close()  # type: ignore[attr-defined]
    list(outgoing.card().send(request(), lambda _: iter([Token("Blue."), Finished("stop", 30, 3)])))
    entries = ledger.page()
    assert [entry.outcome for entry in entries] == ["ok", "stopped", "It broke."]
    assert entries[0].tokens == 33


def test_waiting_passes_a_placeholder_that_is_under_way_and_is_no_word(ledger: Ledger) -> None:
    outgoing = Outgoing(lambda paths: dict.fromkeys(paths, "cloud"), Settings, ledger)
    asked = Uncleared("api.host", "big", [composed("user", FromNotes("Ask ida@example.org.", ("/a.md",)))], 50)
    words: list[Event] = [Token("Ask [EMA"), Waiting(0.3), Token("IL-1]."), Finished("stop")]
    events = list(outgoing.card().send(asked, lambda _: iter(words)))
    assert events == [Token("Ask "), Waiting(0.3), Token("ida@example.org."), Finished("stop")]
    (entry,) = ledger.page()
    assert entry.tokens == estimate("Ask [EMAIL-1].") + 2


def test_an_answer_that_begins_anew_forgets_what_was_held_back(ledger: Ledger) -> None:
    outgoing = Outgoing(lambda paths: dict.fromkeys(paths, "cloud"), Settings, ledger)
    asked = Uncleared("api.host", "big", [composed("user", FromNotes("Ask ida@example.org.", ("/a.md",)))], 50)
    words: list[Event] = [Token("Ask [EMA"), Anew(), Token("[EMAIL-1]"), Finished("stop")]
    events = list(outgoing.card().send(asked, lambda _: iter(words)))
    assert events == [Token("Ask "), Anew(), Token("ida@example.org"), Finished("stop")]


def test_an_estimate_errs_on_the_dear_side() -> None:
    assert estimate("") == 0
    assert estimate("Wer räumt auf?") >= 5


def test_what_counts_towards_the_budgets_is_told_and_outlives_erasing(ledger: Ledger) -> None:
    assert ledger.spent() == (0, 0)
    ledger.end(begun(ledger), "ok", 31)
    begun(ledger, tokens=100)
    assert ledger.spent() == (131, 131)
    ledger.erase()
    assert ledger.spent() == (131, 131)
