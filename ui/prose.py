"""The model's words: streamed at a calm rate, and at the end bound sentence by sentence to their sources."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.protocol import Sentence
from ui.markdown_view import FEATURES, MarkdownView
from ui.theme import Theme

REPAINT_MS = 40  # at most 25 repaints a second, whatever a model's speed
LINE_HEIGHT = 135.0  # per cent
NOT_FOUND = "Not found in your notes"


class Prose(QWidget):
    """Growing text under a quote.

    `view` is where it is drawn; its signals are the owner's to connect.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._text = ""
        self._sentences: list[Sentence] = []
        self.view = MarkdownView()
        self.view.setAccessibleName("Answer")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._paint_soon = QTimer(self)
        self._paint_soon.setSingleShot(True)
        self._paint_soon.setInterval(REPAINT_MS)
        self._paint_soon.timeout.connect(self._paint)
        theme.changed.connect(self._paint)
        self.clear()

    @property
    def text(self) -> str:
        """All words so far, as Markdown."""
        return self._text

    def clear(self) -> None:
        """Start from nothing."""
        self._paint_soon.stop()
        self._text, self._sentences = "", []
        self.view.clear()
        self.setVisible(False)

    def add(self, words: str) -> None:
        """Append the next words; they are painted within `REPAINT_MS`."""
        self._text += words
        if not self._paint_soon.isActive():
            self._paint_soon.start()

    def finish(self, text: str, sentences: list[Sentence]) -> bool:
        """Show the whole text with its sources; returns whether every sentence has one."""
        self._paint_soon.stop()
        self._text, self._sentences = text, sentences
        self._paint()
        return all(sentence.source is not None for sentence in sentences)

    def _paint(self) -> None:
        self.setVisible(bool(self._text.strip()))
        if not self.isHidden():
            self.view.show_markdown(self._text)
            _breathe(self.view.document())
            bind(self.view.document(), self._sentences, self._theme)
            self.view.fit()


def bind(document: QTextDocument, sentences: list[Sentence], theme: Theme) -> None:
    """Mark in `document` what is not supported, and put the number of its source after each sentence that is."""
    dim = QTextCharFormat()
    dim.setForeground(theme.color("faint"))
    dim.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
    dim.setUnderlineColor(theme.color("faint"))
    dim.setToolTip(NOT_FOUND)
    position = 0
    for sentence in sentences:
        start = document.toPlainText().find(_shown(sentence.text), position)
        if start < 0:
            continue
        end = start + len(_shown(sentence.text))
        cursor = QTextCursor(document)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        position = end
        if sentence.source is None:
            cursor.mergeCharFormat(dim)
        else:
            cursor.setPosition(end)
            number = f" {sentence.source}"
            cursor.insertText(number, _mark(sentence.source, theme))
            position += len(number)


def _breathe(document: QTextDocument) -> None:
    """More room between the lines than Qt's own, which is meant for forms."""
    cursor = QTextCursor(document)
    cursor.select(QTextCursor.SelectionType.Document)
    block = QTextBlockFormat()
    block.setLineHeight(LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    cursor.mergeBlockFormat(block)


def _mark(source: int, theme: Theme) -> QTextCharFormat:
    mark = QTextCharFormat()
    mark.setAnchor(True)
    mark.setAnchorHref(f"source:{source}")
    mark.setForeground(theme.color("accent"))
    mark.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
    mark.setToolTip(f"Source {source}")
    return mark


def _shown(markdown: str) -> str:
    """What a sentence's Markdown looks like once it is drawn."""
    document = QTextDocument()
    document.setMarkdown(markdown, FEATURES)
    return document.toPlainText().strip()
