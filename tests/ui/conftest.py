"""Fixtures of the front doors' tests: windows without a screen (Qt's offscreen platform) on a scripted engine.

Those of the terminal live in `scripted.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desktop import screen, window_manager
from pytestqt.qtbot import QtBot
from scripted import offhand
from scripted_engine import ScriptedEngine
from wayland import wayland

from core.paths import Profile
from ui.ask_panel import AskPanel
from ui.engine_link import EngineLink
from ui.palette import Palette
from ui.theme import Theme

__all__ = ["offhand", "screen", "wayland", "window_manager"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What only a real screen can do, and the offscreen platform says so.
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))


@pytest.fixture
def scripted(profile: Profile) -> Iterator[ScriptedEngine]:
    engine = ScriptedEngine(profile).start()
    yield engine
    engine.stop()


@pytest.fixture
def theme(qapp) -> Theme:
    return Theme(qapp)


@pytest.fixture
def link(qtbot: QtBot, scripted: ScriptedEngine, profile: Profile) -> Iterator[EngineLink]:
    """A line to the scripted engine that is up."""
    made = EngineLink(profile)
    made.start()
    qtbot.waitUntil(lambda: made.state == "ready")
    yield made
    made.close()


@pytest.fixture
def palette(qtbot: QtBot, link: EngineLink, theme: Theme) -> Palette:
    """The palette, as it has just come up."""
    made = Palette(link, theme)
    qtbot.addWidget(made)
    made.present()
    return made


@pytest.fixture
def panel(palette: Palette) -> AskPanel:
    """The panel in the palette."""
    return palette.panel
