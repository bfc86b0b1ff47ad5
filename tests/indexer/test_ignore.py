"""The rules by which files are left alone, and the words for which rule it was."""

from pathlib import Path

import pytest

from indexer.ignore import IgnoreRules, Patterns, explain
from tests.indexer.conftest import write_notes

RULES = IgnoreRules(patterns=("node_modules/", "*.secret.md", ".env"), largest=1000)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("plain.md", ""),
        ("deep/er/plain.md", ""),
        (".hidden.md", "hidden"),
        (".obsidian/x.md", "hidden"),
        ("node_modules/a/readme.md", "pattern node_modules/ of the settings"),
        ("my.secret.md", "pattern *.secret.md of the settings"),
        ("build/out.md", "pattern /build/ in .gitignore"),
        ("deep/build/out.md", ""),
        ("draft-1.md", "pattern draft-* in .gitignore"),
        ("deep/draft-2.md", "pattern draft-* in .gitignore"),
        ("deep/er/draft-3.md", ""),
        ("deep/er/only.md", "pattern only.md in deep/er/.gitignore"),
        ("photo.jpg", "files of type .jpg are not read"),
        ("big.md", "larger than the limit"),
    ],
)
def test_each_rule_hides_what_it_should_and_says_so(root: Path, name: str, said: str) -> None:
    write_notes(root, {name: "x" * (2000 if name == "big.md" else 5), ".gitignore": "# a comment\n/build/\ndraft-*\n"})
    write_notes(root, {"deep/er/.gitignore": "!draft-3.md\nonly.md\n"})
    explained = explain(str(root), str(root / name), RULES)
    assert said in explained
    assert bool(said) == bool(explained)


def test_a_gitignore_cannot_bring_back_what_the_person_hides(root: Path) -> None:
    write_notes(root, {".gitignore": "!my.secret.md\n", "my.secret.md": "x"})
    assert "settings" in explain(str(root), str(root / "my.secret.md"), RULES)


def test_hidden_names_can_be_let_in(root: Path) -> None:
    write_notes(root, {".hidden.md": "x"})
    assert explain(str(root), str(root / ".hidden.md"), IgnoreRules(hidden=True)) == ""


@pytest.mark.parametrize("line", ["!", "foo\\", "[z-a]", "", "   ", "# only a comment"])
def test_a_line_that_is_no_pattern_is_passed_over(line: str) -> None:
    patterns = Patterns([line, "*.log"])
    assert patterns.match("a.log") == (True, "*.log")
    assert patterns.match("a.md") == (None, "")


def test_a_gitignore_that_is_no_text_has_no_say(root: Path) -> None:
    (root / ".gitignore").mkdir()
    write_notes(root, {"a.md": "x"})
    assert explain(str(root), str(root / "a.md"), RULES) == ""
