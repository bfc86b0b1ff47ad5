"""Which files are left alone: the person's patterns, hidden names, each directory's .gitignore, too large ones.

The person's own patterns are absolute; a .gitignore can hide more and can bring back what a .gitignore above it hid.
"""

import re
from collections.abc import Iterable
from pathlib import Path, PurePath

from msgspec import Struct
from pathspec import GitIgnoreSpec

from indexer.extract.registry import format_of

GITIGNORE = ".gitignore"
LARGEST_GITIGNORE = 1 << 20  # bytes


class IgnoreRules(Struct, frozen=True):
    """What a person can set.

    patterns: in .gitignore form.
    hidden: names that begin with a dot are indexed too.
    largest: files above this many bytes are skipped.
    """

    patterns: tuple[str, ...] = ()
    hidden: bool = False
    largest: int = 50 << 20

    def too_large(self, size: int) -> str:
        """Why a file of so many bytes is skipped, or ""."""
        return f"larger than the limit of {self.largest / 2**20:g} MB" if size > self.largest else ""


class Patterns:
    """The lines of one file of patterns; lines that are no patterns are passed over, as git does."""

    def __init__(self, lines: Iterable[str]) -> None:
        stripped = map(str.rstrip, lines)
        self._lines = [line for line in stripped if line and not line.startswith("#") and _is_pattern(line)]
        self._spec = GitIgnoreSpec.from_lines(self._lines)
        self._any = _alternatives(self._spec)

    def match(self, path: str) -> tuple[bool | None, str]:
        """Whether the last pattern that matches hides (True) or shows (False) the path, and that pattern.

        `path` is relative, with "/" between names and at the end of a directory's.
        """
        if self._any is None or not self._any.match(path):
            return None, ""  # nearly always, and 20 times cheaper than asking each pattern
        result = self._spec.check_file(path)
        return result.include, "" if result.index is None else self._lines[result.index]


class Level:
    """The rules in force inside one directory of a watched folder; `top` makes the first one.

    Args:
        rules: the person's.
        own: the person's patterns.
        path: of the directory, relative to the folder, "/" at its end.
        found: the .gitignore files from the folder down to here, each with its directory's `path`.
    """

    def __init__(self, rules: IgnoreRules, own: Patterns, path: str, found: tuple[tuple[str, Patterns], ...]) -> None:
        self._rules = rules
        self._own = own
        self._path = path
        self._found = found

    def below(self, name: str, directory: str) -> "Level":
        """The rules inside the subdirectory `name`, whose full path is `directory`."""
        path = f"{self._path}{name}/"
        return Level(self._rules, self._own, path, (*self._found, *_gitignore(path, directory)))

    def hides(self, name: str, *, is_directory: bool) -> str:
        """The rule that hides an entry of this directory, in words, or ""."""
        if name.startswith(".") and not self._rules.hidden:
            return "hidden: its name begins with a dot"
        path = f"{self._path}{name}/" if is_directory else f"{self._path}{name}"
        hidden, pattern = self._own.match(path)
        if hidden:
            return f"the pattern {pattern} of the settings"
        for prefix, patterns in reversed(self._found):
            hidden, pattern = patterns.match(path.removeprefix(prefix))
            if hidden is not None:
                return f"the pattern {pattern} in {prefix}{GITIGNORE}" if hidden else ""
        return ""


def top(root: str, rules: IgnoreRules) -> Level:
    """The rules inside a watched folder."""
    return Level(rules, Patterns(rules.patterns), "", _gitignore("", root))


def explain(root: str, path: str, rules: IgnoreRules) -> str:
    """Which rule hides the file at `path` inside the watched folder `root`, in words, or "" when none does."""
    level = top(root, rules)
    where = Path(root)
    *directories, name = Path(path).relative_to(root).parts
    for directory in directories:
        where /= directory
        said = level.hides(directory, is_directory=True)
        if said:
            return f"{where} is left out: {said}"
        level = level.below(directory, str(where))
    said = level.hides(name, is_directory=Path(path).is_dir())
    if said or not Path(path).is_file():
        return said
    if format_of(PurePath(path)) is None:
        return f"files of type {PurePath(path).suffix or 'unknown'} are not read"
    return rules.too_large(Path(path).stat().st_size)


def _gitignore(prefix: str, directory: str) -> tuple[tuple[str, Patterns], ...]:
    path = Path(directory, GITIGNORE)
    try:
        if not path.is_file():
            return ()
        with path.open(encoding="utf-8", errors="replace") as file:
            return ((prefix, Patterns(file.read(LARGEST_GITIGNORE).splitlines())),)
    except OSError:
        return ()  # it cannot be read: then it has no say


def _alternatives(spec: GitIgnoreSpec) -> re.Pattern[str] | None:
    """One expression that matches whatever any of the patterns matches; None when there is nothing to match."""
    sources = [pattern.regex.pattern for pattern in spec.patterns if pattern.regex is not None]
    return re.compile("|".join(re.sub(r"\(\?P<\w+>", "(", f"(?:{source})") for source in sources)) if sources else None


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):  # GitIgnorePatternError is a ValueError
        return False
    return True
