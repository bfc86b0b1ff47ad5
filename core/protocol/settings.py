"""Everything a person can change, as it travels and as the settings file keeps it."""

from typing import Literal

from msgspec import Struct, field

from core.protocol.hotkey import DEFAULT as DEFAULT_HOTKEY


def _default_ignore() -> list[str]:
    return [".git/", "node_modules/", ".venv/", "__pycache__/", ".ssh/", ".gnupg/", "*.kdbx", "*.pem", ".env"]


class Provider(Struct, frozen=True):
    """A service with a cloud model, or a model server on this machine or its network.

    name: what the person calls it.
    kind: the interface it speaks, OpenAI's (most do) or Anthropic's.
    url: its address, as in https://host/v1.
    model: the model's name there.
    key: the name under which its API key is kept, "" where it wants none.
    confirmed: the person wants it to be asked; one that an archive brought is not, until they say so.
    """

    name: str
    kind: Literal["openai", "anthropic"]
    url: str
    model: str
    key: str = ""
    confirmed: bool = True


class Settings(Struct, frozen=True):
    """Everything a person can change. The engine is the only writer.

    offline: the network door is closed.
    prefer: which model speaks first, "local" or "cloud".
    local_model: path of a GGUF file, "" for the starter model.
    providers: the cloud models, in the order in which they are asked.
    redact: whether addresses, numbers, keys and names are hidden from cloud models.
    private_names: names that are hidden from them too.
    second_opinions: a question that an outage keeps from the cloud models is put to them when they are back.
    budget_day, budget_month: cloud tokens that may be spent in a day and in a month, 0 for no limit.
    ignore: patterns in .gitignore form, besides each folder's own .gitignore.
    hidden_files: whether names that begin with a dot are indexed too.
    largest_file_mb: files above this many MiB are skipped.
    hotkey: the key combination that opens the palette.
    theme: "system", "light" or "dark".
    idle_minutes: the engine ends after this long with no client.
    threads: processor threads a model may use, 0 for all cores.
    first_word_ms: how long the local model may read before its first word; it is given as much of the notes as fits.
    vectors: where the vectors are kept, "embedded" or the address of a Chroma server, http(s)://host[:port].
    paused: nothing is read or embedded in the background.
    ocr: words are read off scanned pages, once everything else is read.
    pause_on_battery: the same while the machine runs on its battery; setting `paused` to off ends that until it was
        plugged in again.
    notify: the desktop tells when a new folder is read, and when a second opinion has come.
    """

    offline: bool = False
    prefer: Literal["local", "cloud"] = "local"
    local_model: str = ""
    providers: list[Provider] = field(default_factory=list)
    redact: bool = True
    private_names: list[str] = field(default_factory=list)
    second_opinions: bool = False
    budget_day: int = 0
    budget_month: int = 0
    ignore: list[str] = field(default_factory=_default_ignore)
    hidden_files: bool = False
    largest_file_mb: int = 50
    hotkey: str = DEFAULT_HOTKEY
    theme: Literal["system", "light", "dark"] = "system"
    idle_minutes: int = 15
    threads: int = 0
    first_word_ms: int = 1500
    vectors: str = "embedded"
    ocr: bool = True
    paused: bool = False
    pause_on_battery: bool = True
    notify: bool = False
