"""What the app takes for granted of Qt's Python binding."""

import sys

import pytest
from PySide6.QtWidgets import QLabel

CALLS = 1000


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_calls_into_qt_do_not_use_up_none(qtbot):
    # PySide6 6.12.0 drops a reference to None with every call that returns nothing (PYSIDE-3474): a session of some
    # minutes ends in "Fatal Python error: none_dealloc".
    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        label.setText("x")
    assert sys.getrefcount(None) > before - CALLS // 2
