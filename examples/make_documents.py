"""Write the two binary documents among the example notes: a cover plan (PDF) and a proposal (DOCX).

Both come out byte for byte the same each time, so that they can live in the repository:

    python examples/make_documents.py
"""

import datetime
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docx import Document
from docx.shared import Cm
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import cm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

NOTES = Path(__file__).resolve().parent / "notes"

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest moment a ZIP can hold: a DOCX is a ZIP, and the hour of writing must not be in it."""

COVER_PLAN = """
# Hearthguard Home Cover: policy schedule and terms

## Policy schedule

Thank you for choosing Hearthguard. Please read this schedule together with the terms that follow and keep both in a
safe place. Tell us within 30 days if anything in the schedule is wrong.

| Item | Your policy |
| Policy number | HG-2207-55180 |
| Policyholder | Ruth Callaghan and Tomasz Wrona |
| Property | 9 Garth Row, Kendal |
| Level of cover | Boiler and Heating Plus |
| Start date | 1 December 2025 |
| End of the first period | 30 November 2026 |
| Boiler | Thermaline Ecosol 28, combination, installed 2019 |
| Monthly premium | £19.40 by direct debit on the 3rd of each month |
| Excess | £60 for each completed repair |
| Claim limit | £1,500 in any one policy period |
| Replacement contribution | £400 towards a new boiler that is beyond economic repair |

Beyond economic repair means that the parts alone would cost more than 85 % of the price of a comparable new boiler.
The replacement contribution is paid only if the boiler is less than 10 years old on the day of the claim.

## 1. What is covered

We pay for labour, parts and VAT, up to the claim limit, to repair the following after a sudden breakdown:

- the boiler, its controls, pump, fan and expansion vessel
- radiators, thermostatic valves and the visible heating pipes inside the property
- the room thermostat and programmer, but not batteries
- the cold water supply pipe between the boundary and the internal stopcock, up to £600

If you have no heating or hot water between 1 October and 30 April, an engineer will attend within 24 hours of your
call. At other times of the year the engineer will attend within three working days.

If the property cannot be heated for more than 48 hours after our first visit, we lend you up to two electric
heaters or pay up to £150 towards other accommodation, whichever you prefer.

## 2. What is not covered

No claim can be made during the first 45 days after the start date. Faults that were present before the start date
are not covered at any time.

- damage from sludge, limescale or corrosion, once we have advised you to have the system flushed
- boilers that are more than 15 years old
- underfloor heating, solar panels and heat pumps
- topping up the pressure, bleeding radiators and resetting controls
- making good of tiles, plaster or floor coverings above £200
- frost damage if the property was empty for more than 21 days in a row

## 3. How to make a claim

Call the emergency line on 0113 496 0182, day and night, and have your policy number ready. Do not ask another
engineer to begin work before you have called us: invoices from others are paid only when we have agreed to them in
writing beforehand, and then up to £250.

If you smell gas, leave the property, do not use switches, and call the national gas emergency service first. Make
safe visits by that service do not count as a claim.

The excess is collected by direct debit 14 days after the repair is completed. No excess is due if the same fault
returns within 90 days.

## 4. Annual service

One service of the boiler is included in every policy period. You can book it from the fourth month, between April
and October, on the customer line 0113 496 0177. If nobody is at home at the agreed time, a second visit costs £45.

The engineer checks combustion, gas pressure, the charge of the expansion vessel, seals and safety devices, and
leaves a written record. The service does not include the cleaning of a system filter, which can be added for £28.

## 5. Premium, renewal and cancellation

The premium is fixed for the first period. We write to you at least 28 days before the end of the period with the
price for the next one. The policy renews automatically unless you tell us otherwise.

You may cancel within 14 days of receiving these documents and get back everything you have paid. After that you may
cancel with one month's notice. If you have had a repair in the current period, the remaining premiums of that
period become due, but not more than the cost of the repair.

| When you cancel | What you pay | What you get back |
| within 14 days | nothing | all premiums |
| later, no repair so far | premium of the notice month | nothing |
| later, after a repair | remaining premiums of the period | nothing |

