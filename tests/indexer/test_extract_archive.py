"""What a zip admits before it is unpacked."""

import io
import zipfile

import pytest

from indexer.extract import archive


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def test_ordinary_documents_and_other_files_pass() -> None:
    assert archive.objection(packed({"content.xml": b"<a/>" * 1000, "picture.png": bytes(1 << 20)})) == ""
    assert archive.objection(b"no archive") == ""
    assert archive.objection(b"PK but broken") == ""


def test_a_bomb_is_refused_by_what_it_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_TEXT", 10_000)
    assert "would unpack to" in archive.objection(packed({"content.xml": b"<a/>" * 10_000}))
    assert archive.objection(packed({"picture.png": bytes(40_000)})) == "", "pictures have a limit of their own"
    monkeypatch.setattr(archive, "MOST_UNPACKED", 20_000)
    assert "would unpack to" in archive.objection(packed({"picture.png": bytes(40_000)}))


def test_an_archive_of_very_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    assert "4 parts" in archive.objection(packed({f"{number}.xml": b"" for number in range(4)}))
