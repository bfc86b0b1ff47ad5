"""A person's folder that changes by a script: each seed gives the same changes, and what is right is always known."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

_WORDS = (
    "boiler gutter slate apple garden invoice train ticket recipe oven plumber heron gauge sensor meeting budget "
    "letter dentist orchestra violin allotment potato battery cable harbour ferry passport winter spring kettle "
    "window paint ladder bicycle lamp curtain neighbour roof cellar engine"
).split()

SHELF_NOTES, SHELF_SECTIONS = 40, 30
"""The part of the folder that makes more than 1,000 passages: below that, Chroma keeps no graph on the disk."""


class Changes:
    """Owns a folder and changes it. Every version of a note has a word that no other text ever had.

    Args:
        root: the watched folder.
        aside: a folder outside of it, for what is taken away and put back.
        seed: of the changes.

    `truth` maps each path (relative, with slashes) to the bytes that are there now; `gone` are words of texts that are
    nowhere any more. Not thread-safe but for `steps`, which one other thread may run.
    """

    def __init__(self, root: Path, aside: Path, seed: int) -> None:
        self.root = root
        self.truth: dict[str, bytes] = {}
        self.words: dict[str, list[str]] = {}
        self.gone: list[str] = []
        self._aside = aside
        self._away: dict[str, dict[str, bytes]] = {}
        self._random = random.Random(seed)
        self._made = 0
        root.mkdir(parents=True, exist_ok=True)
        aside.mkdir(parents=True, exist_ok=True)

    def fill_shelf(self) -> None:
        """Write the many passages: two folders of long notes whose text never changes."""
        for number in range(SHELF_NOTES):
            sections = [f"## Section {part} {self._word()}\n\n{self._prose(100)}\n" for part in range(SHELF_SECTIONS)]
            self._put(f"shelf-{number % 2}/volume-{number}.md", f"# Volume {number}\n\n" + "\n".join(sections))

    def fill(self, notes: int) -> None:
        """Write short notes."""
        for _ in range(notes):
            self._create()

    def step(self) -> None:
        """One change by chance."""
        deeds: list[Callable[[], None]] = [
            self._create,
            self._create,
            self._edit,
            self._edit,
            self._append,
            self._rename,
            self._move,
            self._delete,
            self._copy,
        ]
        self._random.choice(deeds)()

    def steps(self, stop: threading.Event, pause: float) -> None:
        """Changes until `stop` is set, with up to `pause` seconds between them."""
        while not stop.is_set():
            self.step()
            stop.wait(self._random.uniform(0, pause))

    def take_away(self, folder: str) -> None:
        """Move a folder of the root out of it, as one rename."""
        (self.root / folder).rename(self._aside / folder)
        self._away[folder] = {path: self.truth.pop(path) for path in list(self.truth) if path.startswith(f"{folder}/")}

    def put_back(self, folder: str) -> None:
        """The reverse."""
        (self._aside / folder).rename(self.root / folder)
        self.truth.update(self._away.pop(folder))

    def away(self, folder: str) -> bool:
        return folder in self._away

    def on_disk(self) -> dict[str, bytes]:
        """What the folder holds now."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes() for path in self.root.rglob("*") if path.is_file()
        }

    def live_words(self, count: int) -> list[tuple[str, str]]:
        """Some words and the path of the one or more notes they stand in."""
        found = [(word, path) for path in self.truth for word in self.words.get(path, [])]
        return self._random.sample(found, min(count, len(found)))

    def gone_words(self, count: int) -> list[str]:
        present = {word for path in self.truth for word in self.words.get(path, [])}
        found = [word for word in self.gone if word not in present]
        return self._random.sample(found, min(count, len(found)))

    def _word(self) -> str:
        self._made += 1
        return f"zq{self._made:06d}"

    def _prose(self, words: int) -> str:
        return " ".join(self._random.choice(_WORDS) for _ in range(words)) + "."

    def _put(self, path: str, text: str, *, atomically: bool = False) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        content = text.encode()
        if atomically:
            fresh = place.with_name(f".{place.name}.new")
            fresh.write_bytes(content)
            fresh.replace(place)
        else:
            place.write_bytes(content)
        before = self.words.get(path, [])
        self.truth[path] = content
        self.words[path] = [word for word in text.split() if word.startswith("zq")]
        self.gone += [word for word in before if word not in self.words[path]]

    def _note(self) -> str:
        sections = "".join(
            f"\n## Part {self._word()}\n\n{self._prose(self._random.randint(5, 40))}\n"
            for _ in range(self._random.randint(1, 3))
        )
        task = f"\n- [ ] call the plumber about {self._word()} due 2026-12-{self._random.randint(1, 28):02d}\n"
        return f"# Note {self._word()}\n\n{self._prose(12)} #house\n{sections}{task}"

    def _some(self) -> str | None:
        found = [path for path in self.truth if not path.startswith("shelf-")]
        return self._random.choice(found) if found else None

    def _create(self) -> None:
        self._put(f"live/{self._random.choice('abc')}/note-{self._made}.md", self._note())

    def _edit(self) -> None:
        path = self._some()
        if path:
            self._put(path, self._note(), atomically=self._random.random() < 0.5)

    def _append(self) -> None:
        path = self._some()
        if path:
            line = f"\nOne more line about {self._word()} and the {self._random.choice(_WORDS)}.\n"
            with (self.root / path).open("ab") as file:
                file.write(line.encode())
            self.truth[path] += line.encode()
            self.words[path] = [word for word in self.truth[path].decode().split() if word.startswith("zq")]

    def _rename(self) -> None:
        path = self._some()
        if path:
            self._carry(path, path.replace("note-", f"note-{self._made}-", 1)[:120])

    def _move(self) -> None:
        path = self._some()
        if path:
            self._carry(path, f"live/{self._random.choice('abcd')}/{path.rpartition('/')[2]}")

    def _carry(self, source: str, target: str) -> None:
        if target in self.truth:
            return
        (self.root / target).parent.mkdir(parents=True, exist_ok=True)
        (self.root / source).rename(self.root / target)
        self.truth[target] = self.truth.pop(source)
        self.words[target] = self.words.pop(source)

    def _copy(self) -> None:
        path = self._some()
        if path:
            self._put(f"live/copies/copy-{self._made}.md", self.truth[path].decode())
            self._made += 1

    def _delete(self) -> None:
        path = self._some()
        if path and len(self.truth) > 5:
            (self.root / path).unlink()
            del self.truth[path]
            self.gone += self.words.pop(path)
