"""The services and model servers whose addresses are known, for every door that adds a provider. Plain data, no Qt."""

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

Interface = Literal["openai", "anthropic"]


class Preset(NamedTuple):
    """A provider's interface and address, whether it wants a key, and how it is called."""

    kind: Interface
    url: str
    wants_key: bool
    title: str


PRESETS: dict[str, Preset] = {
    "openai": Preset("openai", "https://api.openai.com/v1", True, "OpenAI"),
    "anthropic": Preset("anthropic", "https://api.anthropic.com", True, "Anthropic"),
    "openrouter": Preset("openai", "https://openrouter.ai/api/v1", True, "OpenRouter"),
    "groq": Preset("openai", "https://api.groq.com/openai/v1", True, "Groq"),
    "gemini": Preset("openai", "https://generativelanguage.googleapis.com/v1beta/openai", True, "Gemini"),
    "ollama": Preset("openai", "http://127.0.0.1:11434/v1", False, "Ollama, on this machine"),
    "lmstudio": Preset("openai", "http://127.0.0.1:1234/v1", False, "LM Studio, on this machine"),
    "vllm": Preset("openai", "http://127.0.0.1:8000/v1", False, "vLLM, on this machine"),
}


def is_here(url: str) -> bool:
    """Whether the address is one of this machine, where a model server wants no key."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # brackets that hold no address
        return False
    return host in ("localhost", "::1") or host.startswith("127.")
