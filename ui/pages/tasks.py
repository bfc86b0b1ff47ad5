"""The tasks in all notes: what is open, overdue, due, done; one click opens the note at its line."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent

from core.protocol import CatalogItem, Event, Listed, ListTasks, Problem, StatusReport
from ui.citation import path_within
from ui.engine_link import EngineLink, Ticket
from ui.row_list import Line, RowList
from ui.segments import Segments
from ui.state_pane import StatePane
from ui.state_words import due_words
from ui.theme import Theme
from ui.widgets import Page

AT_ONCE = 200  # tasks
SETTLED_MS = 400  # after a report that notes have changed
PARTS = {"open": "Open", "overdue": "Overdue", "due": "Due", "done": "Done"}
NONE = {
    "open": ("No open task", "Lines like “- [ ] call the roofer” in your notes are listed here."),
    "overdue": ("Nothing is overdue", "Tasks with a due day that has passed are listed here."),
    "due": ("Nothing is due", "Tasks with a due day, today or later, are listed here."),
    "done": ("Nothing is ticked off", "Lines like “- [x] call the roofer” in your notes are listed here."),
}


class TasksPage(Page):
    """The page; `part` says which of the tasks are in view.

    Args:
        today: the person's day.

    Signals:
        open_requested(str, int, object): path and line of a task.
    """

    open_requested = Signal(str, int, object)

    def __init__(self, link: EngineLink, theme: Theme, today: Callable[[], date] = date.today) -> None:
        super().__init__("Tasks")
        self._link = link
        self._today = today
        self._tickets: dict[str, Ticket] = {}
        self._seen: object = None
        self._items: dict[object, CatalogItem] = {}
        self.part = Segments("Tasks", PARTS)
        self.rows = RowList(theme, "Tasks in your notes")
        self.pane = StatePane()
        self._soon = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self.parts.addWidget(self.part)
        self.parts.addWidget(self.rows, 1)
        self.parts.addWidget(self.pane, 1)
        self.setFocusProxy(self.rows)
        self.subtitle.setText("From all of your notes, as they are written there.")
        self.pane.say("Looking through your notes…")
        self._arrange()
        self.part.chosen.connect(lambda _: self.refresh())
        self.rows.opened.connect(self._open)
        self.rows.more_wanted.connect(self._fetch_more)
        self._soon.timeout.connect(lambda: self.refresh() if self.isVisible() else None)
        link.reported.connect(self._reported)

    def showEvent(self, event: QShowEvent) -> None:
        """Notes may have changed since it was last in view."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """List the part in view anew, and count the others."""
        for part in PARTS:
            self._ask(part, AT_ONCE if part == self.part.value else 0)

    def _ask(self, part: str, limit: int, skip: int = 0) -> None:
        if part in self._tickets:
            self._tickets[part].cancel()
        heard = partial(self._heard, part, skip)
        self._tickets[part] = self._link.call(self._call(part, limit, skip), heard, self._failed)

    def _call(self, part: str, limit: int, skip: int) -> ListTasks:
        today = self._today()
        match part:
            case "overdue":
                return ListTasks(due_to=(today - timedelta(days=1)).isoformat(), limit=limit, skip=skip)
            case "due":
                return ListTasks(due_from=today.isoformat(), limit=limit, skip=skip)
            case "done":
                return ListTasks("done", limit=limit, skip=skip)
            case _:
                return ListTasks(limit=limit, skip=skip)

    def _fetch_more(self) -> None:
        self._ask(self.part.value, AT_ONCE, self.rows.lines.rowCount())

    def _heard(self, part: str, skip: int, event: Event) -> None:
        if not isinstance(event, Listed):
            return
        self.part.set_words(part, f"{PARTS[part]}  {event.total:,}" if event.total else PARTS[part])
        if part != self.part.value:
            return
        more = skip + len(event.items) < event.total and bool(event.items)
        lines = [self._line(item) for item in event.items]
        found: dict[object, CatalogItem] = {_key(item): item for item in event.items}
        if skip:
            self._items |= found
            self.rows.lines.append(lines, has_more=more)
        else:
            self._items = found
            self.rows.lines.replace(lines, has_more=more)
            self.pane.say(*NONE[part])
        self._arrange()

    def _failed(self, problem: Problem) -> None:
        self.rows.lines.replace([])
        self.pane.say("The tasks cannot be shown", str(problem), "Try again", self.refresh)
        self._arrange()

    def _arrange(self) -> None:
        some = bool(self.rows.lines.lines)
        self.rows.setVisible(some)
        self.pane.setVisible(not some)

    def _open(self, key: object) -> None:
        item = self._items[key]
        self.open_requested.emit(item.path, item.line, None)

    def _line(self, item: CatalogItem) -> Line:
        name = item.title or Path(item.path).stem
        trail = "" if item.heading == name else item.heading.removeprefix(f"{name} › ")
        where = "  ·  ".join(
            part for part in (name, trail, f"{path_within(item.path, self._link.roots)}:{item.line}") if part
        )
        due = due_words(item.date, self._today()) if item.date else ""
        if item.state == "done":
            due, tone = item.date, "good"
        else:
            tone = "bad" if due.endswith("overdue") else "busy" if due == "Today" else "off"
        return Line(_key(item), item.text, where, due, tone, f"{item.path}:{item.line}")

    def _reported(self, report: StatusReport) -> None:
        seen = (report.coverage.newest, report.counts.files, report.counts.indexed, len(report.folders))
        if seen != self._seen:
            self._seen = seen
            self._soon.start()


def _key(item: CatalogItem) -> tuple[str, int, str]:
    return item.path, item.line, item.text
