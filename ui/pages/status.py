"""What runs, what it costs, and a check-up that says what is wrong and repairs it."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from core.protocol import Checked, Doctor, Event, Finding, Problem, StatusReport
from ui.engine_link import EngineLink
from ui.state_words import size, state_words
from ui.theme import Theme
from ui.widgets import Note, Page, button, card, clear, label, row

CHILDREN = {
    "semantics": ("Meaning", "search by meaning"),
    "llm": ("Language model", "writes answers"),
    "extractor": ("Reader", "reads files"),
    "recogniser": ("Scans", "reads scanned pages"),
}
MEMORY = 3  # the last column
NAMES = 120  # px
CHILD_STATES = {"ready": "good", "asleep": "off", "off": "bad"}


class StatusPage(Page):
    """The status page."""

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__("Status")
        self._link = link
        self._theme = theme
        self._findings: list[Finding] = []
        self.notices = Note()
        self._grid = QGridLayout()
        self.doctor = button("Check everything", "", lambda: self._check(fix=False))
        self.repair = button("Repair", "primary", lambda: self._check(fix=True))
        self.repair.setVisible(False)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self._build()
        link.reported.connect(self._show)
        link.state_changed.connect(self._show_state)
        theme.changed.connect(self._recolor)
        self._show_state()
        if link.report is not None:
            self._show(link.report)

    def _build(self) -> None:
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(2, 1)
        self._grid.setColumnMinimumWidth(0, 18)
        self._grid.setColumnMinimumWidth(1, NAMES)
        processes = QWidget()
        processes.setLayout(self._grid)
        rows = QWidget()
        rows.setLayout(self._rows)
        self._rows.setContentsMargins(0, 0, 0, 0)
        for part in (
            self.notices,
            card(label("Processes", "heading"), processes, spacing=10),
            card(row(label("Check-up", "heading"), None, self.repair, self.doctor), rows),
        ):
            self.parts.addWidget(part)
        self.parts.addStretch(1)

    def _show_state(self) -> None:
        self.subtitle.setText(state_words(self._link.state, self._link.report))

    def _show(self, report: StatusReport) -> None:
        self.subtitle.setText(f"{state_words(self._link.state, report)}, version {report.version}")
        self.notices.say("\n".join(report.notices))
        self._show_processes(report)

    def _show_processes(self, report: StatusReport) -> None:
        lines = [("good", "Engine", "index, search and answers", report.memory)]
        for child in report.children:
            kind, _, which = child.name.partition("-")  # "extractor-2": there are several readers
            name, does = CHILDREN.get(kind, (kind.capitalize(), "works in the background"))
            name = f"{name} {which}".strip()
            lines.append((CHILD_STATES.get(child.state, "off"), name, _does(does, child.state), child.memory))
        for number, (tone, name, does, memory) in enumerate(lines):
            dot = self._cell(number, 0)
            dot.setPixmap(self._theme.dot(tone))
            dot.setAccessibleName(tone)
            self._cell(number, 1).setText(name)
            self._cell(number, 2, "faint").setText(does)
            self._cell(number, MEMORY, "muted").setText(size(memory) if memory else "")
        for number in range(len(lines), self._grid.rowCount()):
            for column in range(MEMORY + 1):
                if self._grid.itemAtPosition(number, column) is not None:
                    self._cell(number, column).clear()

    def _cell(self, number: int, column: int, role: str = "") -> QLabel:
        item = self._grid.itemAtPosition(number, column)
        if item is not None:
            widget = item.widget()
            assert isinstance(widget, QLabel)
            return widget
        made = label("", role)
        if column == MEMORY:
            made.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._grid.addWidget(made, number, column)
        return made

    def _check(self, *, fix: bool) -> None:
        self._findings = []
        clear(self._rows)
        self._rows.addWidget(label("Checking…", "muted"))
        self.doctor.setEnabled(False)
        self.repair.setVisible(False)
        self._link.call(Doctor(fix=fix), self._found, self._check_failed, self._checked)

    def _found(self, event: Event) -> None:
        if isinstance(event, Checked):
            if not self._findings:
                clear(self._rows)
            self._findings.append(event.finding)
            self._rows.addWidget(self._finding_row(event.finding))

    def _finding_row(self, finding: Finding) -> QFrame:
        made = QFrame()
        mark = QLabel()
        well = finding.ok
        mark.setPixmap(self._theme.pixmap("check" if well else "attention", "good" if well else "bad", 16))
        mark.setFixedSize(QSize(18, 18))
        mark.setAccessibleName("well" if well else "needs attention")
        words = " ".join(part for part in (finding.what, "Repaired." if finding.fixed else finding.next_step) if part)
        inner = row(
            mark, label(finding.name[:1].upper() + finding.name[1:]), label(words, "muted", wrap=True), spacing=10
        )
        inner.layout().itemAt(1).widget().setFixedWidth(NAMES)  # type: ignore[union-attr]
        layout = QVBoxLayout(made)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(inner)
        return made

    def _checked(self) -> None:
        self.doctor.setEnabled(True)
        self.repair.setVisible(any(not finding.ok for finding in self._findings))

    def _check_failed(self, problem: Problem) -> None:
        clear(self._rows)
        self._rows.addWidget(label(str(problem), "bad", wrap=True))
        self._checked()

    def _recolor(self) -> None:
        if self._link.report is not None:
            self._show_processes(self._link.report)
        clear(self._rows)
        for finding in self._findings:
            self._rows.addWidget(self._finding_row(finding))


def _does(what: str, state: str) -> str:
    return {"asleep": f"{what}; asleep", "off": f"{what}; switched off"}.get(state, what)
