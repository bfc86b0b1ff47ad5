"""Sentences that a model might write about these notes: false ones must never be given a source, true ones keep theirs.

The first table was written before the code's result was looked at, the held one after the rules and before theirs
(docs/decisions/0013-what-supports-a-sentence.md has the shares).
"""

import pytest

from core.answering.grounding import ground
from core.protocol import Source


def known(reason: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(strict=True, reason=reason)


HOUSE = """Heinz replaced the pressure valve of the boiler on 3 May 2026. It cost 118 euros, which Ida paid in cash.
The chimney sweep comes every October. The cellar was flooded twice in 2024. Tom did not sign the insurance form.
The roof was repaired by Keller Roofing in March 2025 for 4,200 euros. The guarantee covers ten years.
The water tank holds 250 litres and weighs 40 kg. The east window may be replaced next year."""
TRIP = """Anna booked three nights in the cabin by the lake for the end of June. Priya drives on the first day.
The train from Bern to Chur leaves at 9:14 and arrives at 11:52. Anna gave Ben the key of the cabin.
The ferry runs only on weekdays. Dogs are not allowed in the cabin. The deposit of 90 francs is due on 14 May.

| day | who cooks | dish |
|---|---|---|
| Friday | Ben | risotto |
| Saturday | Priya | dal |
| Sunday | Anna | soup |"""
WORK = """Marta leads the Lindgren project since January 2026. The Lindgren project has a budget of 30,000 euros.
Jonas leads the Falk project. The Falk project has a budget of 12,500 euros. The server moves to Zurich in August.
- Jonas: send the offer to Falk by 7 July
- Marta: renew the contract with Lindgren
- Sven: order two monitors

Sales rose by 8 percent in the second quarter. Costs fell by 3 percent. Most customers prefer the blue label."""
SOURCES = [
    Source(n, f"/notes/{n}.md", title, title, 1, None, 1.0, text)
    for n, (title, text) in enumerate((("House", HOUSE), ("Trip", TRIP), ("Work", WORK)), start=1)
]

FALSE = [
    ("number", "It cost 181 euros, which Ida paid in cash."),
    ("number", "Anna booked four nights in the cabin by the lake."),
    ("number", "The guarantee covers twelve years."),
    ("number", "The roof was repaired by Keller Roofing for 2,400 euros."),
    ("number", "The Lindgren project has a budget of 300,000 euros."),
    ("number", "Sales rose by 3 percent in the second quarter."),
    ("number", "Sven ordered three monitors."),
    ("number", "The cellar was flooded once in 2024."),
    ("number", "The cellar was flooded three times in 2024."),
    ("date", "Heinz replaced the pressure valve on 5 May 2026."),
    ("date", "Heinz replaced the pressure valve of the boiler on 3 June 2026."),
    ("date", "Heinz replaced the pressure valve of the boiler on 3 May 2025."),
    ("date", "The chimney sweep comes every November."),
    ("date", "The roof was repaired by Keller Roofing in May 2025."),
    ("date", "The deposit of 90 francs is due on 4 May."),
    ("date", "The train from Bern to Chur leaves at 9:41."),
    ("date", "The server moves to Zurich in September."),
    ("date", "Anna booked three nights in the cabin for the beginning of June."),
    ("name", "Gustav replaced the pressure valve of the boiler."),
    ("name", "Keller Plumbing repaired the roof."),
    ("name", "Anna gave Tom the key of the cabin."),
    ("name", "The server moves to Geneva in August."),
    ("name", "The train from Basel to Chur leaves at 9:14."),
    ("name", "Jonas leads the Lindgren project."),
    ("name", "Marta leads the Falk project."),
    ("name", "Ben drives on the first day."),
    ("unit", "It cost 118 dollars, which Ida paid in cash."),
    ("unit", "The water tank holds 250 gallons."),
    ("unit", "The water tank weighs 40 pounds."),
    ("unit", "The deposit of 90 euros is due on 14 May."),
    ("unit", "The guarantee covers ten months."),
    ("unit", "Sales rose by 8 euros in the second quarter."),
    ("unit", "Anna booked three weeks in the cabin by the lake."),
    ("negated", "The chimney sweep does not come every October."),
    ("negated", "Tom signed the insurance form."),
    ("negated", "Dogs are allowed in the cabin."),
    ("negated", "Ida never paid in cash."),
    ("negated", "The server no longer moves to Zurich in August."),
    ("negated", "The roof wasn't repaired by Keller Roofing."),
    ("negated", "Heinz failed to replace the pressure valve."),
    ("negated", "The guarantee covers hardly ten years."),
    ("swapped", "Ben gave Anna the key of the cabin."),
    ("swapped", "The train from Chur to Bern leaves at 9:14."),
    ("swapped", "The boiler replaced the pressure valve of Heinz."),
    ("swapped", "The train from Bern to Chur leaves at 11:52 and arrives at 9:14."),
    ("swapped", "The water tank weighs 250 litres and holds 40 kg."),
    ("swapped", "Keller Roofing was repaired by the roof."),
    ("swapped", "The cabin booked Anna for three nights."),
    ("swapped", "Falk sends the offer to Jonas by 7 July."),
    ("swapped", "Costs rose by 8 percent. "),
    ("more", "The ferry runs on weekdays and weekends."),
    ("more", "The ferry always runs on weekdays."),
    ("more", "Only Priya drives on the first day."),
    ("more", "All customers prefer the blue label."),
    ("more", "Customers prefer the blue label."),
    ("more", "The east window is replaced next year."),
    ("more", "The east window must be replaced next year."),
    ("more", "The east window will be replaced next year."),
    ("more", "The cellar was always flooded in 2024."),
    ("more", "Every customer prefers the blue label."),
    ("more", "The ferry runs on weekdays."),
    ("merged", "Heinz replaced the pressure valve of the cabin."),
    ("merged", "Ida paid the deposit of 90 francs."),
    ("merged", "Marta leads the Lindgren project with a budget of 12,500 euros."),
    ("merged", "Ben cooks dal on Saturday."),
    ("merged", "Friday Priya risotto."),
    ("merged", "Sven renews the contract with Lindgren."),
    ("merged", "The chimney sweep comes on weekdays."),
    ("merged", "Jonas leads the Falk project since January 2026."),
    ("invented", "Heinz is a certified plumber."),
    ("invented", "The cabin has a sauna."),
    ("invented", "The roof was repaired because of a storm."),
    ("invented", "Priya drives a red car on the first day."),
    ("invented", "Marta leads the Lindgren project successfully."),
    ("invented", "The cellar was flooded by the river."),
    ("invented", "The guarantee covers ten years and all damage."),
    ("invented", "Heinz probably replaced the pressure valve."),
]
HELD_FALSE = [  # written after the rules, before their result on them was looked at
    ("number", "Sales rose by 18 percent in the second quarter."),
    ("date", "The deposit of 90 francs is due on May 15th."),
    ("date", "Jonas sends the offer to Falk by 11 July."),
    ("name", "Sven leads the Falk project."),
    ("unit", "The roof was repaired by Keller Roofing for 4,200 francs."),
    ("negated", "The ferry doesn't run on weekdays."),
    ("negated", "The deposit of 90 francs is not due on 14 May."),
    ("swapped", "The cabin gave Ben the key of Anna."),
    ("swapped", "The blue label prefers most customers."),
    ("swapped", "Ida replaced the pressure valve, which Heinz paid in cash."),
    ("more", "Priya always drives on the first day."),
    ("more", "Dogs are never allowed in the cabin by the lake."),
    ("more", "The guarantee covers ten years or more."),
    ("more", "The server must move to Zurich in August."),
    ("merged", "Sven renews the server in August."),
    ("merged", "The roof of the cabin was repaired by Keller Roofing."),
    ("merged", "Anna cooks soup on Friday."),
    ("invented", "Tom did not sign the insurance form out of anger."),
    ("invented", "The train from Bern to Chur leaves at 9:14 from platform 7."),
    ("invented", "Sales rose by 8 percent thanks to Marta."),
]
HELD_TRUE = [
    pytest.param(
        "The key of the cabin was given to Ben by Anna.",
        2,
        marks=pytest.mark.xfail(strict=True, reason='"given" is not known as a form of "gave"'),
    ),
    ("The deposit of 90 francs is due on May 14th.", 2),
    pytest.param(
        "The boiler's pressure valve was replaced by Heinz.",
        1,
        marks=pytest.mark.xfail(strict=True, reason="a genitive turned round"),
    ),
    ("The Lindgren project has a budget of 30000 euros.", 3),
    ("Dogs aren't allowed in the cabin.", 2),
    ("The blue label is preferred by most customers.", 3),
    ("The roof was repaired in March 2025 by Keller Roofing.", 1),
    ("Costs fell by 3 percent.", 3),
    pytest.param(
        "The train leaves at 9:14.",
        2,
        marks=pytest.mark.xfail(strict=True, reason="what is left out between subject and verb cuts the phrase"),
    ),
    ("Sunday: Anna, soup.", 2),
]
TRUE = [
    ("Heinz replaced the pressure valve of the boiler.", 1),
    ("The pressure valve of the boiler was replaced by Heinz on 3 May 2026.", 1),
    ("Heinz replaced the pressure valve on 2026-05-03.", 1),
    ("Heinz replaced the pressure valve on May 3rd, 2026.", 1),
    ("The chimney sweep comes every October.", 1),
    ("The cellar was flooded twice in 2024.", 1),
    ("In 2024 the cellar was flooded twice.", 1),
    ("Tom did not sign the insurance form.", 1),
    ("Tom didn't sign the insurance form.", 1),
    ("Keller Roofing repaired the roof in March 2025.", 1),
    ("The roof was repaired by Keller Roofing for 4200 euros.", 1),
    ("The guarantee covers 10 years.", 1),
    ("The water tank holds 250 litres.", 1),
    pytest.param(
        "The water tank weighs 40 kg.",
        1,
        marks=pytest.mark.xfail(
            strict=True, reason='the second verb of "holds 250 litres and weighs 40 kg" is not joined to its subject'
        ),
    ),
    ("The east window may be replaced next year.", 1),
    ("Anna booked 3 nights in the cabin by the lake.", 2),
    ("Three nights in the cabin by the lake were booked by Anna.", 2),
    ("Priya drives on the first day.", 2),
    ("The train from Bern to Chur leaves at 9:14.", 2),
    ("Anna gave Ben the key of the cabin.", 2),
    ("The ferry runs only on weekdays.", 2),
    ("Dogs are not allowed in the cabin.", 2),
    ("The deposit of 90 francs is due on 14 May.", 2),
    ("Saturday: Priya, dal.", 2),
    ("Marta leads the Lindgren project.", 3),
    ("The Falk project has a budget of 12500 euros.", 3),
    ("The server moves to Zurich in August.", 3),
    ("Sales rose by 8 percent in the second quarter.", 3),
    ("Most customers prefer the blue label.", 3),
    ("Marta: renew the contract with Lindgren.", 3),
]


def source_of(sentence: str) -> int | None:
    return ground(sentence, SOURCES)[0].source


@pytest.mark.parametrize(("how", "sentence"), [*FALSE, *HELD_FALSE])
def test_what_the_notes_do_not_say_is_never_shown_as_theirs(how: str, sentence: str):
    assert source_of(sentence) is None, how


@pytest.mark.parametrize(("sentence", "source"), [*TRUE, *HELD_TRUE])
def test_what_the_notes_say_in_other_order_or_writing_keeps_its_source(sentence: str, source: int):
    assert source_of(sentence) == source


@pytest.mark.parametrize(
    ("sentence", "foreign"),
    [
        ("It cost 181 euros, which Ida paid in cash.", ["181"]),
        ("Heinz replaced the pressure valve on 5 May 2026 with Gustav.", ["5 May", "Gustav"]),
        ("The train from Basel to Chur leaves at 9:41.", ["Basel", "9:41"]),
        ("Dogs are allowed in the cabin.", []),
        ("Heinz replaced the pressure valve on 3 May 2026.", []),
    ],
)
def test_numbers_dates_and_names_that_no_note_has_are_named(sentence: str, foreign: list[str]):
    assert ground(sentence, SOURCES)[0].foreign == foreign
