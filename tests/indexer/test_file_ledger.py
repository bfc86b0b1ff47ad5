"""What became of each file, how much is covered, and why a path is or is not in the index."""

import os
import time
from pathlib import Path

import pytest

from indexer.extract.reading import LINK_OUT
from indexer.index import Index
from tests.indexer.conftest import Parts, settled, write_notes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    write_notes(
        folder,
        {
            "a.md": "# Apples\n\nRed ones.\n",
            "sub/b.md": "# Pears\n\nGreen ones.\n",
            "sub/c.docx": "this is no Word document",
            ".hidden.md": "x",
            "program.exe": "x",
            "left/out.md": "x",
            ".gitignore": "left/\n",
        },
    )
    (tmp_path / "outside.md").write_text("outside")
    (folder / "link.md").symlink_to(tmp_path / "outside.md")
    (folder / "nowhere.md").symlink_to(tmp_path / "nothing.md")
    os.mkfifo(folder / "pipe.md")
    return folder


@pytest.fixture
def index(parts: Parts, root: Path) -> Index:
    made = parts.index()
    made.add_folder(root)
    assert settled(made)
    return made


def test_every_file_is_in_the_ledger_with_what_became_of_it(index: Index, root: Path) -> None:
    listed = index.ledger.files(None, "", "", 100)
    assert [(Path(file.path).name, file.state) for file in listed] == [
        ("a.md", "indexed"),
        ("link.md", "skipped"),
        ("b.md", "indexed"),
        ("c.docx", "failed"),
    ]
    assert listed[1].reason == LINK_OUT
    assert listed[3].reason == "The file is damaged, or is not what its name says."
    assert [file.path for file in index.ledger.files("failed", "", "", 100)] == [str(root / "sub" / "c.docx")]
    assert index.folders()[0]["failed"] == 1
    assert len(index.ledger.files(None, str(root / "sub"), "", 100)) == 2
    assert index.ledger.files(None, str(root / "su"), "", 100) == [], "a name that only begins so is another one"
    one_by_one, after = [], ""
    while some := index.ledger.files(None, "", after, 1):
        one_by_one += some
        after = some[-1].path
    assert one_by_one == listed


def test_the_coverage_is_counted_anew_after_a_change(index: Index, root: Path) -> None:
    covered = index.ledger.coverage()
    assert (covered.files, covered.indexed, covered.waiting, covered.skipped, covered.failed) == (4, 2, 0, 1, 1)
    assert index.ledger.coverage() is covered, "nothing changed"
    (root / "new.md").write_text("# Plums\n")
    index.rescan()
    deadline = time.monotonic() + 20
    while index.ledger.coverage().indexed < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert index.ledger.coverage().indexed == 3


REASONS = {
    "a.md": "is in the index",
    "sub/c.docx": "not what its name says; it is tried again when it changes, or by `offhand retry`",
    ".hidden.md": "hidden: its name begins with a dot",
    "program.exe": "files of type .exe are not read",
    "left/out.md": "left is left out: the pattern left/ in .gitignore",
    "link.md": LINK_OUT,
    "nowhere.md": "it is a link that leads nowhere",
    "pipe.md": "it is not a regular file",
    "missing.md": "there is no such file",
    "../outside.md": "it lies in none of your folders",
    "sub": "1 of 2 files in it are in the index, 1 failed",
}


def test_why_a_path_is_or_is_not_in_the_index(index: Index, root: Path) -> None:
    for name, because in REASONS.items():
        path = Path(os.path.normpath(root / name))
        _, sentence = index.ledger.why(path)
        assert because in sentence
        assert sentence.startswith(str(path))
        assert sentence.endswith(".")


def test_why_looks_at_every_part_of_a_path(parts: Parts, root: Path, tmp_path: Path) -> None:
    write_notes(tmp_path / "elsewhere", {"deep/d.md": "# Outside\n"})
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "twin").symlink_to(root / "sub")
    (tmp_path / "shortcut").symlink_to(root)
    index = parts.index()
    index.add_folder(root)
    assert settled(index)

    def why(path: Path) -> str:
        return index.ledger.why(path)[1]

    assert f"not in the index: {root / 'out'} is {LINK_OUT}." in why(root / "out" / "deep" / "d.md")
    assert f"{root / 'twin'} is a link to a directory of this folder" in why(root / "twin" / "b.md")
    assert str(root / "sub") in why(root / "twin" / "b.md")
    assert f"{root / 'a.md'} is in the index" in why(tmp_path / "shortcut" / "a.md")
