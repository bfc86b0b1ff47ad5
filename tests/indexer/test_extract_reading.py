"""Opening a person's files: what is read, what is refused, and that nothing outside the folder is touched."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.extract.reading import NotPlain, content_hash, in_cloud, read
from indexer.records import Failed, Skipped
from indexer.worker import start_thread

LIMIT = 1 << 20


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbfx\r\n\0")
    assert read(str(tmp_path / "a.md"), str(tmp_path), LIMIT) == b"\xef\xbb\xbfx\r\n\0"


def test_the_limit_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"x" * (LIMIT + 1))
    assert read(str(tmp_path / "a.md"), str(tmp_path), LIMIT) == Skipped("larger than the limit of 1 MB")
    (tmp_path / "a.md").write_bytes(b"x" * LIMIT)
    assert len(read(str(tmp_path / "a.md"), str(tmp_path), LIMIT)) == LIMIT  # type: ignore[arg-type]


def test_links_are_followed_within_the_folder_only(tmp_path: Path) -> None:
    root = tmp_path / "notes"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "inside.md").write_bytes(b"inside")
    (tmp_path / "notes-private").mkdir()
    (tmp_path / "notes-private" / "secret.md").write_bytes(b"secret")
    (root / "in.md").symlink_to(root / "sub" / "inside.md")
    (root / "out.md").symlink_to(tmp_path / "notes-private" / "secret.md")
    (root / "sub" / "away").symlink_to(tmp_path / "notes-private")
    (root / "ring.md").symlink_to(root / "ring.md")
    outside = Skipped("a link that leads out of the folder")
    assert read(str(root / "in.md"), str(root), LIMIT) == b"inside"
    assert read(str(root / "out.md"), str(root), LIMIT) == outside
    assert read(str(root / "sub" / "away" / "secret.md"), str(root), LIMIT) == outside
    assert read(str(root / ".." / "notes-private" / "secret.md"), str(root), LIMIT) == outside
    assert read(str(root / "ring.md"), str(root), LIMIT) == Skipped("a link that leads nowhere")


def test_the_watched_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.md").write_bytes(b"x")
    (tmp_path / "notes").symlink_to(tmp_path / "real")
    assert read(str(tmp_path / "notes" / "a.md"), str(tmp_path / "notes"), LIMIT) == b"x"


@pytest.mark.timeout(5)
def test_pipes_and_folders_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "folder.md").mkdir()
    for name in ("pipe.md", "folder.md"):
        assert read(str(tmp_path / name), str(tmp_path), LIMIT) == Skipped("not a regular file")


def test_a_file_that_is_gone_or_closed_to_us_is_said_so(tmp_path: Path) -> None:
    assert read(str(tmp_path / "none.md"), str(tmp_path), LIMIT) == Failed("The file is no longer there.")
    (tmp_path / "a.md").write_bytes(b"x")
    (tmp_path / "a.md").chmod(0)
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    refused = read(str(tmp_path / "a.md"), str(tmp_path), LIMIT)
    assert refused == Failed("This account has no permission to read the file.")


@pytest.mark.parametrize(
    ("status", "cloud"),
    [
        ({"st_file_attributes": 0x400000}, True),
        ({"st_file_attributes": 0x40000}, True),
        ({"st_file_attributes": 0x1000}, True),
        ({"st_file_attributes": 0x20}, False),
        ({"st_flags": 0x40000000}, True),
        ({"st_flags": 0x40}, False),
        ({}, False),
    ],
)
def test_files_kept_in_a_cloud_are_recognised(status: dict[str, int], cloud: bool) -> None:
    """Stand-ins: such files exist on Windows and macOS with a cloud client only."""
    assert in_cloud(SimpleNamespace(**status)) is cloud


def test_reading_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(b"x")
    before = file.stat()
    read(str(file), str(tmp_path), LIMIT)
    after = file.stat()
    assert (before.st_mtime_ns, before.st_size, before.st_mode) == (after.st_mtime_ns, after.st_size, after.st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]


def test_a_file_that_is_being_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other writer is played by a hook on `fstat`: nothing else can change the file at just that moment."""
    file = tmp_path / "a.md"
    file.write_bytes(b"old")
    real, asked = os.fstat, []

    def fstat(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        asked.append(descriptor)
        if len(asked) == 1:
            file.write_bytes(b"new and longer")
        return status

    monkeypatch.setattr(os, "fstat", fstat)
    assert read(str(file), str(tmp_path), LIMIT) == b"new and longer"
    assert len(asked) == 4


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_the_hash_of_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A name that was a file a moment ago: opening a pipe waits for whoever writes into it."""
    os.mkfifo(tmp_path / "a.md")
    refused: list[OSError] = []

    def attempt() -> None:
        try:
            content_hash(str(tmp_path / "a.md"))
        except NotPlain as error:
            refused.append(error)

    start_thread("hash", attempt).join(5.0)
    assert [error.strerror for error in refused] == ["not a regular file"]


def test_the_hash_of_a_link_is_that_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("text")
    (tmp_path / "b.md").symlink_to(tmp_path / "a.md")
    assert content_hash(str(tmp_path / "b.md")) == content_hash(str(tmp_path / "a.md"))
    with pytest.raises(FileNotFoundError):
        content_hash(str(tmp_path / "none.md"))
