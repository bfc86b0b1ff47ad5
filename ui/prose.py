"""The model's words: streamed at a calm rate, and at the end bound sentence by sentence to their sources."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.protocol import Draft, Piece, Restart, RouteStep, Sentence
from ui.markdown_view import FEATURES, MarkdownView
from ui.state_words import seam_words
from ui.theme import Theme

REPAINT_MS = 40  # at most 25 repaints a second, whatever a model's speed
LINE_HEIGHT = 135.0  # per cent
TAIL = 40  # characters by which a place in the drawn text is found
NOT_FOUND = "Not found in your notes"


class Prose(QWidget):
    """Growing text under a quote.

    `view` is where it is drawn; its signals are the owner's to connect.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._draft = Draft()
        self._sentences: list[Sentence] = []
        self._seams: dict[int, str] = {}  # place in the text: whose words begin there
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
        return self._draft.shown

    def clear(self) -> None:
        """Start from nothing."""
        self._paint_soon.stop()
        self._draft, self._sentences, self._seams = Draft(), [], {}
        self.view.clear()
        self.setVisible(False)

    def take(self, event: RouteStep | Restart | Piece) -> None:
        """The next event of the answer; what changes is painted within `REPAINT_MS`."""
        self._draft.take(event)
        self._seams = {span.start: span.model for span in self._draft.seams}
        if not self._paint_soon.isActive():
            self._paint_soon.start()

    def finish(self, text: str, sentences: list[Sentence], seams: dict[int, str]) -> bool:
        """Show the whole text with its sources; returns whether every sentence has one.

        Args:
            seams: where in `text` another model's words begin, and the model's name.
        """
        self._paint_soon.stop()
        self._draft, self._sentences, self._seams = Draft(), sentences, seams
        self._draft.text = text
        self._paint()
        return all(sentence.source is not None for sentence in sentences)

    def _paint(self) -> None:
        draft = self._draft
        self.setVisible(bool(draft.shown.strip()))
        if not self.isHidden():
            fading = f"{draft.fading.rstrip()}\n\n" if draft.fading else ""
            self.view.show_markdown(fading + draft.text)
            document = self.view.document()
            _breathe(document)
            if fading:
                _fade(document, len(_shown(fading)), self._theme)
            seams = [(_end_of(document, draft.text[:place]), self._seams[place]) for place in sorted(self._seams)]
            bind(document, self._sentences, self._theme)
            for cursor, model in seams:
                if cursor is not None:
                    cursor.insertText(f"[{seam_words(model)}]", _seam_format(self._theme))
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
            _flag(document, start, end, sentence.foreign, theme)
        else:
            cursor.setPosition(end)
            number = f" {sentence.source}"
            cursor.insertText(number, _mark(sentence.source, theme))
            position += len(number)


def _flag(document: QTextDocument, start: int, end: int, words: list[str], theme: Theme) -> None:
    """Let the words between two places stand out that are in none of the sources."""
    loud = QTextCharFormat()
    loud.setForeground(theme.color("bad"))
    loud.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
    loud.setUnderlineColor(theme.color("bad"))
    for word in words:
        cursor = QTextCursor(document)
        cursor.setPosition(start)
        options = QTextDocument.FindFlag.FindWholeWords | QTextDocument.FindFlag.FindCaseSensitively
        while not (cursor := document.find(word, cursor, options)).isNull() and cursor.position() <= end:
            loud.setToolTip(f"{word}: in none of your notes shown here")
            cursor.mergeCharFormat(loud)


def _fade(document: QTextDocument, length: int, theme: Theme) -> None:
    """Dim the words at the beginning that are about to be replaced."""
    dim = QTextCharFormat()
    dim.setForeground(theme.color("faint"))
    cursor = QTextCursor(document)
    cursor.setPosition(0)
    cursor.setPosition(length, QTextCursor.MoveMode.KeepAnchor)
    cursor.mergeCharFormat(dim)


def _end_of(document: QTextDocument, words: str) -> QTextCursor | None:
    """Where `words`, the answer's beginning, end in the drawn text, in which Markdown's own marks are missing.

    A cursor stays with its place while source numbers are put in. None when it cannot be found: the line under the
    answer names the models all the same.
    """
    tail = _shown(words)[-TAIL:]
    found = document.toPlainText().rfind(tail) if tail else -1
    if found < 0:
        return None
    cursor = QTextCursor(document)
    end = found + len(tail)
    if words[-1].isspace() and document.characterAt(end).isspace():
        end += 1
    cursor.setPosition(end)
    return cursor


def _seam_format(theme: Theme) -> QTextCharFormat:
    mark = QTextCharFormat()
    mark.setForeground(theme.color("accent"))
    mark.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
    mark.setToolTip("The model before it broke off here.")
    return mark


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
