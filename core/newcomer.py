"""What an archive may bring: folders that could be added here, and no way out of this machine that it has not already.

Whoever made the archive may be a stranger. Its providers are not asked until the person confirms them, its vector
server is not used, a closed door stays closed, nothing that waits in it is sent without being asked for, and what holds
text back here, rules, redaction and budgets, becomes no looser. An old archive of one's own is no exception.
"""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from msgspec import structs

from core.errors import BadInput
from core.models import providers
from core.protocol import Provider, Settings
from indexer import placement
from indexer.records import STRICTEST, FolderRefused, FolderRule
from indexer.store.folder_copy import Chosen


def check_folders(paths: Sequence[str], protected: Sequence[Path]) -> None:
    """Pass folders that `offhand add` would take, once they can be reached.

    Args:
        paths: where they lie on this machine.
        protected: the profile's own folders.

    Raises:
        BadInput: one of them may not be watched here.
    """
    for number, path in enumerate(paths):
        if not any(kind(path).is_absolute() for kind in (PurePosixPath, PureWindowsPath)):
            raise BadInput(
                f"The archive cannot be used: {path!r} is no folder's whole path.", "Use another copy of it."
            )
        try:
            placement.check(Path(path), [os.path.realpath(other) for other in paths[:number]], protected)
        except FolderRefused as refused:
            raise BadInput(
                f"The archive's folders do not fit here: {refused.what}", "--map OLD=NEW says where they lie now."
            ) from refused


def stricter(brought: Sequence[Chosen], here: Sequence[Chosen]) -> dict[str, FolderRule]:
    """The archive's folders that get a stricter rule than it says, by path.

    None is looser than the rules that hold here for it, for what is around it and for what is in it; and to the cloud
    goes only what could be read here already, without links that were not followed here.

    Args:
        brought: the archive's folders, as they lie on this machine.
        here: those of the profile that gives way.
    """
    found: dict[str, FolderRule] = {}
    for folder in brought:
        real = os.path.realpath(folder.path)
        near = [other for other in here if placement.holds(other.path, real) or placement.holds(real, other.path)]
        known = any(Path(real).is_relative_to(other.path) and other.links >= folder.links for other in near)
        rules: list[FolderRule] = [folder.rule, *(other.rule for other in near), *(() if known else ("ask",))]
        rule = min(rules, key=STRICTEST.index)
        if rule != folder.rule:
            found[folder.path] = rule
    return found


def checked(brought: Settings) -> Settings:
    """An archive's settings, with each provider checked as one that is added.

    Raises:
        BadInput: a provider cannot be used.
    """
    kept: list[Provider] = []
    for provider in brought.providers:
        kept = providers.with_added(kept, providers.checked(provider))
    return structs.replace(brought, providers=kept)


def fitted(brought: Settings, here: Settings) -> tuple[Settings, str]:
    """An archive's settings as they apply on this machine, and what the person should know about it, or "".

    Args:
        brought: the archive's, checked.
        here: those of the profile that gives way.
    """
    kept = [structs.replace(provider, confirmed=provider in here.providers) for provider in brought.providers]
    asleep = [f"{provider.name} ({provider.url})" for provider in kept if not provider.confirmed]
    said = ""
    if asleep:
        said = f" Not asked until you say so, with `offhand providers confirm NAME`: {', '.join(asleep)}."
    if brought.vectors not in ("embedded", here.vectors):
        said += f" The vector server in it ({brought.vectors}) is not used; `offhand settings vectors` names one."
        brought = structs.replace(brought, vectors=here.vectors)
    if brought.second_opinions and not here.second_opinions:
        said += " Second opinions are off here; `offhand settings second_opinions on` asks what still waits for one."
        brought = structs.replace(brought, second_opinions=False)
    strict = structs.replace(
        brought,
        redact=brought.redact or here.redact,
        private_names=[*brought.private_names, *(n for n in here.private_names if n not in brought.private_names)],
        budget_day=_lower(brought.budget_day, here.budget_day),
        budget_month=_lower(brought.budget_month, here.budget_month),
    )
    if strict != brought:
        said += (
            " What was stricter here still holds: redaction, private names or budgets; `offhand settings` shows them."
        )
    return structs.replace(strict, providers=kept, offline=brought.offline or here.offline), said


def _lower(one: int, other: int) -> int:
    """The lower of two limits; 0 is none."""
    return min(filter(None, (one, other)), default=0)
