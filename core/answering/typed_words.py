"""The words by which a question about the catalog is known, in English and German: each role with what says it."""

import re
from typing import Final

from core.answering.numbers import SMALL_NUMBERS

NUMBER: Final = rf"(?:\d{{1,3}}|{'|'.join(SMALL_NUMBERS)})"

MAYBE: Final = re.compile(
    r"(?<!\w)(?:tasks?|to-?dos?|to do|action items?|check ?boxes|deadlines?|due|overdue|open|unfinished|outstanding"
    r"|pending|notes?|files?|documents?|docs?|pdfs?|spreadsheets?|presentations?|tags?|headings?|links?|chang(?:e|ed)"
    r"|modif(?:y|ied)|edit(?:ed)?|updated?|work(?:ed|ing)? on|wrote|written|write|aufgaben?|offen\w*|fällig\w*"
    r"|überfällig\w*|fristen|notiz(?:en)?|datei(?:en)?|dokumente?|überschriften|schlagwörter|geändert|bearbeitet"
    r"|geschrieben|tun|erledigen)(?!\w)",
    re.IGNORECASE,
)
"""A question without any of these words is none about the catalog; nothing more of it is looked at."""

_ROLES: Final = {
    "everywhere": (
        r"(?:in|from|across|of|among|within|throughout) (?:all )?(?:of )?(?:my|the|our|these) (?:notes|files|documents"
        r"|folders|library|vault)|(?:in|aus|von) (?:allen )?(?:meinen|den) (?:notizen|dateien|dokumenten)"
    ),
    "count": r"how many|(?:what(?:'s|’s| is) )?(?:the )?(?:total )?number of|count(?: of| up)?|wie ?viele",
    "undated": (
        r"(?:without|with no|having no|that have no|have no|no|ohne) (?:a |any |ein )?(?:due (?:date|day)s?|deadlines?"
        r"|frist(?:en)?|fälligkeit(?:sdatum)?)|undated"
    ),
    "untagged": (
        r"(?:without|with no|having no|that have no|have no|no|ohne) (?:a |any )?(?:tags?|schlagw[oö]rte?r?)|untagged"
    ),
    "overdue": r"overdue|past due|überfällig\w*",
    "upcoming": r"upcoming|coming up|approaching|anstehend\w*",
    "to do": (
        r"do (?:i|we) (?:still )?(?:have|need) to do|must (?:i|we) do|(?:is |are )?(?:still )?left to do"
        r"|(?:still )?to be done|muss ich (?:noch )?|(?:noch )?zu (?:tun|erledigen)"
    ),
    "tasks": r"tasks|to-?dos|to dos|to-?do items|to do items|to-?do list|to do list|action items|check ?boxes|aufgaben",
    "task": r"task|to-?do|action item|aufgabe",
    "deadlines": r"deadlines|due dates|fristen",
    "deadline": r"deadline|due date|frist",
    "due": r"due|fällig\w*",
    "open": (
        r"not (?:yet )?(?:done|finished|completed|checked off)|(?:still )?(?:unfinished|uncompleted|incomplete|undone"
        r"|outstanding|pending|unchecked|open)|(?:noch )?(?:offen\w*|unerledigt\w*)"
    ),
    "done": (
        r"(?:already )?(?:done|finished|completed|closed|checked(?: off)?|ticked(?: off)?)|erledigt\w*|abgehakt\w*"
    ),
    "newest": rf"(?:(?P<before>{NUMBER}) )?(?:most recent|latest|newest|neueste[nrs]?)(?: (?P<after>{NUMBER}))?",
    "oldest": rf"(?:(?P<before>{NUMBER}) )?(?:oldest|älteste[nrs]?)(?: (?P<after>{NUMBER}))?",
    "lately": r"(?:most )?recently|lately|recent|zuletzt|kürzlich",
    "next": rf"(?:(?P<before>{NUMBER}) )?(?:next|nächste[nrs]?)(?: (?P<after>{NUMBER}))?",
    "last": rf"(?:(?P<before>{NUMBER}) )?(?:last|letzte[nrs]?)(?: (?P<after>{NUMBER}))?",
    "changed": (
        r"changed?|modif(?:y|ied)|edit(?:ed)?|updated?|work(?:ed|ing)? on|wrote|written|write|geändert\w*"
        r"|bearbeitet\w*|geschrieben"
    ),
    "PDF": r"pdfs?(?: files?| documents?)?|pdf-(?:dateien|dokumente)",
    "Markdown": r"markdown (?:files?|notes?|documents?)",
    "Word": r"word (?:files?|documents?)|docx files?|word-(?:dateien|dokumente)",
    "spreadsheet": r"spreadsheets?|excel (?:files?|sheets?)|xlsx files?",
    "presentation": r"presentations?|powerpoint files?|pptx files?",
    "text": r"text files|txt files|textdateien",
    "files": r"notes|files|documents|docs|notizen|dateien|dokumente",
    "file": r"note|file|document|doc|notiz|datei|dokument",
    "tags": r"tags|schlagwörter",
    "headings": r"headings|überschriften",
    "links": r"links|verlinkungen",
    "all": r"all(?: of)?|every|alle[nrs]?|jede[nrs]?",
    "list": (
        r"list|show(?: me)?|give me(?: a list of)?|display|find(?: me)?|which|any(?:thing)?|are there|is there"
        r"|(?:do|have) (?:i|we) (?:have|got)|have (?:i|we)|zeige?(?: mir)?|liste|welche[rsmn]?|gibt es"
        r"|hab(?:e|en) (?:ich|wir)"
    ),
    "what": r"what(?:'s|’s|s)?|was",
}
ROLES: Final = {
    role: re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE) for role, pattern in _ROLES.items()
}
"""Each role and what says it, in the order in which they are taken out of a question: what a longer phrase has taken, a
shorter one cannot."""

