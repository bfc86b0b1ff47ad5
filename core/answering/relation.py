"""Whether a sentence relates its words as a source does. The same words in another order say something else.

No grammar is parsed. The telling words of both are compared as sequences: their order, which of them stand side by
side, and what a form of "to be" joins. A passive with "by" is read as its active form. Where that is not enough, the
answer is no: see `grounding`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from core.answering.numbers import MONTHS, SMALL_NUMBERS, numbers
from core.answering.words import FUNCTION_WORDS, fold, stem, tokens

NEAR = 3  # telling words: "replaced the valve" stands in "replaced the old pressure valve"
VERB = 2  # telling words between "was" and "by": a verb and what goes with it; more are "a suite of tools created by"
ONE_IN = 4  # words of the sentence may stand elsewhere in the source: "for three nights" at the end or before

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b(?:1\d|20)\d{2}\b|(?<=\d)(?:st|nd|rd|th)\b")
_ARTICLES = frozenset("a an the my our your his her its their der die das den dem ein eine einen einem".split())
_BE = frozenset("am are be been being is was were ist sind war waren wird wurde wurden".split())
_BY = frozenset(("by", "von"))


class Telling(NamedTuple):
    """A telling word, and how it hangs on the one before.

    tight: only space or an article parts them.  bare: not even an article does.
    joined: a form of "to be" stands between.  by: "by" stands before it.  name: it is capitalised.
    """

    stem: str
    tight: bool = False
    bare: bool = False
    joined: bool = False
    by: bool = False
    name: bool = False


def telling(text: str) -> list[Telling]:
    """The telling words of a text in their order. Dates and months are left out: they are written in many orders."""
    found: list[Telling] = []
    bare = _DATE.sub(lambda date: " " * len(date.group()), text)
    between: list[str] = []
    end = 0
    gap = ""
    for match in _WORD.finditer(bare):
        gap += bare[end : match.start()]
        end = match.end()
        word = fold(match.group())
        if word in FUNCTION_WORDS or word.endswith(("n't", "n’t")):  # whether both deny is judged elsewhere
            between.append(word)
            continue
        if word in MONTHS:
            gap += "."
            continue
        plain = not gap.strip(" \n-'’\"*_")
        tight = bool(found) and plain and all(one in _ARTICLES for one in between)
        joined = bool(found) and any(one in _BE for one in between)
        bare_word = tight and not between
        forms = _forms(match.group())
        found += [
            Telling(
                form,
                tight=tight or place > 0,
                bare=bare_word or place > 0,
                joined=joined and not place,
                by=bool(between) and between[-1] in _BY,
                name=match.group()[0].isupper(),
            )
            for place, form in enumerate(forms)
        ]
        between, gap = [], ""
    return found


def relates(sentence: str, source: str, above: str = "") -> bool:
    """Whether the source says of these words what the sentence says of them.

    Args:
        sentence: what is claimed.
        source: the sentence, item or row that would have to say it.
        above: what that hangs under: title, headings, a lead-in, a table's header. It may lend the topic.
    """
    said, known = telling(sentence), telling(source)
    topic = {word.stem for word in telling(above)}
    own = {word.stem for word in known}
    if not said or any(word.stem not in own | topic for word in said if not word.stem[0].isdigit()):
        return False
    if not _rests_on(sentence, source, [word for word in said if word.stem in own], len(said)):
        return False
    return any(_in_order(one, other) and _in_phrases(one, other) for one, other in _readings(said, known))


def _rests_on(sentence: str, source: str, shared: Sequence[Telling], count: int) -> bool:
    """Whether enough comes from the source itself: two words, or a number or a name."""
    if len(shared) >= min(2, count) or numbers(sentence) & numbers(source):
        return True
    names = {stem(fold(word)) for word in _WORD.findall(source) if word[0].isupper()}
    return any(word.stem in names for word in shared)


def _forms(word: str) -> list[str]:
    if word[0].isdigit() or fold(word) in SMALL_NUMBERS:
        return sorted(numbers(word))
    return [stem(token) for token in tokens(word)]


def _readings(said: list[Telling], known: list[Telling]) -> Iterator[tuple[list[Telling], list[Telling]]]:
    """Both as they stand, both in the active, and a passive without "by" with its verb in front."""
    if _joins_agree(said, known):
        yield said, known
    active, source = _active(said), _active(known)
    if active != said or (source != known and _joins_agree(said, source)):
        yield active, source
    turn = next((place for place, word in enumerate(said) if word.joined), 0)
    is_verb = turn > 0 and not said[turn].name
    if is_verb and active == said and _near(said[turn].stem, said[0].stem, [word.stem for word in source], 2):
        yield [said[turn]._replace(tight=False, joined=False), *said[turn + 1 :], *said[:turn]], source


def _joins_agree(said: list[Telling], known: list[Telling]) -> bool:
    """Whether what "to be" joins in the sentence is joined so in the source, or set side by side with a mark."""
    for first, second in pairwise(said):
        if not second.joined:
            continue
        starts = [place for place, word in enumerate(known) if word.stem == first.stem]
        ends = [place for place, word in enumerate(known) if word.stem == second.stem]
        if not starts or not ends:
            continue  # one of them is the topic above
        if not any(
            any(word.joined for word in known[start + 1 : end + 1])
            or (end == start + 1 and not known[end].tight and not known[end].joined)
            for start in starts
            for end in ends
            if start < end
        ):
            return False
    return True


def _active(words: list[Telling]) -> list[Telling]:
    """A passive with its agent in front: "The cabin was booked by Anna" as "Anna booked the cabin"."""
    turn = next((place for place, word in enumerate(words) if word.joined), 0)
    agent = next((place for place in range(len(words) - 1, turn, -1) if words[place].by), 0)
    if not turn or not agent or agent - turn > VERB:
        return words
    verb, object_ = words[turn], words[0]
    name = agent + 1
    while name < len(words) and words[name].bare:
        name += 1
    return [
        words[agent]._replace(tight=False, by=False),
        *words[agent + 1 : name],
        verb._replace(tight=True, bare=True, joined=False),
        *words[turn + 1 : agent],
        object_._replace(tight=True),
        *words[1:turn],
        *words[name:],
    ]


def _in_order(said: Sequence[Telling], known: Sequence[Telling]) -> bool:
    """Whether the words that both have come in the same order, but for one in four that are no names."""
    source = [word.stem for word in known]
    shared = [word for word in said if word.stem in set(source)]
    name = len(shared) + 1
    weights = [name if word.name else 1 for word in shared]
    return _longest_common([word.stem for word in shared], weights, source) >= sum(weights) - len(shared) // ONE_IN


def _in_phrases(said: Sequence[Telling], known: Sequence[Telling]) -> bool:
    """Whether words that stand side by side do so in the source, or join its topic without cutting a phrase."""
    source = [word.stem for word in known]
    reached = frozenset[int]()  # where in the source the phrase so far may end
    for first, second in pairwise([Telling(""), *said]):
        places = _places(second.stem, source)
        if not second.tight:
            reached = places
            continue
        inside = first.stem in source, second.stem in source
        if inside == (True, False) and not any(_ends_phrase(place, known) for place in reached):
            return False
        if inside == (False, True):
            places = frozenset(place for place in places if not known[place].tight)
        elif all(inside):
            places = frozenset(
                place for place in places if any(_leads(start, place, known, bare=second.bare) for start in reached)
            )
        if inside[1] and not places:
            return False
        reached = places
    return True


def _leads(start: int, end: int, known: Sequence[Telling], *, bare: bool) -> bool:
    """Whether the source leads from one place to the other with few words left out; to a bare word in one phrase."""
    return start < end <= start + NEAR and (not bare or all(word.tight for word in known[start + 1 : end + 1]))


def _ends_phrase(place: int, known: Sequence[Telling]) -> bool:
    return place + 1 == len(known) or not known[place + 1].tight


def _places(word: str, source: Sequence[str]) -> frozenset[int]:
    return frozenset(place for place, one in enumerate(source) if one == word)


def _near(first: str, second: str, source: Sequence[str], most: int) -> bool:
    """Whether the second word follows the first within so many words."""
    return any(second in source[place + 1 : place + 1 + most] for place in _places(first, source))


def _longest_common(one: Sequence[str], weights: Sequence[int], other: Sequence[str]) -> int:
    """The weight of the heaviest common subsequence (Wagner & Fischer 1974)."""
    row = [0] * (len(other) + 1)
    for word, weight in zip(one, weights, strict=True):
        before = 0
        for place, known in enumerate(other, start=1):
            before, row[place] = row[place], before + weight if word == known else max(row[place], row[place - 1])
    return row[-1]