If you move house within the United Kingdom, the cover can move with you after an inspection that costs £35.

## 6. Landlords, lodgers and access

The policy is for a home in which the policyholder lives. One lodger is allowed. Holiday letting for more than 30
nights in a policy period ends the cover.

An adult must be present during every visit. The engineer needs free space of 60 cm in front of the boiler and may
refuse to move stored goods.

## 7. Complaints

Write to Customer Care, Hearthguard, PO Box 418, Leeds, or call 0113 496 0195 on weekdays from 8:30 to 17:30. We
acknowledge every complaint within three working days and give a final answer within eight weeks. You can then turn
to the ombudsman within six months.

## 8. Privacy

We keep your details for seven years after the end of the policy. Calls are recorded and kept for 12 months.
Engineers see your name, address and the history of the boiler, and nothing else.
"""

PROPOSAL = """
# Level gauges and fish counters on the River Lune

## Summary

Proposal by Fellwater Monitoring Ltd to the Lune Rivers Partnership, 26 February 2026. Written by Ruth Callaghan,
reviewed by Gwen Pritchard.

We propose fourteen Heron radar level gauges and three optical fish counters on the Lune and its tributaries,
installed in the summer of 2026 and maintained for three years. The price for the first year is £86,400 without VAT.
All data belong to the Partnership.

## Background

The Partnership has improved fish passage at nine weirs since 2017, but knows the effect only from electrofishing
once a year. At the same time the levels below Caton are measured at two places only, so that nobody can say at
which flows the passes can be used by fish.

During our site visits in January and February 2026 we looked at 19 places and left out five: two without a safe
parking place, two where the bank is moving, and one private bridge, whose owner has not given permission.

## What we propose

| Reach | Level gauges | Fish counters | Notes |
| Lower Lune, Skerton to Halton | 5 | 2 | tidal influence at Skerton, gauge above the weir |
| Middle Lune, Caton to Kirkby Lonsdale | 5 | 1 | counter in the pass at Arkholme |
| Tributaries: Wenning, Greta, Conder | 4 | 0 | all on road bridges |
| Total | 14 | 3 | |

The gauges measure every 15 minutes and send every hour, and more often while the level is rising fast. They hang
from bridges or arms and never touch the water.

The counters are bought in from Salvelin in Trondheim. They tell apart salmon, sea trout and eels longer than 35 cm.
Smaller eels are not counted, and we prefer to say so here.

## Price

| Item | Quantity | Each | Sum |
| Heron level gauge with bracket | 14 | £2,950 | £41,300 |
| Optical fish counter | 3 | £9,800 | £29,400 |
| Installation and commissioning | 1 | £12,600 | £12,600 |
| Project lead and documents | 1 | £3,100 | £3,100 |
| First year, without VAT | | | £86,400 |

Maintenance costs £11,900 a year in the second and third year and is included in the first.

Payment is in three parts: 40 % with the order, 40 % when the last gauge is installed, and 20 % after three months
of data with at least 97 % of the expected readings.

This offer is valid until 29 May 2026.

## Programme

| Step | When |
| Order by the Partnership | before 29 May 2026 |
| Gauges on bridges | 8 June to 17 July 2026 |
| Work inside the fish passes | 1 July to 30 September 2026 |
| Acceptance test | October to December 2026 |

Work in the passes is only possible in the dry window from July to September, and the spawning season rules out any
date after that. If the order comes later than May, the counters move to 2027.

## Maintenance

Two visits to every gauge and four to every counter per year, in spring and autumn and after large floods.

Faults at the four flood warning sites are repaired within one working day, at all others within five working days.
Callum Dodds leads the field team, and his deputy is Jo Haworth.

Defects of the gauges are repaired free of charge for 36 months. Vandalism and flood debris are charged at cost.

## Data

Raw readings are public from the first day, under the licence CC BY 4.0, without login, as files and through an open
interface. We keep a copy for as long as the contract runs and hand over everything at its end.

Video clips from the counters are kept for 90 days, because people may be visible in them, and then only the counts
remain.

