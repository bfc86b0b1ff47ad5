"""The local models of the scripted engine: one of each state."""

import msgspec

from core.protocol import (
    GetModel,
    ListModels,
    ModelCall,
    ModelInfo,
    Models,
    PauseModel,
    Problem,
    RemoveModel,
    UseModel,
)

MEMORY, FREE = 8_000_000_000, 20_000_000_000
FETCHED = "It is here."

MODELS = [
    ModelInfo(
        "SmolLM2-135M-Instruct", 98_362_432, "in use", "rephrasing a quote on any machine", "Apache-2.0",
        1_000_000_000, 8192, "/models/SmolLM2-135M-Instruct.Q4_1.gguf", done=98_362_432,
        reading=312.0, writing=63.0, measured=True, wait=0.8, stays=True,
    ),
    ModelInfo(
        "Qwen2.5-0.5B-Instruct", 491_400_032, "running", "short answers in many languages", "Apache-2.0",
        2_000_000_000, 32768, done=223_000_000, rate=4_200_000.0, seconds_left=64.3,
        reading=62.4, writing=12.6, wait=9.9,
    ),
    ModelInfo(
        "Qwen2.5-1.5B-Instruct", 1_117_320_736, "available", "answers from several passages", "Apache-2.0",
        3_000_000_000, 32768, reading=27.5, writing=5.5, wait=22.5,
    ),
    ModelInfo(
        "Llama-3.1-8B-Instruct", 4_920_739_232, "available", "the best answers of this list", "Llama 3.1 Community",
        9_000_000_000, 131072, fits=False, reading=6.2, writing=1.2, wait=101.0,
    ),
    ModelInfo(
        "mine", 100_000_000, "paused", memory=700_000_000, done=50_000_000,
        note="The connection to example.org broke. It goes on from there when you get it again.",
    ),
]  # fmt: skip


def models(note: str = "", told: list[ModelInfo] | None = None) -> Models:
    """What the engine says of them."""
    return Models(MODELS if told is None else told, MEMORY, FREE, note)


class PlayedModels:
    """Models that are got, used and removed at once; `trouble` is what any of it fails with."""

    def __init__(self) -> None:
        self.infos = list(MODELS)
        self.trouble: Problem | None = None

    def handle(self, call: ModelCall) -> Models:
        """Play it."""
        if self.trouble is not None and not isinstance(call, ListModels):
            raise self.trouble
        match call:
            case GetModel(source):
                name = source.rsplit("/", 1)[-1].removesuffix(".gguf")
                if "/" in source:
                    self.infos.append(ModelInfo(name, 98_000_000, "here", path=source, own=True))
                else:
                    self._set(name, "running")
            case PauseModel(name):
                self._set(name, "paused")
            case UseModel(name):
                named = name.rsplit("/", 1)[-1].removesuffix(".gguf") or self.infos[0].name
                if "/" in name:
                    self.infos.append(ModelInfo(named, 98_000_000, "here", path=name, own=True))
                for info in list(self.infos):
                    if info.state == "in use":
                        self._set(info.name, "here")
                self._set(named, "in use")
                return models(f"{named} writes from now on.", self.infos)
            case RemoveModel(name):
                self._set(name, "available")
                return models(f"{name} is deleted.", self.infos)
        return models("", self.infos)

    def _set(self, name: str, state: str) -> None:
        self.infos = [
            msgspec.structs.replace(info, state=state, note="") if info.name == name else info for info in self.infos
        ]
