"""The keys of the panel, what can be done with what is under the question line, and filters that can be put into it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QWidget

from ui import opening
from ui.action_list import Action, ActionList
from ui.answer_card import AnswerCard
from ui.results_list import ResultsView
from ui.widgets import label

Keys = Qt.Key
HINTS = (("Enter", "Answer"), ("Ctrl Enter", "Open"), ("Ctrl K", "Actions"))
KINDS = {"Notes (Markdown)": "*.md", "PDF files": "*.pdf", "Word documents": "*.docx"}


class Panel(Protocol):
    """What of the panel is used here."""

    embedded: bool
    question: QLineEdit
    body: QStackedWidget
    results: ResultsView
    card: AnswerCard
    action_list: ActionList
    roots: Callable[[], list[str]]
    asking: Callable[[], bool]

    def place(self) -> tuple[str, int, int | None] | None: ...
    def ask(self) -> None: ...
    def follow(self) -> None: ...
    def escape(self) -> None: ...
    def move_by(self, rows: int) -> None: ...
    def open(self) -> None: ...
    def copy(self) -> None: ...
    def stop(self) -> None: ...
    def related(self) -> None: ...
    def notice(self, words: str) -> None: ...
    def search_for(self, words: str) -> None: ...


def press(panel: Panel, event: QKeyEvent) -> bool:
    """What a key means wherever in the panel the focus is; False where it means nothing of its own."""
    control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
    page = max(1, panel.results.height() // max(1, panel.results.row_height()) - 1)
    steps = {Keys.Key_Up: -1, Keys.Key_Down: 1, Keys.Key_PageUp: -page, Keys.Key_PageDown: page}
    pressed = Keys(event.key())
    if pressed in steps:
        panel.move_by(steps[pressed])
    elif pressed in (Keys.Key_Return, Keys.Key_Enter):
        follows = shift and panel.card.follow.isVisibleTo(panel.body)
        (panel.open if control else panel.follow if follows else panel.ask)()
    elif pressed == Keys.Key_Escape:
        panel.escape()
    elif control and pressed == Keys.Key_C and not panel.question.hasSelectedText():
        panel.copy()
    elif control and pressed == Keys.Key_R:
        panel.related()
    else:
        return _offer(panel, pressed, control=control)
    return True


def _offer(panel: Panel, pressed: Qt.Key, *, control: bool) -> bool:
    """Ctrl+K: what can be done. Tab, while passages are shown: filters. Returns whether it was one of them."""
    if control and pressed == Keys.Key_K:
        panel.action_list.offer("What to do", actions(panel))
        return True
    if pressed == Keys.Key_Tab and not control and not panel.embedded and panel.body.currentWidget() is panel.results:
        panel.action_list.offer("Only passages…", filters(panel))
        return True
    return False


def actions(panel: Panel) -> list[Action]:
    """What can be done with the chosen passage, or with the answer."""
    place, card = panel.place(), panel.card
    answered = panel.body.currentWidget() is card
    found: list[Action] = []
    if panel.asking():
        found.append(Action("Stop", panel.stop, "Esc"))
    if answered and not card.ask_cloud.isHidden():
        found.append(Action("Ask a bigger model", card.ask_cloud.click))
    if answered and not card.try_again.isHidden():
        found.append(Action("Try again", card.try_again.click))
    if not answered and panel.question.text().strip():
        found.append(Action("Answer the question", panel.ask, "Enter"))
    if place is None:
        return found
    path = place[0]
    return [
        *found,
        Action("Open the file at its place", panel.open, "Ctrl+Enter"),
        Action("Open its folder", partial(_open_folder, panel, path)),
        Action("Copy with citation", panel.copy, "Ctrl+C"),
        Action("Related passages in other notes", panel.related, "Ctrl+R"),
        Action("Copy the path", partial(_copy_path, panel, path)),
        Action("Ask about this file only", partial(_keep_to, panel, f'file:"{Path(path).name}"')),
    ]


def filters(panel: Panel, today: date | None = None) -> list[Action]:
    """Filters for the question line: they stand there as words, and as chips below it."""
    now = today or datetime.now().astimezone().date()
    found = [(f"In {Path(root).name}", f'folder:"{Path(root).name}"') for root in panel.roots()]
    found += [(f"In {kind}", f"file:{name}") for kind, name in KINDS.items()]
    for words, days in (("Changed this week", now.weekday()), ("Changed in the last 30 days", 30)):
        found.append((words, f"after:{now - timedelta(days=days)}"))
    found.append((f"Changed in {now.year}", f"after:{now.year}"))
    return [Action(words, partial(_keep_to, panel, typed)) for words, typed in found]


def hints(leave: str) -> list[QWidget]:
    """The keys for the foot; Esc does what `leave` says."""
    found: list[QWidget] = []
    for pressed, does in (*HINTS, ("Esc", leave)):
        found += [label(pressed, "keycap"), label(does, "faint")]
    return found


def _keep_to(panel: Panel, typed: str) -> None:
    """Put a filter before the words, where it does not stand there already."""
    words = panel.question.text()
    if typed not in words:
        panel.search_for(f"{typed} {words}".strip())


def _open_folder(panel: Panel, path: str) -> None:
    refusal = opening.open_folder(path)
    if refusal:
        panel.notice(refusal)


def _copy_path(panel: Panel, path: str) -> None:
    QGuiApplication.clipboard().setText(path)
    panel.notice("The path is copied.")
