"""The calls about local models: one `case` each."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import psutil
from msgspec import structs

from core.engine.children import STARTER, Children
from core.engine.downloads import Download, Downloads
from core.errors import BadInput, ModelMissing
from core.models import catalogue, gguf
from core.models.speed import Speed, Speeds
from core.models.transfer import host_of, unwritable
from core.protocol import (
    Event,
    GetModel,
    ListModels,
    ModelCall,
    ModelInfo,
    Models,
    PauseModel,
    RemoveModel,
    UseModel,
)
from core.settings import SettingsFile
from indexer.records import Problem
from indexer.worker import Cancellation

TELL_SECONDS = 0.25
OWN = "own.json"
HEADROOM = 600_000_000  # bytes of RAM beside a model's file: its context, and the rest of Offhand


class ModelDesk:
    """Knows the local models, and lets one of them write.

    Args:
        folder: where models are kept.
        settings: which of them writes.
        children: who loads it.
        downloads: those that are not whole yet.
        speeds: how fast they are here.
        choose: writes down and applies the path of the model that writes from now on, "" for the starter model.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: SettingsFile,
        children: Children,
        downloads: Downloads,
        speeds: Speeds,
        choose: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._children = children
        self._downloads = downloads
        self._speeds = speeds
        self._choose = choose
        self._choosing = threading.Lock()

    def handle(self, call: ModelCall, cancelled: Cancellation) -> Iterator[Event]:
        """Answer one call; see `core.protocol` for what each yields."""
        match call:
            case ListModels():
                yield self.told()
            case GetModel(source, wait):
                yield from self._get(source, wait, cancelled)
            case PauseModel(name):
                self._downloads.pause(self._download(name))
                yield self.told()
            case UseModel(name):
                with self._choosing:
                    note = self._use(name)
                yield self.told(note)
            case RemoveModel(name):
                yield self.told(self._remove(name))

    def told(self, note: str = "") -> Models:
        """All of them, and what came of a call."""
        folder = next(place for place in (self._folder, *self._folder.parents) if place.exists())
        memory = psutil.virtual_memory().total
        found = [structs.replace(info, fits=info.memory <= memory) for info in self._models()]
        return Models(self._with_speeds(found), memory, shutil.disk_usage(folder).free, note)

    # ---- what is there ----------------------------------------------------------------------------------------------

    def _models(self) -> Iterator[ModelInfo]:
        downloads = {download.source.name: download for download in self._downloads.all()}
        here = {path.name.casefold(): path for path in self._files()}
        for entry in catalogue.entries():
            path = here.pop(entry.file.casefold(), None)
            known = ModelInfo(
                entry.name, entry.size, "available", entry.good_for, entry.licence, entry.memory, entry.context
            )
            yield self._standing(known, path, downloads.pop(entry.name, None))
        for path in here.values():
            size = path.stat().st_size
            info = ModelInfo(path.stem, size, "here", memory=size + HEADROOM)
            downloads.pop(info.name, None)
            yield self._standing(info, path, None)
        for name, download in downloads.items():
            size = download.part.record.expected
            yield self._standing(ModelInfo(name, size, "available", memory=size + HEADROOM), None, download)

    def _files(self) -> list[Path]:
        """The files that are here: the starter model's, what was fetched, the person's own, and the one in use."""
        chosen = self._children.model_file
        named = [self._children.find(STARTER), *sorted(self._folder.glob("*.gguf")), *self._own()]
        return [path for path in dict.fromkeys([*named, *([chosen] if chosen else [])]) if path.is_file()]

    def _standing(self, info: ModelInfo, path: Path | None, download: Download | None) -> ModelInfo:
        if path is not None:
            state: Literal["in use", "here"] = "in use" if path == self._children.model_file else "here"
            own, stays = self._is_elsewhere(path), path == self._children.find(STARTER)
            return structs.replace(info, path=str(path), state=state, done=info.size, own=own, stays=stays)
        if download is None or download.state == "done":
            return info
        return structs.replace(
            info,
            state=download.state,
            size=info.size or download.part.record.expected,
            done=download.done,
            rate=round(download.rate, 1),
            seconds_left=download.seconds_left,
            note=str(download.problem or ""),
        )

    def _is_elsewhere(self, path: Path) -> bool:
        return path.parent != self._folder and path != self._children.find(STARTER)

    def _with_speeds(self, models: list[ModelInfo]) -> list[ModelInfo]:
        speeds = [self._speeds.of(Path(info.path)) if info.path else Speed() for info in models]
        measured = [(info.size, speed) for info, speed in zip(models, speeds, strict=True) if speed.wait(info.size)]
        told = []
        for info, own in zip(models, speeds, strict=True):
            speed = own
            if own.wait(info.size) is None and measured and info.size:
                size, known = min(measured, key=lambda pair: abs(pair[0] - info.size))
                speed = known.scaled(size, info.size)
            is_measured = speed is own and own.wait(info.size) is not None
            wait = speed.wait(info.size)
            told.append(
                structs.replace(
                    info,
                    reading=round(speed.reading, 1),
                    writing=round(speed.writing, 1),
                    measured=is_measured,
                    wait=None if wait is None else round(wait, 1),
                )
            )
        return told

    def _named(self, name: str) -> ModelInfo:
        found = next((info for info in self._models() if info.name.casefold() == name.casefold()), None)
        if found is None:
            raise BadInput(f"There is no model called {name}.", "`offhand models` lists them.")
        return found

    def _download(self, name: str) -> Download:
        found = self._downloads.of(self._named(name).name)
        if found is None or found.state == "done":
            raise BadInput(f"{name} is not being fetched.", "`offhand models` says where each stands.")
        return found

    # ---- fetching, adding, removing ---------------------------------------------------------------------------------

    def _get(self, source: str, wait: bool, cancelled: Cancellation) -> Iterator[Models]:
        if Path(source).is_absolute():
            yield self.told(self._add(Path(source)))
            return
        wanted = self._source(source)
        here = next((info for info in self._models() if info.name == wanted.name and info.path), None)
        if here is not None:
            yield self.told(f"{here.name} is here already.")
            return
        download = self._downloads.get(wanted)
        yield self.told()
        while wait and download.moving and not cancelled.wait(TELL_SECONDS):
            yield self.told()
        if wait and download.problem is not None:
            raise download.problem
        if download.state == "done":
            yield self.told(_came(download))

    def _source(self, named: str) -> catalogue.Source:
        if "://" in named:
            host_of(named)
            return catalogue.source_at(named)
        entry = catalogue.named(named)
        if entry is not None:
            return catalogue.source(entry)
        resting = self._downloads.of(named)
        if resting is not None:
            return resting.source
        step = "`offhand models` lists them; a web address or a file's path will do too."
        raise BadInput(f"There is no model called {named} in the catalogue.", step)

    def _add(self, path: Path) -> str:
        _check(path)
        name = _called(path)
        known = next((info for info in self._models() if info.name.casefold() == name.casefold()), None)
        if known is not None and known.path not in ("", str(path)):
            raise BadInput(f"There is another model called {name}.", "Give the file another name, and add it again.")
        if known is None or not known.path:
            self._remember([*self._own(), path])
        return f"{name} can be used; its file stays where it is."

    def _remove(self, name: str) -> str:
        info = self._named(name)
        download = self._downloads.of(info.name)
        if info.state == "in use":
            raise BadInput(f"{info.name} is in use.", "Use another one first: offhand models use NAME.")
        if download is not None:
            self._downloads.forget(download)
        if not info.path:
            if download is None:
                raise BadInput(f"{info.name} is not here.", "`offhand models` says which are.")
            return f"What was here of {info.name} is deleted."
        path = Path(info.path)
        if info.stays:
            raise BadInput(f"{info.name} came with Offhand and stays.", "It does nothing while another is used.")
        if info.own:
            self._remember([other for other in self._own() if other != path])
            return f"{info.name} is not listed any more; its file was not touched."
        try:
            path.unlink()
        except OSError as error:
            raise BadInput(f"{info.name} cannot be deleted: {error.strerror}.", "See who may write there.") from error
        return f"{info.name} is deleted."

    # ---- choosing ---------------------------------------------------------------------------------------------------

    def _use(self, name: str) -> str:
        if Path(name).is_absolute():
            self._add(Path(name))
            path = name
        elif name:
            info = self._named(name)
            if not info.path:
                raise BadInput(f"{info.name} is not here yet.", f"offhand models get {info.name}")
            path = info.path
        else:
            path = ""
        if path and Path(path) == self._children.find(STARTER):
            path = ""
        if path:
            _check(Path(path))
        before, earlier = self._settings.current.local_model, _called(self._children.model_file)
        self._choose(path)
        try:
            self._children.wake_model()
        except Problem as problem:
            what = problem.what
            if problem.kind != ModelMissing.kind:
                what = f"{_called(self._children.model_file)} could not be loaded: its process ended, or took too long."
            self._choose(before)
            goes_on = f"{earlier} goes on writing." if earlier else "Answers stay quotes."
            raise ModelMissing(f"{what} {goes_on}", "Choose another model.") from problem
        finally:
            self._children.warm()
        return f"{_called(self._children.model_file)} writes from now on."

    def _own(self) -> list[Path]:
        try:
            return [Path(path) for path in msgspec.json.decode((self._folder / OWN).read_bytes(), type=list[str])]
        except (OSError, msgspec.DecodeError):
            return []

    def _remember(self, paths: list[Path]) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._folder / f"{OWN}.new"
            fresh.write_bytes(msgspec.json.encode([str(path) for path in paths]))
            fresh.replace(self._folder / OWN)
        except OSError as error:
            raise unwritable(self._folder, "The list of your own models", error) from error


def _called(path: Path | None) -> str:
    """What a person calls the model in a file, "" for none."""
    if path is None:
        return ""
    entry = catalogue.of_file(path.name)
    return entry.name if entry is not None else path.stem


def _check(path: Path) -> None:
    try:
        gguf.read(path)
    except ModelMissing as problem:
        raise BadInput(problem.what, problem.next_step) from problem


def _came(download: Download) -> str:
    record = download.part.record
    checked = "its checksum is the one that was published"
    if not record.source.sha256:
        checked = "its checksum is the one that its server states"
    if not record.sha256:
        checked = "nobody states its checksum, and only its form was checked"
    return f"{download.source.name} is here ({record.expected / 1e9:.2f} GB); {checked}."
