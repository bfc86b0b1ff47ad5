"""Draws every window in its states, light and dark, into the folder named by the first argument. Needs a screen."""

import sys
from pathlib import Path

import msgspec
from draw_pages import draw, fill
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from scripted_engine import REPORT, ScriptedEngine

from core.paths import Profile
from core.protocol import ChildInfo
from ui.engine_link import EngineLink
from ui.main_window import ASK, LIBRARY, MainWindow
from ui.palette import Palette
from ui.panel_actions import actions
from ui.theme import Theme

QUESTION = "Which tiles did we choose for the roof?"


def wait(milliseconds: int) -> None:
    """Let the event loop run; unlike QTest.qWait this lets other threads run too."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Drawing:
    """One set of pictures in one set of colours."""

    def __init__(self, folder: Path, look: str, engine: ScriptedEngine) -> None:
        self._folder, self._look, self._engine = folder, look, engine

    def save(self, widget: QWidget, name: str) -> None:
        wait(350)
        widget.grab().save(str(self._folder / f"{name}-{self._look}.png"))

    def palette(self, palette: Palette) -> None:
        panel = palette.panel
        palette.present()
        panel.question.clear()
        panel._typed()
        self.save(palette, "empty")
        panel.question.setText("roof tiles")
        panel._typed()
        self.save(palette, "results")
        panel.action_list.offer("What to do", actions(panel))
        self.save(palette, "actions")
        panel.action_list.close_list()
        panel.question.setText(QUESTION)
        panel.ask()
        self.save(palette, "answer")
        self.selected(palette)
        script = self._engine.script
        quote, sentences = script.quote, script.sentences
        script.quote, script.sentences = None, []
        panel.question.setText("When was the chimney last swept?")
        panel.ask()
        self.save(palette, "not-in-notes")
        script.quote, script.sentences = quote, sentences
        panel.question.clear()
        folders = self._engine.script.report.folders
        self._engine.change(folders=[])
        panel._typed()
        self.save(palette, "no-folder")
        self._engine.change(folders=folders)
        palette.hide()
        wait(200)

    def selected(self, palette: Palette) -> None:
        palette.panel.question.clear()
        palette.panel._typed()
        palette.selected.offer(self._engine.script.hits[1].text)
        self.save(palette, "selection")
        palette.selected.do("summarise")
        self.save(palette, "selection-summarised")
        palette.selected.offer("")

    def window(self, window: MainWindow, link: EngineLink) -> None:
        window.present()
        window.resize(1000, 680)
        window.show_page(ASK)
        window.ask.question.setText(QUESTION)
        window.ask.ask()
        self.save(window, "window-ask")
        folders = self._engine.script.report.folders
        busy = msgspec.structs.replace(folders[0], indexed=120, waiting=76)
        counts = msgspec.structs.replace(REPORT.counts, waiting=76, indexed=135)
        coverage = msgspec.structs.replace(REPORT.coverage, waiting=76, indexed=135)
        self._engine.change(folders=[busy, folders[1]], counts=counts, coverage=coverage)
        window.show_page(LIBRARY)
        window.resize(1000, 780)
        self.save(window, "window-library")
        self._engine.change(folders=folders, counts=REPORT.counts, coverage=REPORT.coverage)
        draw(window, link, self._engine, self.save, wait)
        window.hide()


def main() -> None:
    profile = Profile()
    engine = ScriptedEngine(profile).start()
    engine.change(children=[*REPORT.children[:2], ChildInfo("extractor-1", "asleep", None, 0)])
    fill(engine, profile)
    app = QApplication([])
    theme, link = Theme(app), EngineLink(profile)
    palette, window = Palette(link, theme), MainWindow(link, theme, profile)
    link.start()
    wait(400)
    for look in ("light", "dark"):
        theme.prefer(look)
        drawing = Drawing(Path(sys.argv[1]), look, engine)
        drawing.palette(palette)
        drawing.window(window, link)
    link.close()
    engine.stop()


if __name__ == "__main__":
    main()
