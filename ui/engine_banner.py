"""What stands above a page while there is no engine behind it: why, that the page is as it was last, and a way back."""

from PySide6.QtWidgets import QFrame, QHBoxLayout

from ui.engine_link import EngineLink
from ui.widgets import button, label

STARTING = "Starting the engine… What is shown here comes with it."
STOPPED = "Offhand is stopped. Nothing is read or answered until it runs again."


class EngineBanner(QFrame):
    """Comes and goes with the engine; `wanted` is false on the page that says it itself."""

    def __init__(self, link: EngineLink) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._link = link
        self._wanted = True
        self._words = label("", wrap=True)
        self.action = button("Try now", "quiet", link.retry)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(32, 8, 24, 8)
        layout.addWidget(self._words, 1)
        layout.addWidget(self.action)
        link.state_changed.connect(self._show)
        self._show()

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def set_wanted(self, wanted: bool) -> None:
        """Whether the page in view leaves it to the banner."""
        self._wanted = wanted
        self._show()

    def _show(self) -> None:
        state, problem = self._link.state, self._link.problem
        said = {"starting": STARTING, "stopped": STOPPED, "ready": ""}.get(state)
        self._words.setText(f"The engine is not running. {problem or ''}".strip() if said is None else said)
        self._words.setAccessibleName(self._words.text())
        self.action.setText("Start" if state == "stopped" else "Try now")
        self.action.setAccessibleName("Start the engine" if state == "stopped" else "Look for the engine now")
        self.action.setVisible(state in ("gone", "stopped"))
        late = self._link.report is not None or state != "starting"  # at the start it is there in a moment
        self.setVisible(self._wanted and state != "ready" and late)
