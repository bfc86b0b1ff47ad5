import pytest
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal
from scripted_engine import REPORT

from core.protocol import FolderInfo, LaterInfo
from ui.notifications import Notifications


class Reports(QObject):
    """What of the link is listened to."""

    reported = Signal(object)


@pytest.fixture
def told(qapp):
    reports, said, wanted = Reports(), [], [True]
    made = Notifications(reports, lambda: wanted[0], lambda *words: said.append(words), reports)
    yield made, reports.reported.emit, said, wanted
    reports.deleteLater()


def folder(waiting, indexed=0, failed=0):
    return FolderInfo("/n/House", True, waiting + indexed, indexed, waiting, failed)


def reading(heard):
    heard(REPORT)
    for info in (folder(0), folder(40), folder(12, 28), folder(0, 39, 1), folder(0, 39, 1)):
        heard(replace(REPORT, folders=[*REPORT.folders, info]))


def test_a_new_folder_that_is_read_is_told_once(told):
    _, heard, said, _ = told
    reading(heard)
    assert said == [("House is read", "39 files can be asked, 1 could not be read.")]


def test_nothing_is_told_unless_it_was_asked_for(told):
    _, heard, said, wanted = told
    wanted[0] = False
    reading(heard)
    heard(replace(REPORT, later=LaterInfo(on=True, new=1)))
    assert said == []
    wanted[0] = True
    heard(replace(REPORT, later=LaterInfo(on=True, new=1)))
    assert said == [], "what came before it was asked for is old"


def test_a_second_opinion_is_told_when_it_comes_and_not_at_the_start(told):
    _, heard, said, _ = told
    heard(replace(REPORT, later=LaterInfo(on=True, new=1)))
    assert said == []
    heard(replace(REPORT, later=LaterInfo(on=True, new=2)))
    assert said == [("Second opinion", "2 second opinions have come.")]


def test_a_folder_that_was_there_already_is_not_told_when_a_file_in_it_changes(told):
    _, heard, said, _ = told
    heard(REPORT)
    heard(replace(REPORT, folders=[replace(REPORT.folders[0], waiting=1)]))
    heard(REPORT)
    assert said == []
