"""A profile, a person's folder that changes, and the lives of the engine between them."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np

from core.launch import EngineChannel
from core.paths import Profile
from core.protocol import Status, StatusReport
from core.settings import SettingsFile
from indexer.store import passages
from indexer.store.database import Database
from indexer.store.stored import pack
from indexer.worker import start_thread
from tests.processes import kills
from tests.processes.changes import Changes
from tests.processes.invariants import Invariants
from tests.processes.kills import Lives

MODEL = "all-MiniLM-L6-v2"


class Scene:
    """All of it for one test.

    Args:
        place: an empty directory.
        models: where the embedding model is.
        seed: of the changes and of chance.
        home: the profile's place, `place / "home"` when it is not named; it must be in the environment.
    """

    def __init__(self, place: Path, models: Path, seed: int, home: Path | None = None) -> None:
        self.profile = Profile(home or place / "home")
        self.changes = Changes(place / "notes", place / "aside", seed)
        self.lives = Lives(self.profile, self.changes.root)
        self.invariants = Invariants(self.profile, self.changes, models / MODEL / "tokenizer.json")
        self.chance = random.Random(seed)
        self.fired = 0

    def create(self) -> None:
        """An empty profile without a local model: loading it at each start would take half of the time."""
        self.profile.create()
        SettingsFile(self.profile.settings).replace(local_model=str(self.profile.home / "none.gguf"))

    def begin(self, *, shelf: bool) -> None:
        """A catalog that remembers each vector; with `shelf` one whose many passages have their vectors already."""
        self.create()
        Database(self.profile.catalog).close()
        connection = apsw.Connection(str(self.profile.catalog))
        connection.execute(kills.AUDIT)
        connection.close()
        if shelf:
            self.changes.fill_shelf()
            self.give_vectors()
        self.changes.fill(6)
        self.lives.start()
        self.lives.add_folder()
        self.rest()

    def rest(self) -> None:
        """Let the engine come to rest, and look at everything."""
        if not self.lives.running:
            self.lives.start()
        self.lives.settle(self.invariants.owed)
        broken = self.invariants.broken(self.lives.channel)
        assert not broken, f"after {self.lives.kills} kills: {broken}"

    def changing(self, deed: Callable[[], None]) -> None:
        """Run `deed` while the folder changes underneath."""
        stop = threading.Event()
        script = start_thread("script", self.changes.steps, stop, 0.15)
        try:
            deed()
        finally:
            stop.set()
            script.join()

    def kill_at(self, moment: kills.Moment, whom: str, *, seconds: float, changes: int = 1) -> None:
        """Kill when a moment comes, or a little later; without it, after `seconds`."""
        pid = self.lives.pid_of(whom) if whom not in {"family", "engine"} else None
        came = kills.wait_for(moment, seconds, changes)
        time.sleep(self.chance.choice([0.0, 0.0, 0.0005, 0.002, 0.01]))
        self.lives.kill(whom, pid)
        self.fired += came

    def give_vectors(self) -> None:
        """Vectors for the shelf's passages, in clusters as texts make them, so that nobody waits for a model."""
        noise = np.random.default_rng(7)
        centres = noise.normal(size=(40, 384))
        hashes = [
            passages.vector_hash(chunk.headings, chunk.text)
            for path in self.changes.truth
            if path.startswith("shelf-")
            for chunk in self.invariants.read(path).chunks
        ]
        rows = centres[noise.integers(40, size=len(hashes))] + 0.6 * noise.normal(size=(len(hashes), 384))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        connection = apsw.Connection(str(self.profile.catalog))
        with connection:
            connection.executemany(
                "INSERT OR IGNORE INTO embeddings (hash, model, vector) VALUES (?, ?, ?)",
                [(digest, MODEL, vector) for digest, vector in zip(hashes, pack(rows.astype(np.float32)), strict=True)],
            )
        connection.close()


def status(channel: EngineChannel) -> StatusReport:
    report = next(iter(channel.call(Status(), patience=kills.PATIENCE)))
    assert isinstance(report, StatusReport)
    return report
