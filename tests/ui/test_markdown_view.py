import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QTextDocument
from PySide6.QtWidgets import QApplication, QMessageBox

from ui.markdown_view import MarkdownView


@pytest.fixture
def view(qtbot):
    made = MarkdownView()
    qtbot.addWidget(made)
    made.resize(600, 100)
    made.show()
    return made


@pytest.fixture
def web():
    """A web server on this machine that writes down what it is asked for."""
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_is_fetched_whatever_the_text_says(qtbot, view, web, tmp_path):
    address, asked = web
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG")
    view.show_markdown(
        f"![a chart]({address}/x.png) ![][ref] ![local](file://{secret}) ![inline](data:image/png;base64,AAAA)\n\n"
        f'<img src="{address}/y.png"> <script src="{address}/s.js"></script>\n\n'
        f'<link rel=stylesheet href="{address}/c.css">\n\n'
        f"<iframe src='{address}/f'></iframe> [![badge]({address}/b.svg)]({address}/page)\n\n[ref]: {address}/r.png\n"
    )
    view.grab()
    qtbot.wait(150)
    assert asked == []
    words = view.toPlainText()
    assert "[a chart]" in words
    assert "[local]" in words
    assert "￼" not in words, "no picture is left in the text"
    assert "<script" in words, "HTML is shown as text"


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1/x", "file:///etc/passwd", "data:text/plain,x", "//host/share", ":/qt"]
)
def test_no_resource_is_ever_loaded(view, name):
    for kind in QTextDocument.ResourceType:
        assert not view.loadResource(kind.value, QUrl(name)).size()


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "smb://host/share", "http:", "ftp://h/x"]
)
def test_links_other_than_web_addresses_are_refused(qtbot, view, link, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    with qtbot.waitSignal(view.refused) as told:
        view.anchorClicked.emit(QUrl(link))
    assert "not opened" in told.args[0]
    assert opened == []
    assert QApplication.activeModalWidget() is None


@pytest.mark.parametrize("answer", ["Open link", "Cancel"])
def test_a_web_link_opens_only_after_the_whole_address_was_confirmed(qtbot, view, answer, monkeypatch):
    opened, shown = [], []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)

    def press():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        shown.append(box.informativeText())
        next(button for button in box.buttons() if button.text().replace("&", "") == answer).click()

    QTimer.singleShot(50, press)
    view.anchorClicked.emit(QUrl("https://exämple.org/a?b=<b>c</b>"))
    assert shown == ["https://xn--exmple-cua.org/a?b=%3Cb%3Ec%3C/b%3E"]
    assert len(opened) == (1 if answer == "Open link" else 0)


def test_the_mark_of_a_source_is_told_to_the_owner(qtbot, view):
    with qtbot.waitSignal(view.source_clicked) as told:
        view.anchorClicked.emit(QUrl("source:3"))
    assert told.args == [3]


def test_markdown_is_drawn_and_the_view_is_as_high_as_it(view):
    view.show_markdown("one")
    low = view.height()
    view.show_markdown("# Title\n\n* one\n* **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert view.height() > low
    assert "**" not in view.toPlainText()


def test_an_endless_text_is_cut(view):
    view.show_markdown("word " * 100_000)
    assert len(view.toPlainText()) <= 64 * 1024
