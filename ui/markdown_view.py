"""Shows Markdown that nobody vouches for (a model's words, a note's) and loads nothing for it: no picture, no file.

HTML in it is shown as text, a picture as its description, and a link is followed only by a click that is confirmed
with the whole address in view. Links other than http and https are refused.
"""

from PySide6.QtCore import QByteArray, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QResizeEvent, QTextCursor, QTextDocument, QTextFormat, QWheelEvent
from PySide6.QtWidgets import QFrame, QMessageBox, QSizePolicy, QTextBrowser, QWidget

FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
FOLLOWED = ("http", "https")
LEAF = 64 * 1024  # characters; what is longer is cut, a window is no place for it


class MarkdownView(QTextBrowser):
    """A text as high as its contents.

    Signals:
        source_clicked(int): the mark of a source in the text was clicked.
        refused(str): a link was not followed; a sentence that says why.
    """

    source_clicked = Signal(int)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(0)
        self.anchorClicked.connect(self._clicked)

    def loadResource(self, _kind: int, _name: QUrl | str) -> QByteArray:  # Qt's name
        """Nothing is ever loaded, from anywhere."""
        return QByteArray()

    def show_markdown(self, text: str) -> None:
        """Show `text` in place of what is shown."""
        self.document().setMarkdown(text[:LEAF], FEATURES)
        _pictures_to_words(self.document())
        self.fit()

    def fit(self) -> None:
        """Become as high as the text is at this width."""
        self.document().setTextWidth(self.viewport().width())
        self.setFixedHeight(max(1, round(self.document().size().height()) + 2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines break anew at another width."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.fit()

    def sizeHint(self) -> QSize:
        """The text's height; the width is the owner's choice."""
        return QSize(200, self.height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolling is the owner's."""
        event.ignore()

    def _clicked(self, url: QUrl) -> None:
        if url.scheme() == "source":
            self.source_clicked.emit(int(url.path()) if url.path().isdigit() else 0)
        elif url.scheme() not in FOLLOWED or not url.host():
            self.refused.emit("This link was not opened: only web addresses are followed from a text.")
        elif self._confirmed(url):
            QDesktopServices.openUrl(url)

    def _confirmed(self, url: QUrl) -> bool:
        box = QMessageBox(self.window())
        box.setWindowTitle("Open this link?")
        box.setTextFormat(Qt.TextFormat.PlainText)  # the address is as untrusted as the text it came from
        box.setText("This opens in your browser:")
        box.setInformativeText(bytes(url.toEncoded().data()).decode())
        opens = box.addButton("Open link", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return box.clickedButton() is opens


def _pictures_to_words(document: QTextDocument) -> None:
    pictures = []
    block = document.begin()
    while block.isValid():
        iterator = block.begin()
        while not iterator.atEnd():
            fragment = iterator.fragment()
            if fragment.charFormat().isImageFormat():
                words = fragment.charFormat().property(QTextFormat.Property.ImageAltText)
                pictures.append((fragment.position(), fragment.length(), str(words or "picture")))
            iterator += 1
        block = block.next()
    cursor = QTextCursor(document)
    for position, length, words in reversed(pictures):
        cursor.setPosition(position)
        cursor.setPosition(position + length, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(f"[{words}]" if length else "", cursor.block().charFormat())
