"""What is suggested before there is a folder, and what would be indexed of one."""

import pytest

from core.engine.welcome import WelcomeDesk, suggestions
from core.protocol import Suggest, Suggestion, Survey
from indexer.ignore import IgnoreRules
from indexer.records import FolderKnown, FolderRefused
from indexer.worker import Cancellation


class FewFolders:
    """Stands in for the index: two figures of it are all that is asked for."""

    def __init__(self, *watched, rates=(0.0, 0.0)):
        self._watched, self.rates = watched, rates

    def folders(self):
        return [{"path": str(path)} for path in self._watched]

    def progress(self):
        return None, *self.rates, None, True


@pytest.fixture
def home(tmp_path):
    made = tmp_path / "mara"
    for name in ("Documents/Vault/.obsidian", "Documents/Vault/notes", "Music", "Notes", ".config/notes", "Dropbox/x"):
        (made / name).mkdir(parents=True)
    return made


def desk(home, *watched, rates=(0.0, 0.0), largest=1000):
    index = FewFolders(*watched, rates=rates)
    return WelcomeDesk(index, IgnoreRules(largest=largest), [home / "profile"], home, home / "Documents")


def survey(made, path):
    return list(made.handle(Survey(str(path)), Cancellation()))[-1]


def test_vaults_come_first_then_what_is_called_notes_then_the_documents(home):
    assert suggestions(home, home / "Documents") == [
        Suggestion(str(home / "Documents/Vault"), vault=True),
        Suggestion(str(home / "Notes"), vault=False),
        Suggestion(str(home / "Documents"), vault=False),
    ]


def test_a_home_without_anything_suggests_nothing(tmp_path):
    assert suggestions(tmp_path / "nobody", tmp_path / "nobody" / "Documents") == []


def test_a_folder_that_may_not_be_added_is_not_suggested(home):
    (told,) = desk(home, home / "Documents").handle(Suggest(), Cancellation())
    assert [one.path for one in told.folders] == [str(home / "Notes")]


def test_a_survey_counts_what_would_be_read_and_why_the_rest_would_not(home):
    notes = home / "Notes"
    (notes / "a.md").write_text("x" * 400)
    (notes / "b.pdf").write_bytes(b"y" * 90)
    (notes / "large.txt").write_text("z" * 2000)
    (notes / "photo.jpg").write_bytes(b"j")
    (notes / ".git").mkdir()
    told = survey(desk(home), notes)
    assert (told.files, told.bytes, told.other, told.hidden, told.done) == (2, 490, 1, 1, True)
    assert list(told.skipped.values()) == [1]
    assert "larger than" in next(iter(told.skipped))
    low, high = told.by_words
    assert 0 < low < high
    assert told.by_meaning[0] > low
    assert not told.measured


def test_a_rate_measured_here_narrows_the_range(home):
    (home / "Notes" / "a.md").write_text("x" * 400)
    told = survey(desk(home, rates=(100.0, 40.0)), home / "Notes")
    assert told.measured
    assert told.by_words[1] / told.by_words[0] == pytest.approx(2.0)


def test_a_folder_that_may_not_be_added_is_refused_before_it_is_gone_through(home):
    with pytest.raises(FolderKnown):
        survey(desk(home, home / "Notes"), home / "Notes")
    with pytest.raises(FolderRefused, match="There is no folder"):
        survey(desk(home), home / "Nothing")


def test_a_survey_that_nobody_waits_for_ends(home):
    (home / "Notes" / "a.md").write_text("x")
    cancelled = Cancellation()
    cancelled.cancel()
    assert list(desk(home).handle(Survey(str(home / "Notes")), cancelled)) == []