SUFFIXES: Final = {
    "PDF": (".pdf",),
    "Markdown": (".md", ".markdown"),
    "Word": (".docx", ".odt"),
    "spreadsheet": (".xlsx", ".csv", ".ods"),
    "presentation": (".pptx", ".odp"),
    "text": (".txt",),
}
"""The endings of each kind of file that has a role of its own."""

_NAME = r"[^\0?!;,]+"
_TAG = r"[\w/-]*[^\W\d_][\w/-]*"
MENTIONS: Final = re.compile(
    r"(?:\b(?:that|which|die) )?\b(?:mention(?:s|ed|ing)?|contain(?:s|ing)?|erwähn(?:en|t)|enthalten|enthält"
    rf"|with the(?= words?\b| phrase\b))\s+(?:the )?(?:(?:words?|phrase|wort) )?(?P<name>{_NAME})",
    re.IGNORECASE,
)
TAGGED: Final = re.compile(
    rf"\b(?:tagged|labell?ed|getaggt|verschlagwortet)(?: with| as| mit| als)?(?: the)?(?: tag)? #?(?P<tag>{_TAG})"
    rf"|\b(?:with|having|that have|have|has|mit) (?:the |dem )?(?:tag|schlagwort) #?(?P<tag1>{_TAG})"
    rf"|(?<![^\s(])#(?P<tag2>{_TAG})(?: tag\b)?",
    re.IGNORECASE,
)
FOLDER: Final = re.compile(
    r"\b(?:in|under|inside|within|from|below|im|aus dem) (?:(?:the|my|our|dem) )?(?:folder|directory|ordner) "
    rf"(?:called |named )?(?P<name>{_NAME})"
    r"|\b(?:in|under|inside|within|from|below) (?:(?:the|my|our) )?(?P<name1>[^\0?!;,]+?) (?:folder|directory)\b",
    re.IGNORECASE,
)
CALLED: Final = re.compile(rf"\b(?:is |are )?(?:called|named|titled|namens) (?P<name>{_NAME})", re.IGNORECASE)
LINKS_TO: Final = re.compile(
    rf"(?:\b(?:that|which|die) )?\b(?:links?|linking|linked) to (?P<name>{_NAME})|\bverlinken auf (?P<name1>{_NAME})",
    re.IGNORECASE,
)
QUOTED: Final = re.compile(r"\"[^\"]*\"|“[^”]*”|„[^“]*“|«[^»]*»")
YES_OR_NO: Final = re.compile(
    r"(?:are|is|was(?! (?:ist|sind|hab|war|muss|steht))|were|did|does|do|have|has|can|could|should|sind|ist|hat)\b"
    r"(?!.*\b(?:any|anything|there|etwas)\b)(?! (?:i|we) have)",
    re.IGNORECASE,
)
PAST: Final = re.compile(r"(?<=\s)was\b|\b(?:were|did|had|war|waren)\b", re.IGNORECASE)  # a "was" in front is German

IN_FOLDER: Final = frozenset("in under inside within from below im aus".split())
WITH_TAG: Final = frozenset("about on with of for über zu für".split())
FUNCTION_WORDS: Final = frozenset(
    (
        "the my our me i we is are was were be been being do does did have has had that which with of for to on in at "
        "from under inside within below about there please now currently still right so far yet already you can could "
        "would like see use used using get tell it this these those up by us s 's ’s it's also ever mir bitte ich wir "
        "ist sind war waren hab habe haben hat die der das den dem des im aus für von zu am an mit über noch schon "
        "gerade jetzt es da mein meine meinen meiner unsere alle denn tun machen erledigen"
    ).split()
)
"""They may be left over; another word that is left over, and names no folder or tag, makes it an ordinary question."""
