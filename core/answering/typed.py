"""Reads a question about the catalog itself, "which notes did I change last week?", into a query.

Every word of the question has to be accounted for: by a role (`typed_words`), by the days it names (`period`), by the
name of a folder, a tag or a file, or as a function word. What is left over makes it an ordinary question, and so does
any doubt.
"""

import re
from datetime import date, timedelta

from msgspec import Struct

from core.answering import typed_words as words
from core.answering.library import Library
from core.answering.numbers import SMALL_NUMBERS
from core.answering.period import Phrase, phrase
from indexer.records import LISTED, CatalogKind, CatalogQuery, Days, Filter, TaskState

LONGEST = 160  # characters; a longer question is about more than the catalog knows
FEW = 10  # files that "recently" means
TAKEN, NOUN = "\0", "\1"  # what stands where words were understood; a question has no control characters

_TASKS = frozenset(("tasks", "task", "deadlines", "deadline", "due", "overdue", "undated", "upcoming", "to do"))
_TASK_NOUNS = frozenset(("tasks", "task", "deadlines", "deadline"))
_FILES = frozenset(("files", "file", "changed", "untagged", *words.SUFFIXES))
_ORDERS = frozenset(("newest", "oldest", "lately", "last"))
_OTHERS: tuple[CatalogKind, ...] = ("tags", "headings", "links")
_ONE = frozenset(("task", "deadline", "file"))
_NOUNS = frozenset(
    ("tasks", "task", "deadlines", "deadline", "files", "file", "tags", "headings", "links", *words.SUFFIXES)
)
_LEFT = re.compile(r"[^\0\1?!,;:()]+")
_ARTICLES = frozenset("the my our me meine meinem meinen der dem den die das".split())
_WORD = re.compile(r"[\w'’/&.+-]*\w")


class Reading(Struct, frozen=True):
    """A question, read: the query, the person's own words for its days, and whether the number is asked for."""

    query: CatalogQuery
    when: str = ""
    counted: bool = False


def read(question: str, today: date, library: Library) -> Reading | None:
    """The query that a question is, None for an ordinary question.

    Args:
        question: as `question.clean` gives it.
        today: the day it is asked.
        library: knows the names of folders, tags and files.
    """
    if len(question) > LONGEST or words.MAYBE.search(question) is None or words.YES_OR_NO.match(question):
        return None
    return _Reader(question, today, library).read()


