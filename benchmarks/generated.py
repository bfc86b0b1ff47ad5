"""Makes folders of notes that never existed: as many as asked for, of about one size, the same for the same seed.

The words follow Zipf's law over a vocabulary of 50,000 (the most frequent word makes about 6 % of all, half of the
words of a large folder are seldom), because word indexes and tokenizers live and die by that. Each note has a few
subjects of its own, headings, tags, tasks, links to other notes and dates, and lies in a folder of its year.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, product
from pathlib import Path

VOCABULARY = 50_000
_LAST_DAY = date(2026, 6, 30)
_DAYS = 5 * 365

_FREQUENT = """
the of and to in a is for on that it with as was at by be from this are we or an have not but you they which one had
all were when there can more if no out so up said what about into than them then its time only some could our will
new other these two may first any like now must over such after also did many before me back through where much should
well people down own just because each those how too little good make still see work long here between both under
never same another know while last might us great old year off come since against go right used take three
""".split()
_STEMS = """
garden boiler invoice meet travel recipe school doctor engine battery contract summer winter market station book
project review line supply kitchen window insure pass ticket harvest river mountain concert train report sample
press valve filter cable server back archive photo letter ladder paint bread stone water light house road field
bridge clock paper glass metal wood engine wheel track signal record note list plan order price count measure weight
length heat cool rain storm wind cloud sun moon star earth sand clay salt sugar flour butter milk cheese apple pear
plum berry nut seed leaf root branch flower grass tree forest lake sea shore island harbour boat ship sail port
coast cliff valley hill path trail gate fence wall roof floor door stair room table chair bench desk lamp shelf
drawer box bag bottle cup plate bowl knife spoon pan oven stove fire smoke ash coal oil gas power volt current wire
switch plug socket sensor motor pump tank pipe drain sink bath tap lock key bolt nail screw hammer saw drill plane
brush cloth thread needle wool cotton silk leather shoe coat hat glove scarf ring watch chain coin bank loan rent
tax wage fund share trade shop store sale buy sell offer deal client vendor partner team staff chief clerk judge
guard nurse teach learn study exam grade class lesson course lecture theory proof method model test trial result
chart graph map scale grid frame point edge corner side face body head hand foot arm leg back eye ear mouth voice
sound music song dance play game sport team score goal race run walk climb swim ride drive fly land move lift push
pull turn cut break join build mend clean wash dry fold pack send post mail call talk speak write read draw print
copy file folder page screen mouse key board code program script data cache query index parse compile debug deploy
""".split()
_ENDINGS = ("", "s", "ing", "ed", "er", "ers", "able", "less", "ful", "ment", "ship", "ward")
_BEGINNINGS = ("re", "un", "over", "under", "pre", "out", "inter", "non", "sub")


def write_notes(folder: Path, count: int, bytes_each: int, seed: int) -> list[Path]:
    """Write notes into `folder` and return their paths.

    Args:
        folder: made when it is missing; what is in it already stays.
        count: how many notes.
        bytes_each: the mean length of a file; they differ by up to 40 % either way.
        seed: the same seed makes the same files, their times of change included.
    """
    writer = _Writer(count, random.Random(seed))
    paths = []
    for number in range(count):
        text = writer.note(number, bytes_each)
        path = folder / writer.place(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
        changed = datetime.combine(writer.days[number], time(12), UTC).timestamp() + number % 3600
        os.utime(path, (changed, changed))
        paths.append(path)
    return paths


def vocabulary() -> list[str]:
    """The words, the most frequent ones first."""
    words = dict.fromkeys(_FREQUENT)
    words.update(dict.fromkeys(_STEMS))
    stems = list(dict.fromkeys(_STEMS))
    forms = [f"{stem}{end}" for stem, end in product(stems, _ENDINGS)]
    rare = [f"{start}{form}" for start, form in product(_BEGINNINGS, forms)]
    rare += [f"{first}{second}" for first, second in product(stems, repeat=2) if first != second]
    dice = random.Random(1)
    dice.shuffle(forms)
    dice.shuffle(rare)
    words.update(dict.fromkeys([*forms, *rare]))
    return list(words)[:VOCABULARY]


class _Writer:
    """One folder's notes under construction."""

    def __init__(self, count: int, dice: random.Random) -> None:
        self._dice = dice
        self._words = vocabulary()
        # Zipf-Mandelbrot with the usual constants for English (s = 1, q = 2.7).
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(1, len(self._words) + 1)))
        self._subjects = [self._pick(4, skip=len(_FREQUENT)) for _ in range(count)]
        self.days = [_LAST_DAY - timedelta(days=dice.randrange(_DAYS)) for _ in range(count)]
        self._titles = [" ".join(subjects[:2]).capitalize() for subjects in self._subjects]

    def place(self, number: int) -> str:
        return f"{self.days[number]:%Y}/{self._subjects[number][2]}/{number:06} {self._titles[number]}.md"

    def note(self, number: int, bytes_each: int) -> str:
        size = int(bytes_each * self._dice.uniform(0.6, 1.4))
        parts = [self._head(number)]
        length = len(parts[0])
        for block in self._blocks(number):
            parts.append(block)
            length += len(block) + 1
            if length >= size:
                break
        return "\n".join(parts)[: size - 1].rstrip() + "\n"

    def _head(self, number: int) -> str:
        subjects, day = self._subjects[number], self.days[number]
        title = f"# {self._titles[number]} {number}\n"
        if number % 3:
            return title
        return f"---\ntags: [{subjects[0]}, {subjects[3]}]\ncreated: {day}\n---\n\n{title}"

    def _blocks(self, number: int) -> Iterator[str]:
        """Paragraphs without end, a heading before every third, a list after every fifth."""
        block = 0
        while True:
            block += 1
            if block % 3 == 0:
                yield f"## {' '.join(self._pick(2, skip=len(_FREQUENT))).capitalize()}\n"
            yield self._paragraph(number)
            if block % 5 == 2:
                yield self._list(number)

    def _paragraph(self, number: int) -> str:
        return " ".join(self._sentence(number) for _ in range(self._dice.randint(3, 6))) + "\n"

    def _list(self, number: int) -> str:
        day = self.days[number] + timedelta(days=self._dice.randrange(60))
        other = self._titles[self._dice.randrange(len(self._titles))]
        return (
            f"- [ ] {self._sentence(number)} due {day}\n- [x] {self._sentence(number)}\n"
            f"- see [[{other}]] #{self._dice.choice(self._subjects[number])}\n"
        )

    def _sentence(self, number: int) -> str:
        words = self._pick(self._dice.randint(6, 18))
        for at in range(len(words)):
            if self._dice.random() < 0.08:
                words[at] = self._dice.choice(self._subjects[number])
        return " ".join(words).capitalize() + "."

    def _pick(self, count: int, skip: int = 0) -> list[str]:
        """Words by their frequency; the `skip` most frequent ones are left out."""
        if not skip:
            return self._dice.choices(self._words, cum_weights=self._weights, k=count)
        return self._dice.choices(self._words[skip:3000], k=count)
