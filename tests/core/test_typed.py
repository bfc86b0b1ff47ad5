"""Questions about the catalog, over real files: what each lists, and that an ordinary question is not taken for one.

A line is a question and what it lists, by the words in `TASKS` or by the file's name; "-" for nothing, and behind a
slash how many there are where fewer are listed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.answering.listing import listing, spelt
from core.answering.typed import LONGEST, Reading, read
from indexer.facts import Facts
from indexer.records import CatalogItem, Days
from indexer.store.database import Database
from tests.core.typed_library import TODAY, fill, write

TASKS = {
    "invoice": "Pay the boiler invoice",
    "service": "Book the service",
    "valve": "Order the valve",
    "roofer": "Ask the roofer",
    "gutters": "Clean the gutters",
    "return": "Send the tax return",
    "receipts": "Collect receipts",
    "vat": "Register for VAT",
    "advance": "Pay the advance",
    "report": "Write the report",
    "anna": "Hire Anna",
    "desk": "Tidy the desk",
}
OPEN = "invoice service roofer gutters return receipts advance report desk"
ALL = "taxes.md inbox.txt boiler.md 2026-11-22.md roof.md plan.org survey.pdf 2026-03-14.md pancakes.md budget.csv "
ALL += "soup.txt porto.md 2025-05-02.md"

ABOUT_TASKS = f"""
what is due this week? | report service
What's due today? | report
what is due tomorrow? | -
what is due next week? | return receipts
what was due last week? | valve invoice roofer
which open tasks were due last week? | invoice roofer
which done tasks were due last week? | valve
what is due this month? | invoice roofer report service return
what is due in December? | receipts
what is due in March? | advance
what was due in March? | vat
what is due in Q4 2026? | invoice roofer report service return receipts
what is due this quarter? | invoice roofer report service return receipts
what is due in 2027? | advance
what is due next year? | advance
what is due by Friday? | invoice roofer report service
what is due by 30 November? | invoice roofer report service return
what is due before 24 November 2026? | invoice roofer
what is due after this week? | return receipts advance
what is due between 24 November and 1 December? | report service return
what is due from today to Thursday? | report service
what is due in the next 3 days? | report service
what is due within 10 days? | report service return receipts
what's due in the next two weeks? | report service return receipts
what is due on Thursday? | service
what is due this Thursday? | service
what is due on 26 November? | service
what is due on November 26th, 2026? | service
what is due on 2026-11-30? | return
what is due the day after tomorrow? | service
what is due in two days? | service
what is due? | invoice roofer report service return receipts advance
what is due next? | report / 5
is anything due today? | report
is there anything due on Sunday? | -
what is overdue? | invoice roofer
is anything overdue? | invoice roofer
overdue | invoice roofer
overdue tasks | invoice roofer
how many tasks are overdue? | invoice roofer
which tasks are overdue in House? | invoice roofer
what is overdue in the Work folder? | -
how many overdue tasks are there in my notes? | invoice roofer
open tasks | {OPEN}
my open tasks | {OPEN}
my tasks | {OPEN}
what is open? | {OPEN}
what is still open? | {OPEN}
what's still outstanding? | {OPEN}
list my open tasks | {OPEN}
list all open tasks | {OPEN}
how many open tasks do I have? | {OPEN}
how many tasks do I have? | {OPEN}
please show me all open to-dos | {OPEN}
what do I have to do? | {OPEN}
what do I still need to do? | {OPEN}
what do I have to do today? | report
what do I need to do this week? | report service
what is left to do? | {OPEN}
what is on my to-do list? | {OPEN}
which tasks are not done? | {OPEN}
which tasks are unfinished in House? | invoice service roofer gutters
done tasks | valve vat anna
which tasks are done? | valve vat anna
how many tasks have I completed? | valve vat anna
list the completed tasks in Work | vat anna
list all tasks | {OPEN} valve vat anna
how many tasks are there? | {OPEN}
which tasks have no due date? | gutters desk
open tasks without a deadline | gutters desk
undated tasks | gutters desk
tasks tagged urgent | service
how many open tasks are tagged tax? | return receipts
#tax tasks | return receipts
tax tasks due next week | return receipts
tasks with the tag nowhere | -
house tasks | invoice service roofer gutters
what is open in House? | invoice service roofer gutters
what's due in the house folder this week? | service
tasks in Work due this month | report return
open tasks about heating | invoice service
what are my deadlines this week? | report service
which deadlines are coming up? | report service return receipts advance
upcoming deadlines | report service return receipts advance
what deadlines do I have next month? | receipts
what is my next deadline? | report / 5
the next 3 deadlines | report service return / 5
next two tasks | report service / 5
what are today's tasks? | report
this week's tasks | report service
tasks for this week | report service
do I have any tasks for tomorrow? | -
are there any open tasks in Recipes? | -
show all tasks due in November | valve invoice roofer report service return
action items due this week | report service
how many to-dos are open in Work? | return receipts advance report desk
Was ist diese Woche fällig? | report service
Was ist überfällig? | invoice roofer
Was ist noch offen? | {OPEN}
Welche Aufgaben sind offen? | {OPEN}
Wie viele offene Aufgaben habe ich? | {OPEN}
Was muss ich heute noch erledigen? | report
Welche Aufgaben sind nächste Woche fällig? | return receipts
Was ist bis Freitag fällig? | invoice roofer report service
Was ist im Dezember fällig? | receipts
offene Aufgaben im Ordner Work | return receipts advance report desk
"""

ABOUT_FILES = f"""
which files did I change yesterday? | boiler.md
what did I change yesterday? | boiler.md
did I change anything yesterday? | boiler.md
what did I change last week? | 2026-11-22.md roof.md plan.org
what have I changed since Monday? | inbox.txt taxes.md boiler.md
what changed today? | inbox.txt taxes.md
which notes changed this week? | inbox.txt taxes.md boiler.md
notes changed in the last 5 days | inbox.txt taxes.md boiler.md 2026-11-22.md roof.md
files modified in October | survey.pdf
which documents did I edit in February 2026? | pancakes.md
how many files did I change this month? | inbox.txt taxes.md boiler.md 2026-11-22.md roof.md plan.org
what did I work on last week? | 2026-11-22.md roof.md plan.org
what did I write last month? | survey.pdf
which files were changed in Q2 2025? | soup.txt porto.md 2025-05-02.md
how many notes did I edit in 2025? | soup.txt porto.md 2025-05-02.md
files changed before 2026 | soup.txt porto.md 2025-05-02.md
what did I change between 1 January and 31 March 2026? | 2026-03-14.md pancakes.md budget.csv
what did I change in House this week? | boiler.md
which files in Work did I change since 16 November? | taxes.md plan.org
which files did I change three weeks ago? | -
what did I change 4 days ago? | roof.md
which notes did I change on Friday? | roof.md
which notes did I edit last weekend? | 2026-11-22.md
what did I change the day before yesterday? | 2026-11-22.md
notes from yesterday | boiler.md
yesterday's notes | boiler.md
notes from last week | 2026-11-22.md plan.org roof.md
notes from March | 2026-03-14.md
which notes are from May 2025? | 2025-05-02.md porto.md
how many notes are from 2025? | 2025-05-02.md soup.txt porto.md
list the files from Q4 2026 | 2026-11-22.md boiler.md inbox.txt plan.org roof.md survey.pdf taxes.md
what is my latest note? | inbox.txt / 13
the latest 3 files | inbox.txt taxes.md boiler.md / 13
my last two notes | inbox.txt taxes.md / 13
which file did I change last? | inbox.txt / 13
the newest file in House | boiler.md / 2
what is the oldest note? | 2025-05-02.md / 13
what did I change recently? | inbox.txt taxes.md boiler.md 2026-11-22.md roof.md plan.org survey.pdf 2026-03-14.md \
pancakes.md budget.csv / 13
the most recently changed file | inbox.txt / 13
recent notes in Journal | 2026-11-22.md 2026-03-14.md 2025-05-02.md
how many files do I have? | {ALL}
how many notes are there? | {ALL}
list all files | {ALL}
how many notes are in Journal? | 2026-11-22.md 2026-03-14.md 2025-05-02.md
list the files in Recipes | pancakes.md soup.txt
which files are in the Travel folder? | porto.md
what files are in Work? | taxes.md plan.org budget.csv survey.pdf
how many PDFs do I have? | survey.pdf
list the PDF files in Work | survey.pdf
how many spreadsheets are there? | budget.csv
which text files do I have? | soup.txt inbox.txt
which notes are tagged house? | boiler.md roof.md
how many notes have the tag cooking? | pancakes.md
notes tagged with #travel | porto.md
files with the tag travel/portugal | porto.md
#house notes | boiler.md roof.md
weather notes | 2026-03-14.md
notes about cooking | pancakes.md
which notes have no tags? | 2026-11-22.md 2025-05-02.md soup.txt survey.pdf budget.csv inbox.txt
untagged notes in Journal | 2026-11-22.md 2025-05-02.md
how many notes mention Anna Keller? | taxes.md 2026-11-22.md
which notes mention the boiler? | boiler.md roof.md
which files contain the word bucket? | 2026-03-14.md
list notes that mention "Mr Hale" | boiler.md
how many notes mention unicorns? | -
which notes link to Porto? | 2026-11-22.md
what links to boiler.md? | roof.md
which notes link to survey.pdf? | roof.md
which note is called pancakes? | pancakes.md
Welche Dateien habe ich gestern geändert? | boiler.md
Welche Notizen habe ich letzte Woche bearbeitet? | 2026-11-22.md roof.md plan.org
Wie viele Notizen habe ich? | {ALL}
"""

ABOUT_THE_REST = """
which tags do I use? | #cooking #heating #house #tax #travel/portugal #urgent #weather #work
how many tags are there? | #cooking #heating #house #tax #travel/portugal #urgent #weather #work
list my tags | #cooking #heating #house #tax #travel/portugal #urgent #weather #work
what tags are in House? | #heating #house #urgent
list the headings in pancakes.md | Pancakes Batter Frying
which headings are in Porto? | -
list the links in roof.md | Boiler the+survey
"""

ORDINARY = """
how many eggs go into the pancakes?
what is the latest theory of dark matter?
what is the latest news?
what is the newest phone?
what is a task?
what is a tag?
what are headings?
when is the tax return due?
when was the boiler last changed?
when are tasks due?
why is the report overdue?
who services the boiler?
how much did the valve cost?
how was the roof changed?
how do I open a file?
what is open on Sunday?
what is open source?
what did Anna change in the plan?
what did Anna write in March?
did Anna write on Friday?
what changed in Python 3.12?
which files do I need for the tax return?
what files does the boiler need?
what should I do about the boiler?
how many notes are in a C major scale?
how many documents does the bank want?
how many tasks can a computer do at once?
how many links are in a chain?
how many days are left until the deadline?
what is the deadline for the grant application?
what is the deadline?
list the ingredients of the pancakes
what is the list price of the boiler?
which documents do I have to sign?
what did we decide last week?
what happened in March?
what is the last note of the symphony?
what is due diligence?
what is due to the bank?
what is overdue interest?
what is the tag line of the campaign?
what is the meaning of "open tasks"?
is the report done?
are all tasks done?
did I finish the report?
what notes did Anna play?
which link is broken?
which task force handles floods?
what did I change my mind about?
what was the change in temperature in 2025?
what does the contract say about open windows?
what are the open questions in the plan?
what does the first aid kit contain?
what is the boiler called?
which tasks did I finish last week?
which notes have open tasks?
what is due this week and what is overdue?
tasks that are not due
may I open the file?
tasks due on the 31st of February
list of tasks that mention Anna
open tasks in a drawer
notes
files
open
due
Wie viele Eier kommen in die Pfannkuchen?
Was ist die offene Rechnung?
Wann ist die Steuererklärung fällig?
Was hat Anna gestern geändert?
"""


def lines(table: str) -> list[tuple[str, str]]:
    return [(question, gold) for question, gold in (line.split(" | ") for line in table.strip().split("\n"))]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Facts]:
    place = tmp_path_factory.mktemp("typed")
    write(place / "Notes")
    database = Database(place / "catalog.sqlite3")
    yield fill(database, place / "Notes", models)
    database.close()


def asked(question: str, facts: Facts) -> Reading:
    reading = read(question, TODAY, facts)
    assert reading is not None, "it was taken for an ordinary question"
    return reading


def check(question: str, gold: str, facts: Facts, name) -> None:
    reading = asked(question, facts)
    listed = listing(reading.query, facts.listed, reading.when, counted=reading.counted)
    names, _, total = gold.partition(" / ")
    expected = [] if names == "-" else names.split(" ")
    assert sorted(map(name, listed.items)) == sorted(expected), listed.title
    assert listed.total == int(total or len(expected)), listed.title
    assert listed.counted == question.lower().startswith(("how many", "wie viele"))
    assert all(Path(item.path).is_file() and item.line >= 1 for item in listed.items)


def of_task(item: CatalogItem) -> str:
    line = Path(item.path).read_text(encoding="utf-8").split("\n")[item.line - 1]
    assert item.text in line
    return next(name for name, words in TASKS.items() if item.text.startswith(words))


@pytest.mark.parametrize(("question", "gold"), lines(ABOUT_TASKS))
def test_tasks_are_listed_exactly_each_at_its_line(question: str, gold: str, facts: Facts) -> None:
    check(question, gold, facts, of_task)
    if gold != "-":  # by their due days, those without one last
        reading = asked(question, facts)
        days = [item.date or "9" for item in facts.listed(reading.query)[1]]
        assert days == sorted(days)


@pytest.mark.parametrize(("question", "gold"), lines(ABOUT_FILES))
def test_files_are_listed_exactly(question: str, gold: str, facts: Facts) -> None:
    check(question, gold, facts, lambda item: Path(item.path).name)


def test_what_was_changed_last_comes_first(facts: Facts) -> None:
    items = facts.listed(asked("what did I change last week?", facts).query)[1]
    assert [(Path(item.path).name, item.date) for item in items] == [
        ("2026-11-22.md", "2026-11-22"),
        ("roof.md", "2026-11-20"),
        ("plan.org", "2026-11-16"),
    ]


@pytest.mark.parametrize(("question", "gold"), lines(ABOUT_THE_REST))
def test_tags_headings_and_links_are_listed_exactly(question: str, gold: str, facts: Facts) -> None:
    check(question, gold, facts, lambda item: item.text.replace(" ", "+"))


@pytest.mark.parametrize("question", ORDINARY.strip().split("\n"))
def test_an_ordinary_question_stays_one(question: str, facts: Facts) -> None:
    assert read(question, TODAY, facts) is None


def test_the_tables_are_as_large_as_promised() -> None:
    assert len(lines(ABOUT_TASKS) + lines(ABOUT_FILES) + lines(ABOUT_THE_REST)) >= 120
    assert len(ORDINARY.strip().split("\n")) >= 25


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("which open tasks were due last week?", "2 open tasks due last week (16–22 November 2026)"),
        ("what is due tomorrow?", "No open task is due tomorrow (25 November 2026)."),
        ("what is due by Friday?", "4 open tasks due by Friday (up to 27 November 2026)"),
        ("what is due after this week?", "3 open tasks due after this week (from 30 November 2026 on)"),
        ("what is overdue?", "2 open tasks overdue"),
        ("what is overdue in the Work folder?", "No open task in Work is overdue."),
        ("tasks tagged urgent", "1 open task tagged #urgent"),
        ("tasks with the tag nowhere", "There is no open task tagged #nowhere."),
        ("undated tasks", "2 open tasks without a due day"),
        ("what is due?", "7 open tasks with a due day"),
        ("next 3 deadlines", "The next 3 open tasks, of 5 due from 24 November 2026 on"),
        ("list all tasks", "12 tasks"),
        ("which files did I change yesterday?", "1 file changed yesterday (23 November 2026)"),
        ("notes from March", "1 file from March (1–31 March 2026)"),
        ("which notes are from May 2025?", "2 files from May 2025 (1–31 May 2025)"),
        ("list the files from Q4 2026", "7 files from Q4 2026 (1 October – 31 December 2026)"),
        ("the newest file in House", "The file in House that changed last, of 2"),
        ("how many PDFs do I have?", "1 PDF file"),
        ("how many notes mention unicorns?", "There is no file with the word “unicorns”."),
        ("which notes link to Porto?", "1 file with a link to “Porto”"),
        ("which notes have no tags?", "6 files without a tag"),
        ("list the headings in pancakes.md", "3 headings in “pancakes.md”"),
    ],
)
def test_the_title_says_how_the_question_was_understood(question: str, title: str, facts: Facts) -> None:
    reading = asked(question, facts)
    assert listing(reading.query, facts.listed, reading.when).title == title


def test_a_stretch_of_days_is_spelt_as_people_write_it() -> None:
    assert spelt(Days("2026-11-24", "2026-11-24")) == "24 November 2026"
    assert spelt(Days("2026-12-28", "2027-01-03")) == "28 December 2026 – 3 January 2027"


def test_a_tag_has_its_number_of_files(facts: Facts) -> None:
    items = facts.listed(asked("which tags do I use?", facts).query)[1]
    assert (items[0].text, items[0].count, Path(items[0].path).name) == ("#house", 2, "boiler.md")


def test_a_task_stands_under_its_heading(facts: Facts) -> None:
    (item,) = facts.listed(asked("tasks tagged urgent", facts).query)[1]
    assert (item.heading, item.line, item.state, item.date) == ("To do", 11, "open", "2026-11-26")


def test_a_heading_stands_under_the_one_it_belongs_to_and_a_task_of_org_too(facts: Facts) -> None:
    items = facts.listed(asked("list the headings in pancakes.md", facts).query)[1]
    assert [(item.text, item.heading) for item in items] == [
        ("Pancakes", ""),
        ("Batter", "Pancakes"),
        ("Frying", "Pancakes"),
    ]
    items = facts.listed(asked("open tasks in Work", facts).query)[1]
    assert [item.heading for item in items if item.text == "Tidy the desk"] == [""]


def test_a_document_is_no_question(facts: Facts) -> None:
    assert read("open tasks " + "x" * LONGEST, TODAY, facts) is None


def test_an_ordinary_question_does_not_even_load_the_reader_of_dates(facts: Facts) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from datetime import date; from core.answering.typed import read; "
        "assert read('when was the boiler serviced in March 2025?', date(2026, 11, 24), None) is None; "
        "assert 'dateparser' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


PARTS = (
    "what which how many list show due overdue open done tasks notes files deadlines tags headings links changed last "
    "next latest 3 since before between and in on House Work Anna tagged #house mention not a the my this week "
    "yesterday 2026 March 31 Q2 31st of February 9999-12-31 0001-01-01 999 years ago ſix"
).split()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=9).map(" ".join) | st.text(max_size=60))
def test_whatever_is_typed_is_read_or_left(facts: Facts, typed: str) -> None:
    reading = read(typed, TODAY, facts)
    if reading is not None:
        listed = listing(reading.query, facts.listed, reading.when)
        assert len(listed.items) <= listed.total
        assert listed.title
