"""The engine's child processes: which there are, what each may use, and which model files they load."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.answering.prompt import opening
from core.errors import ModelMissing
from core.models import llama, local
from core.models.model import Turn
from core.network import is_elsewhere, may_be_known
from core.paths import Profile, command, model_directories
from core.protocol import ChildInfo, Settings
from indexer import memory, semantics
from indexer.child import Child, Limits
from indexer.extract import extractor
from indexer.records import Problem
from indexer.store.store_service import EMBEDDED
from indexer.worker import Cancellation, start_thread

log = logging.getLogger(__name__)

EMBEDDER = "all-MiniLM-L6-v2"
STARTER = "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"
EXTRACTORS = (
    3  # on two cores: two of them wait while the word index is written (22.0 s for 10,000 notes, with three 19.7 s)
)
EXTRACTOR_MEMORY = 2 << 30  # bytes of address space; a 2.6 MB PDF takes 0.73 of them, half of it never touched


class Children:
    """All child processes of one engine; none is started before it is needed.

    Args:
        profile: whose engine.
        settings: what the person chose.
        kept: the folders that stay here. While there are any, the address of a vector server on another computer is
            told to no process: the vectors of these folders would go there with all others.
    """

    def __init__(self, profile: Profile, settings: Settings, kept: Sequence[str]) -> None:
        self._directories = model_directories(profile)
        self.notice = _withheld(settings, kept)
        self.model_file = self._find_model(settings.local_model)
        self._unusable = False  # the last attempt to load it failed
        embedder = self.find(EMBEDDER)
        threads = _threads(settings)
        self.semantics: Child[semantics.Call, semantics.Event] = Child(
            "semantics",
            command("--process", "semantics"),
            profile.runtime,
            semantics.Event,
            {
                "model_dir": str(embedder),
                "cache_dir": str(profile.data / "models" / EMBEDDER),
                "vectors_dir": str(profile.vectors),
                "catalog": str(profile.catalog),
                "threads": threads,
                "runtime": str(profile.runtime),
                "vectors_command": command("--process", "vectors"),
                **_vectors(settings, kept),
            },
            off_message="Search by meaning keeps failing and is switched off for ten minutes; word search goes on.",
        )
        self.llm: Child[llama.Call, llama.Event] = Child(
            "llm",
            command("--process", "llm"),
            profile.runtime,
            llama.Event,
            {"model": str(self.model_file or ""), "threads": threads},
            off_message="The local model keeps failing and is switched off for ten minutes; quotes go on.",
        )
        self.extractors = [
            self._extractor(
                f"extractor-{number}",
                profile,
                nice=5,
                off_message="Reading files keeps failing and pauses for ten minutes; search goes on.",
            )
            for number in range(1, EXTRACTORS + 1)
        ]
        self.recogniser = self._extractor(
            "recogniser",
            profile,
            nice=15,
            off_message="Recognising scanned pages keeps failing and pauses for ten minutes; everything else goes on.",
        )

    @property
    def _everyone(self) -> tuple[Child[Any, Any], ...]:
        return (self.semantics, self.llm, *self.extractors, self.recogniser)

    @property
    def model_name(self) -> str:
        """The local model as a person knows it, "" when there is none."""
        return self.model_file.stem if self.model_file else ""

    @property
    def model_state(self) -> str:
        """How the local model stands, as `StatusReport.model_state` has it."""
        if self.model_file is None or not self.model_file.is_file():
            return "missing"
        return "unusable" if self._unusable else self.llm.state

    def warm(self) -> None:
        """Load in the background what the first answer needs; search by meaning is woken by the index."""
        if self.model_file is not None:
            start_thread("warm", self._warm)

    def configure(self, settings: Settings, kept: Sequence[str]) -> None:
        """Apply changed settings; a process whose settings changed is started anew by its next call.

        Args:
            settings, kept: as above.
        """
        self.notice = _withheld(settings, kept)
        threads = _threads(settings)
        before, self.model_file = self.model_file, self._find_model(settings.local_model)
        if self.model_file != before:
            self._unusable = False
        self.llm.configure(model=str(self.model_file or ""), threads=threads)
        self.semantics.configure(threads=threads, **_vectors(settings, kept))

    def report(self) -> list[ChildInfo]:
        """Each process, its state and its resident memory in bytes."""
        pids = {child.name: child.pid for child in self._everyone}
        sizes = memory.resident(pids.values())
        return [
            ChildInfo(child.name, child.state, pids[child.name], sizes.get(pids[child.name] or 0, 0))
            for child in self._everyone
        ]

    def stop(self) -> None:
        """End them all."""
        for child in self._everyone:
            child.stop()

    def _warm(self) -> None:
        try:
            self.wake_model()
            # What every prompt begins with is read once, now; the model keeps the beginning that two prompts share.
            local.LocalModel(self.llm, self.model_name).prepare(Turn(opening, 1), Cancellation())
        except Problem as problem:
            log.info("the local model is not ready: %s", problem)

    def wake_model(self) -> None:
        """Load the local model.

        Raises:
            Problem: it is missing or cannot be loaded.
        """
        try:
            self.llm.ask(llama.Warm(), patience=local.LOAD_SECONDS)
        except Problem as problem:
            self._unusable = problem.kind == ModelMissing.kind
            raise
        self._unusable = False

    def _extractor(
        self, name: str, profile: Profile, *, nice: int, off_message: str
    ) -> Child[extractor.Call, extractor.Event]:
        return Child(
            name,
            command("--process", "extractor"),
            profile.runtime,
            extractor.Event,
            {"tokenizer": str(self.find(EMBEDDER) / "tokenizer.json")},
            limits=Limits(nice=nice, memory=EXTRACTOR_MEMORY),
            off_message=off_message,
        )

    def _find_model(self, named: str) -> Path | None:
        if named:
            return Path(named).expanduser()
        found = self.find(STARTER)
        return found if found.exists() else None

    def find(self, relative: str) -> Path:
        """The first place of a model file or folder that exists, else where it would be expected."""
        places = [folder / relative for folder in self._directories]
        return next((place for place in places if place.exists()), places[-1])


def _withheld(settings: Settings, kept: Sequence[str]) -> str:
    """Why a vector server is not used because of folders that stay here, in a sentence, or ""."""
    if not kept or settings.vectors == EMBEDDED:
        return ""
    try:
        if not is_elsewhere(settings.vectors):
            return ""
    except Problem:
        return ""  # it is no address, and `_vectors` says so
    return (
        f"{kept[0]} stays here, so the vector server at {settings.vectors} is not asked and gets nothing more; what it "
        "was given before is still there. `offhand settings vectors embedded` keeps the vectors here."
    )


def _vectors(settings: Settings, kept: Sequence[str]) -> dict[str, str]:
    """Where the vectors are kept as the semantics process is told, or why it is not told now."""
    try:
        if _withheld(settings, kept):
            return {"vectors": "", "vectors_closed": "a folder stays here, and the vector server is another computer"}
        url = settings.vectors
        return {
            "vectors": url if url == EMBEDDED else may_be_known(url, offline=settings.offline),
            "vectors_closed": "",
        }
    except Problem as problem:
        return {"vectors": "", "vectors_closed": problem.what}


def _threads(settings: Settings) -> int:
    return settings.threads or os.cpu_count() or 1