## What we need from the Partnership

- written access to all weirs, above all the key from the rowing club for Skerton
- the flood risk permit for work in the passes, which takes about two months
- one person who can decide on site, with a telephone

## Risks

| Risk | How likely | What we do |
| Wet summer, passes not accessible | medium | second team for two weeks, at our cost |
| Late delivery of counters | medium | order on the day of signature, 9 weeks delivery |
| New gauge type, early faults | low | six spare gauges held in Kendal |
"""


class Block(NamedTuple):
    kind: str  # title, heading, paragraph, bullets or table
    rows: list[list[str]]  # a table has cells in its rows, everything else one text in each

    @property
    def text(self) -> str:
        return self.rows[0][0]


def blocks(source: str) -> Iterator[Block]:
    """What the texts above consist of; an empty line ends a block."""
    for chunk in source.strip().split("\n\n"):
        lines = chunk.splitlines()
        if chunk.startswith("# "):
            yield Block("title", [[chunk[2:]]])
        elif chunk.startswith("## "):
            yield Block("heading", [[chunk[3:]]])
        elif chunk.startswith("- "):
            yield Block("bullets", [[line[2:]] for line in lines])
        elif chunk.startswith("|"):
            yield Block("table", [[cell.strip() for cell in line.strip("|").split("|")] for line in lines])
        else:
            yield Block("paragraph", [[" ".join(lines)]])


def pdf_table(rows: list[list[str]], cell: ParagraphStyle, width: float) -> Table:
    table = Table(
        [[Paragraph(text, cell) for text in row] for row in rows],
        colWidths=[width / len(rows[0])] * len(rows[0]),
        repeatRows=1,
    )
    look = [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    table.setStyle(TableStyle(look))
    return table


def write_cover_plan(target: Path) -> None:
    styles = getSampleStyleSheet()
    body = ParagraphStyle("body", parent=styles["BodyText"], fontSize=10.5, leading=15, spaceAfter=7)
    document = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=2.2 * cm,
        rightMargin=2.2 * cm,
        title="Hearthguard Home Cover",
        author="Invented for Offhand",
        invariant=1,
    )
    story: list[Flowable] = []
    for block in blocks(COVER_PLAN):
        if block.kind == "table":
            story += [pdf_table(block.rows, styles["BodyText"], document.width), Spacer(1, 9)]
        elif block.kind == "bullets":
            story += [Paragraph(row[0], body, bulletText="-") for row in block.rows]
        else:
            style = {"title": styles["Title"], "heading": styles["Heading2"]}.get(block.kind, body)
            story.append(Paragraph(block.text, style))
    document.build(story)


def write_proposal(target: Path) -> None:
    document = Document()
    written_on = datetime.datetime(2026, 2, 26, 9, 0, tzinfo=datetime.UTC)
    document.core_properties.title = "Proposal to the Lune Rivers Partnership"
    document.core_properties.author = "Invented for Offhand"
    document.core_properties.comments = ""
    document.core_properties.created = document.core_properties.modified = written_on
    document.sections[0].left_margin = document.sections[0].right_margin = Cm(2.2)
    for block in blocks(PROPOSAL):
        if block.kind == "table":
            table = document.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
            for row in block.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
            document.add_paragraph()
        elif block.kind == "bullets":
            for row in block.rows:
                document.add_paragraph(row[0], style="List Bullet")
        elif block.kind == "paragraph":
            document.add_paragraph(block.text)
        else:
            document.add_heading(block.text, level=0 if block.kind == "title" else 1)
    written = io.BytesIO()
    document.save(written)
    target.write_bytes(without_times(written.getvalue()))


def without_times(archive: bytes) -> bytes:
    """The same ZIP with every entry dated alike."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, ZIP_TIME), old.read(name), zipfile.ZIP_DEFLATED)
    return result.getvalue()


def main() -> None:
    write_cover_plan(NOTES / "house" / "boiler-cover-plan.pdf")
    write_proposal(NOTES / "projects" / "lune-proposal.docx")


if __name__ == "__main__":
    main()
