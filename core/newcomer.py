"""What an archive may bring: folders that could be added here, and no way out of this machine that it has not already.

Whoever made the archive may be a stranger. Its providers are not asked until the person confirms them, its vector
server is not used, a closed door stays closed, and nothing that waits in it is sent without being asked for.
"""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from msgspec import structs

from core.errors import BadInput
from core.models import providers
from core.protocol import Provider, Settings
from indexer import placement
from indexer.records import FolderRefused


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
    offline = brought.offline or here.offline
    return structs.replace(brought, providers=kept, offline=offline), said
