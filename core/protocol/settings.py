"""Everything a person can change, as it travels and as the settings file keeps it."""

from typing import Literal

from msgspec import Struct, field


def _default_ignore() -> list[str]:
    return [".git/", "node_modules/", ".venv/", "__pycache__/", ".ssh/", ".gnupg/", "*.kdbx", "*.pem", ".env"]


class Settings(Struct, frozen=True):
    """Everything a person can change. The engine is the only writer.

    offline: the network door is closed.
    prefer: which model speaks first, "local" or "cloud".
    local_model: path of a GGUF file, "" for the starter model.
    cloud_url: base URL of an OpenAI-compatible service, "" for none.
    cloud_model: the model's name at that service.
    redact: whether addresses, numbers, keys and names are hidden from cloud models.
    private_names: names that are hidden from them too.
    budget_day, budget_month: cloud tokens that may be spent in a day and in a month, 0 for no limit.
    ignore: patterns in .gitignore form, besides each folder's own .gitignore.
    hidden_files: whether names that begin with a dot are indexed too.
    largest_file_mb: files above this many MiB are skipped.
    hotkey: the key combination that opens the palette.
    theme: "system", "light" or "dark".
    idle_minutes: the engine ends after this long with no client.
    threads: processor threads a model may use, 0 for all cores.
    """

    offline: bool = False
    prefer: Literal["local", "cloud"] = "local"
    local_model: str = ""
    cloud_url: str = ""
    cloud_model: str = ""
    redact: bool = True
    private_names: list[str] = field(default_factory=list)
    budget_day: int = 0
    budget_month: int = 0
    ignore: list[str] = field(default_factory=_default_ignore)
    hidden_files: bool = False
    largest_file_mb: int = 50
    hotkey: str = "Ctrl+Alt+Space"
    theme: Literal["system", "light", "dark"] = "system"
    idle_minutes: int = 15
    threads: int = 0
