"""One question before something is done that cannot be undone."""

from PySide6.QtWidgets import QMessageBox, QWidget


def confirmed(parent: QWidget, title: str, question: str, consequence: str, yes: str) -> bool:
    """Ask; returns whether the person pressed the button `yes`. Enter and Esc both leave everything as it is."""
    box = QMessageBox(parent.window())
    box.setWindowTitle(title)
    box.setText(question)
    box.setInformativeText(consequence)
    agreed = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.exec()
    return box.clickedButton() is agreed