class _Reader:
    """The question while it is read: what was understood is taken out of `_rest`. The library is asked last."""

    def __init__(self, question: str, today: date, library: Library) -> None:
        self._question = question
        self._rest = question
        self._today = today
        self._library = library
        self._roles: dict[str, int] = {}  # what was found, and the number said with it, 0 for none
        self._phrase: Phrase | None = None
        self._days: Days | None = None
        self._folder = self._tag = self._mentioned = self._name = self._links_to = ""

    def read(self) -> Reading | None:
        self._take_phrase()
        self._take_names()
        self._take_roles()
        has = self._roles.keys()
        others = [kind for kind in _OTHERS if kind in has]
        of_files = has & _FILES or ((self._links_to or self._mentioned) and not has & _TASKS)
        of_tasks = has & _TASKS or (has & {"open", "done"} and not of_files)
        if bool(of_tasks) + bool(of_files) + len(others) != 1:
            return None
        if not self._resolve(file=bool(others) and others != ["tags"]):
            return None
        if self._phrase is not None:
            was = words.PAST.search(self._question)
            self._days = self._phrase.days(self._today, "future" if of_tasks and not was else "past")
            if self._days is None:
                return None
        return self._tasks() if of_tasks else self._files() if of_files else self._others(others[0])

    # ---- what is taken out of the question -------------------------------------------------------------------------

    def _take(self, start: int, end: int, mark: str = TAKEN) -> None:
        self._rest = self._rest[:start] + mark * (end - start) + self._rest[end:]

    def _take_phrase(self) -> None:
        unquoted = words.QUOTED.sub(lambda found: TAKEN * len(found.group()), self._rest)
        self._phrase = phrase(unquoted)
        if self._phrase is not None:
            self._take(self._phrase.start, self._phrase.end)

    def _take_names(self) -> None:
        """Names that the question itself says to be those of a tag, a folder or a note, or words to be found."""
        self._tag = self._taken_name(words.TAGGED).lower().strip("/-")
        self._folder = self._taken_name(words.FOLDER)
        self._links_to = self._taken_name(words.LINKS_TO)
        self._name = self._taken_name(words.CALLED)
        self._mentioned = self._taken_name(words.MENTIONS)

    def _taken_name(self, pattern: re.Pattern[str]) -> str:
        found = pattern.search(self._rest)
        if found is None:
            return ""
        self._take(*found.span())
        return _bare(next(text for text in found.groups() if text))

    def _take_roles(self) -> None:
        for role, pattern in words.ROLES.items():
            while (found := pattern.search(self._rest)) is not None:
                self._take(*found.span(), NOUN if role in _NOUNS else TAKEN)
                number = next((text for text in found.groups() if text), "0")
                self._roles[role] = _number(number)

    # ---- what is left over -----------------------------------------------------------------------------------------

    def _resolve(self, *, file: bool) -> bool:
        """Whether all names are known, and every word that is left over is one of such a name or a function word."""
        names = self._names_left()
        if names is None:
            return False
        if self._folder:
            self._folder = self._library.folder_called(self._folder)
            if not self._folder:
                return False
        if self._links_to and not self._library.file_called(self._links_to):
            return False
        return all(self._is_known(name, before, file=file) for name, before in names)

    def _names_left(self) -> list[tuple[str, str]] | None:
        """What may be names, each with the preposition before it; None where something else is left over too."""
        names = []
        for part in _LEFT.finditer(self._rest):
            said = _WORD.findall(part.group())
            plain = [word.lower() in words.FUNCTION_WORDS for word in said]
            if all(plain):
                continue
            first, last = plain.index(False), len(plain) - plain[::-1].index(False)
            before = next((word.lower() for word in reversed(said[:first]) if word.lower() not in _ARTICLES), "")
            of_noun = not before and last == len(said) and self._rest[part.end() :].startswith(NOUN)  # "house tasks"
            if not of_noun and before not in words.IN_FOLDER | words.WITH_TAG:
                return None
            names.append((" ".join(said[first:last]), before))
        return names

    def _is_known(self, name: str, before: str, *, file: bool) -> bool:
        if file and not self._name and self._library.file_called(name):
            self._name = name
            return True
        if before in words.WITH_TAG:
            return self._is_tag(name) or self._is_folder(name)
        return self._is_folder(name) or self._is_tag(name)

    def _is_tag(self, name: str) -> bool:
        tag = name.lower().replace(" ", "-")
        if self._tag or not self._library.has_tag(tag):
            return False
        self._tag = tag
        return True

    def _is_folder(self, name: str) -> bool:
        folder = "" if self._folder else self._library.folder_called(name)
        self._folder = self._folder or folder
        return bool(folder)

    # ---- what it comes to ------------------------------------------------------------------------------------------

    def _tasks(self) -> Reading | None:
        has = self._roles.keys()
        if has & _ORDERS or self._mentioned or self._name or self._links_to or {"open", "done"} <= has:
            return None
        if "done" in has and (not has & {"tasks", "task"} or (self._phrase and "due" not in has)):
            return None  # the notes seldom say when a task was done
        if not has & _TASKS and (self._phrase or not self._asked):
            return None  # "what is open on Sunday?"
        if has & {"overdue", "undated"} and (self._phrase or "done" in has or {"overdue", "undated"} <= has):
            return None
        if not self._phrase and "next" not in has and has & _TASKS == {"due"} and not self._asked:
            return None  # "due" alone is a word
        if has & _TASKS == {"deadline"} and not self._phrase and "next" not in has:
            return None  # "what is the deadline?" is about one that the notes tell of
        due, when = self._due()
        limit = LISTED
        if "next" in has:
            limit = self._roles["next"] or (1 if has & _ONE or not has & _TASK_NOUNS else FEW)
        query = CatalogQuery(
            "tasks",
            Filter(self._folder),
            self._state(),
            due=due,
            undated="undated" in has,
            tag=self._tag,
            order="due",
            limit=limit,
        )
        of_some = due is not None or has & {"open", "done", "undated"} or self._folder or self._tag
        return self._reading(query, when, filtered=bool(of_some) or ("to do" in has and self._asked))

    def _state(self) -> TaskState:
        has = self._roles.keys()
        if "done" in has:
            return "done"
        if has & {"open", "overdue"}:
            return "open"
        was_due = "due" in has and words.PAST.search(self._question)
        return "all" if "all" in has or was_due else "open"

    def _due(self) -> tuple[Days | None, str]:
        has = self._roles.keys()
        if "overdue" in has:
            return Days("", (self._today - timedelta(days=1)).isoformat()), "overdue"
        if self._phrase is not None:
            return self._days, self._phrase.words
        if has & {"upcoming", "next"}:
            return Days(self._today.isoformat()), ""
        if has & {"due", "deadline", "deadlines"} and "undated" not in has:
            return Days(), ""
        return None, ""

    def _files(self) -> Reading | None:
        has = self._roles.keys()
        orders = has & _ORDERS
        kinds = [kind for kind in words.SUFFIXES if kind in has]
        if has & {"open", "done", "next"} or len(kinds) > 1 or (len(orders) > 1 and "lately" not in orders):
            return None
        said, changed = self._phrase, "changed" in has
        nouns = has & (_FILES - {"changed"})
        if changed and said is None and not orders and not nouns:
            return None  # "what did I change?"
        limit = LISTED
        if orders:
            number = max(self._roles[order] for order in orders)
            limit = number or (1 if "file" in has or (not nouns and "lately" not in has) else FEW)
        elif changed and said is None:
            limit = FEW
        query = CatalogQuery(
            "files",
            Filter(self._folder),
            changed=self._days if changed else None,
            dated=None if changed else self._days,
            tag=self._tag,
            untagged="untagged" in has,
            words=self._mentioned,
            name=self._name,
            links_to=self._links_to,
            suffixes=words.SUFFIXES[kinds[0]] if kinds else (),
            order="oldest" if "oldest" in orders else "newest" if orders or changed else "place",
            limit=limit,
        )
        return self._reading(query, said.words if said else "", filtered=query != CatalogQuery("files"))

    def _others(self, kind: CatalogKind) -> Reading | None:
        """Tags, headings or links, which are kept to a folder, headings and links also to a file."""
        has = self._roles.keys()
        if self._phrase or has & (_ORDERS | {"next"}) or self._mentioned or self._links_to:
            return None
        if kind == "tags" and (self._name or self._tag):
            return None
        query = CatalogQuery(kind, Filter(self._folder), tag=self._tag, name=self._name)
        return self._reading(query, "", filtered=query != CatalogQuery(kind) and self._asked)

    def _reading(self, query: CatalogQuery, when: str, *, filtered: bool) -> Reading | None:
        has = self._roles.keys()
        several = has & {"tasks", "files", "tags", "headings", "links"}
        if not filtered and not (several and (has & {"count", "list", "all"} or self._is_own)):
            return None  # "notes", or "what is a tag?"
        return Reading(query, when, "count" in has)

    @property
    def _asked(self) -> bool:
        return bool(self._roles.keys() & {"count", "list", "what"})

    @property
    def _is_own(self) -> bool:
        own = re.search(r"\b(?:my|our|meine)\b", self._question, re.IGNORECASE) is not None
        return own and bool(self._roles.keys() & {"what", "tasks"})


def _bare(name: str) -> str:
    """A name without quotation marks, a leading article, and the word "note" behind it."""
    name = re.sub(r"^[\s\"“”„«»'‘’]+|[\s\"“”„«»'‘’.:]+$", "", name)
    name = re.sub(r"^(?:the|my|our) (?=\w)", "", name, flags=re.IGNORECASE)
    return re.sub(r"(?<=\w) (?:note|file|document)$", "", name, flags=re.IGNORECASE)


def _number(word: str) -> int:
    return int(word) if word.isdigit() else SMALL_NUMBERS.get(word.casefold(), 0)
