"""The parts that benchmarks share: notes that are the same for the same seed, and a page whose sections keep apart."""

from pathlib import Path

from benchmarks.generated import vocabulary, write_notes
from benchmarks.report import keep, table


def test_the_same_seed_makes_the_same_notes(tmp_path: Path) -> None:
    first = write_notes(tmp_path / "a", 50, 2048, seed=7)
    second = write_notes(tmp_path / "b", 50, 2048, seed=7)
    assert [path.relative_to(tmp_path / "a") for path in first] == [path.relative_to(tmp_path / "b") for path in second]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert one.stat().st_mtime_ns == two.stat().st_mtime_ns
    assert len(set(first)) == 50
    assert first[0].read_text() != write_notes(tmp_path / "c", 1, 2048, seed=8)[0].read_text()


def test_notes_have_their_size_and_what_notes_have(tmp_path: Path) -> None:
    texts = [path.read_text() for path in write_notes(tmp_path, 200, 2048, seed=7)]
    assert abs(sum(map(len, texts)) / len(texts) - 2048) < 150
    for mark in ("# ", "## ", "- [ ] ", "[[", "tags: ", "due 20"):
        assert any(mark in text for text in texts)


def test_the_vocabulary_is_large_and_has_no_word_twice() -> None:
    words = vocabulary()
    assert len(words) == len(set(words)) == 50_000


def test_a_table_takes_the_place_of_the_old_one_and_leaves_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    keep("One", table([("a", "1")], "one"), page)
    keep("Two", table([("b", "2")], "two"), page)
    first = (
        page.read_text()
        .replace("## One\n\n", "## One\n\nWritten by hand.\n\n")
        .replace("## Two", "Also by hand.\n\n## Two")
    )
    page.write_text(first)
    keep("One", table([("a", "3"), ("c", "4")], "one"), page)
    text = page.read_text()
    assert text == first.replace("| a | 1 |\n", "| a | 3 |\n| c | 4 |\n")
    keep("Three", "Machine: none.\n\n| x | y |\n", page)
    assert page.read_text() == f"{text.rstrip()}\n\n## Three\n\nMachine: none.\n\n| x | y |\n"
