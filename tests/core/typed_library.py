"""A small library of real files with fixed times, read by the real extractor into a catalog, for questions about it."""

import os
import shutil
from datetime import date, datetime
from pathlib import Path

from core.paths import ROOT
from indexer.extract.extractor import Extract, Extractor
from indexer.facts import Facts
from indexer.ignore import IgnoreRules
from indexer.records import Extracted
from indexer.scan import apply, compare
from indexer.store import files, folders, passages
from indexer.store.database import Database

TODAY = date(2026, 11, 24)  # a Tuesday

NOTES = {
    ("House/boiler.md", "2026-11-23 18:00"): """---
tags: [house, heating]
---
# Boiler

The boiler is serviced every October by Mr Hale.

## To do

- [ ] Pay the boiler invoice due: 2026-11-18
- [ ] Book the service 📅 2026-11-26 #urgent
- [x] Order the valve due 2026-11-17
""",
    ("House/roof.md", "2026-11-20 10:00"): """# Roof
#house
- [ ] Ask the roofer for an offer @due(2026-11-19)
- [ ] Clean the gutters

See [[Boiler]] and [the survey](../Work/survey.pdf).
""",
    ("Work/taxes.md", "2026-11-24 08:00"): """# Taxes

- [ ] Send the tax return [due:: 2026-11-30] #tax
- [ ] Collect receipts by 4 December 2026 #tax
- [x] Register for VAT due 2026-03-10
- [ ] Pay the advance due 2027-03-10

Anna Keller helps with the forms.
""",
    ("Work/plan.org", "2026-11-16 09:00"): """#+TITLE: Work plan
#+FILETAGS: :work:
* TODO Write the report
  DEADLINE: <2026-11-24 Tue>
* DONE Hire Anna
* TODO Tidy the desk
""",
    ("Work/budget.csv", "2026-01-12 09:00"): "what,euros\nroof,11850\n",
    ("Journal/2026-11-22.md", "2026-11-22 21:00"): "# Sunday\n\nWalked with Anna Keller. See [[Porto]].\n",
    ("Journal/2026-03-14.md", "2026-03-15 07:00"): "# Rain\n\nThe bucket in the loft was full. #weather\n",
    ("Journal/2025-05-02.md", "2025-05-03 07:00"): "# Spring\n\nThe swifts are back.\n",
    ("Recipes/pancakes.md", "2026-02-10 12:00"): """# Pancakes

Three eggs go into the pancakes. #cooking

## Batter

Flour, milk, eggs.

## Frying

Butter, two minutes a side.
""",
    ("Recipes/soup.txt", "2025-06-01 12:00"): "Leek and potato, half an hour.\n",
    ("Travel/porto.md", "2025-05-20 12:00"): """---
title: Porto
created: 2025-05-18
expires: 2026-03-01
---
Five nights near the river. #travel/portugal
""",
    ("inbox.txt", "2026-11-24 09:00"): "call the skip people\n",
}
PDF = "Work/survey.pdf", "2026-10-05 12:00"


def write(folder: Path) -> None:
    """Write the files, with their times, into `folder`."""
    for (name, changed), text in NOTES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        _set_time(path, changed)
    shutil.copyfile(ROOT / "tests" / "data" / "documents" / "tiny.pdf", folder / PDF[0])
    _set_time(folder / PDF[0], PDF[1])


def fill(database: Database, folder: Path, models: Path) -> Facts:
    """Watch the folder and read every file of it, in this process."""
    extractor = Extractor(models / "all-MiniLM-L6-v2" / "tokenizer.json")
    with database.write() as connection:
        watched = folders.add(connection, str(folder))
    apply(database, [compare(database, watched, IgnoreRules())])
    with database.write() as connection:
        for row, _ in files.waiting(connection, 100):
            reading = extractor.extract(Extract(row.path, str(folder), 10_000_000))
            assert isinstance(reading, Extracted), reading
            passages.replace(connection, row.id, row.path, reading)
            files.finish(connection, row, "indexed")
    return Facts(database)


def _set_time(path: Path, local: str) -> None:
    moment = datetime.fromisoformat(local).timestamp()
    os.utime(path, (moment, moment))
